"""What a JSON Schema cannot judge: numbers that are none, a p95 under its p50, hours and zones that do not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.errors import Problem
from data.records import EFFORTS
from data.registry.document import Document
from data.registry.expand import size

COUNTS = ("in", "out", "reasoning")
Steps = list[str | int]


def senseless(document: Document) -> list[Problem]:
    """Faults of values whose shape is right, in file order. The document has passed the schema, or what did not is left out."""
    cases = document.tree.get("use_cases") or {}
    out = [
        document.problem(["use_cases", slug], "slug", f"{slug} is a number.", f'write "{slug}" in quotes.', key=True)
        for slug in cases
        if not isinstance(slug, str)
    ]
    for steps, value in _leaves(document.tree, []):
        if isinstance(value, float) and not isfinite(value):
            out.append(document.problem(steps, "number", f"{value} is no number that can be used.", "write a number."))
    entries: list[Steps] = [["defaults"], *(["use_cases", slug] for slug in cases)]
    for at in entries:
        entry = _at(document.tree, at)
        if isinstance(entry, Mapping):
            out += _tokens(document, at, entry.get("tokens") or {})
            out += _efforts(document, at, entry)
            out += _hours(document, at, entry.get("traffic"))
            out += _zone(document, at, entry.get("alerts") or {})
    return out


def _tokens(document: Document, at: Steps, counts: Mapping[str, Any]) -> Iterator[Problem]:
    for name in COUNTS:
        spread = counts.get(name)
        if not isinstance(spread, Mapping):
            continue
        known = [(q, size(spread[q])) for q in ("p50", "p95", "p99") if q in spread]
        for (low, a), (high, b) in pairwise(known):
            if b < a:
                fix = "the larger share of calls has the larger count."
                yield document.problem([*at, "tokens", name, high], "spread", f"{high} is under {low}.", fix)
        if "mean" not in spread and known[0][1] == 0 and known[-1][1] > 0:
            fix = "give the mean, or a p50 above 0."
            yield document.problem([*at, "tokens", name, "p50"], "spread", "half of the calls have none, and no mean is given.", fix)  # fmt: skip


def _efforts(document: Document, at: Steps, entry: Mapping[str, Any]) -> Iterator[Problem]:
    """A word that no maker has would be judged as another setting, or as none."""
    choices: list[tuple[Steps, Any]] = [(["model"], entry.get("model"))]
    choices += [(["fallbacks", n], m) for n, m in enumerate(entry.get("fallbacks") or ())]
    for place, choice in choices:
        effort = choice.get("effort") if isinstance(choice, Mapping) else None
        if effort is not None and effort not in EFFORTS:
            near = difflib.get_close_matches(str(effort), EFFORTS, n=1)
            fix = f"{near[0]}." if near else f"{', '.join(EFFORTS[:-1])} or {EFFORTS[-1]}."
            yield document.problem([*at, *place, "effort"], "effort", f'no effort "{effort}".', fix)


def _hours(document: Document, at: Steps, traffic: Any) -> Iterator[Problem]:
    hours = traffic.get("hours_utc") if isinstance(traffic, Mapping) else None
    if hours and re.search(r"\b24-", str(hours)):
        fix = "a day begins at 00, e.g. 07-18 Mon-Fri."
        yield document.problem([*at, "traffic", "hours_utc"], "hours", f'"{hours}" begins at 24.', fix)


def _zone(document: Document, at: Steps, alerts: Mapping[str, Any]) -> Iterator[Problem]:
    zone = str(alerts.get("schedule", "Mon 09:00 UTC")).split()[-1]
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        said = f'no time zone "{zone}".'
        yield document.problem([*at, "alerts", "schedule"], "zone", said, 'e.g. "Mon 09:00 Europe/Berlin".')


def _leaves(value: Any, at: Steps) -> Iterator[tuple[Steps, Any]]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield at, value
        return
    for key, inner in items:
        yield from _leaves(inner, [*at, key])


def _at(tree: Any, steps: Steps) -> Any:
    for step in steps:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree
