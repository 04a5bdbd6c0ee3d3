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
    Tokens,
    UseCase,
    Workload,
)  # fmt: skip
from recommender.backtest.asof import noon
from recommender.backtest.world import World
from recommender.cost import RateBook, monthly_cost
from recommender.decide import decide
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


def registered(world: World, first: Choice, *, floor_points: float, confidence: float, min_age_days: int) -> UseCase:
    """The use case as a registry would have it, everything else at its default."""
    endpoint = _endpoint(world, first.row)
    calls = BILL_USD_PER_MONTH / (first.usd_per_mtok * TOKENS_PER_CALL / 1e6)
    return UseCase(
        slug="replayed", title="replayed", tasks={}, channel="",
        current=EndpointChoice(written=endpoint.endpoint_id, model_id=endpoint.model_id or "", endpoint_id=endpoint.endpoint_id),
        workload=CALL.model_copy(update={"calls_per_month": calls}),
        quality=QualityDemand(max_drop=1.0, floor=floor_points / 100, confidence=confidence, evidence="D"),
        require=Requirements(min_age_days=min_age_days),
    )  # fmt: skip


def switch_to(world: World, use_case: UseCase, now: Choice, choices: Iterable[Choice], day: int) -> int | None:
    """The row that the product says to switch to on a day; None where it says anything else than switch."""
    at = noon(day)
    current = _offer(world, use_case, now, now)
    offers = [_offer(world, use_case, c, now) for c in choices if c.row != now.row]
    present, ranked = rank(use_case, current, offers, today=at.date())
    said = decide(use_case, present, ranked, now=at, data_as_of=at, p_again=1.0)  # always something better may come
    if said.verdict != "switch" or said.best is None:
        return None
    return int(said.best.endpoint_id.partition(":")[2])


def effort_usd(world: World, use_case: UseCase, now: int, to: int) -> float:
    """What a switch costs once, at the registry's day rate."""
    return effort_days(use_case, move_of(_endpoint(world, now), _endpoint(world, to))) * use_case.switch.usd_per_day


def _offer(world: World, use_case: UseCase, c: Choice, now: Choice) -> Offer:
    endpoint = _endpoint(world, c.row)
    same_model = world.groups[c.row] == world.groups[now.row]
    unit = _unit_cost(same_model, _maker(world, c.row) == _maker(world, now.row))
    scale = c.usd_per_mtok * use_case.workload.calls_per_month
    cost = unit.model_copy(
        update={
            "usd_per_month": unit.usd_per_month * scale,
            "low_usd_per_month": unit.low_usd_per_month * scale,
            "high_usd_per_month": unit.high_usd_per_month * scale,
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
    return Endpoint(endpoint_id=f"replay:{row}", model_id=world.groups[row], provider=_maker(world, row))


def _maker(world: World, row: int) -> str:
    return world.groups[row].partition("/")[0]
