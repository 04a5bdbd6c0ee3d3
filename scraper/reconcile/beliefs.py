"""Offers of sources against what is believed: new rates with their standing, or held with the way out. Pure.

First sight is believed. A change that looks wrong is held: the old price stands, marked disputed, until the official page
says it twice six hours apart, an independent witness agrees, or a person decides (PRODUCT 5.8). No mirror has a veto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from data.records import Held, PriceClaim, Rate, Standing
from scraper.reconcile.consensus import same
from scraper.source import Source

LARGEST_CHANGE = Decimal("0.6")
MASS_SHARE = 0.4  # of a page's rates moving at once
LEAST_FOR_MASS = 5
CONFIRM_AFTER = timedelta(hours=6)
SLIPS = (Decimal(10), Decimal(100), Decimal(1000), Decimal(1_000_000))
WAY_OUT = "the official page again after 6 h, one independent witness, or undercut feedback CLAIM release|reject"
Key = tuple[object, ...]


@dataclass(frozen=True)
class Offer:
    """A claim in USD, matched to an endpoint."""

    claim: PriceClaim
    endpoint_id: str
    usd_per_mtok: Decimal


@dataclass(frozen=True)
class Beliefs:
    rates: tuple[Rate, ...]
    held: tuple[Held, ...]
    notes: tuple[str, ...] = ()


def reconcile(
    source: Source,
    offers: Sequence[Offer],
    believed: Sequence[Rate],
    *,
    now: datetime,
    earlier: Mapping[str, datetime] | None = None,
    witnesses: Mapping[Key, frozenset[Decimal]] | None = None,
    waiting: Mapping[Key, frozenset[Decimal]] | None = None,
) -> Beliefs:
    """What one reading of one source changes.

    `believed`: the rates in force of these endpoints from any source. `earlier`: held claims of this source by their
    text (`key_text`) with when they were first seen. `witnesses`: amounts that independent sources state, by key;
    `waiting`: amounts of makers' pages that are held and would be released by this source saying the same.
    """
    current = {key_of(r): r for r in believed}
    stated = {offer_key(o): o.usd_per_mtok for o in offers}
    overruled = 0
    rates: list[Rate] = []
    held: list[Held] = []
    moved = 0
    for offer in offers:
        key = offer_key(offer)
        old = current.get(key)
        if old is not None and old.usd_per_mtok == offer.usd_per_mtok:
            if source.kind == "official" and old.standing != "official":
                rates.append(_rate(source, offer, "official", now))
            continue
        agreed = any(same(offer.usd_per_mtok, w) for w in (witnesses or {}).get(key, frozenset()))
        if old is not None and source.kind != "official" and old.source_id != source.id:
            proves = any(same(offer.usd_per_mtok, w) for w in (waiting or {}).get(key, frozenset()))
            if proves or (agreed and old.standing != "official"):
                rates.append(_rate(source, offer, "witnessed", now))
            elif old.standing == "official":
                overruled += 1  # no list has a veto over the maker's own page
            elif old.standing != "disputed":
                held.append(_held(source, offer, old, f"{old.source_id} says {old.usd_per_mtok}", now))
                rates.append(old.model_copy(update={"standing": "disputed", "known_from": now}))
            continue
        moved += old is not None
        why = suspicion(offer, old) or (odd_beside(offer, stated, current) if old is not None else None)
        seen = (earlier or {}).get(key_text(source.id, offer))
        confirmed = source.kind == "official" and seen is not None and now - seen >= CONFIRM_AFTER
        if why is None or agreed or confirmed or (old is not None and _outranked(old, source)):
            rates.append(_rate(source, offer, _standing(source, agreed), now))
        elif seen is None:
            held.append(_held(source, offer, old, why, now))
            if old is not None and old.standing != "disputed":
                rates.append(old.model_copy(update={"standing": "disputed", "known_from": now}))
    if len(offers) >= LEAST_FOR_MASS and moved > MASS_SHARE * len(offers):
        return _mass(source, offers, current, now, moved, earlier or {})
    notes = (f"{overruled} prices differ from what the makers' pages say",) if overruled else ()
    return Beliefs(tuple(rates), tuple(held), notes)


def odd_beside(offer: Offer, stated: Mapping[Key, Decimal], current: Mapping[Key, Rate]) -> str | None:
    """What is odd about a changed price beside its neighbours of the same reading, where it was not odd before."""
    endpoint, meter, tier, *rest = offer_key(offer)
    new = offer.usd_per_mtok

    def beside(meter: object, tier: object) -> tuple[Decimal | None, Decimal | None]:
        """(as stated now, as believed so far) of a neighbour."""
        key = (endpoint, meter, tier, *rest)
        old = current[key].usd_per_mtok if key in current else None
        return stated.get(key, old), old

    now_input, _ = beside("input", tier)
    if meter == "cached_input" and now_input is not None and new > now_input:
        return f"cached input above input ({now_input})"
    now_standard, _ = beside(meter, "standard")
    if tier == "batch" and now_standard is not None and new > now_standard:
        return f"batch above standard ({now_standard})"
    for other in ("batch", "flex", "priority") if tier == "standard" else ("standard",):
        if beside(meter, other)[1] == new and new != 0:
            return f"equals the {other} price: another column?"
    return None


def suspicion(offer: Offer, old: Rate | None) -> str | None:
    """Why a value cannot be believed at once, or nobody. Ratios on first sight are no ground (HAZARDS Q4)."""
    new = offer.usd_per_mtok
    if not new.is_finite() or new < 0:
        return "not a price"
    if new == 0 and "free" not in " ".join(offer.claim.conditions):
        return "zero, and the page does not say free"
    if old is None or old.usd_per_mtok is None or old.usd_per_mtok == 0:
        return None
    ratio = new / old.usd_per_mtok
    for slip in SLIPS:
        if abs(ratio - slip) < slip * Decimal("0.001") or abs(ratio * slip - 1) < Decimal("0.001"):
            return f"off by {slip}: looks like a unit slip"
    if abs(ratio - 1) > LARGEST_CHANGE:
        return f"moved by {(ratio - 1) * 100:+.0f} %"
    return None


def offer_key(offer: Offer) -> Key:
    c = offer.claim
    return (offer.endpoint_id, c.meter, c.tier, c.context_min_tokens, c.context_max_tokens, c.time_window)


def key_of(rate: Rate) -> Key:
    return (rate.endpoint_id, rate.meter, rate.tier, rate.context_min_tokens, rate.context_max_tokens, rate.time_window)


def key_text(source_id: str, offer: Offer) -> str:
    """The same words for the same statement of the same source on any day."""
    return "|".join(
        map(str, (source_id, *offer_key(offer), offer.claim.amount.normalize(), offer.claim.per, offer.claim.currency))
    )


def _mass(
    source: Source,
    offers: Sequence[Offer],
    current: Mapping[Key, Rate],
    now: datetime,
    moved: int,
    earlier: Mapping[str, datetime],
) -> Beliefs:
    """Too much moved at once: a reading problem until the page says it again."""
    rates, held = [], []
    for offer in offers:
        old = current.get(offer_key(offer))
        if old is None or old.usd_per_mtok == offer.usd_per_mtok:
            continue
        seen = earlier.get(key_text(source.id, offer))
        if source.kind == "official" and seen is not None and now - seen >= CONFIRM_AFTER:
            rates.append(_rate(source, offer, "official", now))
        elif seen is None:
            held.append(_held(source, offer, old, f"{moved} of {len(offers)} prices of the page moved at once", now))
    return Beliefs(tuple(rates), tuple(held), (f"{moved} of {len(offers)} prices moved at once",))


def _outranked(old: Rate, source: Source) -> bool:
    """The maker's page corrects what only a catalogue said."""
    return source.kind == "official" and old.standing in ("single", "disputed") and old.source_id != source.id


def _standing(source: Source, agreed: bool) -> Standing:
    if source.kind == "official":
        return "official"
    return "witnessed" if agreed else "single"


def _rate(source: Source, offer: Offer, standing: Standing, now: datetime) -> Rate:
    c = offer.claim
    return Rate(
        endpoint_id=offer.endpoint_id,
        meter=c.meter,
        tier=c.tier,
        context_min_tokens=c.context_min_tokens,
        context_max_tokens=c.context_max_tokens,
        time_window=c.time_window,
        usd_per_mtok=offer.usd_per_mtok,
        valid_from=c.valid_from,
        valid_to=c.valid_to,
        known_from=now,
        standing=standing,
        source_id=source.id,
        claim_ids=(c.content_id(),),
    )


def _held(source: Source, offer: Offer, old: Rate | None, why: str, now: datetime) -> Held:
    c = offer.claim
    return Held(
        source_id=source.id,
        endpoint_id=offer.endpoint_id,
        name=c.model_as_written,
        meter=c.meter,
        tier=c.tier,
        old_usd_per_mtok=old.usd_per_mtok if old else None,
        new_amount=c.amount,
        why=why,
        release=WAY_OUT,
        held_at=now,
        claim_id=c.content_id(),
    )
