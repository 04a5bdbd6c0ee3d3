"""A price that moves all the time makes no stream of messages; its range is counted, not where it stood this morning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from data.records import Cost, Rate
from jobs.unsteady import LOOK_BACK_DAYS, MOVES, moving, widened
from tests.noise import replay

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def rate(usd: str, days_ago: int, **changes: object) -> Rate:
    at = NOW - timedelta(days=days_ago)
    fields = {"endpoint_id": "shop:m", "meter": "input", "usd_per_mtok": Decimal(usd), "valid_from": at, "known_from": at,
              "standing": "witnessed", "source_id": "list"}  # fmt: skip
    return Rate.model_validate({**fields, **changes})


def test_a_price_that_moved_on_four_days_of_thirty_is_unsteady() -> None:
    rates = [rate(u, d) for u, d in (("1", 90), ("2", 20), ("1", 15), ("2", 10), ("1", 5))]
    assert list(moving(rates, NOW)) == ["shop:m"]
    assert len(moving(rates, NOW)["shop:m"]) == MOVES
    assert moving(rates[:-1], NOW) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": "batch"},
        {"meter": "cached_input"},
        {"context_min_tokens": 200_000},
        {"time_window": "00-08"},
        {"withdrawn": True},
    ],
)
def test_what_is_no_headline_price_moves_nothing(changes: dict[str, object]) -> None:
    assert moving([rate(u, d, **changes) for u, d in (("1", 90), ("2", 20), ("1", 15), ("2", 10), ("1", 5))], NOW) == {}


def test_old_moves_the_same_price_again_and_two_sources_are_no_moves() -> None:
    old = LOOK_BACK_DAYS + 1
    assert (
        moving([rate(u, d) for u, d in (("1", 90), ("2", old + 3), ("1", old + 2), ("2", old + 1), ("1", old))], NOW)
        == {}
    )
    assert moving([rate("1", d) for d in (20, 15, 10, 5, 1)], NOW) == {}
    both = [rate(u, d, source_id=s) for u, s in (("1", "a"), ("2", "b")) for d in (20, 15, 10, 5)]
    assert moving(both, NOW) == {}


def test_what_comes_later_is_not_known_yet() -> None:
    rates = [rate(u, d) for u, d in (("1", 90), ("2", 20), ("1", 15), ("2", 10), ("1", -1))]
    assert moving(rates, NOW) == {}


def test_the_range_is_that_of_all_the_days() -> None:
    def cost(usd: float) -> Cost:
        return Cost(usd_per_month=usd, low_usd_per_month=usd * 0.9, high_usd_per_month=usd * 1.1, usd_per_call=1.0,
                    by_meter_usd_per_month={}, rate_ids=())  # fmt: skip

    found = widened(cost(10.0), [cost(5.0), cost(30.0)], 12)
    assert (found.usd_per_month, found.low_usd_per_month, found.high_usd_per_month) == (10.0, 4.5, 33.0)
    assert found.notes == ("its price moved on 12 of the last 30 days: the range is that of those days",)


@pytest.mark.slow
@pytest.mark.corpus
def test_the_series_that_moves_daily_is_told_once(corpus: Path, demo: Callable[[Path], Path], tmp_path: Path) -> None:
    """OpenRouter's headline price of one model took 19 values in 23 days; `python -m tests.noise` replays the whole year."""
    found = replay(
        corpus / "prices" / "history.csv.gz", demo(tmp_path), first=date(2026, 7, 17), last=date(2026, 8, 8),
        every_days=7, most_cases=1,
    )  # fmt: skip
    assert found.cycles >= 20
    assert [t.kind for t in found.told if t.use_case == "flapping"] in (["price_rise"], [])
