"""Offers of sources against what is believed: new rates with their standing, or held with the way out. Pure.

First sight is believed. A change that looks wrong is held: the old price stands, marked disputed, until the seller's own
page says it twice six hours apart, an independent witness agrees, or a person decides (PRODUCT 5.8). No mirror has a veto.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from data.records import Held, PriceClaim, Rate, Standing
from scraper.reconcile.consensus import same
from scraper.reconcile.guards import alike, mass, never, odd_beside, slip_beside, suspicion
from scraper.source import Source

CONFIRM_AFTER = timedelta(hours=6)
WAY_OUT = "the official page again after 6 h, one independent witness, or undercut feedback CLAIM release|reject"
BY_HAND = "undercut feedback CLAIM release|reject"
Key = tuple[object, ...]
Amounts = Mapping[Key, frozenset[Decimal]]


@dataclass(frozen=True)
class Offer:
    """A claim in USD, matched to an endpoint."""

    claim: PriceClaim
    endpoint_id: str
    usd_per_mtok: Decimal
    stored_as: str | None = None  # id of the claim as it was read, where its fields were shaped since

    @property
    def claim_id(self) -> str:
        return self.stored_as or self.claim.content_id()


@dataclass(frozen=True)
class Beliefs:
    """`released`: statements (`key_text`) that were held and are believed now, with what released them."""

    rates: tuple[Rate, ...]
    held: tuple[Held, ...]
    notes: tuple[str, ...] = ()
    released: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Known:
    """What is known beside one reading.

    `earlier`: held statements (`key_text`) of the source that its readings have made without a break, and since when.
    `rejected`: statements a person refused. `witnesses`: amounts that independent sources state. `waiting`: held amounts
    of makers' pages that this source would prove. `gone`: keys whose maker's page no longer lists them. `usd_per`: US
    dollars for one unit of a currency.
    """

    earlier: Mapping[str, datetime]
    rejected: frozenset[str]
    witnesses: Amounts
    waiting: Amounts
    gone: frozenset[Key]
    usd_per: Mapping[str, Decimal]


def reconcile(
    source: Source,
    offers: Sequence[Offer],
    believed: Sequence[Rate],
    *,
    now: datetime,
    earlier: Mapping[str, datetime] | None = None,
    rejected: frozenset[str] = frozenset(),
    witnesses: Amounts | None = None,
    waiting: Amounts | None = None,
    gone: frozenset[Key] = frozenset(),
    usd_per: Mapping[str, Decimal] | None = None,
) -> Beliefs:
    """What one reading of one source changes; `believed`: the rates in force from any source. The rest: see `Known`."""
    known = Known(earlier or {}, rejected, witnesses or {}, waiting or {}, gone, usd_per or {})
    current = {key_of(r): r for r in believed}
    stated = {offer_key(o): o.usd_per_mtok for o in offers}
    near: dict[str, dict[Key, Rate]] = defaultdict(dict)
    for key, rate in current.items():
        near[rate.endpoint_id][key] = rate
    crowd = mass(stated, current)
    rates: list[Rate] = []
    held: list[Held] = []
    released: list[tuple[str, str]] = []
    overruled = 0
    for offer in offers:
        old = current.get(offer_key(offer))
        if old is not None and alike(old.usd_per_mtok, offer.usd_per_mtok):
            rates.extend(_restated(source, offer, old, known, now))
            if (text := key_text(source.id, offer)) in known.earlier:  # held, and believed since from elsewhere
                released.append((text, f"{old.source_id} says the same"))
        elif source.kind != "official" and old is not None and old.source_id != source.id:
            standing, why = _beside(offer, old, known)
            if standing is not None:
                rates.append(_rate(source, offer, standing, now))
            elif why is not None:
                if (text := key_text(source.id, offer)) not in known.rejected:
                    held.extend([] if text in known.earlier else [_held(source, offer, old, why, now)])
                    rates.extend(_disputed(old, now))
            else:
                overruled += old.standing == "official"
        else:
            why = _doubt(offer, old, stated, near[offer.endpoint_id], known) or (crowd if old is not None else None)
            by = _way_out(source, offer, known, now) if why is not None else None
            text = key_text(source.id, offer)
            if why is None or by is not None:
                rates.append(_rate(source, offer, _standing(source, offer, old, known), now))
                released.extend([(text, by)] if by and text in known.earlier else [])
            elif text not in known.rejected:
                if text not in known.earlier:
                    held.append(_held(source, offer, old, why, now))
                rates.extend(_disputed(old, now))
    notes = [f"{overruled} prices differ from what the makers' pages say"] if overruled else []
    return Beliefs(tuple(rates), tuple(held), (*notes, *([crowd] if crowd else [])), tuple(released))


def _restated(source: Source, offer: Offer, old: Rate, known: Known, now: datetime) -> list[Rate]:
    """A price that stays may gain standing: by the maker's page, or by a list that is independent of the first."""
    if source.kind == "official":
        return [_rate(source, offer, "official", now)] if old.standing != "official" else []
    proves = old.source_id != source.id and old.standing == "single" and _agreed(offer, known)
    return [_rate(source, offer, "witnessed", now)] if proves else []


def _beside(offer: Offer, old: Rate, known: Known) -> tuple[Standing | None, str | None]:
    """A list against a price somebody else stated: (the standing it gains, why it is held), both None: overruled."""
    if never(offer) is None:
        if any(same(offer.usd_per_mtok, w) for w in known.waiting.get(offer_key(offer), ())):
            return "witnessed", None
        if old.standing != "official" and _agreed(offer, known):
            return "witnessed", None
    if old.standing in ("official", "disputed"):
        return None, None  # no list has a veto over the maker's own page
    return None, f"{old.source_id} says {old.usd_per_mtok}"


def _doubt(
    offer: Offer, old: Rate | None, stated: Mapping[Key, Decimal], near: Mapping[Key, Rate], known: Known
) -> str | None:
    """Why an offer cannot be believed at once, or nobody."""
    key = offer_key(offer)
    why = never(offer) or suspicion(offer, old, known.usd_per)
    if why is None and old is None:
        return slip_beside(offer.usd_per_mtok, known.witnesses.get(key, frozenset()))
    return why or odd_beside(key, offer.usd_per_mtok, stated, near)


def _way_out(source: Source, offer: Offer, known: Known, now: datetime) -> str | None:
    """What releases a doubtful offer: a witness, or the seller's own second reading; nothing makes a price of what is none."""
    text = key_text(source.id, offer)
    if never(offer) is not None or text in known.rejected:
        return None
    if _agreed(offer, known):
        return "an independent witness"
    seen = known.earlier.get(text)
    own = source.kind == "official" or offer.endpoint_id.startswith(f"{source.provider}:")
    return "the page seen twice" if own and seen is not None and now - seen >= CONFIRM_AFTER else None


def _agreed(offer: Offer, known: Known) -> bool:
    return any(same(offer.usd_per_mtok, w) for w in known.witnesses.get(offer_key(offer), ()))


def offer_key(offer: Offer) -> Key:
    c = offer.claim
    return (offer.endpoint_id, c.meter, c.tier, c.context_min_tokens, c.context_max_tokens, c.time_window)


def key_of(rate: Rate) -> Key:
    return (rate.endpoint_id, rate.meter, rate.tier, rate.context_min_tokens, rate.context_max_tokens, rate.time_window)


def key_text(source_id: str, offer: Offer) -> str:
    """The same words for the same statement of the same source on any day."""
    c = offer.claim
    return "|".join(map(str, (source_id, *offer_key(offer), c.amount.normalize(), c.per, c.currency)))


def _standing(source: Source, offer: Offer, old: Rate | None, known: Known) -> Standing:
    if source.kind == "official":
        return "official"
    if old is None and offer_key(offer) in known.gone:
        return "disputed"  # the maker's page took it off its list
    return "witnessed" if _agreed(offer, known) else "single"


def _disputed(old: Rate | None, now: datetime) -> list[Rate]:
    """The old price stands, and says that it is doubted."""
    if old is None or old.standing == "disputed":
        return []
    return [old.model_copy(update={"standing": "disputed", "known_from": now})]


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
        claim_ids=(offer.claim_id,),
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
        release=WAY_OUT if never(offer) is None else BY_HAND,
        held_at=now,
        claim_id=offer.claim_id,
    )
