"""What a page no longer lists: withdrawn after three good readings over 72 hours without it, never silently current.

A failed reading is none. Where much of a page is gone at once it takes a week: that is a page that changed before it is
a shop that closed. What its maker's page withdrew, a list may only state as disputed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from data.records import PriceClaim, Rate
from data.store import Store
from jobs.facts import rate_from_row
from jobs.offers import offers_of
from scraper.match import Matcher
from scraper.reconcile import Key, gone_at, key_of, offer_key
from scraper.source import Source

KEY = "endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window"
BEGAN = "coalesce(valid_from, timestamp '0001-01-01')"
APPLIES = (
    f"known_from <= $now and {BEGAN} <= $now and (valid_to is null or valid_to > $now) and usd_per_mtok is not null"
)
OF_SOURCE = "source_id = $source"
OF_ENDPOINTS = "list_contains($endpoints, endpoint_id)"


def last_word(only: str = "true") -> str:
    """The query of each source's last word on each key; `only` is asked before the rows are ranked, so of partition columns alone."""
    return f"""
select * exclude place from (
    select *, row_number() over (partition by {KEY}, source_id
        order by valid_from is not null and valid_to is not null desc, {BEGAN} desc, known_from desc) as place
    from rate where {APPLIES} and {only}) where place = 1"""


def in_force(only: str = "true") -> str:
    """The query of the best standing word on each key, of those that are not withdrawn."""
    return f"""
select * exclude place from (
    select *, row_number() over (partition by {KEY}
        order by case standing when 'official' then 2 when 'single' then 0 else 1 end desc,
            valid_from is not null and valid_to is not null desc, {BEGAN} desc, known_from desc) as place
    from ({last_word(only)}) where not withdrawn) where place = 1"""


READINGS = "select fetched_at, sha256 from capture where source_id = ? and outcome <> 'failed' order by fetched_at desc"
# rates of a source whose claim, word for word, is not in its newest body: only those can be gone
SUSPECTS = f"""
select r.* from ({last_word(OF_SOURCE)}) r where not r.withdrawn and not exists (
    select 1 from price_claim was join price_claim c on c.source_id = was.source_id and c.capture = $sha
        and c.meter = was.meter and c.tier = was.tier and c.model_as_written = was.model_as_written
        and c.model_id_as_written is not distinct from was.model_id_as_written and c.conditions = was.conditions
        and c.context_min_tokens is not distinct from was.context_min_tokens
        and c.context_max_tokens is not distinct from was.context_max_tokens
        and c.time_window is not distinct from was.time_window
    where was.claim_id = r.claim_ids[1] and was.source_id = r.source_id)"""


def believed_now(store: Store, now: datetime, endpoints: Collection[str] | None = None) -> list[Rate]:
    """The rates in force from any source, of these endpoints where named: of each source its last word, of those the best standing."""
    if endpoints is None:
        found = store.rows(in_force(), {"now": naive(now)})
    else:
        found = store.rows(in_force(OF_ENDPOINTS), {"now": naive(now), "endpoints": [*endpoints]})
    return [rate_from_row(r) for r in found]


def gone_keys(
    store: Store, sources: Mapping[str, Source], now: datetime, endpoints: Collection[str] | None = None
) -> frozenset[Key]:
    """Keys, of these endpoints where named, that an official page listed and has withdrawn."""
    only, more = ("true", {}) if endpoints is None else (OF_ENDPOINTS, {"endpoints": [*endpoints]})
    found = store.rows(f"{last_word(only)} and withdrawn", {"now": naive(now), **more})
    official = {s.id for s in sources.values() if s.kind == "official"}
    return frozenset(key_of(rate_from_row(r)) for r in found if r["source_id"] in official)


def withdrawals(store: Store, source: Source, matcher: Matcher, now: datetime) -> list[Rate]:
    """New rows for what a source no longer lists, its newest reading recorded already."""
    readings = store.rows(READINGS, [source.id])
    if not readings:
        return []
    asked = {"now": naive(now), "source": source.id, "sha": readings[0]["sha256"]}
    suspects = [rate_from_row(r) for r in store.rows(SUSPECTS, asked)]
    if not suspects:
        return []
    known: dict[str, frozenset[Key]] = {}

    def keys(sha: str) -> frozenset[Key]:
        if sha not in known:
            offers, _, _ = offers_of(source, claims_of(store, source.id, sha), matcher)
            known[sha] = frozenset(offer_key(o) for o in offers)
        return known[sha]

    asked = {"now": naive(now), "source": source.id}
    listed = len(store.rows(f"{last_word(OF_SOURCE)} and not withdrawn", asked))
    absent = [r for r in suspects if key_of(r) not in keys(readings[0]["sha256"])]
    out = []
    for rate in absent:
        missing = []
        for reading in readings:
            if key_of(rate) in keys(reading["sha256"]):
                break
            missing.append(reading["fetched_at"].replace(tzinfo=UTC))
        if gone_at(missing, now, gone=len(absent), of=listed):
            out.append(rate.model_copy(update={"withdrawn": True, "known_from": now}))
    return out + (_doubted(store, source, out, now) if source.kind == "official" else [])


def _doubted(store: Store, source: Source, withdrawn: Sequence[Rate], now: datetime) -> list[Rate]:
    """What lists say of a price that its seller withdrew: it stands no better than disputed."""
    gone = {key_of(r) for r in withdrawn}
    endpoints = sorted({r.endpoint_id for r in withdrawn})
    query = f"{last_word(OF_ENDPOINTS)} and not withdrawn and source_id <> $source"
    asked = {"now": naive(now), "source": source.id, "endpoints": endpoints}
    rows = store.rows(query, asked) if gone else []
    others = [r for r in map(rate_from_row, rows) if key_of(r) in gone and r.standing in ("single", "witnessed")]
    return [r.model_copy(update={"standing": "disputed", "known_from": now}) for r in others]


def claims_of(store: Store, source_id: str, sha: str) -> list[PriceClaim]:
    rows = store.rows("select * from price_claim where source_id = ? and capture = ?", [source_id, sha])
    return [claim_from_row(r) for r in rows]


def claim_from_row(row: Mapping[str, Any]) -> PriceClaim:
    fields = {k: v for k, v in row.items() if k in PriceClaim.model_fields}
    times = {k: row[k].replace(tzinfo=UTC) if row.get(k) else None for k in ("valid_from", "valid_to")}
    return PriceClaim.model_construct(**fields | times | {"conditions": tuple(row["conditions"])})


def naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
