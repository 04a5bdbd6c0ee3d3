"""Short forms -> numbers with units: `20k/day`, `38k`, p50 and p95, and `defaults:` merged key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import exp
from typing import Any

from data.records import DAYS_PER_MONTH, Tokens, lognormal_sigma

PER_MONTH = {"hour": 24 * DAYS_PER_MONTH, "day": DAYS_PER_MONTH, "week": DAYS_PER_MONTH / 7, "month": 1.0}
FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}
QUALITY = {
    "keep": {"max_drop": 0.02, "confidence": 0.85},
    "near": {"max_drop": 0.05, "confidence": 0.85},
    "good-enough": {"max_drop": 0.10, "confidence": 0.80},
}


def calls_per_month(text: str) -> float:
    """`20k/day` -> calls in a month of 365/12 days."""
    number, _, period = text.partition("/")
    return _sized(number) * PER_MONTH[period]


def tokens(value: object) -> Tokens:
    """A plain size is the mean; p50 and p95 alone give it through a lognormal (PRODUCT 2.1, rule 8)."""
    if not isinstance(value, Mapping):
        return Tokens(mean=size(value))
    stated = {k: size(v) for k, v in value.items()}
    p50, p95 = stated["p50"], stated.get("p95")
    if "mean" not in stated:
        sigma = lognormal_sigma(p50, p95) or 0.0
        stated["mean"] = p50 * exp(sigma**2 / 2)
    return Tokens(**stated)


def size(value: object) -> float:
    """900, 38k or 1.2M as a number."""
    return float(value) if isinstance(value, int | float) else _sized(str(value))


def expanded(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with its short forms written out, so that defaults merge key by key."""
    out = dict(entry)
    for key, long in (("task", None), ("model", "id"), ("traffic", "calls")):
        if isinstance(out.get(key), str):
            out[key] = {out[key]: 1.0} if long is None else {long: out[key]}
    if isinstance(out.get("quality"), str):
        out["quality"] = dict(QUALITY[out["quality"]])
    return out


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on `base`: maps merge key by key, lists and single values are replaced; a task map is one value."""
    out = dict(base)
    for key, value in over.items():
        both = (
            isinstance(value, Mapping)
            and isinstance(out.get(key), Mapping)
            and key not in ("task", "in", "out", "reasoning")
        )
        out[key] = merged(out[key], value) if both else value
    return out


def _sized(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text)
    if found is None:
        raise ValueError(f"cannot read the size {text!r}")
    return float(found.group(1)) * FACTORS[found.group(2)]
