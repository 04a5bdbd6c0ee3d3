"""The price of one call: exact decimals, every rate it used, or why it has none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from data.records import Rate
from recommender.cost.book import RateBook, Sheet, covers

MILLION = Decimal(1_000_000)
PROMPT_PARTS = ("cached_input", "cache_write", "cache_write_1h", "audio_input", "image_input", "video_input")
ANSWER_PARTS = ("reasoning", "audio_output", "image_output", "video_output")
COUNTS = ("input", "output", *PROMPT_PARTS, *ANSWER_PARTS, "request")
STANDS_IN = {"cached_input": "input", "cache_write": "input", "reasoning": "output"}  # charged so where not stated
TIERS = ("standard", "batch", "flex", "priority")


class NoPrice(ValueError):
    """Why a call cannot be priced."""


def price_line(entry: Mapping[str, Any], rates: Iterable[Rate] | Mapping[str, list[Rate]]) -> dict[str, Any]:
    """`{"usd": text, "rates": [...]}` for one entry of `undercut price`, or `{"error": text}`; never 0 for unknown.

    `rates` may be grouped by endpoint. `input` counts the whole prompt, cached tokens included; `output` counts every
    generated token, reasoning included.
    """
    try:
        endpoint, tier, at, counts = _read(entry)
        own = rates.get(endpoint, []) if isinstance(rates, Mapping) else [r for r in rates if r.endpoint_id == endpoint]
        if not own:
            raise NoPrice(f"no endpoint {endpoint!r}; price ids read provider:model id, e.g. openai:gpt-4o")
        book = RateBook(own, at=at, known_at=datetime.max.replace(tzinfo=UTC))
        sheet = book.sheet(endpoint, tier)
        if sheet is None:
            has = ", ".join(book.tiers(endpoint)) or "nothing in force then"
            raise NoPrice(f"{endpoint} has no {tier} price at {at:%Y-%m-%d %H:%M} UTC; it has: {has}")
        usd, used = price_call(sheet, counts, at)
    except NoPrice as error:
        return {"error": str(error)}
    return {"usd": _text(usd), "rates": [_shown(r) for r in used]}


def price_call(sheet: Sheet, counts: Mapping[str, Decimal], at: datetime) -> tuple[Decimal, list[Rate]]:
    """USD of one call and the rates it used. `counts`: tokens by meter, as in `price_line`. Raises NoPrice."""
    prompt = counts.get("input", Decimal(0))
    charged = {k: v for k, v in counts.items() if v and k not in ("input", "output")}
    charged["input"] = _rest(counts, "input", PROMPT_PARTS)
    charged["output"] = _rest(counts, "output", ANSWER_PARTS)
    usd, used = Decimal(0), []
    if "request" in sheet:
        charged.setdefault("request", Decimal(1))
    for meter, tokens in charged.items():
        if not tokens:
            continue
        rate = _pick(sheet, meter, prompt, at)
        used.append(rate)
        usd += (rate.usd_per_mtok * tokens / MILLION) if rate.usd_per_mtok is not None else _per_unit(rate) * tokens
    return usd, used


def _pick(sheet: Sheet, meter: str, prompt_tokens: Decimal, at: datetime) -> Rate:
    stated = sheet.get(meter)
    stands_in = STANDS_IN.get(meter)
    if stated is None and stands_in:
        return _pick(sheet, stands_in, prompt_tokens, at)
    if stated is None and meter in ("input", "output"):
        stated = sheet.get("unified") or (sheet.get("embedding") if meter == "input" else None)
    fits = [r for r in stated or () if in_band(r, prompt_tokens)]
    timed = [r for r in fits if r.time_window is not None and covers(r.time_window, at)]
    found = timed or [r for r in fits if r.time_window is None]
    if not found:
        raise NoPrice(f"no {meter} price is known for this call")
    return found[-1]


def in_band(rate: Rate, prompt_tokens: Decimal | float) -> bool:
    """Above the lower end, up to and including the upper."""
    low, high = rate.context_min_tokens, rate.context_max_tokens
    return (low is None or prompt_tokens > low) and (high is None or prompt_tokens <= high)


def _rest(counts: Mapping[str, Decimal], whole: str, parts: tuple[str, ...]) -> Decimal:
    rest = counts.get(whole, Decimal(0)) - sum((counts.get(p, Decimal(0)) for p in parts), Decimal(0))
    if rest < 0:
        raise NoPrice(f"{whole} counts all tokens of its direction, yet {', '.join(parts)} add up to more")
    return rest


def _per_unit(rate: Rate) -> Decimal:
    if rate.usd_per_unit is None:
        raise NoPrice(f"the {rate.meter} rate has no amount")
    return rate.usd_per_unit


def _read(entry: Mapping[str, Any]) -> tuple[str, str, datetime, dict[str, Decimal]]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("endpoint"), str):
        raise NoPrice(
            'needs an object with "endpoint", e.g. {"endpoint": "openai:gpt-4o", "input": 1200, "output": 90}'
        )
    if stray := sorted(set(entry) - {"endpoint", "at", "tier", *COUNTS}):
        raise NoPrice(f"unknown key {stray[0]!r}; known: endpoint, at, tier, {', '.join(COUNTS)}")
    tier = entry.get("tier", "standard")
    if tier not in TIERS:
        raise NoPrice(f"no tier {tier!r}; one of {', '.join(TIERS)}")
    counts = {k: _count(k, entry[k]) for k in COUNTS if k in entry}
    if not counts:
        raise NoPrice("no token counts; give input and output")
    return entry["endpoint"], tier, _instant(entry.get("at")), counts


def _count(key: str, value: object) -> Decimal:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, str))
        or not re.fullmatch(r"\d+(\.\d+)?", str(value))
    ):
        raise NoPrice(f"{key} must be a count of tokens, not {value!r}")
    return Decimal(str(value))


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise NoPrice('"at" says for which instant, e.g. "2026-11-01T00:00:00Z"')
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise NoPrice(f'"at" is not an ISO instant: {value!r}, e.g. "2026-11-01T00:00:00Z"') from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _shown(rate: Rate) -> dict[str, Any]:
    return {
        "meter": rate.meter,
        "tier": rate.tier,
        "usd_per_mtok": None if rate.usd_per_mtok is None else _text(rate.usd_per_mtok),
        "usd_per_unit": None if rate.usd_per_unit is None else _text(rate.usd_per_unit),
        "above_tokens": rate.context_min_tokens,
        "up_to_tokens": rate.context_max_tokens,
        "time_window": rate.time_window,
        "valid_from": rate.valid_from.isoformat() if rate.valid_from else None,
        "source": rate.source_id,
        "claims": list(rate.claim_ids),
    }


def _text(amount: Decimal) -> str:
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
