"""A use case that left the registry is shown as withdrawn, is in no sum, and is itself again when it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.registry import Registry
from data.store import Copy, Store, published
from jobs.check import _register
from tests.test_cost_daily import recommendation
from tests.test_messages import use_case

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def check(store: Store, day: int, *slugs: str) -> tuple[str, ...]:
    """What a cycle writes: the registry as it is that day, and on the first day a decision for each use case."""
    at = NOW + timedelta(days=day)
    with store.transaction():
        gone, _ = _register(store, Registry(tuple(use_case(slug=s) for s in slugs)), at)
        if day == 0:
            said = {
                "to_endpoint": "b:c",
                "verdict": "switch",
                "best_cost_usd_per_month": 100.0,
                "saving_usd_per_month": 265.0,
            }
            store.insert("recommendation", [recommendation(s, 0, 365.0) | said for s in slugs])
            candidate = {"run_id": "r0", "endpoint_id": "b:c", "tier": "standard", "variant": "", "eligible": True,
                         "reasons": [], "on_frontier": True}  # fmt: skip
            store.insert("candidate", [candidate | {"use_case": s} for s in slugs])
        store.insert("capture", [{"source_id": "x", "url": "u", "fetched_at": at, "bytes": 1, "renderer": "http", "outcome": "new"}])  # fmt: skip
    return gone


def asked(store: Store, query: str) -> list[dict[str, object]]:
    store.publish()
    with published(store.path.parent / "market.duckdb") as con:
        return Copy(con).rows(query)


def test_it_is_shown_as_withdrawn_and_is_in_no_sum(store: Store) -> None:
    assert check(store, 0, "stays", "goes") == ()
    assert check(store, 3, "stays") == ("goes",)
    assert check(store, 4, "stays") == (), "said once"
    rows = {r["use_case"]: r for r in asked(store, "select * from use_cases")}
    assert (rows["goes"]["status"], rows["goes"]["reason"]) == ("withdrawn", "not in the registry since 2026-11-04")
    assert [rows["goes"][c] for c in ("cost_usd_per_month", "best_cost_usd_per_month", "rec")] == [None, None, None]
    assert (rows["stays"]["status"], rows["stays"]["cost_usd_per_month"]) == ("switch", 365.0)
    open_ = asked(store, "select use_case, saving_usd_per_month as usd from recommendations where state = 'open'")
    assert open_ == [{"use_case": "stays", "usd": 265.0}]
    for view in ("candidates", "frontier"):
        assert {r["use_case"] for r in asked(store, f"select use_case from {view}")} == {"stays"}
    days = asked(store, "select day(day) as d from use_case_cost_daily where use_case = 'goes' order by 1")
    assert [r["d"] for r in days] == [1, 2, 3], "not the day it was gone, nor later"


def test_what_is_not_among_the_files_of_one_run_stays_registered(store: Store) -> None:
    check(store, 0, "stays", "elsewhere")
    with store.transaction():
        assert _register(store, Registry((use_case(slug="stays"),), part=True), NOW + timedelta(days=3)) == ((), 0)
    assert {r["use_case"]: r["status"] for r in asked(store, "select * from use_cases")} == {
        "stays": "switch",
        "elsewhere": "switch",
    }


def test_what_it_was_on_an_earlier_day_is_not_rewritten(store: Store) -> None:
    check(store, 0, "stays", "goes")
    check(store, 3, "stays")
    then = asked(store, "select use_case, state from recommendations_asof(date '2026-11-02') order by 1")
    assert then == [{"use_case": "goes", "state": "open"}, {"use_case": "stays", "state": "open"}]


def test_one_that_comes_back_is_itself_again(store: Store) -> None:
    check(store, 0, "stays", "goes")
    check(store, 3, "stays")
    assert check(store, 5, "stays", "goes") == ()
    row = next(r for r in asked(store, "select * from use_cases") if r["use_case"] == "goes")
    assert (row["status"], row["cost_usd_per_month"], row["rec"]) == ("switch", 365.0, "rec-goes")
    days = asked(store, "select day(day) as d from use_case_cost_daily where use_case = 'goes' order by 1")
    assert [r["d"] for r in days] == [1, 2, 3, 6], "what it cost while it was away is not made up when it is back"
