"""Forecasts: no slope from nothing, no look into the future, better than "no change" where judged, honest where not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs.ahead import foreseen
from jobs.cli import app
from jobs.look_back import Standing
from jobs.trends.forecast import floors, judged, own_cuts, own_lines, points, shown_method
from jobs.trends.published import published_lines
from recommender.decide import decide
from recommender.outlook import NO_CHANGE, STEPS, foresee, pooled_cuts, ready, replay
from recommender.rank import rank
from tests.test_decide import NOW, PRESENT, TODAY, offer
from tests.test_eligible import use_case

DAY = date(2025, 1, 1)


def lows(*steps: tuple[int, float]) -> list[tuple[date, float]]:
    return [(DAY + timedelta(d), usd) for d, usd in steps]


def test_a_short_or_empty_line_is_not_foreseen() -> None:
    late = DAY + timedelta(400)
    assert ready([], late) == "no price at this level is known"
    assert ready(lows((0, 9.0), (200, 3.0)), late) == "too short to say: 2 of 3 record lows"
    assert ready(lows((0, 9.0), (50, 3.0), (60, 2.0)), DAY + timedelta(100)) == (
        "too short to say: 100 of 180 days since the first"
    )
    assert ready(lows((0, 9.0), (50, 3.0), (60, 0.0)), late) == "a price of 0 is free or faulty, not cheap"
    assert replay([]) == []


def test_without_a_line_the_pace_is_the_prior_and_says_so() -> None:
    cuts = pooled_cuts([], DAY)
    assert (cuts.cuts, cuts.line_years) == (0, 0.0)
    assert cuts.factor_per_year == pytest.approx(5.2, abs=0.2)


def test_months_without_a_cut_count() -> None:
    still = [lows((0, 9.0), (100, 3.0), (200, 2.0))] * 200
    assert pooled_cuts(still, DAY + timedelta(900)).rate_per_year < 1.0


@settings(max_examples=30, deadline=None)
@given(usd=st.floats(1e-3, 1e3), days=st.integers(1, 800))
def test_the_floor_never_rises_and_the_interval_holds_its_price(usd: float, days: int) -> None:
    told = foresee(pooled_cuts([], DAY), usd, days)
    assert 0 < told.low <= told.usd <= usd * 1.0000001
    assert told.low <= told.high <= usd * 1.0000001
    assert 0 <= told.p_unchanged <= 1


def test_farther_is_cheaper_and_wider() -> None:
    near, far = (foresee(pooled_cuts([], DAY), 1.0, d) for d in (90, 365))
    assert far.usd < near.usd
    assert far.high / far.low > near.high / near.low
    assert far.p_unchanged < near.p_unchanged


def test_a_forecast_knows_nothing_of_the_future() -> None:
    whole = lows((0, 9.0), (100, 3.0), (200, 2.0), (500, 0.01))
    today = DAY + timedelta(450)
    assert pooled_cuts([whole], today) == pooled_cuts([whole[:3]], today)


def test_on_the_published_table_steps_beat_no_change_and_3x_a_year() -> None:
    verdicts = {(v.method, v.days): v for v in replay([[(o.day, o.usd) for o in s] for s in published_lines()])}
    for days in (180, 365):
        ours = verdicts[STEPS, days]
        assert ours.mae < verdicts[NO_CHANGE, days].mae
        assert ours.mae < verdicts["3x a year", days].mae
    for days in (90, 180):  # at 365 days only 17 questions
        assert 0.75 <= (verdicts[STEPS, days].covered or 0) <= 0.85


def test_where_steps_lose_on_our_own_lines_the_simpler_guess_is_shown() -> None:
    day = date(2026, 11, 20)
    for v in judged(day):
        if v.method == STEPS:
            rival = next(r for r in judged(day) if (r.method, r.days) == (NO_CHANGE, v.days))
            assert shown_method(day, v.days) == (STEPS if v.mae <= rival.mae else NO_CHANGE)


def test_every_level_is_foreseen_or_says_why() -> None:
    day = date(2026, 11, 20)
    found = floors(day)
    assert len(found) == len(own_lines())
    assert all((f.why is None) == bool(f.outlook) for f in found)
    assert own_cuts(day).cuts > 0
    assert all(d <= day for line in own_lines() for d, _ in points(line, day))


def test_the_command_states_prices_and_how_it_did() -> None:
    done = CliRunner().invoke(app, ["trends", "reasoning", "--forecast", "--as-of", "2026-11-20", "--json"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {r["method"] for r in rows if "method" in r} == {STEPS, NO_CHANGE, "3x a year", "10x a year"}
    assert any(r.get("outlook") for r in rows)


def test_waiting_forgoes_nothing_after_the_model_in_use_left() -> None:
    """Ten weeks of a saving of 3,500 a month that grows with the traffic, at every horizon."""
    case = use_case()
    case = case.model_copy(update={"workload": case.workload.model_copy(update={"growth_per_month": 0.06})})
    said = {}
    for retires_on in (None, "2027-01-10"):
        present = replace(PRESENT, endpoint=PRESENT.endpoint.model_copy(update={"retires_on": retires_on}))
        now, ranked = rank(case, present, [offer("other/mini", 500.0)], today=TODAY)
        decided = decide(case, now, ranked, now=NOW, data_as_of=NOW)
        assert decided.verdict == "switch"
        facts = SimpleNamespace(endpoints={present.endpoint.endpoint_id: present.endpoint})
        here = SimpleNamespace(candidates={case.slug: [now, *ranked]}, decisions={case.slug: decided}, facts=facts)
        said[retires_on] = [a.why.partition(";")[0] for a in foreseen(cast(Standing, here), case, TODAY)]
    assert said[None] == [
        "waiting 3 months forgoes $11,303",
        "waiting 6 months forgoes $24,732",
        "waiting 12 months forgoes $60,799",
    ]
    assert set(said["2027-01-10"]) == {"waiting until acme:old leaves on 10 Jan 2027 forgoes $8,620"}
