"""The view `decisions`: what people decided, the saving forecast then, the saving that came; unknown is never 0."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.records import Decision
from data.store import Copy, Store, published
from jobs.feedback import Said, record
from tests.test_messages import BEST, cost, decision
from tests.test_watch import day, decided, quiet, saves

WERE_WE_RIGHT = """
select date_trunc('quarter', decided_on) as quarter, count(*) as switched,
    sum(realised_usd_per_month) / nullif(sum(forecast_usd_per_month), 0) as realised_share
from decisions where verdict = 'switched' group by quarter order by quarter"""
REC = decision().rec


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "home") as opened:
        yield opened


def asked(store: Store, query: str = "select * from decisions order by decided_on, verdict") -> list[dict[str, Any]]:
    store.publish()
    with published(store.path.parent / "market.duckdb") as con:
        return Copy(con).rows(query)


def runs_there(usd_per_month: float, calls: float = 1.0) -> Decision:
    """A later decision, the model proposed in use; `calls`: times the calls of before."""
    bill = cost(usd_per_month)
    bill = bill.model_copy(update={"usd_per_call": bill.usd_per_call / calls})
    return quiet(rec="rec-000000", current=BEST.model_copy(update={"move": None, "cost": bill}))


def switched(store: Store, at: datetime) -> None:
    decided(store, day(0), saves(3_478))
    record(store, REC, Said("switched", at, by="@dana"))


def test_forecast_and_outcome_are_compared_by_quarter(store: Store) -> None:
    switched(store, day(2))
    decided(store, day(10), runs_there(1_430))
    row = asked(store)[0]
    assert (row["rec"], row["use_case"], row["verdict"]) == (REC, "ticket-summary", "switched")
    assert row["decided_on"] == day(2).date()
    assert row["forecast_usd_per_month"] == pytest.approx(3_478)
    assert row["realised_usd_per_month"] == pytest.approx(3_000)
    said = asked(store, WERE_WE_RIGHT)
    assert [(f"{r['quarter']:%Y-%m-%d}", r["switched"]) for r in said] == [("2026-07-01", 1)]
    assert said[0]["realised_share"] == pytest.approx(3_000 / 3_478)


def test_what_is_not_known_yet_is_empty_and_not_zero(store: Store) -> None:
    switched(store, day(2))
    decided(store, day(5), quiet())  # the registry still names the old model
    assert [r["realised_usd_per_month"] for r in asked(store)] == [None]
    decided(store, day(6), runs_there(952).model_copy(update={"current": BEST.model_copy(update={"cost": None})}))
    assert [r["realised_usd_per_month"] for r in asked(store)] == [None], "it runs there, without a price"
    assert [r["realised_share"] for r in asked(store, WERE_WE_RIGHT)] == [None]


def test_more_calls_are_no_loss_and_a_cut_months_later_is_no_merit(store: Store) -> None:
    switched(store, day(2))
    decided(store, day(10), runs_there(2 * 1_430, calls=2))
    decided(store, day(90), runs_there(100))
    assert [r["realised_usd_per_month"] for r in asked(store)] == [pytest.approx(3_000)]


def test_a_switch_that_costs_more_is_a_loss(store: Store) -> None:
    switched(store, day(2))
    decided(store, day(10), runs_there(4_930))
    assert [r["realised_usd_per_month"] for r in asked(store)] == [pytest.approx(-500)]


def test_from_approval_on_the_forecast_is_frozen(store: Store) -> None:
    decided(store, day(0), saves(3_478))
    record(store, REC, Said("approve", day(1)))
    decided(store, day(5), saves(900))
    record(store, REC, Said("switched", day(6)))
    assert [r["forecast_usd_per_month"] for r in asked(store)] == [pytest.approx(3_478)] * 2


def test_a_no_keeps_its_reason_end_and_condition_and_realises_nothing(store: Store) -> None:
    decided(store, day(0), saves(3_478))
    record(store, REC, Said("reject", day(1), why="no EU '; drop view decisions; --", reopen_if="region eu available"))
    decided(store, day(10), runs_there(952))
    row = asked(store)[0]
    assert (row["verdict"], row["reason"][:5], row["reopen_if"]) == ("rejected", "no EU", "region eu available")
    assert row["until"] == (day(1) + timedelta(days=180)).date()
    assert row["realised_usd_per_month"] is None


def test_said_twice_is_one_decision_and_a_held_row_is_none(store: Store) -> None:
    switched(store, day(2))
    record(store, REC, Said("switched", day(40)))
    store.insert("feedback", [{"rec": "breaker", "verdict": "release", "decided_at": day(3)}])
    assert [(r["verdict"], r["decided_on"]) for r in asked(store)] == [("switched", day(2).date())]
