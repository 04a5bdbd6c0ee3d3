"""From facts to candidates: which endpoints and tiers are offered, at whose prices, and what stands in for the unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from data.records import Candidate, Endpoint, EndpointChoice, Model, QualityDemand, Rate, UseCase
from jobs.facts import Facts
from jobs.weigh import weigh
from recommender.cost import RateBook
from recommender.quality import fit_quality
from tests.test_judge import BOARDS, DAY, score, table
from tests.test_lengths import case, facts

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def rates(endpoint: str, usd: float, *, batch: float | None = None) -> list[Rate]:
    tiers = {"standard": usd} | ({"batch": batch} if batch is not None else {})
    return [
        Rate(endpoint_id=endpoint, meter=m, tier=t, usd_per_mtok=Decimal(str(v)), known_from=NOW - timedelta(days=9), standing="official", source_id="x")  # type: ignore[arg-type]
        for t, v in tiers.items()
        for m in ("input", "output")
    ]  # fmt: skip


def known(**contexts: int | None) -> Facts:
    """a:now costs 10 (batch 5), b:new 4 (batch 2), c:new the same model for 3."""
    own = {"a:now": "a/now", "b:new": "b/new", "c:new": "b/new"}
    endpoints = {
        e: Endpoint(endpoint_id=e, model_id=m, provider=e[0], context_tokens=contexts.get(e[0], 8000))
        for e, m in own.items()
    }
    models = {m: Model(model_id=m, maker=m[0], name=m, released_on="2025-01") for m in own.values()}
    stated = [*rates("a:now", 10, batch=5), *rates("b:new", 4, batch=2), *rates("c:new", 3)]
    seen = dict.fromkeys(own, date(2025, 1, 1))
    return replace(facts(), rates=stated, endpoints=endpoints, models=models, first_seen=seen)


def weighed(known: Facts, batchable: float = 0.0, **current: Any) -> tuple[Candidate, dict[tuple[str, str], Candidate]]:
    choice = EndpointChoice(**{"written": "a/now", "model_id": "a/now", "endpoint_id": "a:now"} | current)
    asked: UseCase = case(batchable_share=batchable).model_copy(update={"current": choice})
    now, found = weigh(asked, known, RateBook(known.rates, at=NOW), None)
    return now, {(c.endpoint_id, c.tier): c for c in found}


def usd(c: Candidate) -> float:
    assert c.cost is not None
    return c.cost.usd_per_month


def test_calls_that_can_wait_are_priced_in_the_tiers_for_them_on_every_host() -> None:
    now, found = weighed(known(), 0.5)
    assert set(found) == {("a:now", "batch"), ("b:new", "standard"), ("b:new", "batch"), ("c:new", "standard")}
    assert usd(found["a:now", "batch"]) == pytest.approx(usd(now) * 0.75)
    assert usd(found["b:new", "batch"]) == pytest.approx(usd(found["b:new", "standard"]) * 0.75)
    assert found["b:new", "batch"].effort_days == 4.5  # two parts: the maker and the tier


def test_where_no_call_can_wait_no_batch_is_offered() -> None:
    assert set(weighed(known())[1]) == {("b:new", "standard"), ("c:new", "standard")}


def test_a_team_on_batch_is_compared_with_batch() -> None:
    now, found = weighed(known(), tier="batch")
    assert ("a:now", "batch") not in found
    assert usd(found["b:new", "batch"]) == pytest.approx(usd(now) * 0.4)
    assert found["b:new", "batch"].effort_days == 4


@pytest.mark.parametrize(
    ("contract", "pays"),
    [
        ({"discount_share": 0.4}, 0.5 * 0.6 + 0.5 * 0.5),
        ({"discount_share": -0.5}, 0.5 * 1.5 + 0.5 * 0.5 * 1.5),
        (
            {"private_price": {"input_usd_per_mtok": Decimal(2), "output_usd_per_mtok": Decimal(2)}},
            0.5 * 0.2 + 0.5 * 0.5,
        ),
    ],
)
def test_a_contract_counts_in_the_saving_and_in_no_price_shown(contract: dict[str, Any], pays: float) -> None:
    plain, listed = weighed(known(), 0.5)
    now, found = weighed(known(), 0.5, **contract)
    assert {k: usd(c) for k, c in found.items()} == {k: usd(c) for k, c in listed.items()}
    assert found["a:now", "batch"].saving_usd_per_month == pytest.approx(usd(now) - usd(plain) * pays)


@pytest.mark.parametrize(
    ("contexts", "reasons"),
    [
        ({}, ()),
        ({"b": None}, ()),  # its other host states 8,000
        ({"b": None, "c": 1000}, ("context: unknown here and 1,000 tokens on another host, 1,100 needed",)),
        ({"b": None, "c": None}, ("context: unknown, 1,100 tokens needed",)),
    ],
)
def test_a_context_nobody_states_is_held_to_what_other_hosts_of_the_model_state(
    contexts: dict[str, int | None], reasons: tuple[str, ...]
) -> None:
    _, found = weighed(known(**contexts))
    assert found["b:new", "standard"].reasons == reasons


def at_effort(effort: str | None, *variants: str) -> tuple[Candidate, Candidate]:
    """Ours and a rival where ours is measured under `variants` on four boards."""
    choice = EndpointChoice(written="a/now", model_id="a/now", endpoint_id="a:now", effort=effort)
    asked = case().model_copy(
        update={"current": choice, "quality": QualityDemand(benchmarks=dict.fromkeys(BOARDS, 1.0))}
    )
    own = [
        score("a/now", b, 60.0 - 10 * n, variant=v, claim_id=f"{v}{b}")
        for n, v in enumerate(variants)
        for b in list(BOARDS)[: 4 - n]
    ]
    fitted = fit_quality([*table(), *own, *(score("b/new", b, 61.0) for b in BOARDS)], {}, BOARDS, as_of=DAY)
    now, found = weigh(asked, known(), RateBook(known().rates, at=NOW), fitted)
    return now, next(c for c in found if c.endpoint_id == "b:new")


def test_an_effort_is_judged_by_its_own_scores_and_by_no_others() -> None:
    now, rival = at_effort("medium", "effort=low", "effort=medium;thinking=auto", "effort=high")
    assert (now.variant, len(now.quality.benchmarks if now.quality else ())) == ("effort=medium;thinking=auto", 3)
    assert rival.p_ok is not None
    assert at_effort("high", "effort=high;thinking=auto", "effort=high")[0].variant == "effort=high"


def test_an_effort_that_nobody_measured_has_no_score() -> None:
    """Not that of another effort: the cost and the quality of one model move several-fold between them."""
    now, rival = at_effort("max", "effort=low", "")
    assert (now.variant, now.quality, rival.p_ok) == ("effort=max", None, None)


@pytest.mark.parametrize(
    ("variants", "taken"), [(("effort=low", ""), "effort=low"), (("", "effort=low"), ""), ((), "")]
)
def test_without_an_effort_it_is_said_whose_scores_stand_in(variants: tuple[str, ...], taken: str) -> None:
    now, _ = at_effort(None, *variants)
    notes = " ".join(now.quality.notes) if now.quality else ""
    assert now.variant == taken
    assert ("no effort is given" in notes and "with effort=low" in notes) == bool(taken)
