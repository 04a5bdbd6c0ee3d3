"""JSON and YAML -> price claims: like records with a name and price-like keys, at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from statistics import median
from typing import Any

from data.records import Meter, PriceClaim, Tier
from scraper.amounts import Amount
from scraper.grids import Cell
from scraper.prices.tables import claim
from scraper.source import Hints

Refuse = Callable[[str, str, str], None]
NO_PRICE = re.compile(r"discount|context|min_|max_|limit", re.I)
KEYS: tuple[tuple[str, Meter], ...] = (
    (r"web_?search|search|tool|grounding", "tool"),
    (r"audio.*cache|cache.*audio", "cached_audio_input"),
    (r"cache.*(write|creation)", "cache_write"),
    (r"cache", "cached_input"),
    (r"audio.*(out|completion)", "audio_output"),
    (r"audio", "audio_input"),
    (r"image.*out", "image_output"),
    (r"^image$|image_?(input|prompt|token)?", "image"),
    (r"reasoning", "reasoning"),
    (r"^(request|per_request)", "request"),
    (r"prompt|input", "input"),
    (r"completion|output", "output"),
)
PRICE_BOX = re.compile(r"pric|cost|rate", re.I)
NAME_KEYS = ("name", "model", "model_name", "display_name", "id", "title")
ID_KEYS = ("id", "model_id", "slug", "canonical_slug", "api_id")
PER_CALL = {"tool", "request"}


def claims_of_data(data: Any, capture: str, hints: Hints, refuse: Refuse) -> Iterator[PriceClaim]:
    """Claims of every record with a name and a price object; unit by the keys, the hints, or the size of the numbers."""
    found = list(records_in(data))
    stated = [v for _, _, box, _ in found for m, v, _, _ in numbers_in(box, "") if m in ("input", "output") and v > 0]
    per, why_per = unit_for(stated, hints)
    currency, why_currency = (
        (hints.currency, None) if hints.currency else ("USD", "currency inferred: no other is named")
    )
    notes = [n for n in (why_per, why_currency) if n]
    if per is None:
        for name, pointer, _, _ in found[:20]:
            refuse(name, "no unit", pointer)
        return
    for name, pointer, box, extra in found:
        for meter, value, tail, conditions in numbers_in(box, ""):
            if value < 0:
                continue
            unit = per if meter not in PER_CALL else "per_call"
            unit = "per_image" if meter == "image" else unit
            cell = Cell(str(value), f"{pointer}{tail}", raw=raw_at(box, tail))
            tier: Tier = (
                "batch" if name.endswith(":batch") or str(extra.get("id", "")).endswith(":batch") else "standard"
            )
            said = [*conditions, *extra.get("conditions", ()), *notes, *(["free"] if value == 0 else [])]
            yield claim(name, meter, tier, Amount(value), unit, str(currency), said, cell, capture, extra.get("id"))


def records_in(data: Any) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(name, pointer of the price box, price box, id and conditions) of every priced record, at any depth."""
    stack: list[tuple[Any, str, dict[str, Any]]] = [(data, "", {})]
    while stack:
        value, pointer, parent = stack.pop()
        if isinstance(value, dict):
            own = {k: value[k] for k in NAME_KEYS + ID_KEYS if isinstance(value.get(k), str)}
            name = next((own[k] for k in NAME_KEYS if k in own), None)
            for key, inner in value.items():
                here = f"{pointer}/{escape(key)}"
                if isinstance(inner, dict) and PRICE_BOX.search(key) and any(True for _ in numbers_in(inner, "")):
                    known = (
                        parent
                        if name is None
                        else {"name": name, "id": next((own[k] for k in ID_KEYS if k in own), None)}
                    )
                    seller = value.get("provider")
                    conditions = (f"provider {seller}",) if isinstance(seller, str) else ()
                    if known.get("name"):
                        yield known["name"], here, inner, {"id": known.get("id"), "conditions": conditions}
                elif isinstance(inner, dict | list):
                    passed = {"name": name, "id": next((own[k] for k in ID_KEYS if k in own), None)} if name else parent
                    stack.append((inner, here, passed))
        elif isinstance(value, list):
            for n, inner in reversed(list(enumerate(value))):
                stack.append((inner, f"{pointer}/{n}", parent))


def numbers_in(box: dict[str, Any], pointer: str) -> Iterator[tuple[Meter, Decimal, str, tuple[str, ...]]]:
    """(meter, value, pointer tail, conditions) of a price object; overrides by prompt length are bands."""
    for key, value in box.items():
        found: Meter | None = None
        if key == "overrides" and isinstance(value, list):
            for n, override in enumerate(value):
                least = override.get("min_prompt_tokens") if isinstance(override, dict) else None
                if least is not None:
                    inner = {k: v for k, v in override.items() if k != "min_prompt_tokens"}
                    for meter, amount, tail, said in numbers_in(inner.get("pricing", inner), f"{pointer}/{key}/{n}"):
                        yield meter, amount, tail, (*said, f"min_prompt_tokens {least}")
            continue
        found = None if NO_PRICE.search(key) else next((m for p, m in KEYS if re.search(p, key, re.I)), None)
        stated = decimal(value)
        if found is not None and stated is not None:
            life = re.search(r"(\d+[mh])$", key)
            yield found, stated, f"{pointer}/{escape(key)}", ((life.group(1),) if life else ())


def unit_for(values: list[Decimal], hints: Hints) -> tuple[str | None, str | None]:
    """The unit of token prices: as the source file says, else by the size of the whole column, which is said."""
    if hints.per:
        return hints.per, None
    if not values:
        return None, None
    middle = median(values)
    for least, most, per in (
        (Decimal("1e-9"), Decimal("5e-5"), "per_token"),
        (Decimal("0.01"), Decimal(500), "per_mtok"),
    ):
        if least <= middle <= most:
            return per, f"unit inferred from the size of the numbers: {per}"
    return None, None


def decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def raw_at(box: dict[str, Any], tail: str) -> str:
    value: Any = box
    for part in tail.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        inner = value[int(key)] if isinstance(value, list) else value.get(key, value.get("pricing", {}).get(key))
        value = inner
    return str(value)


def escape(part: str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
