"""One verdict a use case, and what must not be recommended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.records import Budget, Candidate, Cost, Decision, Endpoint, Model, Quality, Requirements, UseCase
from data.store import Store
from jobs.check import waiting
from recommender.decide import cases_needed, decide, recommendation_id
from recommender.rank import Offer, effort_days, move_of, rank
from tests.test_eligible import use_case

TODAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def cost(usd: float, spread: float = 0.0) -> Cost:
    return Cost(
        usd_per_month=usd,
        low_usd_per_month=usd * (1 - spread),
        high_usd_per_month=usd * (1 + spread),
        usd_per_call=usd / 1e5,
        by_meter_usd_per_month={"input": usd},
        rate_ids=(f"rate-{usd}",),
    )


def quality(mean: float = 0.8, grade: Any = "C") -> Quality:
    return Quality(mean=mean, low=mean - 0.05, high=mean + 0.05, grade=grade, measured=True, benchmarks=("a", "b", "c"))


def offer(name: str, usd: float | str, p_ok: float | None = 0.9, **changes: Any) -> Offer:
    maker, _, slug = name.partition("/")
    return Offer(
        endpoint=Endpoint(
            endpoint_id=changes.pop("endpoint_id", f"{maker}:{slug}"),
            model_id=name,
            provider=maker,
            context_tokens=128_000,
            retires_on=changes.pop("retires_on", None),
        ),
        model=Model(model_id=name, maker=maker, name=slug, released_on="2025-01"),
        tier=changes.pop("tier", "standard"),
        variant="",
        cost=cost(usd, changes.pop("spread", 0.0)) if isinstance(usd, float) else usd,
        quality=changes.pop("quality", quality()),
        p_ok=p_ok,
        **changes,
    )


PRESENT = offer("acme/old", 4000.0, 1.0)


def settled(*offers: Offer, present: Offer = PRESENT, asked: UseCase | None = None) -> Decision:
    asked = asked or use_case()
    now, candidates = rank(asked, present, offers, today=TODAY)
    return decide(asked, now, candidates, now=NOW, data_as_of=NOW)


def test_a_cheaper_good_model_is_a_switch_with_everything_it_was_based_on() -> None:
    found = settled(offer("other/mini", 500.0))
    assert (found.verdict, found.best and found.best.endpoint_id) == ("switch", "other:mini")
    assert found.best and found.best.saving_usd_per_month == 3500
    assert found.rate_ids == ("rate-4000.0", "rate-500.0")
    assert found.best.payback_days == pytest.approx(3200 / 3500 * 365 / 12)


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (offer("other/mini", 500.0, 0.6), "test"),
        (offer("other/mini", 500.0, 0.4), "keep"),
        (offer("other/mini", 500.0, None), "keep"),
        (offer("other/mini", 500.0, quality=quality(grade="D")), "test"),
        (offer("other/mini", 3950.0), "keep"),
        (offer("other/mini", 2000.0, spread=0.9), "wait"),
        (offer("other/mini", "no output price"), "keep"),
        (offer("other/mini", 0.0), "keep"),
    ],
)
def test_what_is_not_sure_is_not_a_switch(candidate: Offer, verdict: str) -> None:
    assert settled(candidate).verdict == verdict


def test_without_a_price_for_the_model_in_use_nothing_is_compared() -> None:
    found = settled(offer("other/mini", 5.0), present=offer("acme/old", "no input price", 1.0))
    assert found.verdict == "unknown"
    assert "no input price" in found.reason
    assert found.best is None


def test_without_scores_the_answer_is_not_enough_data() -> None:
    found = settled(offer("other/mini", 500.0, None), present=offer("acme/old", 4000.0, 1.0, quality=None))
    assert (found.verdict, "not enough data" in found.reason) == ("unknown", True)


def test_an_announced_end_never_makes_a_candidate_worth_more() -> None:
    stays, ends = offer("other/mini", 500.0), offer("other/tiny", 500.0, retires_on="2027-10-01")
    _, (first, second) = rank(use_case(), PRESENT, [ends, stays], today=TODAY)
    assert first.net_value_usd == second.net_value_usd
    _, (soon,) = rank(use_case(), PRESENT, [offer("other/tiny", 500.0, retires_on="2027-02-01")], today=TODAY)
    assert (
        soon.net_value_usd is not None and first.net_value_usd is not None and soon.net_value_usd < first.net_value_usd
    )


def test_the_low_end_of_a_saving_starts_at_the_low_end_of_todays_bill() -> None:
    wide = offer("acme/old", 4000.0, 1.0, spread=0.25)
    _, (best,) = rank(use_case(), wide, [offer("other/mini", 1000.0, spread=0.1)], today=TODAY)
    assert (best.saving_low_usd_per_month, best.saving_usd_per_month, best.saving_high_usd_per_month) == (
        1900,
        3000,
        4100,
    )
    _, (tier,) = rank(use_case(), wide, [offer("acme/old", 2000.0, 1.0, tier="batch", spread=0.25)], today=TODAY)
    assert (tier.saving_low_usd_per_month, tier.saving_usd_per_month, tier.saving_high_usd_per_month) == (
        1500,
        2000,
        2500,
    )


def test_a_candidate_shows_its_list_price_and_only_the_saving_knows_the_contract() -> None:
    batch = offer("acme/old", 3000.0, 1.0, tier="batch", own_cost=cost(2500.0))
    _, (found,) = rank(use_case(), PRESENT, [batch], today=TODAY)
    assert found.cost and (found.cost.usd_per_month, found.saving_usd_per_month) == (3000, 1500)


@pytest.mark.parametrize(
    ("offers", "present", "reason"),
    [
        ([], PRESENT, "nothing else is eligible"),
        ([offer("other/mini", 500.0, 0.4)], PRESENT, "no other eligible choice is known to be good enough"),
        ([offer("other/mini", 3900.0)], PRESENT, "within 10 % of the best eligible choice"),
        (
            [offer("other/mini", 0.0)],
            offer("acme/old", 0.0, 1.0),
            "nothing to save: what runs today costs nothing at the calls and tokens registered",
        ),
    ],
)
def test_a_keep_says_which_of_its_reasons_it_is(offers: list[Offer], present: Offer, reason: str) -> None:
    found = settled(*offers, present=present)
    assert (found.verdict, found.reason) == ("keep", reason)


def test_a_constraint_that_shuts_out_only_the_unproven_costs_nothing() -> None:
    asked = use_case(require=Requirements(regions=("eu",)))
    assert settled(offer("other/mini", 500.0, quality=quality(grade="D")), asked=asked).constraint_usd_per_month == {}
    assert settled(offer("other/mini", 500.0), asked=asked).constraint_usd_per_month == {"regions": 3500}


def test_an_easier_move_that_reaches_most_of_the_value_is_the_headline() -> None:
    sibling = offer("acme/mini", 700.0)
    found = settled(offer("other/mini", 600.0), sibling)
    assert found.best and found.best.endpoint_id == "acme:mini"


def test_a_test_names_every_bar_that_is_missed() -> None:
    both = settled(offer("other/mini", 500.0, 0.6, quality=quality(grade="D"))).reason
    assert both.startswith("60% likely good enough, you ask 85%; evidence D, you ask C or better; ")
    assert settled(offer("other/mini", 500.0, 0.6)).reason.startswith("60% likely good enough, you ask 85%; 3,0")
    assert settled(offer("other/mini", 500.0, 0.9, quality=quality(grade="D"))).reason.startswith(
        "evidence D, you ask C or better; "
    )
    wide = settled(offer("other/mini", 2000.0, 0.6, spread=0.9))
    assert wide.verdict == "test"
    assert wide.reason.endswith(
        " would settle that, not yet the money: $200 a month at the low end, paid back in 487 days, you ask 90"
    ), wide.reason


def test_a_tier_move_needs_no_quality_evidence() -> None:
    batch = offer("acme/old", 3000.0, 1.0, tier="batch", quality=None)
    found = settled(batch)
    assert (found.verdict, found.best and found.best.move) == ("switch", "tier")


def test_a_denied_model_is_never_proposed_and_says_why() -> None:
    free = offer("other/mini", 1.0, endpoint_id="other:mini:free")
    found = settled(free)
    assert found.verdict == "keep"
    assert any("deny 1" in line for line in found.reasons)


def test_a_constraint_has_a_price_only_where_it_alone_shuts_out() -> None:
    asked = use_case(require=use_case().require.model_copy(update={"regions": ("eu",)}))
    here = offer("other/here", 1000.0)
    here = Offer(
        **{**vars(here), "endpoint": here.endpoint.model_copy(update={"regions": ("eu",), "checked_on": "2026-10-01"})}
    )
    found = settled(here, offer("third/there", 400.0), asked=asked)
    assert found.constraint_usd_per_month == {"regions": 600.0}


def test_the_frontier_holds_nothing_that_another_beats_on_both() -> None:
    worse = offer("third/worse", 900.0, quality=quality(0.7))
    _, ranked = rank(use_case(), PRESENT, [offer("other/mini", 500.0), worse], today=TODAY)
    assert {c.endpoint_id: c.on_frontier for c in ranked} == {"other:mini": True, "third:worse": False}


def test_order_does_not_depend_on_the_order_of_arrival() -> None:
    offers = [offer(f"maker{n}/m", 500.0 + n % 3) for n in range(9)]
    asked = use_case()
    forwards, backwards = (rank(asked, PRESENT, o, today=TODAY)[1] for o in (offers, offers[::-1]))
    assert forwards == backwards


def test_what_is_good_enough_stands_before_what_only_costs_less() -> None:
    offers = [offer("a/poor", 10.0, 0.1), offer("b/maybe", 20.0, 0.6), offer("c/good", 900.0, 0.95), offer("d/dear", 950.0, 0.95),
              offer("e/unjudged", 5.0, None), offer("f/thin", 8.0, 0.95, quality=quality(grade="D"))]  # fmt: skip
    _, ranked = rank(use_case(), PRESENT, offers, today=TODAY)
    assert [c.endpoint_id[0] for c in ranked] == ["c", "d", "f", "b", "a", "e"]
    assert [c.rank for c in ranked] == [1, 2, 3, 4, 5, 6]


def test_moves_and_their_effort() -> None:
    old = PRESENT.endpoint
    assert move_of(old, old) == "tier"
    assert move_of(old, old.model_copy(update={"endpoint_id": "host:old"})) == "endpoint"
    assert move_of(old, offer("acme/mini", 1.0).endpoint) == "sibling"
    assert move_of(old, offer("other/mini", 1.0).endpoint) == "vendor"
    tools = use_case(require=use_case().require.model_copy(update={"features": ("tools",)}), criticality="high")
    assert effort_days(tools, "vendor") == 12
    assert effort_days(use_case(), "tier") == 0.5


def test_the_number_of_cases_is_the_published_one() -> None:
    assert cases_needed(0.05) == 494
    assert cases_needed(0.02) == 3090
    assert cases_needed(0) is None


def test_the_id_stays_while_the_target_stays() -> None:
    target = Candidate(use_case="a", endpoint_id="x:y", model_id="x/y", move="vendor", eligible=True)
    assert recommendation_id("a", target) == recommendation_id("a", target.model_copy(update={"cost": cost(1.0)}))
    assert recommendation_id("a", target) != recommendation_id("b", target)
    assert recommendation_id("a", target).startswith("rec-")


@pytest.mark.parametrize(
    ("days_ago", "said"),
    [(None, "day 1 of 7"), (0, "day 1 of 7"), (2, "day 3 of 7"), (6, "day 7 of 7"), (7, "held for 7 days")],
)
def test_a_finding_that_only_looks_good_must_look_so_for_days(days_ago: int | None, said: str) -> None:
    now, candidates = rank(use_case(), PRESENT, [offer("other/mini", 2000.0, spread=0.9)], today=TODAY)
    since = None if days_ago is None else NOW - timedelta(days=days_ago)
    found = decide(use_case(), now, candidates, now=NOW, data_as_of=NOW, waiting_since=since)
    assert found.verdict == "wait"
    assert said in found.reason


def test_one_day_of_another_verdict_starts_the_count_again(tmp_path: Path) -> None:
    day = datetime(2026, 11, 1, 9, tzinfo=UTC)
    verdicts = ["wait", "wait", "keep", "wait", "wait"]
    with Store(tmp_path) as store:
        for n, verdict in enumerate(verdicts):
            row = {
                "run_id": str(n), "rec": "rec-1", "use_case": "a", "decided_at": day + timedelta(days=n), "data_as_of": day,
                "verdict": verdict, "reason": "", "reasons": [], "from_endpoint": "x", "rate_ids": [], "score_ids": [],
                "decision": {}, "decision_sha": str(n),
            }  # fmt: skip
            store.insert("recommendation", [row])
        assert waiting(store) == {"a": day + timedelta(days=3)}


def waited(saves: float, *, p_again: float | None, pressed: str | None = None, budget: float | None = None) -> Decision:
    """A switch that costs $4,860 (the product page's figures), asked whether it can wait."""
    asked = use_case()
    terms = asked.switch.model_copy(
        update={
            "days": 5.4,
            "usd_per_day": 900,
            "payback_days": 9999,
            "min_saving_usd_per_month": 1,
            "min_saving_share": 0,
        }
    )
    asked = asked.model_copy(
        update={"switch": terms, "budget": asked.budget.model_copy(update={"usd_per_month": budget})}
    )
    now, candidates = rank(asked, PRESENT, [offer("other/mini", 4000.0 - saves)], today=TODAY)
    return decide(asked, now, candidates, now=NOW, data_as_of=NOW, p_again=p_again, pressed=pressed)


def test_waiting_pays_for_as_long_as_the_product_page_says() -> None:
    large, small = waited(3480.0, p_again=0.5), waited(300.0, p_again=0.5)
    assert large.verdict == "switch"
    assert any("waiting pays for at most 0.7 months" in r for r in large.reasons)
    assert small.verdict == "wait"
    assert "waiting pays for up to 8.1 months" in small.reason


def test_a_retirement_or_a_broken_budget_does_not_wait_and_neither_does_what_is_not_known() -> None:
    assert waited(300.0, p_again=0.5, pressed="acme:old retires on 2026-12-01").verdict == "switch"
    assert waited(300.0, p_again=0.5, budget=3000.0).verdict == "switch"
    assert waited(300.0, p_again=0.5, budget=5000.0).verdict == "wait"
    assert waited(300.0, p_again=None).verdict == "switch"


def test_growing_traffic_makes_a_move_worth_more_and_pay_back_sooner() -> None:
    """4 days x $800 = 3,200 against 3,500 a month; growing 6 % a month six months are worth 7.1827 of today's."""
    plain, growing = use_case(), use_case()
    growing = growing.model_copy(update={"workload": growing.workload.model_copy(update={"growth_per_month": 0.06})})
    flat, more = (settled(offer("other/mini", 500.0), asked=u).best for u in (plain, growing))
    assert flat is not None
    assert more is not None
    assert flat.net_value_usd == pytest.approx(3500 * 6 - 3200 - 0.1 * 3200)
    assert more.net_value_usd == pytest.approx(3500 * 7.1827 - 3200 - 0.1 * 3200, abs=1)
    assert (more.payback_days or 0) < (flat.payback_days or 0)


def test_an_outcome_over_its_budget_does_not_wait() -> None:
    asked = use_case().model_copy(update={"budget": Budget(usd_per_outcome=0.01)})
    dear = PRESENT.cost.model_copy(update={"usd_per_outcome": 0.02})  # type: ignore[union-attr]
    now, some = rank(asked, replace(PRESENT, cost=dear), [offer("other/mini", 500.0)], today=TODAY)
    found = decide(asked, now, some, now=NOW, data_as_of=NOW, p_again=1.0)
    assert "no waiting: over budget" in found.reasons


def test_the_model_in_use_says_which_of_its_own_demands_it_does_not_meet() -> None:
    asked = use_case(require=Requirements(params=("temperature",)))
    odd = replace(PRESENT, endpoint=PRESENT.endpoint.model_copy(update={"params": {"temperature": False}}))
    now, _ = rank(asked, odd, [], today=TODAY)
    assert (now.eligible, now.reasons) == (True, ("in use though params: temperature not accepted",))
    plain, _ = rank(asked, PRESENT, [], today=TODAY)
    assert plain.reasons == ()


def test_a_cheaper_tier_of_a_model_that_leaves_first_is_no_switch() -> None:
    """Three days of a saving do not pay for half a day of work; three months do."""
    half = replace(PRESENT, tier="batch", cost=cost(100.0))
    leaving = [
        replace(half, endpoint=PRESENT.endpoint.model_copy(update={"retires_on": day})) for day in ("2026-11-04", None)
    ]
    soon, stays = (settled(x, asked=use_case()) for x in leaving)
    assert (soon.verdict, stays.verdict) == ("keep", "switch")
    _, (only,) = rank(use_case(), PRESENT, [leaving[0]], today=TODAY)
    assert (only.move, only.eligible) == ("tier", False)
    assert only.reasons == ("min_life_days: retires on 2026-11-04, before a switch is paid back",)
