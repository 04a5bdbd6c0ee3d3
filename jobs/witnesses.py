"""Who else says what a reading says: the newest statements of sources that are independent of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from data.records import Rate
from data.store import Store
from jobs.lists import Namer, listed
from jobs.withdraw import claim_from_row, naive
from scraper.match import Matcher
from scraper.reconcile import Key, Offer, key_of, offer_key, same
from scraper.reconcile.guards import SLIPS
from scraper.source import Source, load_sources

WAITING = """
select h.source_id, h.endpoint_id, h.meter, h.tier, c.context_min_tokens, c.context_max_tokens, c.time_window, c.usd_per_mtok
from held h join price_claim c using (claim_id, source_id) left join held_release r using (claim_id)
where r.claim_id is null and h.source_id <> ? and h.endpoint_id is not null and c.usd_per_mtok is not null"""
CLAIMS = "select * from price_claim where source_id = ? and list_contains(?::varchar[], claim_id)"
NEWEST_FX = "select currency, arg_max(per_eur, day) as per_eur from fx_rate where known_from <= ? group by currency"
Amounts = dict[Key, frozenset[Decimal]]
# an amount that agrees, and one that shows a slip of the unit
FACTORS = (1.0, *(float(s) for s in SLIPS), *(1 / float(s) for s in SLIPS))


def independent(one: Source, other: Source) -> bool:
    """Neither takes its figures from the other, nor both from a third."""
    return not ({one.id, *one.copies} & {other.id, *other.copies})


def witnesses(
    store: Store, source: Source, sources: Mapping[str, Source], offers: Sequence[Offer], believed: Sequence[Rate],
    matcher: Matcher, now: datetime,
) -> Amounts:  # fmt: skip
    """What independent sources that are alive state for offers that would change something: the same amount, or a slip of it."""
    current = {key_of(r): r for r in believed}
    asked: dict[tuple[object, ...], list[Offer]] = defaultdict(list)
    for offer in offers:
        if not _settled(offer, current.get(offer_key(offer)), source):
            asked[offer_key(offer)[1:]].append(offer)
    if not asked:
        return {}
    for place in asked.values():
        place.sort(key=lambda o: o.usd_per_mtok)
    amounts = {k: [float(o.usd_per_mtok) for o in place] for k, place in asked.items()}
    others = {s.id for s in sources.values() if independent(source, s)}
    out: dict[Key, set[Decimal]] = defaultdict(set)
    namer = Namer(matcher)
    for one in listed(store, [i for i in others if i != source.id], matcher, now):
        usd = one.claim.usd_per_mtok
        like = [asked[one.place][i] for i in _near(amounts.get(one.place, ()), float(usd))] if usd is not None else []
        ids = namer.endpoints(one) if like else frozenset()
        for offer in like:
            if usd is not None and offer.endpoint_id in ids:
                out[offer_key(offer)].add(offer.usd_per_mtok if same(offer.usd_per_mtok, usd) else usd)
    return {k: frozenset(v) for k, v in out.items()}


def _settled(offer: Offer, old: Rate | None, source: Source) -> bool:
    """Whether no witness could change anything: the price stays, and has its standing."""
    if old is None or old.usd_per_mtok != offer.usd_per_mtok:
        return False
    return source.kind == "official" or old.source_id == source.id or old.standing != "single"


def _near(amounts: Sequence[float], usd: float) -> set[int]:
    """Places of the sorted amounts that are `usd` or a slip of it, within a hundredth."""
    out: set[int] = set()
    for factor in FACTORS:
        out.update(range(bisect_left(amounts, usd * factor * 0.99), bisect_right(amounts, usd * factor * 1.01)))
    return out


def waiting(store: Store, source: Source, sources: Mapping[str, Source]) -> Amounts:
    """Amounts that makers' own pages state and that are held until somebody independent says the same."""
    official = {s.id for s in sources.values() if s.kind == "official" and independent(source, s)}
    out: dict[Key, set[Decimal]] = defaultdict(set)
    bands = ("endpoint_id", "meter", "tier", "context_min_tokens", "context_max_tokens", "time_window")
    for r in store.rows(WAITING, [source.id]):
        if r["source_id"] in official:
            out[tuple(r[b] for b in bands)].add(r["usd_per_mtok"])
    return {k: frozenset(v) for k, v in out.items()}


def usd_per(store: Store, now: datetime) -> dict[str, Decimal]:
    """US dollars for one unit of a currency that price pages use; empty where no exchange rates were read."""
    per_eur = {r["currency"]: r["per_eur"] for r in store.rows(NEWEST_FX, [naive(now)])}
    dollar = per_eur.get("USD")
    if not dollar:
        return {}
    return {"EUR": dollar} | {c: dollar / per_eur[c] for c in ("CNY", "JPY", "INR", "GBP") if per_eur.get(c)}


def stated_elsewhere(store: Store, rate_ids: Collection[str], now: datetime) -> set[str]:
    """Those of the rates that a second source states too, independent of the one they are believed from, at the same amount."""
    rows = store.rows("select * from rate where list_contains(?::varchar[], rate_id)", [sorted(rate_ids)])
    out = {r["rate_id"] for r in rows if r["standing"] == "witnessed"}
    asked: dict[str, list[tuple[str, Offer]]] = defaultdict(list)
    for row in rows:
        claims = store.rows(CLAIMS, [row["source_id"], row["claim_ids"]])
        if row["rate_id"] not in out and claims and row["usd_per_mtok"] is not None:
            claim = claim_from_row(claims[0]).model_copy(update={"meter": row["meter"]})
            asked[row["source_id"]].append((row["rate_id"], Offer(claim, row["endpoint_id"], row["usd_per_mtok"])))
    if asked:
        sources, matcher = load_sources(), Matcher.from_package()
        for source_id, pairs in asked.items():
            if (source := sources.get(source_id)) is None:
                continue
            said = witnesses(store, source, sources, [o for _, o in pairs], (), matcher, now)
            out |= {i for i, o in pairs if any(same(w, o.usd_per_mtok) for w in said.get(offer_key(o), ()))}
    return out
