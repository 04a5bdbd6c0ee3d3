"""Who else says what a reading says: the newest statements of sources that are independent of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from data.records import Rate
from data.store import Store
from scraper.match import Matcher
from scraper.reconcile import Key, Offer, key_of, offer_key, same
from scraper.source import Source

NEWEST_CLAIMS = """
select c.source_id, c.model_as_written, c.model_id_as_written, c.meter, c.tier, c.context_min_tokens, c.context_max_tokens,
    c.time_window, c.usd_per_mtok
from price_claim c join (
    select source_id, arg_max(sha256, fetched_at) as sha256 from capture where outcome <> 'failed' group by source_id) n
    on n.source_id = c.source_id and n.sha256 = c.capture
where c.source_id <> ? and not c.list_price and c.usd_per_mtok is not null"""
WAITING = """
select h.source_id, h.endpoint_id, h.meter, h.tier, c.context_min_tokens, c.context_max_tokens, c.time_window, c.usd_per_mtok
from held h join price_claim c using (claim_id) left join held_release r using (claim_id)
where r.claim_id is null and h.source_id <> ? and h.endpoint_id is not null and c.usd_per_mtok is not null"""
Amounts = dict[Key, frozenset[Decimal]]


def independent(one: Source, other: Source) -> bool:
    """Neither takes its figures from the other, nor both from a third."""
    return not ({one.id, *one.copies} & {other.id, *other.copies})


def witnesses(
    store: Store, source: Source, sources: Mapping[str, Source], offers: Sequence[Offer], believed: Sequence[Rate],
    matcher: Matcher,
) -> Amounts:  # fmt: skip
    """For every offer that would change a rate: the same amount, where an independent source states it now."""
    current = {key_of(r): r.usd_per_mtok for r in believed}
    changed = [o for o in offers if current.get(offer_key(o)) not in (None, o.usd_per_mtok)]
    if not changed:
        return {}
    others = {s.id for s in sources.values() if independent(source, s)}
    asked: dict[tuple[object, ...], list[Offer]] = defaultdict(list)
    for offer in changed:
        asked[offer_key(offer)[1:]].append(offer)
    out: dict[Key, set[Decimal]] = defaultdict(set)
    for row in store.rows(NEWEST_CLAIMS, [source.id]):
        place = (row["meter"], row["tier"], row["context_min_tokens"], row["context_max_tokens"], row["time_window"])
        like = [o for o in asked.get(place, ()) if same(o.usd_per_mtok, row["usd_per_mtok"])]
        if row["source_id"] not in others or not like:
            continue
        ids = endpoints_named(row, matcher)
        for offer in like:
            if offer.endpoint_id in ids:
                out[offer_key(offer)].add(offer.usd_per_mtok)
    return {k: frozenset(v) for k, v in out.items()}


def endpoints_named(row: Mapping[str, Any], matcher: Matcher) -> set[str]:
    written, name = row["model_id_as_written"], row["model_as_written"]
    found = {written} if written else set()
    for text in (t for t in (written, name) if t):
        found.update(matcher.match(text, row["source_id"]).price_ids)
    return found


def waiting(store: Store, source: Source, sources: Mapping[str, Source]) -> Amounts:
    """Amounts that makers' own pages state and that are held until somebody independent says the same."""
    official = {s.id for s in sources.values() if s.kind == "official" and independent(source, s)}
    out: dict[Key, set[Decimal]] = defaultdict(set)
    for r in store.rows(WAITING, [source.id]):
        if r["source_id"] in official:
            key = (
                r["endpoint_id"],
                r["meter"],
                r["tier"],
                r["context_min_tokens"],
                r["context_max_tokens"],
                r["time_window"],
            )
            out[key].add(r["usd_per_mtok"])
    return {k: frozenset(v) for k, v in out.items()}
