"""`use_case_cost_daily`: a row a day by the decision that stood, a contract never in it, nothing made up for what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.store import Copy, Store, published

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def recommendation(use_case: str, day: int, usd: float | None, **changes: Any) -> dict[str, Any]:
    at = NOW + timedelta(days=day)
    return {"run_id": f"r{day}", "rec": f"rec-{use_case}", "use_case": use_case, "decided_at": at, "data_as_of": at, "verdict": "keep", "reason": "",
            "reasons": [], "from_endpoint": "a:b", "cost_usd_per_month": usd, "rate_ids": [], "score_ids": [], "decision": changes,
            "decision_sha": str(day)}  # fmt: skip


@pytest.fixture
def daily(tmp_path: Path) -> dict[tuple[str, int], tuple[Any, ...]]:
    with Store(tmp_path) as store:
        with store.transaction():
            store.insert("recommendation", [
                recommendation("plain", 0, 365.0), recommendation("plain", 2, 730.0), recommendation("plain", 2.25, 1095.0),  # type: ignore[arg-type]
                recommendation("deal", 1, 365.0, contract=True), recommendation("unknown", 4, None),
            ])  # fmt: skip
            store.insert("capture", [{"source_id": "x", "url": "u", "fetched_at": NOW + timedelta(days=4), "bytes": 1, "renderer": "http", "outcome": "new"}])  # fmt: skip
        store.publish()
    with published(tmp_path / "market.duckdb") as con:
        found = Copy(con).rows("select * from use_case_cost_daily order by use_case, day")
    return {(r["use_case"], r["day"].day): (r["list_cost_usd"], r["contracted_cost_usd"], r["effective_cost_usd"], r["why_empty"]) for r in found}  # fmt: skip


def test_a_day_costs_what_the_last_decision_of_it_says_and_stands_until_the_next(daily: dict[Any, Any]) -> None:
    """365 a month is 12 a day; two decisions on one day: the later; to the last day that prices were read and no further."""
    assert {day: v[0] for (slug, day), v in daily.items() if slug == "plain"} == {1: 12, 2: 12, 3: 36, 4: 36, 5: 36}
    assert daily["plain", 1] == (12, 12, 12, None)


def test_a_contract_is_empty_and_says_why(daily: dict[Any, Any]) -> None:
    assert daily["deal", 2] == (12, None, None, "on a contract, whose prices are never kept")
    assert len([1 for slug, _ in daily if slug == "deal"]) == 4


def test_an_unknown_price_is_empty_and_not_zero(daily: dict[Any, Any]) -> None:
    assert daily["unknown", 5] == (None, None, None, "no price is known")
