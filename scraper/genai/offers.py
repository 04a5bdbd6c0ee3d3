"""The body of genai-prices -> a price claim with its endpoint for every number that has a word of ours. Pure.

A later price ends the older one of the same condition where it starts. Steps price the whole request and hold above
their start (the package's `TieredPrices`, "cliff" model). Nothing is converted or guessed: price keys and conditions
without a word of ours are left out and counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from data.records import Meter, PriceClaim, Tier

METERS: dict[str, tuple[Meter, str]] = {
    "input_mtok": ("input", "per_mtok"),
    "output_mtok": ("output", "per_mtok"),
    "cache_read_mtok": ("cached_input", "per_mtok"),
    "cache_write_mtok": ("cache_write", "per_mtok"),
    "cache_write_1h_mtok": ("cache_write_1h", "per_mtok"),
    "output_reasoning_mtok": ("reasoning", "per_mtok"),
    "input_audio_mtok": ("audio_input", "per_mtok"),
    "cache_audio_read_mtok": ("cached_audio_input", "per_mtok"),
    "output_audio_mtok": ("audio_output", "per_mtok"),
    "input_image_mtok": ("image_input", "per_mtok"),
    "cache_image_read_mtok": ("cached_image_input", "per_mtok"),
    "output_image_mtok": ("image_output", "per_mtok"),
    "input_video_mtok": ("video_input", "per_mtok"),
    "output_video_mtok": ("video_output", "per_mtok"),
    "requests_kcount": ("request", "per_1k_requests"),
    "web_searches_kcount": ("tool", "per_1k_web_searches"),
    "storage_searches_kcount": ("tool", "per_1k_file_searches"),
    "audio_hours": ("audio", "per_hour"),
    "input_document_kpages": ("ocr", "per_1k_pages"),
    "input_annotated_document_kpages": ("ocr", "per_1k_annotated_pages"),
}
UNITS: dict[str, tuple[int, str]] = {  # what `per` divides by, and what one of it is
    "per_1k_requests": (1000, "request"),
    "per_1k_web_searches": (1000, "web_search"),
    "per_1k_file_searches": (1000, "file_search"),
    "per_1k_pages": (1000, "page"),
    "per_1k_annotated_pages": (1000, "annotated_page"),
    "per_hour": (1, "hour"),
}
TIERS: dict[tuple[str, str], Tier] = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "priority",
    ("speed", "fast"): "priority",
}
ROUTES = {("route", "mistral/eu"): "eu"}
NO_PRICES = frozenset({"from", "hours_utc", "when"})
PriceSet = Mapping[str, Any]


class Offer(NamedTuple):
    endpoint_id: str
    claim: PriceClaim


class _Where(NamedTuple):
    """What all claims of one model share."""

    provider: str
    model_id: str
    name: str
    capture: str
    pointer: str


def offers_of(
    provider: str, model_id: str, model: Mapping[str, Any], capture: str, skipped: Counter[str]
) -> Iterator[Offer]:
    """The offers of one model. `capture`: sha256 of the body; `skipped` counts what has no word of ours."""
    pointer = f"/{_escape(provider)}/{_escape(model_id)}"
    where = _Where(provider, model_id, model["name"] or model_id, capture, pointer)
    sets = model["prices"]
    for n, price_set in enumerate(sets):  # the package takes the last that holds, whole
        yield from _set_offers(where, f"prices/{n}", price_set, sets[n + 1 :], skipped, whole=True)
    variants = model.get("variants", ())
    offered: set[tuple[object, ...]] = set()
    for n, variant in enumerate(variants):  # and of the variants the first that holds, price by price
        same = [v for v in variants[:n] if v["when"] == variant["when"]]
        for offer in _set_offers(where, f"variants/{n}", variant, same, skipped, whole=False):
            if (place := _place(offer)) in offered:
                skipped[f"again as {offer.claim.tier}"] += 1  # two conditions of the package are one tier of ours
                continue
            offered.add(place)
            yield offer


def endpoints_of(provider: str, model_id: str, model: Mapping[str, Any]) -> set[str]:
    """The endpoints under which a model is sold, whether priced or not."""
    regions = {ROUTES[c] for v in model.get("variants", ()) for c in v["when"].items() if c in ROUTES}
    return {f"{provider}:{model_id}", *(f"{provider}:{model_id}@{region}" for region in regions)}


def money(claim: PriceClaim) -> tuple[Decimal | None, Decimal | None, str | None]:
    """(USD per million tokens, USD per unit, unit) of a claim in USD."""
    if claim.per == "per_mtok":
        return claim.amount, None, None
    count, unit = UNITS[claim.per]
    return None, claim.amount / count, unit


def _set_offers(
    where: _Where, place: str, price_set: PriceSet, stronger: Sequence[PriceSet], skipped: Counter[str], *, whole: bool
) -> Iterator[Offer]:
    conditions = tuple(price_set.get("when", {}).items())
    region = ROUTES.get(conditions[0]) if len(conditions) == 1 else None
    tier: Tier | None = "standard"
    if conditions and region is None:
        tier = TIERS.get(conditions[0]) if len(conditions) == 1 else None
    begins = price_set.get("from", "")
    for key, value in price_set.items():
        if key in NO_PRICES:
            continue
        if tier is None or key not in METERS:
            skipped[key if tier else "&".join(f"{k}={v}" for k, v in conditions)] += 1
            continue
        over = [s.get("from", "") for s in stronger if "hours_utc" not in s and (whole or key in s)]
        if any(start <= begins for start in over):
            continue  # never in force: what is stronger started no later
        ends = min(over, default=None)
        meter, per = METERS[key]
        for low, high, amount, tail, quote in _bands(key, value):
            claim = PriceClaim.model_construct(
                capture=where.capture,
                model_as_written=where.name,
                model_id_as_written=where.model_id,
                meter=meter,
                tier=tier,
                context_min_tokens=low,
                context_max_tokens=high,
                time_window=price_set.get("hours_utc"),
                region=region,
                amount=Decimal(amount),
                currency="USD",
                per=per,
                usd_per_mtok=Decimal(amount) if per == "per_mtok" else None,
                valid_from=_midnight(begins),
                valid_to=_midnight(ends),
                quote=quote,
                locator=f"{where.pointer}/{place}/{tail}",
            )
            yield Offer(f"{where.provider}:{where.model_id}" + (f"@{region}" if region else ""), claim)


def _place(offer: Offer) -> tuple[object, ...]:
    c = offer.claim
    return (offer.endpoint_id, c.tier, c.meter, c.per, c.context_min_tokens, c.context_max_tokens, c.valid_from)


def _bands(key: str, value: Any) -> Iterator[tuple[int | None, int | None, str, str, str]]:
    """(above tokens, up to tokens, amount, locator tail, quote) of a plain or stepped price."""
    quote = f'"{key}":{json.dumps(value, ensure_ascii=False, separators=(",", ":"))}'
    if isinstance(value, str):
        yield None, None, value, key, quote
        return
    ends = [start for start, _ in value["above"]]
    yield None, (ends[0] if ends else None), value["base"], f"{key}/base", quote
    for n, (start, amount) in enumerate(value["above"]):
        yield start, (ends[n + 1] if n + 1 < len(ends) else None), amount, f"{key}/above/{n}/1", quote


def _midnight(day: str | None) -> datetime | None:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
