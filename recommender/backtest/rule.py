"""The product's own rule on a replayed use case: `rank` and `decide` as they stand, fed with the prices of the day.

The use case asks for what its first model scored, less two points, as its `floor`. One estimated board is evidence D and the
default asks C: left at that the product only ever says "test", so the replayed registry asks `evidence: D`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from data.records import (
    Cost,
    Endpoint,
    EndpointChoice,
    Model,
    Quality,
    QualityDemand,
    Rate,
    Requirements,
    SwitchTerms,
    Tokens,
    UseCase,
    Workload,
)  # fmt: skip
from recommender.backtest.asof import noon
from recommender.backtest.world import NEVER, World
from recommender.cost import RateBook, monthly_cost
from recommender.decide import ONLY_CENTRAL, decide
from recommender.rank import Offer, effort_days, move_of, rank
from recommender.ratios import ratios

BILL_USD_PER_MONTH = 10_000.0  # of the model in use on the first day
CALL = Workload(calls_per_month=1, input_tokens=Tokens(mean=3000), output_tokens=Tokens(mean=1000))
TOKENS_PER_CALL = 4000
EVIDENCE = Quality(mean=0.5, low=0.0, high=1.0, grade="D", measured=False, benchmarks=())


@dataclass(frozen=True)
class Choice:
    """A row of the world on a day: its price and the probability that it reaches the floor."""

    row: int
    usd_per_mtok: float
    p_ok: float | None


@dataclass(frozen=True)
class Clauses:
    """What the whole rule asks, at a registry's defaults; each clause can be lifted on its own to see what it costs."""

    confidence: float = 0.85
    sampling_error: bool = True  # of a measured score; lifted: it is taken at its word
    low_end: bool = True  # of the saving; lifted: the central estimate is enough
    payback: bool = True
    waiting: bool = True  # the option to wait
    min_age_days: int = 14
    cooldown: bool = True
    digest: bool = False  # also follow what only the digest tells, after its hold


@dataclass(frozen=True)
class Answer:
    """The row to switch to, if any; `held`: only the central estimate passes, so the digest tells it after a hold."""

    row: int | None
    held: bool = False


def registered(world: World, first: Choice, *, floor_points: float, clauses: Clauses) -> UseCase:
    """The use case as a registry would have it, everything else at its default."""
    endpoint = _endpoint(world, first.row)
    calls = BILL_USD_PER_MONTH / (first.usd_per_mtok * TOKENS_PER_CALL / 1e6)
    return UseCase(
        slug="replayed", title="replayed", tasks={}, channel="",
        current=EndpointChoice(written=endpoint.endpoint_id, model_id=endpoint.model_id or "", endpoint_id=endpoint.endpoint_id),
        workload=CALL.model_copy(update={"calls_per_month": calls}),
        quality=QualityDemand(max_drop=1.0, floor=floor_points / 100, confidence=clauses.confidence, evidence="D"),
        require=Requirements(min_age_days=clauses.min_age_days),
        switch=_terms(clauses),
    )  # fmt: skip


def _terms(clauses: Clauses) -> SwitchTerms:
    usual = SwitchTerms()
    return SwitchTerms(
        payback_days=usual.payback_days if clauses.payback else NEVER,
        cooldown_days=usual.cooldown_days if clauses.cooldown else 0,
    )


def answer(
    world: World, use_case: UseCase, now: Choice, choices: Iterable[Choice], day: int, clauses: Clauses
) -> Answer:
    """What the product says to switch to on a day."""
    at = noon(day)
    current = _offer(world, use_case, now, now, clauses)
    offers = [_offer(world, use_case, c, now, clauses) for c in choices if c.row != now.row]
    present, ranked = rank(use_case, current, offers, today=at.date())
    again = 1.0 if clauses.waiting else None  # always something better may come
    said = decide(use_case, present, ranked, now=at, data_as_of=at, p_again=again)
    held = said.verdict == "wait" and said.reason.startswith(ONLY_CENTRAL)
    if said.best is None or not (said.verdict == "switch" or held):
        return Answer(None)
    return Answer(int(said.best.endpoint_id.partition(":")[2]), held)


def effort_usd(world: World, use_case: UseCase, now: int, to: int) -> float:
    """What a switch costs once, at the registry's day rate."""
    return effort_days(use_case, move_of(_endpoint(world, now), _endpoint(world, to))) * use_case.switch.usd_per_day


def _offer(world: World, use_case: UseCase, c: Choice, now: Choice, clauses: Clauses) -> Offer:
    endpoint = _endpoint(world, c.row)
    same_model = world.groups[c.row] == world.groups[now.row]
    unit = _unit_cost(same_model, _maker(world, c.row) == _maker(world, now.row))
    scale = c.usd_per_mtok * use_case.workload.calls_per_month
    cost = unit.model_copy(
        update={
            "usd_per_month": unit.usd_per_month * scale,
            "low_usd_per_month": (unit.low_usd_per_month if clauses.low_end else unit.usd_per_month) * scale,
            "high_usd_per_month": (unit.high_usd_per_month if clauses.low_end else unit.usd_per_month) * scale,
        }
    )
    released = noon(int(world.released[c.row])).date()
    model = Model(
        model_id=endpoint.model_id or "", maker=endpoint.provider, name=world.rows[c.row], released_on=str(released)
    )
    return Offer(endpoint, model, "standard", "", cost, EVIDENCE, c.p_ok)


@cache
def _unit_cost(same_model: bool, same_maker: bool) -> Cost:
    """A call a month at a dollar per million tokens, with the range of what is not known of another model's tokens."""
    prompt, answer = ratios(same_model=same_model, same_maker=same_maker, reasons=False, reasons_now=False)
    rates = [
        Rate(endpoint_id="one", meter=m, usd_per_mtok=Decimal(1), known_from=noon(1), standing="single", source_id="replay")
        for m in ("input", "output")
    ]  # fmt: skip
    found = monthly_cost(CALL, RateBook(rates, at=noon(2)), "one", token_ratio=prompt, output_ratio=answer)
    assert isinstance(found, Cost)
    return found


def _endpoint(world: World, row: int) -> Endpoint:
    """Of a row: no history states a context, so none is asked about."""
    maker = _maker(world, row)
    return Endpoint(endpoint_id=f"replay:{row}", model_id=world.groups[row], provider=maker, context_tokens=1_000_000)


def _maker(world: World, row: int) -> str:
    return world.groups[row].partition("/")[0]
