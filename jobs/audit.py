"""Since you designed this: the same quality then and now, each compromise priced again, and whether the caches still pay.

PRODUCT 6.1 and 6.5. What was paid then is taken from the registry or from the prices recorded of that day, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from math import log10
from typing import Any, Literal

from data.records import Cache, Candidate, Compromise, Cost, EndpointChoice, Rate, UseCase
from jobs.look_back import Standing, named
from recommender.abundance import Paid, answer_cache, prompt_cache, right_until
from recommender.cost import Desk, monthly_cost

AIMS = (3, 10, 30, 50)  # multiples worth a new look; 50 is the founding question
HEADROOM = 0.1  # lifting a compromise for less than a tenth of the design-time bill needs no debate


@dataclass(frozen=True)
class Lifted:
    """A recorded compromise priced again. Money in USD a month; None: the registry states no figure."""

    what: str
    saved_then: float | None
    saves_now: float | None
    costs_now: float | None
    verdict: Literal["keep", "drop", "try", "ask"]
    why: str


@dataclass(frozen=True)
class CacheAudit:
    """A registered cache at the prices in force, and until when it was right."""

    name: str
    kind: str
    paid: Paid
    right_until: date | None
    after_switch: str | None  # what the best candidate's price would make of it


@dataclass(frozen=True)
class SinceDesign:
    """Cost of a call at the quality bought then. `multiple`: how many times cheaper (mid, low, high); `why` where unknown."""

    use_case: str
    designed_on: date | None
    model: str | None
    registered_usd_per_call: float | None
    then_usd_per_call: float | None
    then_from: str
    now_endpoint: str | None
    now_usd_per_call: tuple[float, float, float] | None
    present_endpoint: str
    present_usd_per_call: float | None
    multiple: tuple[float, float, float] | None
    why: str
    question: str
    fifty: str
    beside: str | None
    compromises: tuple[Lifted, ...] = ()

    def row(self) -> dict[str, Any]:
        return asdict(self)


def audit(here: Standing, case: UseCase, pace_per_year: float) -> SinceDesign:
    """`pace_per_year`: how many times cheaper a level gets a year, for the question when 50 will be there."""
    present = here.candidates[case.slug][0]
    present_usd = present.cost.usd_per_call if present.cost else None
    designed = case.designed
    if designed is None or designed.model is None:
        why = "no `designed:` entry" if designed is None else "`designed:` names no model"
        return _nothing(case, present, f"{why} in the registry: nothing to compare with")
    day = _day(designed.date)
    choice = _choice(here, designed.model, case)
    then, said = _then(here, case, choice, day)
    if then is None and designed.usd_per_call is not None:
        then, said = designed.usd_per_call, "as registered"
    now, why = _same_quality(here, case, choice)
    costs = _costs(now)
    multiple = (then / costs[0], then / costs[2], then / costs[1]) if then and costs else None
    return SinceDesign(
        use_case=case.slug,
        designed_on=day,
        model=designed.model,
        registered_usd_per_call=designed.usd_per_call,
        then_usd_per_call=then,
        then_from=said,
        now_endpoint=named(now) if now else None,
        now_usd_per_call=costs,
        present_endpoint=named(present),
        present_usd_per_call=present_usd,
        multiple=multiple,
        why=why,
        question=_question(multiple),
        fifty=_fifty(multiple, pace_per_year),
        beside=_beside(case, present_usd),
        compromises=tuple(
            lifted(c, then, present_usd, costs, case.workload.calls_per_month * (1 + case.workload.retry_rate))
            for c in designed.compromises
        ),
    )


def lifted(
    c: Compromise,
    then: float | None,
    present: float | None,
    now: tuple[float, float, float] | None,
    calls_per_month: float,
) -> Lifted:
    """A saving made of model calls shrinks as the calls do; its upkeep does not. USD a call: then, in use, same quality now."""
    cheapest = min([p for p in (present, now[0] if now else None) if p is not None], default=None)
    if c.saves_usd_per_month is None:
        ask = "no figures: the sum is not made up"
        if then and cheapest:
            ask = f"{ask}; would you still build it now that a call costs 1/{then / cheapest:.0f}?"
        return Lifted(c.what, None, None, c.costs_usd_per_month, "ask", ask)
    if not then or present is None or cheapest is None:
        return Lifted(c.what, c.saves_usd_per_month, None, c.costs_usd_per_month, "ask", "no price then or now")
    saves = c.saves_usd_per_month * present / then
    least = c.saves_usd_per_month * cheapest / then
    upkeep = c.costs_usd_per_month or 0.0
    at_best = f", ${least:,.0f} at the best price for the quality bought then" if cheapest < present else ""
    story = f"saved ${c.saves_usd_per_month:,.0f}, saves ${saves:,.0f} a month at the model in use{at_best}"
    if upkeep >= saves:
        return Lifted(c.what, c.saves_usd_per_month, saves, upkeep, "drop", f"{story}; its upkeep is ${upkeep:,.0f}")
    if least <= HEADROOM * then * calls_per_month:
        return Lifted(
            c.what, c.saves_usd_per_month, saves, upkeep, "drop", f"{story}: under a tenth of the bill of the design"
        )
    if present * calls_per_month + saves <= then * calls_per_month:
        return Lifted(
            c.what, c.saves_usd_per_month, saves, upkeep, "try", f"{story}; without it you still pay less than then"
        )
    return Lifted(
        c.what, c.saves_usd_per_month, saves, upkeep, "keep", f"{story}; lifting it would exceed the bill of the design"
    )


def audit_caches(here: Standing, case: UseCase) -> list[CacheAudit]:
    """Every registered cache of a use case, at the prices in force and on each day they changed since the design."""
    return [_cache(here, case, c) for c in case.caches]


def _cache(here: Standing, case: UseCase, cache: Cache) -> CacheAudit:
    endpoint = case.current.endpoint_id
    rates = [r for r in here.facts.rates if r.endpoint_id == endpoint]
    desk = Desk({endpoint: rates})
    begin = _day(case.designed.date) if case.designed else None
    days = sorted({d for d in _changes(rates) if d <= here.now.date() and (begin is None or d > begin)})
    if begin:
        days.insert(0, begin)
    history = [(d, weigh_cache(case, cache, desk, endpoint, _at(d))) for d in days]
    paid = weigh_cache(case, cache, desk, endpoint, here.now)
    history.append((here.now.date(), paid))
    best = here.decisions[case.slug].best
    after = None
    if best is not None and best.endpoint_id != endpoint:
        there = weigh_cache(case, cache, Desk({best.endpoint_id: [r for r in here.facts.rates if r.endpoint_id == best.endpoint_id]}),
                            best.endpoint_id, here.now)  # fmt: skip
        need = f", break-even {there.break_even:.1%}" if there.break_even is not None and there.break_even < 10 else ""
        after = f"after a switch to {best.endpoint_id}: {there.verdict}{need}"
    return CacheAudit(cache.name, cache.kind, paid, right_until(history), after)


def weigh_cache(case: UseCase, cache: Cache, desk: Desk, endpoint: str, at: datetime) -> Paid:
    """One cache at the prices of one instant; a contract's prices stand in where the team has them."""
    book = desk.book(endpoint, at)
    load = case.workload
    if cache.kind != "prompt":
        uncached = load.model_copy(update={"calls_per_month": 1.0, "retry_rate": 0.0})
        own = case.current if endpoint == case.current.endpoint_id else None
        cost = monthly_cost(
            uncached,
            book,
            endpoint,
            private_price=own.private_price if own else None,
            discount_share=own.discount_share if own else 0.0,
        )
        return answer_cache(
            hit_rate=cache.hit_rate,
            calls_per_month=load.calls_per_month
            / max(1e-9, 1 - cache.hit_rate),  # asked of the cache; misses reach the model
            usd_per_call=cost.usd_per_month if isinstance(cost, Cost) else None,
            costs_usd_per_month=cache.costs_usd_per_month,
            hours_per_month=cache.hours_per_month,
            usd_per_day=case.switch.usd_per_day,
        )
    sheet = book.sheet(endpoint)
    lines = sheet.cells[0][0] if sheet else {}
    hour = "cache_write_1h" if (cache.ttl or "").strip() in ("1h", "60m") else "cache_write"

    def price(meter: str) -> float | None:
        line = lines.get(meter)
        return line.dollars if line and not line.note else None

    input_usd = price("input")
    upkeep = cache.costs_usd_per_month + cache.hours_per_month * case.switch.usd_per_day / 8
    share = min(1.0, load.cached_share / cache.hit_rate) if cache.hit_rate > 0 and load.cached_share > 0 else 1.0
    worth = load.calls_per_month * load.input_tokens.mean * share * (input_usd or 0.0)
    return prompt_cache(
        hit_rate=cache.hit_rate,
        input_usd=input_usd,
        read_usd=price("cached_input"),
        write_usd=price(hour),
        cacheable_usd_per_month=worth,
        upkeep_usd_per_month=upkeep,
    )


def _choice(here: Standing, written: str, case: UseCase) -> EndpointChoice | str:
    found = here.matcher.resolve(written, None, "global")
    if found.model_id is None:
        return f"{written} is not in the catalogue"
    known = [e for e in (*found.endpoint_ids, *found.proposals) if e in here.facts.endpoints]
    if not known:
        return f"no endpoint of {written} is known any more"
    return EndpointChoice(written=written, model_id=found.model_id, endpoint_id=known[0])


def _then(here: Standing, case: UseCase, choice: EndpointChoice | str, day: date | None) -> tuple[float | None, str]:
    """USD a call of today's work at the prices of the design's day, and where that comes from."""
    if isinstance(choice, str) or day is None:
        return None, choice if isinstance(choice, str) else "the day of the design is not a full date"
    rates = [r for r in here.facts.rates if r.endpoint_id == choice.endpoint_id]
    if not rates:
        return None, f"no price of {choice.endpoint_id} is recorded"
    cost = monthly_cost(
        case.workload, Desk({choice.endpoint_id: rates}).book(choice.endpoint_id, _at(day)), choice.endpoint_id
    )
    if isinstance(cost, str):
        return None, cost
    dated = any(r.valid_from is not None for r in rates)
    proof = "price of that day" if dated else "its only recorded price; no change is known"
    return cost.usd_per_call, f"{proof} of {choice.endpoint_id}, today's tokens"


def _same_quality(here: Standing, case: UseCase, choice: EndpointChoice | str) -> tuple[Candidate | None, str]:
    """The cheapest eligible endpoint sure to be as good as the model of the design, or why none can be named.

    Where nobody measured that model, the one in use is the bar: the team accepted it since.
    """
    if isinstance(choice, str):
        return _cheapest(case, *_in_use(here, case), f"{choice}, so measured by the model in use")
    bought, ranked = here.weighed(case.model_copy(update={"current": choice}))
    if bought.quality is None or bought.quality.grade is None:
        unknown = f"not enough data on the quality of {choice.model_id}, so measured by the model in use"
        return _cheapest(case, *_in_use(here, case), unknown)
    return _cheapest(case, bought, ranked, f"measured by {choice.model_id}")


def _in_use(here: Standing, case: UseCase) -> tuple[Candidate, list[Candidate]]:
    present, *ranked = here.candidates[case.slug]
    return present, ranked


def _cheapest(case: UseCase, bar: Candidate, ranked: Sequence[Candidate], said: str) -> tuple[Candidate | None, str]:
    sure = [c for c in ranked if c.eligible and c.cost and (c.p_ok or 0) >= case.quality.confidence]
    if bar.cost is not None:
        sure.append(bar)  # as good as itself
    if not sure:
        return None, f"nothing eligible is {case.quality.confidence:.0%} sure to be as good; {said}"
    best = min(sure, key=lambda c: c.cost.usd_per_month if c.cost else 0.0)
    if best is bar:
        return best, f"itself: nothing cheaper is {case.quality.confidence:.0%} sure to be as good; {said}"
    return best, f"{best.p_ok or 0:.0%} likely as good, the cheapest of {len(sure)} such choices; {said}"


def _costs(now: Candidate | None) -> tuple[float, float, float] | None:
    if now is None or now.cost is None or now.cost.usd_per_month <= 0:
        return None
    each, c = now.cost.usd_per_call, now.cost
    return each, each * c.low_usd_per_month / c.usd_per_month, each * c.high_usd_per_month / c.usd_per_month


def _question(multiple: tuple[float, float, float] | None) -> str:
    if multiple is None or multiple[0] < AIMS[0]:
        return "not three times cheaper: no new question yet" if multiple else ""
    return f"what would you build if this call cost 1/{multiple[0]:.0f}?"


def _fifty(multiple: tuple[float, float, float] | None, pace: float) -> str:
    if multiple is None:
        return "50 times cheaper: not known how far"
    if multiple[1] >= 50:
        return "50 times cheaper: there"
    if multiple[0] >= 50:
        return f"50 times cheaper: probably there ({multiple[0]:.0f} times, at least {multiple[1]:.0f})"
    gap = 50 / multiple[0]
    when = (
        f"about {log10(gap) / log10(pace):.1f} years at last year's pace of {pace:.1f} times"
        if pace > 1.05
        else "no pace to reckon by"
    )
    return f"50 times cheaper: not there, {multiple[0]:.1f} of 50; {when}"


def _beside(case: UseCase, usd_per_call: float | None) -> str | None:
    budget = case.budget.usd_per_outcome
    if budget is None or usd_per_call is None or budget <= 0:
        return None
    outcome = usd_per_call * case.workload.calls_per_outcome * (1 + case.workload.retry_rate)
    return f"${outcome:,.3g} of model calls in each outcome of ${budget:,.3g} ({outcome / budget:.0%})"


def _nothing(case: UseCase, present: Candidate, why: str) -> SinceDesign:
    usd = present.cost.usd_per_call if present.cost else None
    return SinceDesign(
        case.slug, None, None, None, None, "", None, None, present.endpoint_id, usd, None, why, "", "", None
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _at(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _changes(rates: Sequence[Rate]) -> set[date]:
    return {t.date() for r in rates for t in (r.valid_from, r.valid_to) if t is not None}
