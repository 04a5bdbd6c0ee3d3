"""Why a finding comes now: which prices moved towards it, the one that moved this use case's bill most first, or what else did.

It looks back to the last time that the use case was decided otherwise, or that people were told; nothing is guessed: where
nothing is found, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from data.records import Candidate, Cost, Decision, Rate
from data.store import Readable
from jobs.messages.blocks import exact, name, percent
from jobs.sightings import Sighting, sightings
from jobs.withdraw import naive

SHOWN = 2
PLACE = " and ".join(
    f"x.{k} is not distinct from a.{k}"
    for k in (
        "endpoint_id",
        "source_id",
        "meter",
        "tier",
        "context_min_tokens",
        "context_max_tokens",
        "time_window",
        "region",
    )
)  # whenever it applied
# of each price what stood in its place before, by the same source, and since when it is known
MOVES = f"""
with asked as (select * from rate where list_contains($ids::varchar[], rate_id) and usd_per_mtok is not null),
other as (
    select a.rate_id, max(x.known_from) as ended, max_by(x.usd_per_mtok, (x.known_from, x.valid_from)) as before
    from asked a join rate x on {PLACE} and x.usd_per_mtok <> a.usd_per_mtok and not x.withdrawn
    where x.known_from < a.known_from or x.known_from = a.known_from and x.valid_from < a.valid_from group by a.rate_id)
select a.rate_id, a.meter, a.tier, a.usd_per_mtok as usd, a.valid_from, o.before, min(x.known_from) as began
from asked a left join other o using (rate_id)
join rate x on {PLACE} and x.usd_per_mtok = a.usd_per_mtok
where x.known_from <= a.known_from and x.known_from >= coalesce(o.ended, x.known_from)
group by all order by a.rate_id"""
STATES = """
select max(decided_at) filter (verdict <> 'switch' or rec <> $rec) as otherwise from recommendation
where use_case = $slug and decided_at < $now"""
THEN = """
select r.verdict, c.eligible, c.reasons, c.p_ok from recommendation r left join candidate c on c.run_id = r.run_id
    and c.use_case = r.use_case and c.endpoint_id = $endpoint and c.tier = $tier and c.variant = $variant
where r.use_case = $slug and r.decided_at <= $since order by r.decided_at desc limit 1"""
SCORES = """
select benchmark, source_id, known_from from score
where list_contains($ids::varchar[], score_id) and model_id = $model and known_from > $since
order by known_from desc, benchmark, source_id"""


def why_now(
    store: Readable,
    d: Decision,
    best: Candidate,
    now: datetime,
    *,
    told_at: datetime | None = None,
    back: timedelta = timedelta(),
) -> str:
    """In plain words, of `best` as a finding for the use case of `d`. `told_at`: naive UTC, when it was last told; `back`: how
    far it looks back at least."""
    about = {"slug": d.use_case, "rec": d.rec, "now": naive(now - back)}
    otherwise = store.rows(STATES, about)[0]["otherwise"]
    since = max((at for at in (otherwise, told_at) if at is not None), default=None)
    if since is None:
        return "newly registered: no price had to move"
    seen = {s.rate_id: s for s in sightings(store, _ids(best, d.current), now)}
    known = [r for r in store.rows(MOVES, {"ids": list(seen)}) if _at(r) > since] if seen else []
    moved = _by_weight([r for r in known if r["before"] is not None], best, d.current, both=told_at is not None)
    if moved:
        more = f", and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
        return ", ".join(_went(r, seen[r["rate_id"]]) for r in moved[:SHOWN]) + more
    new = {r["rate_id"] for r in known if r["before"] is None}
    if best.cost is not None and new and new >= set(best.cost.rate_ids):
        first = seen[best.cost.rate_ids[0]]
        return f"{name(best.endpoint_id)} is priced since {first.since:%d %b %Y} ({name(first.source_id, 30)})"
    return _else(store, d, best, since)


def _else(store: Readable, d: Decision, best: Candidate, since: datetime) -> str:
    """No price moved: the entry, what shut it out, its scores, or an end to waiting; else that nothing is known to have."""
    entry = store.rows(
        "select max(registered_at) as at from use_case where use_case = ? and registered_at > ?", [d.use_case, since]
    )[0]["at"]
    if entry is not None:
        return f"the entry in use_cases.yaml changed on {entry:%d %b %Y}"
    where = {"endpoint": best.endpoint_id, "tier": best.tier, "variant": best.variant}
    then = next(iter(store.rows(THEN, {**where, "slug": d.use_case, "since": since})), None)
    if then is not None and then["eligible"] is False and then["reasons"]:
        return f"shut out until then, no longer: {name(then['reasons'][0], 120)}"
    about = {"ids": list(best.quality.score_ids) if best.quality else [], "model": best.model_id, "since": since}
    scores = store.rows(SCORES, about)
    likelier = then is not None and then["p_ok"] is not None and (best.p_ok or 0) - then["p_ok"] >= 0.005
    said = f"likely good enough went {percent(then['p_ok'])} → {percent(best.p_ok)}" if then and likelier else ""
    if scores:
        s, more = scores[0], f", and {len(scores) - 1} more" if len(scores) > 1 else ""
        new = f"new score of it: {name(s['benchmark'], 40)} on {s['known_from']:%d %b %Y} ({name(s['source_id'], 30)}){more}"
        return f"{new}; {said}" if said else new
    if said:
        return f"{said} by scores of other models"
    if then is not None and then["verdict"] == "wait":
        pressed = next((r for r in d.reasons if r.startswith("no waiting: ")), None)
        return name(pressed, 120) if pressed else "it waited until now"
    return f"no price or score of it moved since {since:%d %b %Y}"


def bill_moved(rates: Iterable[Rate], before: Cost, after: Cost) -> str | None:
    """The price that moved a bill most between two instants: from what, to what, on which day, who says so."""
    by_id = {r.rate_id: r for r in rates}
    then = {_place(by_id[i]): by_id[i] for i in before.rate_ids if i in by_id}
    pairs = [(then[_place(r)], r) for i in after.rate_ids if (r := by_id.get(i)) is not None and _place(r) in then]
    moved = [(o, n) for o, n in pairs if o.usd_per_mtok is not None and n.usd_per_mtok not in (None, o.usd_per_mtok)]
    if not moved:
        return None
    was, now = before.by_meter_usd_per_month, after.by_meter_usd_per_month
    old, new = max(moved, key=lambda p: (abs(now.get(p[1].meter, 0) - was.get(p[1].meter, 0)), p[1].rate_id))
    assert old.usd_per_mtok is not None and new.usd_per_mtok is not None
    on = new.valid_from or new.known_from
    more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
    return (
        f"{new.meter} ${exact(old.usd_per_mtok)} → ${exact(new.usd_per_mtok)} per 1M tokens on {on:%d %b %Y} "
        f"({name(new.source_id, 30)}){more}"
    )


def _place(r: Rate) -> tuple[object, ...]:
    return r.meter, r.tier, r.context_min_tokens, r.context_max_tokens, r.time_window, r.region


def _ids(*some: Candidate) -> list[str]:
    return sorted({i for c in some if c.cost is not None for i in c.cost.rate_ids})


def _at(r: Mapping[str, Any]) -> datetime:
    """When a price came to count for us: known, and in force."""
    at: datetime = max(r["began"], r["valid_from"] or r["began"])
    return at


def _by_weight(
    moved: Sequence[Mapping[str, Any]], best: Candidate, current: Candidate, *, both: bool
) -> list[Mapping[str, Any]]:
    """What moved the saving, most first; against it only where it is news of a finding that was told (`both`).

    A meter's money is shared evenly by its bands and hours: enough for an order, so no amount is stated.
    """
    found = []
    for r in moved:
        gain = sum(
            sign * _share(moved, c, r) * (float(r["before"]) / float(r["usd"]) - 1) if r["usd"] else sign * float("inf")
            for c, sign in ((best, 1), (current, -1))
            if c.cost is not None and r["rate_id"] in c.cost.rate_ids
        )
        if gain > 0 or (both and gain < 0):
            found.append((-abs(gain), r["rate_id"], r))
    return [r for *_, r in sorted(found, key=lambda x: x[:2])]


def _share(moved: Sequence[Mapping[str, Any]], c: Candidate, r: Mapping[str, Any]) -> float:
    """USD a month that this use case pays by one price."""
    assert c.cost is not None
    same: int = sum(x["meter"] == r["meter"] and x["rate_id"] in c.cost.rate_ids for x in moved)
    return c.cost.by_meter_usd_per_month.get(str(r["meter"]), 0.0) / same


def _went(r: Mapping[str, Any], s: Sighting) -> str:
    tier = "" if r["tier"] == "standard" else f" [{r['tier']}]"
    fetched = f", last fetched {s.last_at:%d %b %Y}" if s.last_at else ""
    return (
        f"{r['meter']} of {name(s.endpoint_id)}{tier} went ${exact(r['before'])} → ${exact(r['usd'])} per 1M tokens "
        f"on {r['valid_from'] or s.since:%d %b %Y} ({name(s.source_id, 30)}{fetched})"
    )
