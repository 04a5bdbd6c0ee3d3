"""Price claims of one source -> offers: in USD, for an endpoint that is known, with every condition understood.

A condition that cannot be turned into a band, a tier or a lifetime keeps a claim from becoming a rate; it stays a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from data.records import PriceClaim
from scraper.match import Matcher
from scraper.reconcile import Offer, offer_key
from scraper.source import Source

TOKEN_METERS = {"input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning", "unified", "embedding"}
FACTOR = {"per_mtok": Decimal(1), "per_ktok": Decimal(1000), "per_token": Decimal(1_000_000)}
LEAST = re.compile(r"^min_prompt_tokens (\d+)$")
HARMLESS = re.compile(r"^free$|^(standard|batch|flex|priority|fast|fast mode)$|^5\s?m|short context|^text$", re.I)
NARROWS = re.compile(
    r"inferred|computed|long context|context length|>|<|≤|≥|region|provider |training|fine|through|starting|until|from ",
    re.I,
)


def offers_of(
    source: Source, claims: Iterable[PriceClaim], matcher: Matcher
) -> tuple[list[Offer], dict[str, tuple[str, ...]], list[str]]:
    """(offers, unknown names with proposals, what was left as a claim and why)."""
    offers: dict[tuple[object, ...], Offer] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    left: list[str] = []
    clash: set[tuple[object, ...]] = set()
    for claim in claims:
        if claim.meter not in TOKEN_METERS or claim.per not in FACTOR or claim.list_price:
            continue
        if claim.currency != "USD":
            left.append(f"{claim.model_as_written}: {claim.currency}, no exchange rate yet")
            continue
        shaped = shape(claim)
        if shaped is None:
            left.append(f"{claim.model_as_written}: {', '.join(claim.conditions)}")
            continue
        endpoint, near = endpoint_of(source, claim, matcher)
        if endpoint is None:
            unknown[claim.model_as_written] = near
            continue
        offer = Offer(shaped, endpoint, claim.amount * FACTOR[claim.per])
        old = offers.setdefault(offer_key(offer), offer)
        if old.usd_per_mtok != offer.usd_per_mtok:
            clash.add(offer_key(offer))
    left.extend(f"{offers[k].endpoint_id}: two amounts for one meter" for k in clash)
    return [o for k, o in offers.items() if k not in clash], unknown, left


def shape(claim: PriceClaim) -> PriceClaim | None:
    """The claim with band and lifetime taken from its conditions; None where a condition narrows it otherwise."""
    update: dict[str, object] = {}
    for condition in claim.conditions:
        if found := LEAST.match(condition):
            update["context_min_tokens"] = int(found.group(1))
        elif re.match(r"^1\s?h", condition) and claim.meter == "cache_write":
            update["meter"] = "cache_write_1h"
        elif not HARMLESS.search(condition) and NARROWS.search(condition):
            return None
    return claim.model_copy(update=update)


def endpoint_of(source: Source, claim: PriceClaim, matcher: Matcher) -> tuple[str | None, tuple[str, ...]]:
    """The price id of a claim at this source's provider; nobody where the name fits no entry or several."""
    written = claim.model_id_as_written
    if written and matcher.has(f"{source.provider}:{written}"):
        return f"{source.provider}:{written}", ()
    found = matcher.match(written or claim.model_as_written, source.id)
    if found.model_id is None and written:
        found = matcher.match(claim.model_as_written, source.id)
    own = [i for i in found.price_ids if i.partition(":")[0] == source.provider]
    exact = [i for i in own if i.partition(":")[2].casefold() == claim.model_as_written.casefold()]
    chosen = exact or own
    return (chosen[0], ()) if len(chosen) == 1 else (None, found.proposals or tuple(own))
