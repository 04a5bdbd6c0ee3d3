"""What else a team must hear of its own use case: its bill moves, its model leaves, its price is in doubt, a better one,
a new one on its frontier.

Each is a `Watched`: what happened, what makes it the same news another day (`key`), and the message. Whether it is sent
is decided in `jobs.alerts`. A failed fetch moves no rate, so it makes no news here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from data.records import Candidate, Cost, Decision, Endpoint, Rate, UseCase
from data.store import Readable
from jobs.facts import Facts
from jobs.messages import Payload
from jobs.messages.watch import better_message, bill_message, doubt_message, newcomer_message, retirement_message
from jobs.rules import PASSING
from jobs.unsteady import moving
from jobs.why_now import bill_moved, why_now
from recommender.budget import broken
from recommender.cost import RateBook, monthly_cost

STAGES_DAYS = (7, 30, 90, 180)
RED_DAYS = 30
DOUBT_HOURS = 24
SEEN_TWICE = timedelta(days=2)  # a price that is news has waited for a second fetch
AHEAD_DAYS = 180  # how far ahead an announced price is told


@dataclass(frozen=True)
class Watched:
    """`urgent`: neither cap nor cooldown keeps it back. `digest`: nothing to do at once. `platform`: theirs to mend too.
    `rate_ids`: the prices that it rests on."""

    kind: str
    case: UseCase
    key: str
    message: Payload
    urgent: bool = False
    digest: bool = False
    platform: bool = False
    rate_ids: tuple[str, ...] = ()


def watch(
    store: Readable,
    decisions: Sequence[tuple[UseCase, Decision]],
    weighed: Mapping[str, Sequence[Candidate]],
    facts: Facts,
    *,
    now: datetime,
) -> list[Watched]:
    """Everything about the models in use that is worth a word today, told already or not."""
    rates: dict[str, list[Rate]] = {}
    used = {c.current.endpoint_id for c, _ in decisions}
    for r in facts.rates:
        if r.endpoint_id in used:
            rates.setdefault(r.endpoint_id, []).append(r)
    history, seen = _history(store), _frontiers(store)
    out: list[Watched] = []
    for case, d in decisions:
        ranked = list(weighed.get(case.slug, ()))[1:]
        out += _bill(case, d, rates.get(case.current.endpoint_id, []), history.get(case.slug, []), ranked, now)
        out += _leaving(case, d, facts.endpoints, ranked, now)
        out += _doubt(store, case, d, rates.get(case.current.endpoint_id, []), now)
        out += _better(store, case, d, ranked, now)
        out += _newcomers(case, d, ranked, seen.get(case.slug), now)
    return out


def _history(store: Readable) -> dict[str, list[datetime]]:
    """By use case, the instants its bill may be compared with: since it was last told of its bill, or first decided."""
    found = store.rows(
        f"""
        with told as (select use_case, max(created_at) as told_at from alert where kind in ('price_rise', 'price_drop')
                      and not coalesce({" or ".join(f"starts_with(withheld_because, '{p}')" for p in PASSING)}, false)
                      group by use_case),
        days as (select r.use_case, r.decided_at from recommendation r left join told t using (use_case)
                 where t.told_at is null or r.decided_at >= t.told_at
                 union select use_case, told_at from told)
        select use_case, list(distinct decided_at order by decided_at) as days from days group by use_case"""
    )
    return {r["use_case"]: [d.replace(tzinfo=UTC) for d in r["days"]] for r in found}


def _bill(
    case: UseCase,
    d: Decision,
    rates: Sequence[Rate],
    days: Sequence[datetime],
    ranked: Sequence[Candidate],
    now: datetime,
) -> list[Watched]:
    """A rise against the lowest bill since it was last told, today or as announced; a fall against the first of them.

    The work of today is priced at both instants, so that more calls are no rise. A private price is not the list's.
    """
    if not days or case.current.private_price:
        return []
    then = [(t, bill) for t in (*days[:1], *days[1:][-30:]) if (bill := _cost(case, rates, t, t)) is not None]
    today = _cost(case, rates, now, now)
    if not then or today is None:
        return []
    least_at, least = min(then, key=lambda x: x[1].usd_per_month)
    if moves := moving(rates, now).get(case.current.endpoint_id):  # only a price above all of its range is a rise
        ranged = [(t, bill) for t in moves[:-1] if (bill := _cost(case, rates, t, t)) is not None]
        least_at, least = max([(least_at, least), *ranged], key=lambda x: x[1].usd_per_month)
    coming = sorted({r.valid_from for r in rates if r.valid_from and now < r.valid_from <= now + timedelta(AHEAD_DAYS)})
    states = [(now, today), *((t, bill) for t in coming if (bill := _cost(case, rates, t, now)) is not None)]
    before = {b.per for b in broken(case.budget, least)}

    def told(kind: str, was_at: datetime, was: Cost, at: datetime, bill: Cost, **how: bool) -> list[Watched]:
        over = how.get("urgent", False)
        moved = bill_moved(rates, was, bill)
        text = bill_message(
            d, case, was, bill, least_at=was_at, at=at, now=now, over=over, ranked=ranked, moved=moved
        )  # fmt: skip
        return [Watched(kind, case, _bill_key(was_at, bill), text, rate_ids=bill.rate_ids, **how)]

    for at, bill in states:
        more = bill.usd_per_month - least.usd_per_month
        over = any(b.per not in before for b in broken(case.budget, bill))
        if more >= case.switch.min_saving_usd_per_month or (over and more > 0):
            return told("price_rise", least_at, least, at, bill, urgent=over)
    if today.usd_per_month - least.usd_per_month > 0.01 * least.usd_per_month:
        return told("price_rise", least_at, least, now, today, digest=True)
    first_at, first = then[0]
    if first.usd_per_month - today.usd_per_month >= case.switch.min_saving_usd_per_month:
        return told("price_drop", first_at, first, now, today, digest=True)
    return []


def _bill_key(since: datetime, bill: Cost) -> str:
    return f"{since.isoformat()}|{','.join(sorted(bill.rate_ids))}"


def _cost(case: UseCase, rates: Sequence[Rate], at: datetime, known_at: datetime) -> Cost | None:
    book = RateBook(rates, at=at, known_at=known_at)
    found = monthly_cost(case.workload, book, case.current.endpoint_id, tier=case.current.tier)
    return found if isinstance(found, Cost) else None


def _leaving(
    case: UseCase, d: Decision, endpoints: Mapping[str, Endpoint], ranked: Sequence[Candidate], now: datetime
) -> list[Watched]:
    """The model in use and its fallbacks, at 180, 90, 30 and 7 days; a date that moves is news again."""
    out = []
    for choice in (case.current, *case.fallbacks):
        endpoint = endpoints.get(choice.endpoint_id)
        day = _day(endpoint.retires_on if endpoint else None)
        if endpoint is None or day is None:
            continue
        left = (day - now.date()).days
        stage = next((s for s in STAGES_DAYS if left <= s), None)
        if stage is None or left < -RED_DAYS:
            continue
        longer = sorted(
            e.endpoint_id
            for e in endpoints.values()
            if endpoint.model_id is not None
            and e.model_id == endpoint.model_id
            and e.endpoint_id != endpoint.endpoint_id
            and (((until := _day(e.retires_on)) is None and not e.deprecated) or (until is not None and until > day))
        )
        text = retirement_message(d, case, endpoint, day, now=now, ranked=ranked, longer=longer)
        out.append(Watched("retirement", case, f"{endpoint.endpoint_id}|{day}|{stage}", text, urgent=left <= RED_DAYS))
    return out


def _day(text: str | None) -> date | None:
    """Only a whole date counts down; a month or a year is no day."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


DOUBTED = """
select c.claim_id, c.meter, c.tier, c.amount, c.currency, c.per, c.source_id as source, h.held_at as at, h.why,
    (select any_value(url) from capture where sha256 = c.capture) as url
from held h join price_claim c using (claim_id, source_id) left join held_release r using (claim_id)
where h.endpoint_id = ? and r.verdict is null and h.held_at <= ? order by h.held_at, c.meter, c.claim_id"""
CLAIMS = """
select distinct c.meter, c.tier, c.amount, c.currency, c.per, c.source_id as source, c.known_from as at, r.standing as why,
    (select any_value(url) from capture where sha256 = c.capture) as url
from rate r join price_claim c on c.source_id = r.source_id and list_contains(r.claim_ids, c.claim_id)
where r.endpoint_id = ? order by c.known_from desc, c.meter, c.source_id limit 8"""


def _doubt(store: Readable, case: UseCase, d: Decision, rates: Sequence[Rate], now: datetime) -> list[Watched]:
    """No price at all, or one that is held or contested for a day."""
    since = (now - timedelta(hours=DOUBT_HOURS)).astimezone(UTC).replace(tzinfo=None)
    endpoint = case.current.endpoint_id
    if d.current.cost is None:
        claims = store.rows(CLAIMS, [endpoint])
        last = max((r.known_from for r in rates), default=None)
        text = doubt_message(d, case, claims, now=now, last=last, kind="unpriced", trusted=rates)
        return [Watched("unpriced", case, f"{endpoint}|{last}", text, urgent=True, platform=True)]
    held = store.rows(DOUBTED, [endpoint, since])
    contested = [r for r in rates if r.standing == "disputed" and r.rate_id in d.current.cost.rate_ids]
    old = [r for r in contested if now - r.known_from >= timedelta(hours=DOUBT_HOURS)]
    if not held and not old:
        return []
    first = min([r["at"].replace(tzinfo=UTC) for r in held] + [r.known_from for r in old])
    claims = [*held, *store.rows(CLAIMS, [endpoint])]
    used = [r for r in rates if r.rate_id in d.current.cost.rate_ids]
    text = doubt_message(d, case, claims, now=now, last=first, kind="disputed", trusted=used)
    key = f"{endpoint}|{_places(held)}|{','.join(sorted(r.rate_id for r in old))}"
    return [Watched("disputed", case, key, text, urgent=True, platform=True)]


def _places(held: Iterable[Mapping[str, Any]]) -> str:
    return ",".join(sorted({f"{r['source']}/{r['meter']}/{r['tier']}/{r['amount'].normalize()}" for r in held}))


def _better(store: Readable, case: UseCase, d: Decision, ranked: Sequence[Candidate], now: datetime) -> list[Watched]:
    """Better answers for the same bill, where no switch is already proposed."""
    bill = d.current.cost
    if bill is None or d.verdict == "switch":
        return []
    found = [
        c
        for c in ranked
        if c.eligible and c.cost is not None and c.cost.high_usd_per_month <= bill.usd_per_month
        and (c.p_gain or 0) >= case.quality.confidence
        and c.quality is not None and c.quality.grade is not None and c.quality.grade <= case.quality.evidence
    ]  # fmt: skip
    if not found:
        return []
    best = max(found, key=lambda c: (c.p_gain or 0, -(c.effort_days or 0), c.endpoint_id))
    moved = why_now(store, d, best, now, back=SEEN_TWICE)
    text = better_message(d, case, best, now=now, trigger=moved)
    behind = (*bill.rate_ids, *(best.cost.rate_ids if best.cost else ()))
    return [Watched("better", case, f"{best.endpoint_id}|{best.variant}", text, rate_ids=behind)]


def _frontiers(store: Readable) -> dict[str, set[str]]:
    """By use case weighed before: the models that were ever on its frontier, or told of as new there."""
    found = store.rows(
        """
        select r.use_case, list(distinct c.model_id) filter (where c.on_frontier and c.model_id is not null) as models
        from (select distinct use_case, run_id from recommendation) r left join candidate c using (use_case, run_id)
        group by r.use_case"""
    )
    return {r["use_case"]: set(r["models"] or ()) for r in found}


def _newcomers(
    case: UseCase, d: Decision, ranked: Sequence[Candidate], seen: set[str] | None, now: datetime
) -> list[Watched]:
    """Eligible models (so of the age asked for) on the frontier for the first time; without an older cycle all would be."""
    if seen is None:
        return []
    new: dict[str, Candidate] = {}
    for c in ranked:
        if c.eligible and c.on_frontier and c.model_id and c.model_id not in {*seen, case.current.model_id}:
            new.setdefault(c.model_id, c)
    proposed = d.best.model_id if d.best is not None and d.verdict == "switch" else None  # that one has its own message
    return [
        Watched("new_model", case, model, newcomer_message(d, case, c, now=now), digest=True)
        for model, c in new.items()
        if model != proposed
    ]
