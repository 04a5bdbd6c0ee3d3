"""Many cheap calls: errors are correlated, a bad check sets a ceiling, and nothing is promised without a pilot."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.abundance import (
    Check,
    Ground,
    Items,
    Paid,
    affordable,
    answer_cache,
    count,
    draw_until_accepted,
    fit,
    fits,
    plans,
    prompt_break_even,
    prompt_cache,
    right_until,
    too_small,
    unbiased_coverage,
)

beta = st.builds(Items, st.floats(0, 0.9), st.floats(0.1, 20), st.floats(0.1, 20))


@settings(max_examples=60, deadline=None)
@given(beta, st.integers(1, 40))
def test_repeats_never_do_better_than_independent_draws(items: Items, n: int) -> None:
    assert items.coverage(1) == pytest.approx(items.one_call)
    assert items.one_call - 1e-9 <= items.coverage(n) <= 1 - (1 - items.one_call) ** n + 1e-9
    assert items.coverage(n) <= 1 - items.never + 1e-9


@settings(max_examples=60, deadline=None)
@given(beta, st.floats(0.3, 1), st.floats(0, 0.6), st.integers(1, 30))
def test_a_check_that_errs_sets_a_ceiling(items: Items, right: float, wrong: float, n: int) -> None:
    few, many = (draw_until_accepted(items, Check(right, wrong), k) for k in (n, 2000))
    assert few.right <= many.right + 1e-6
    assert few.right + few.none <= 1 + 1e-6
    assert 1 - 1e-6 <= few.calls <= n + 1e-6
    perfect = draw_until_accepted(items, Check(), n)
    assert perfect.right == pytest.approx(items.coverage(n), abs=2e-3)


def test_a_vote_lifts_good_items_and_sinks_bad_ones() -> None:
    assert Items(0, 80, 20).vote(5) > Items(0, 80, 20).one_call
    assert Items(0, 20, 80).vote(5) < Items(0, 20, 80).one_call
    assert Items(0, 0.01, 0.01).vote(5) == pytest.approx(0.5, abs=0.01)  # all alike: a vote changes nothing


def test_five_are_foretold_from_two_samples() -> None:
    """Simulated items of known shape; the fit sees two runs of each, the truth is coverage of five."""
    errors, alike = [], []
    for seed, (w, a, b) in enumerate(
        [(0.2, 0.5, 0.5), (0.3, 1.0, 0.6), (0.1, 0.4, 0.8), (0.4, 2.0, 1.0), (0.0, 0.7, 0.7)]
    ):
        rng = np.random.default_rng(seed)
        p = np.where(rng.random(300) < w, 0, rng.beta(a, b, 300))
        trials = [(str(i), bool(ok)) for i in range(300) for ok in rng.random(2) < p[i]]
        found = fit(count(trials))
        truth = 1 - float(np.mean((1 - p) ** 5))
        errors.append(abs(found.coverage(5) - truth))
        alike.append(abs(1 - (1 - found.one_call) ** 5 - truth))
    assert np.mean(errors) < 0.04
    assert np.mean(alike) > 0.15  # what independent draws would have promised


def test_unbiased_coverage_needs_as_many_runs_as_it_foretells() -> None:
    counts = {(0, 3): 5, (1, 3): 5, (3, 3): 10}
    assert unbiased_coverage(counts, 1) == pytest.approx((5 / 3 + 10) / 20)
    assert unbiased_coverage(counts, 3) == pytest.approx(0.75)
    assert unbiased_coverage(counts, 4) is None
    assert unbiased_coverage({}, 1) is None


def test_a_small_pilot_is_refused() -> None:
    assert too_small({(1, 2): 3}) == "3 items with 2 runs or more; 20 at least are needed"
    assert too_small({(1, 1): 300}) == "0 items with 2 runs or more; 20 at least are needed"
    assert too_small({(1, 2): 30}) is None


def ground(**more: object) -> Ground:
    base = {
        "calls_per_month": 1000.0,
        "bill_usd": 0.10,
        "dear": "dear",
        "dear_usd": 0.10,
        "cheap": "cheap",
        "cheap_usd": 0.01,
        "check_usd": 0.005,
        "answer_tokens": 50.0,
    }
    return Ground(**{**base, **more})  # type: ignore[arg-type]


def test_without_a_pilot_plans_state_sums_and_promise_nothing() -> None:
    found = plans(ground())
    assert len(found) == 9
    assert all(p.success is None for p in found)
    assert found[0].name == "one call of cheap"
    assert "a sum, not a gain" in found[1].says
    assert affordable(ground()) == 10
    assert affordable(ground(), 0.005) == 6


def test_no_plan_over_the_bill_is_a_trial() -> None:
    for p in plans(ground(bill_usd=0.012, dear_usd=0.012)):
        assert not (p.trial and p.usd_per_month > 12.02), p
    assert "two calls" in plans(ground(bill_usd=0.012))[1].says


def test_a_vote_is_offered_only_for_short_answers_and_a_middling_call() -> None:
    vote = next(p for p in plans(ground(answer_tokens=900.0)) if p.name.startswith("vote"))
    assert not vote.trial and "short" in vote.says
    sure = next(p for p in plans(ground(cheap_quality=(0.95, 0.9, 0.99))) if p.name.startswith("vote"))
    assert not sure.trial and "95%" in sure.says
    fair = next(p for p in plans(ground(cheap_quality=(0.7, 0.6, 0.8))) if p.name.startswith("vote"))
    assert fair.trial and fair.at_most == 5


def test_a_pilot_gives_success_with_an_interval_and_cost_per_solved() -> None:
    pilot = tuple(fits({(0, 2): 30, (1, 2): 20, (2, 2): 50}))
    best = next(p for p in plans(ground(pilot=pilot)) if p.name.startswith("up to"))
    assert best.success is not None
    mid, low, high = best.success
    assert 0.6 < low < mid < high < 0.95
    assert best.calls < best.at_most
    assert best.usd_per_solved is not None and best.usd_per_solved < 0.10
    assert best.trial
    hopeless = tuple(fits({(0, 2): 50, (2, 2): 50}))
    stays = next(p for p in plans(ground(pilot=hopeless)) if p.name.startswith("vote"))
    assert not stays.trial


@pytest.mark.parametrize(
    ("read", "write", "share"), [(0.1, 1.25, 0.217), (0.1, 2.0, 0.526), (0.1, 1.0, 0.0), (1.0, 1.25, float("inf"))]
)
def test_prompt_cache_break_even_is_that_of_the_prices(read: float, write: float, share: float) -> None:
    assert prompt_break_even(read, write) == pytest.approx(share, abs=5e-4)


@settings(max_examples=80, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(1.0, 3.0), st.floats(0, 1))
def test_a_prompt_cache_saves_just_above_its_break_even(read: float, write: float, hit: float) -> None:
    paid = prompt_cache(hit_rate=hit, input_usd=1, read_usd=read, write_usd=write, cacheable_usd_per_month=100)
    assert paid.saves_usd_per_month is not None and paid.break_even is not None
    if abs(hit - paid.break_even) > 1e-6:
        assert (paid.saves_usd_per_month > 0) == (hit > paid.break_even)


def test_the_answer_cache_of_the_book() -> None:
    """PRODUCT 6.5: $640 and five hours at $900 a day against calls worth $9,000: 13.4 %; at 4 % it returns $360."""

    def weighed(hit: float) -> Paid:
        return answer_cache(
            hit_rate=hit,
            calls_per_month=90_000,
            usd_per_call=0.1,
            costs_usd_per_month=640,
            hours_per_month=5,
            usd_per_day=900,
        )

    paid = weighed(0.04)
    assert paid.break_even == pytest.approx(0.1336, abs=1e-4)
    assert paid.saves_usd_per_month == pytest.approx(360 - 1202.5)
    assert paid.verdict == "remove"
    assert "return $360" in paid.why
    assert weighed(0.14).verdict == "keep"


def test_an_unknown_price_is_no_verdict() -> None:
    assert (
        prompt_cache(hit_rate=0.5, input_usd=1, read_usd=None, write_usd=None, cacheable_usd_per_month=9).verdict
        == "unknown"
    )
    none = answer_cache(
        hit_rate=0.5, calls_per_month=9, usd_per_call=None, costs_usd_per_month=0, hours_per_month=0, usd_per_day=800
    )
    assert (none.verdict, none.break_even) == ("unknown", None)


def test_a_cache_was_right_until_the_price_cut() -> None:
    keep, remove = (Paid(0.1, 0.2, 1.0, v, "") for v in ("keep", "remove"))
    days = [date(2025, 1, 1), date(2025, 6, 1), date(2026, 1, 1)]
    assert right_until(list(zip(days, (keep, keep, remove), strict=True))) == date(2026, 1, 1)
    assert right_until(list(zip(days, (keep, remove, remove), strict=True))) == date(2025, 6, 1)
    assert right_until(list(zip(days, (remove, remove, remove), strict=True))) is None
    assert right_until(list(zip(days, (remove, keep, keep), strict=True))) is None
    assert right_until([]) is None
