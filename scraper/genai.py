"""The installed package genai-prices as a source: one capture, and a price claim for every number it states.

Nothing is fetched and nothing is guessed: meters, tiers and conditions that have no word of ours are left out and
counted in `skipped`. The body is a plain JSON of what the package states, so that every claim can be re-read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any, NamedTuple, cast

from data.errors import PageChanged
from data.records import Capture, Meter, PriceClaim, Rate, Tier
from scraper.source import FOLDER, Source, load_source

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
TIERS: dict[tuple[str, str], Tier] = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "priority",
    ("speed", "fast"): "priority",
}
ROUTES = {("route", "mistral/eu"): "eu"}
CHECKED = re.compile(r"checked[^.;]{0,40}?(\d{4}-\d{2}-\d{2})")


class Offer(NamedTuple):
    endpoint_id: str
    claim: PriceClaim


@dataclass(frozen=True)
class PackageReading:
    """What the package states. `skipped` counts price keys and conditions without a word of ours."""

    capture: Capture
    body: bytes
    offers: tuple[Offer, ...]
    skipped: dict[str, int]

    @property
    def claims(self) -> tuple[PriceClaim, ...]:
        return tuple(o.claim for o in self.offers)


def load_package(source: Source | None = None) -> PackageReading:
    """Read the installed package. Raises PageChanged where it is no longer what we know how to read."""
    from genai_prices.data import providers

    source = source or load_source(FOLDER / "genai-prices.yaml")
    stated = {p.id: {m.id: _model(m) for m in p.models} for p in providers}
    body = json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
    sha = hashlib.sha256(body).hexdigest()
    installed = version("genai-prices")
    as_of = _released(source, installed, [m.price_comments for p in providers for m in p.models])
    skipped: Counter[str] = Counter()
    offers = tuple(
        offer
        for provider, models in stated.items()
        for model_id, model in models.items()
        for offer in _offers(provider, model_id, model, sha, skipped)
    )
    if not offers:
        raise PageChanged("no price in it.", where=f"pkg:genai-prices@{installed}", fix="install a version we know.")
    capture = Capture(
        source_id=source.id,
        url=f"pkg:genai-prices@{installed}",
        fetched_at=as_of,
        sha256=sha,
        bytes=len(body),
        renderer="package",
        outcome="new",
        as_of=as_of,
    )
    return PackageReading(capture, body, offers, dict(skipped))


def reread(body: bytes, locator: str) -> str:
    """The amount at a locator (a JSON pointer) of a kept body, as text."""
    value: Any = json.loads(body)
    for part in locator.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return str(value)


def package_rates() -> list[Rate]:
    """Every price of the package as a rate with standing `single`, for single steps that need no database."""
    reading = load_package()
    return [rate_of(offer, reading.capture) for offer in reading.offers]


def rate_of(offer: Offer, capture: Capture) -> Rate:
    """A claim as a rate with standing `single`, as one catalogue states it."""
    claim = offer.claim
    usd_per_mtok, usd_per_unit, unit = money(claim)
    return Rate.model_construct(
        endpoint_id=offer.endpoint_id,
        meter=claim.meter,
        tier=claim.tier,
        context_min_tokens=claim.context_min_tokens,
        context_max_tokens=claim.context_max_tokens,
        time_window=claim.time_window,
        region=claim.region or "global",
        usd_per_mtok=usd_per_mtok,
        usd_per_unit=usd_per_unit,
        unit=unit,
        valid_from=claim.valid_from,
        valid_to=claim.valid_to,
        known_from=capture.as_of or capture.fetched_at,
        standing="single",
        source_id=capture.source_id,
        claim_ids=(claim.content_id(),),
    )


def money(claim: PriceClaim) -> tuple[Decimal | None, Decimal | None, str | None]:
    """(USD per million tokens, USD per unit, unit) of a claim in USD."""
    if claim.per == "per_mtok":
        return claim.amount, None, None
    thousand = claim.per.removeprefix("per_1k_")
    if thousand != claim.per:
        return (
            None,
            claim.amount / 1000,
            thousand.removesuffix("s").removesuffix("e" if thousand.endswith("ches") else ""),
        )
    return None, claim.amount, claim.per.removeprefix("per_")


def _model(model: Any) -> dict[str, Any]:
    """One model as plain JSON values."""
    sets = model.prices if isinstance(model.prices, list) else [model]
    entry: dict[str, Any] = {
        "name": model.name,
        "prices": [_price_set(s, getattr(s, "constraint", None)) for s in sets],
    }
    if model.price_variants:
        entry["variants"] = [{"when": v.when, **_price_set(v, v.constraint)} for v in model.price_variants]
    return entry


def _price_set(holder: Any, constraint: Any) -> dict[str, Any]:
    start, hours = getattr(constraint, "start_date", None), getattr(constraint, "start_time", None)
    entry: dict[str, Any] = {}
    if start is not None:
        entry["from"] = start.isoformat()
    if hours is not None:
        entry["hours_utc"] = f"{_utc(hours)}-{_utc(constraint.end_time)}"
    prices = {k: _amount(v) for k, v in holder.prices.__dict__.items() if v is not None}
    return {**entry, **prices}


def _utc(value: Any) -> str:
    whole = datetime.combine(date(2000, 1, 1), value)
    return (whole if whole.tzinfo is None else whole.astimezone(UTC)).strftime("%H:%M")


def _amount(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return {"base": format(value.base, "f"), "above": [[t.start, format(t.price, "f")] for t in value.tiers]}


def _released(source: Source, installed: str, comments: list[str | None]) -> datetime:
    """The day the facts are of: the version's upload day where a person looked it up, else the newest check it states."""
    day = source.released.get(installed) or max((d for c in comments if c for d in CHECKED.findall(c)), default=None)
    if day is None:
        raise PageChanged(
            "nothing in it says of which day its prices are.",
            where=f"pkg:genai-prices@{installed}",
            fix="add the version's upload day to `released` in scraper/sources/genai-prices.yaml.",
        )
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _offers(provider: str, model_id: str, model: dict[str, Any], sha: str, skipped: Counter[str]) -> Iterator[Offer]:
    pointer = f"/{_escape(provider)}/{_escape(model_id)}"
    for n, price_set in enumerate(model["prices"]):
        later = [s["from"] for s in model["prices"][n + 1 :] if "from" in s and s["from"] > price_set.get("from", "")]
        ends = min(later, default=None)
        if "hours_utc" not in price_set and any(
            "from" in s and s["from"] <= price_set.get("from", "") for s in model["prices"][n + 1 :]
        ):
            continue  # a later set that starts no later replaces this one whole
        yield from _set_offers(
            f"{provider}:{model_id}", "standard", price_set, f"{pointer}/prices/{n}", ends, (sha, model, skipped)
        )
    for n, variant in enumerate(model.get("variants", ())):
        (when, *more) = variant["when"].items()
        region = ROUTES.get(when)
        tier = TIERS.get(when, "standard" if region else None)
        if tier is None or more:
            skipped[f"{when[0]}={when[1]}"] += 1
            continue
        endpoint = f"{provider}:{model_id}" + (f"@{region}" if region else "")
        yield from _set_offers(endpoint, tier, variant, f"{pointer}/variants/{n}", None, (sha, model, skipped))


def _set_offers(
    endpoint_id: str,
    tier: Tier,
    price_set: dict[str, Any],
    pointer: str,
    ends: str | None,
    context: tuple[str, dict[str, Any], Counter[str]],
) -> Iterator[Offer]:
    sha, model, skipped = context
    for key, value in price_set.items():
        if key in ("from", "hours_utc", "when"):
            continue
        if key not in METERS:
            skipped[key] += 1
            continue
        meter, per = METERS[key]
        for low, high, amount, where, quote in _bands(key, value):
            yield Offer(
                endpoint_id,
                PriceClaim.model_construct(
                    capture=sha,
                    model_as_written=model["name"] or endpoint_id.partition(":")[2],
                    model_id_as_written=endpoint_id.partition(":")[2].partition("@")[0],
                    meter=meter,
                    tier=tier,
                    context_min_tokens=low,
                    context_max_tokens=high,
                    time_window=price_set.get("hours_utc"),
                    region=endpoint_id.partition("@")[2] or None if "@" in endpoint_id[-4:] else None,
                    amount=Decimal(amount),
                    currency="USD",
                    per=per,
                    usd_per_mtok=Decimal(amount) if per == "per_mtok" else None,
                    valid_from=_midnight(price_set.get("from")),
                    valid_to=_midnight(ends),
                    quote=quote,
                    locator=f"{pointer}/{where}",
                ),
            )


def _bands(key: str, value: Any) -> Iterator[tuple[int | None, int | None, str, str, str]]:
    """(above tokens, up to tokens, amount, locator tail, quote) of a plain or stepped price."""
    if isinstance(value, str):
        yield None, None, value, key, f'"{key}":"{value}"'
        return
    steps = cast("list[tuple[int, str]]", value["above"])
    ends = [start for start, _ in steps]
    quote = f'"{key}":{json.dumps(value, separators=(",", ":"))}'
    yield None, ends[0], value["base"], f"{key}/base", quote
    for n, (start, amount) in enumerate(steps):
        yield start, (ends[n + 1] if n + 1 < len(ends) else None), amount, f"{key}/above/{n}/1", quote


def _midnight(day: str | None) -> datetime | None:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
