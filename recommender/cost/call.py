"""The price of one call: exact decimals, every rate it used, or why it has none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from data.records import Rate
from recommender.cost.book import Desk, RateBook
from recommender.cost.sheet import Line, Sheet, exact

PROMPT_PARTS = (
    "cached_input", "cache_write", "cache_write_1h", "audio_input", "cached_audio_input", "image_input",
    "cached_image_input", "video_input",
)  # fmt: skip
ANSWER_PARTS = ("reasoning", "audio_output", "image_output", "video_output")
PARTS = dict.fromkeys(PROMPT_PARTS, "input") | dict.fromkeys(ANSWER_PARTS, "output")
UNITS = ("request", "image", "web_search", "file_search", "page")
COUNTS = ("input", "output", *PROMPT_PARTS, *ANSWER_PARTS, *UNITS)
SPELLINGS = {"requests": "request", "images": "image", "web_searches": "web_search", "file_searches": "file_search"}
SPELLINGS |= {"pages": "page"}
TIERS = ("standard", "batch", "flex", "priority")
ZERO = Decimal(0)
EXAMPLE = '{"endpoint": "openai:gpt-4o", "input": 1200, "output": 90, "at": "2026-11-01T00:00:00Z"}'
Count = int | Decimal
Book = Desk | Iterable[Rate] | Mapping[str, list[Rate]]


class NoPrice(ValueError):
    """Why a call cannot be priced."""


def price_line(entry: Mapping[str, Any], rates: Book) -> dict[str, Any]:
    """`{"usd": text, "rates": [...]}` for one entry of `undercut price`, or `{"error": text}`; never 0 for unknown.

    `input` counts the whole prompt, `output` every generated token; the other token counts are parts of these and do
    not overlap. `notes` is there where a meter is charged as another. For many lines hand in a `Desk`, which compiles
    each sheet once.
    """
    try:
        endpoint, tier, at, counts = _read(entry)
        book = _book(rates, endpoint, at)
        sheet = book.sheet(endpoint, tier)
        if sheet is None:
            has = ", ".join(book.tiers(endpoint)) or "nothing in force then"
            raise NoPrice(f"{endpoint} has no {tier} price at {at:%Y-%m-%d %H:%M} UTC; it has: {has}")
        usd, used = price_call(sheet, counts, at)
    except ValueError as error:  # NoPrice, or a time window nobody can read
        return {"error": str(error)}
    answer: dict[str, Any] = {"usd": exact(usd), "rates": [line.shown for line in used]}
    notes = [line.note for line in used if line.note]
    return answer | ({"notes": notes} if notes else {})


def price_lines(lines: Iterable[str], rates: Book) -> Iterator[dict[str, Any]]:
    """One answer a line, in order, so that the n-th answer belongs to the n-th line; a blank or broken one is answered with its fault."""
    desk = _desk(rates)
    for number, line in enumerate(lines, 1):
        yield _answered(number, line, desk)


def _answered(number: int, line: str, desk: Desk) -> dict[str, Any]:
    if not line.strip():
        return {"line": number, "error": f"line {number} is blank, e.g. {EXAMPLE}"}
    try:
        call = json.loads(line)
    except ValueError as error:
        said = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        return {"line": number, "error": f"line {number} is no JSON object ({said}), e.g. {EXAMPLE}"}
    answer = price_line(call, desk)
    return {"line": number, **answer} if "error" in answer else answer


def price_call(sheet: Sheet, counts: Mapping[str, Count], at: datetime) -> tuple[Decimal, list[Line]]:
    """USD of one call and the lines it used. `counts`: tokens (or units) by meter, as in `price_line`. Raises NoPrice."""
    lines = sheet.lines(counts.get("input", 0), at)
    charged = dict(counts)
    for part in counts.keys() & PARTS.keys():
        charged[PARTS[part]] = charged.get(PARTS[part], 0) - counts[part]
    if "request" in lines:
        charged.setdefault("request", 1)
    usd, used = ZERO, []
    for meter, count in charged.items():
        if not count:
            continue
        if count < 0:
            raise NoPrice(f"{meter} counts all tokens of its direction, yet {_parts_of(meter, counts)} add up to more")
        line = lines.get(meter)
        if line is None:
            raise NoPrice(f"no {meter} price is known for this call; priced: {', '.join(sorted(lines)) or 'nothing'}")
        usd += line.usd * count
        used.append(line)
    return usd, used


def _parts_of(whole: str, counts: Mapping[str, Count]) -> str:
    return ", ".join(p for p in counts if PARTS.get(p) == whole)


def _desk(rates: Book) -> Desk:
    if isinstance(rates, Desk):
        return rates
    return Desk(rates if isinstance(rates, Mapping) else _grouped(rates))


def _book(rates: Book, endpoint: str, at: datetime) -> RateBook:
    desk = _desk(rates)
    if endpoint in desk.rates:
        return desk.book(endpoint, at)
    provider, colon, _ = endpoint.partition(":")
    if not colon:
        raise NoPrice(f"no endpoint {endpoint!r}; price ids read provider:model id, e.g. openai:gpt-4o")
    providers = sorted({e.partition(":")[0] for e in desk.rates})
    if provider not in providers:
        raise NoPrice(f"no endpoint {endpoint!r}: no provider {provider!r}; known: {', '.join(providers)}")
    near = get_close_matches(endpoint, [e for e in desk.rates if e.startswith(f"{provider}:")], 3)
    raise NoPrice(
        f"no endpoint {endpoint!r}; names are never guessed{': near it are ' if near else ''}{', '.join(near)}"
    )


def _grouped(rates: Iterable[Rate]) -> dict[str, list[Rate]]:
    grouped: dict[str, list[Rate]] = {}
    for rate in rates:
        grouped.setdefault(rate.endpoint_id, []).append(rate)
    return grouped


def _read(entry: Mapping[str, Any]) -> tuple[str, str, datetime, dict[str, Count]]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("endpoint"), str):
        raise NoPrice(f'needs an object with "endpoint", e.g. {EXAMPLE}')
    counts: dict[str, Count] = {}
    for key, value in entry.items():
        meter = SPELLINGS.get(key, key)
        if meter in COUNTS:
            if meter in counts:
                raise NoPrice(f"{meter} is given twice; keep one spelling")
            counts[meter] = _count(key, value)
        elif key not in ("endpoint", "at", "tier"):
            raise NoPrice(f"unknown key {key!r}; known: endpoint, at, tier, {', '.join(COUNTS)}")
    tier = entry.get("tier", "standard")
    if tier not in TIERS:
        raise NoPrice(f"no tier {tier!r}; one of {', '.join(TIERS)}")
    if not counts:
        raise NoPrice(f"no token counts; give input and output, e.g. {EXAMPLE}")
    return entry["endpoint"], tier, _instant(entry.get("at")), counts


def _count(key: str, value: object) -> Count:
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, (float, str)) and re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", str(value)):
        return Decimal(str(value))
    raise NoPrice(f"{key} must be a count, 0 or more, not {value!r}")


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise NoPrice('"at" must say for which instant, e.g. "2026-11-01T00:00:00Z"')
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoPrice(f'"at" is not an ISO instant: {value!r}, e.g. "2026-11-01T00:00:00Z"') from None
