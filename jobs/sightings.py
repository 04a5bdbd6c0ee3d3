"""How often and how lately the prices behind a message were fetched: seen once is no news, old is not current (PRODUCT 5.1, 5.9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.store import Readable
from jobs.withdraw import naive

APART = timedelta(hours=6)
STALE_DAYS = 7
SEEN_ONCE = "seen in one fetch"
TOO_OLD = "prices over"
SAME_PLACE = " and ".join(
    f"{{0}}.{k} is not distinct from a.{k}"
    for k in ("endpoint_id", "source_id", "meter", "tier", "context_min_tokens", "context_max_tokens", "time_window",
              "region", "valid_from", "valid_to")
)  # fmt: skip
SAME_PRICE = (
    "{0}.usd_per_mtok is not distinct from a.usd_per_mtok and {0}.usd_per_unit is not distinct from a.usd_per_unit"
)
SAME_CLAIM = " and ".join(
    f"s.{k} is not distinct from c.{k}"
    for k in ("source_id", "model_as_written", "model_id_as_written", "meter", "tier", "context_min_tokens",
              "context_max_tokens", "time_window", "amount", "currency", "per")
)  # fmt: skip
# Fetches that state the very claim, after the last other price in its place; where no claim is kept, those of its source.
SEEN = f"""
with asked as (select * from rate where list_contains($ids::varchar[], rate_id)),
other as (
    select a.rate_id, max(x.known_from) as ended from asked a join rate x on {SAME_PLACE.format("x")}
    where x.known_from <= a.known_from and (x.withdrawn or not ({SAME_PRICE.format("x")})) group by a.rate_id),
begun as (
    select a.rate_id, o.ended, min(x.known_from) as since from asked a left join other o using (rate_id)
    join rate x on {SAME_PLACE.format("x")} and {SAME_PRICE.format("x")} and not x.withdrawn
    where x.known_from >= coalesce(o.ended, x.known_from) and x.known_from <= a.known_from group by a.rate_id, o.ended),
claimed as (select a.rate_id, c.* from asked a join price_claim c on c.source_id = a.source_id and list_contains(a.claim_ids, c.claim_id)),
stated as (
    select c.rate_id, min(k.fetched_at) as since, max(k.fetched_at) as last_at
    from claimed c join price_claim s on {SAME_CLAIM}
    join capture k on k.source_id = s.source_id and k.sha256 = s.capture and k.outcome <> 'failed'
    join begun b on b.rate_id = c.rate_id and k.fetched_at >= coalesce(b.ended, k.fetched_at)
    where k.fetched_at <= $now group by c.rate_id),
fetched as (
    select source_id, max(fetched_at) as last_at, max(coalesce(as_of, fetched_at)) as as_of
    from capture where outcome <> 'failed' and fetched_at <= $now group by source_id),
of_sources as (
    select rate_id, max(last_at) as last_at, max(as_of) as as_of
    from (select rate_id, source_id from asked union select rate_id, source_id from claimed) join fetched using (source_id)
    group by rate_id)
select a.rate_id, a.endpoint_id, a.source_id, coalesce(s.since, b.since) as since,
    case when s.since is null then f.last_at else s.last_at end as last_at, f.as_of
from asked a join begun b using (rate_id) left join stated s using (rate_id) left join of_sources f using (rate_id)
order by a.endpoint_id, a.rate_id"""


@dataclass(frozen=True)
class Sighting:
    """A price: since when its source states it, when that was last fetched well, and of which day that is. Times naive UTC."""

    rate_id: str
    endpoint_id: str
    source_id: str
    since: datetime
    last_at: datetime | None
    as_of: datetime | None


def sightings(store: Readable, rate_ids: Iterable[str], now: datetime) -> list[Sighting]:
    """What the tables hold of the fetches behind these rates; a rate that is not in them is left out."""
    ids = sorted(set(rate_ids))
    return [Sighting(**r) for r in store.rows(SEEN, {"ids": ids, "now": naive(now)})] if ids else []


def seen_once(found: Iterable[Sighting]) -> str | None:
    """The first price that no fetch, six hours or more after the first, has seen again; None where each was."""
    for s in found:
        if s.last_at is None or s.last_at - s.since < APART:
            return f"{SEEN_ONCE}: {s.endpoint_id}, {s.source_id}; it waits for another, 6 h or more later"
    return None


def too_old(found: Iterable[Sighting], now: datetime) -> str | None:
    """The first endpoint whose own source gave nothing for a week, however new other sources are."""
    for s in found:
        if s.as_of is None or naive(now) - s.as_of > timedelta(days=STALE_DAYS):
            return f"{TOO_OLD} {STALE_DAYS} days old: {s.endpoint_id}, {s.source_id}"
    return None
