"""Price trends: the published table rebuilt from its own data, and no slope from nothing."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median

import pytest

from data.errors import DataMissing
from jobs.trends.published import headlines, rebuilt
from jobs.trends.table import ours
from recommender.trends import Fall, Offer, fall, list_fall, pooled_fall, record_lows

DAY = date(2024, 1, 1)


def line(factor: float, n: int, step_days: int = 100) -> list[tuple[date, float]]:
    days = [DAY + timedelta(days=step_days * k) for k in range(n)]
    return [(d, 10 * factor ** (-(d - DAY).days / 365)) for d in days]


def test_the_published_table_is_rebuilt_to_a_millionth() -> None:
    table = rebuilt()
    assert len(table) == 21
    assert max(r.deviation for r in table) < 1e-6
    assert sum(r.ours.n for r in table) == 119
    factors = [r.ours.factor for r in table]
    assert (round(min(factors), 2), round(median(factors), 1), round(max(factors))) == (9.24, 46.2, 851)
    assert round(median(r.since_2024.factor for r in table if r.since_2024)) == 177
    assert len(headlines(table)) == 4


def test_a_straight_line_gives_its_own_factor() -> None:
    found = fall(line(10, 8))
    assert isinstance(found, Fall)
    assert found.factor == pytest.approx(10)
    assert found.low <= found.factor <= found.high


def test_prices_that_rise_have_a_factor_under_one() -> None:
    found = fall(line(0.5, 8))
    assert isinstance(found, Fall)
    assert found.factor == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([], "no price"),
        (line(10, 3), "too short to say: 3 of 6 points"),
        (line(10, 8, step_days=20), "too short to say: 140 of 365 days"),
        ([(DAY, 0.0), *line(10, 7)], "free or faulty"),
    ],
)
def test_no_slope_from_nothing(points: list[tuple[date, float]], says: str) -> None:
    found = fall(points)
    assert isinstance(found, str)
    assert says in found


def test_a_level_nobody_reaches_and_one_model_have_no_line() -> None:
    offers = [Offer("a/b", DAY, 1.0, 60.0)]
    assert record_lows(offers, 70) == []
    assert isinstance(pooled_fall(offers, percent=True, pareto=False), str)
    assert isinstance(list_fall([(DAY, 1.0)], DAY + timedelta(days=30)), str)


def test_only_strictly_cheaper_offers_are_record_lows_and_a_perfect_score_measures_nothing() -> None:
    offers = [
        Offer("a", DAY, 5.0, 60.0),
        Offer("b", DAY + timedelta(days=1), 5.0, 70.0),
        Offer("c", DAY + timedelta(days=2), 1.0, 100.0),
        Offer("d", DAY + timedelta(days=3), 4.0, 61.0),
        Offer("e", DAY + timedelta(days=3), 3.0, 59.0),
    ]
    assert [o.model for o in record_lows(offers, 60)] == ["a", "d"]


def test_later_prices_change_no_earlier_answer() -> None:
    early = ours(None, date(2026, 1, 1))
    assert early == ours(None, date(2026, 1, 1))
    assert all(t.end is None or t.end <= date(2026, 1, 1) for t in early)
    assert {t.definition for t in early} >= {"i", "ii", "iv"}
    for t in early:
        assert (t.factor_per_year is None) <= (t.why is not None), "without a factor it says why"


def test_an_unknown_task_is_told_the_known_ones() -> None:
    with pytest.raises(DataMissing, match="code_generation"):
        ours("codegen", DAY)
