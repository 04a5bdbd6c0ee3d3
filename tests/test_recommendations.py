"""`recommendations_asof(day)`: what stood at the end of a day, and nothing that came after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.store import Copy, Store, published
from jobs.feedback import Said, record
from tests.test_messages import decision
from tests.test_watch import day, decided, quiet, saves

REC = decision().rec
Says = Any  # a day -> the rows of that day


@pytest.fixture(scope="module")
def says(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Says]:
    """A finding on day 0, again on day 10 with another sum, approved on day 12, gone on day 20; another use case on day 5."""
    home = tmp_path_factory.mktemp("asof")
    with Store(home) as store:
        decided(store, day(0), saves(3_478))
        decided(store, day(5), saves(900).model_copy(update={"rec": "rec-000002", "use_case": "triage"}))
        decided(store, day(10), saves(2_000))
        record(store, REC, Said("approve", day(12), by="@dana"))
        decided(store, day(20), quiet(rec="rec-000003"))
        store.publish()
    with published(home / "market.duckdb") as con:

        def on(n: int) -> dict[str, dict[str, Any]]:
            rows = Copy(con).rows(f"select * from recommendations_asof(date '{day(n).date()}')")
            assert len({r["rec"] for r in rows}) == len(rows), "one row per recommendation"
            return {r["rec"]: r for r in rows}

        on.con = con  # type: ignore[attr-defined]
        yield on


def naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def test_before_the_first_decision_there_is_none(says: Says) -> None:
    assert says(-1) == {}


def test_the_day_of_a_decision_counts_whole(says: Says) -> None:
    assert set(says(0)) == {REC}
    assert set(says(4)) == {REC}
    assert set(says(5)) == {REC, "rec-000002"}


def test_between_decisions_the_earlier_one_stands_with_its_own_figures(says: Says) -> None:
    then = says(9)[REC]
    assert (then["state"], then["saving_usd_per_month"]) == ("open", pytest.approx(3_478))
    assert (then["opened_at"], then["decided_at"]) == (naive(day(0)), naive(day(0)))
    again = says(10)[REC]
    assert (again["state"], again["saving_usd_per_month"]) == ("open", pytest.approx(2_000))
    assert (again["opened_at"], again["decided_at"]) == (naive(day(0)), naive(day(10)))


def test_what_a_person_said_is_not_known_before_they_said_it(says: Says) -> None:
    assert [says(n)[REC]["state"] for n in (11, 12, 19)] == ["open", "approved", "approved"]


def test_a_later_decision_of_the_same_use_case_closes_only_its_own(says: Says) -> None:
    assert "rec-000003" not in says(19)
    after = says(20)
    assert {rec: r["state"] for rec, r in after.items()} == {
        REC: "approved",
        "rec-000002": "open",
        "rec-000003": "none",
    }
    assert after["rec-000003"]["to_endpoint"] is None


def test_a_finding_nobody_answered_is_closed_once_it_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        decided(store, day(0), saves(3_478))
        decided(store, day(1), quiet(rec="rec-000003"))
        store.publish()
    with published(tmp_path / "market.duckdb") as con:
        query = f"select state from recommendations_asof(date '{{}}') where rec = '{REC}'"
        states = [Copy(con).rows(query.format(day(n).date())) for n in (0, 1, 400)]
    assert states == [[{"state": "open"}], [{"state": "closed"}], [{"state": "closed"}]]


def test_after_all_of_it_a_day_says_what_the_view_says(says: Says) -> None:
    assert says(21) == says(4000) == {r["rec"]: r for r in Copy(says.con).rows("select * from recommendations")}


def test_a_time_is_taken_as_its_day(says: Says) -> None:
    query = "select rec from recommendations_asof({}) order by rec"
    at = naive(day(5)) - timedelta(hours=1)
    assert Copy(says.con).rows(query.format(f"timestamp '{at}'")) == Copy(says.con).rows(
        query.format(f"date '{at.date()}'")
    )
