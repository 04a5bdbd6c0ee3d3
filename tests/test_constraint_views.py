"""What constraints cost and what lies on the frontier, as SQL: never negative, never charged to one of two that both shut out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.records import Candidate, Cost
from data.store import Copy, Store, published
from recommender.rank import constraint_prices

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PLAIN: dict[str, Any] = {"run_id": "r1", "use_case": "triage", "model_id": "acme/one", "tier": "standard", "variant": "",
                         "move": "vendor", "eligible": True, "reasons": [], "p_ok": 0.95, "on_frontier": False,
                         "cost_usd_per_call": 0.001, "quality": 0.6, "quality_low": 0.5, "quality_high": 0.7}  # fmt: skip
SHUT = [
    ("best", 500.0, [], 0.95),
    ("one", 300.0, ["regions: us, eu needed"], 0.95),
    ("two", 100.0, ["regions: us, eu needed", "retention: unknown, zero needed"], 0.95),
    ("dear", 900.0, ["license: closed weights"], 0.95),
    ("weak", 10.0, ["features: tools unknown"], 0.4),
    ("free", 0.0, ["price: stated as 0; free comes with limits, so it is not ranked"], 0.95),
]


def asked(folder: Path, rows: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """The view over one decision of one use case that asks 85 %."""
    with Store(folder) as store:
        with store.transaction():
            store.insert("use_case", [{"use_case": "triage", "title": "t", "channel": "#c", "endpoint_id": "acme:now", "model_id": "acme/now",
                                       "tier": "standard", "tasks": {}, "entry": {"quality": {"confidence": 0.85}}, "entry_sha": "s",
                                       "registered_at": NOW, "withdrawn": False}])  # fmt: skip
            store.insert("recommendation", [{"run_id": "r1", "rec": "rec-1", "use_case": "triage", "decided_at": NOW, "data_as_of": NOW,
                                             "verdict": "keep", "reason": "", "reasons": [], "from_endpoint": "acme:now", "rate_ids": [],
                                             "score_ids": [], "decision": {}, "decision_sha": "d"}])  # fmt: skip
            store.insert("candidate", rows)
        store.publish()
    with published(folder / "market.duckdb") as con:
        return Copy(con).rows(query)


def shut_out() -> list[dict[str, Any]]:
    now = PLAIN | {"endpoint_id": "acme:now", "move": None, "cost_usd_per_month": 1000.0, "on_frontier": True}
    return [now] + [
        PLAIN | {"endpoint_id": f"x:{n}", "cost_usd_per_month": usd, "reasons": why, "eligible": not why, "p_ok": p,
                 "on_frontier": not why}
        for n, usd, why, p in SHUT
    ]  # fmt: skip


def test_a_constraint_costs_what_dropping_it_alone_would_save(tmp_path: Path) -> None:
    rows = asked(tmp_path, shut_out(), "select * from constraint_cost order by constraint_key")
    assert [(r["constraint_key"], r["shadow_usd_per_month"], r["excludes"]) for r in rows] == [
        ("license", 0.0, 1),
        ("regions", 200.0, 2),
        ("regions + retention", 400.0, 1),
        ("retention", 0.0, 1),
    ]
    same = constraint_prices([_candidate(n, usd, why, p) for n, usd, why, p in SHUT], 0.85)
    assert {r["constraint_key"]: r["shadow_usd_per_month"] for r in rows if r["shadow_usd_per_month"] > 0 and "+" not in r["constraint_key"]} == same  # fmt: skip


def test_without_an_eligible_choice_no_sum_is_made_up(tmp_path: Path) -> None:
    rows = asked(
        tmp_path,
        [r for r in shut_out() if r["endpoint_id"] != "x:best"],
        "select shadow_usd_per_month from constraint_cost",
    )
    assert {r["shadow_usd_per_month"] for r in rows} == {None}


def test_the_frontier_says_how_far_todays_choice_is(tmp_path: Path) -> None:
    rows = asked(tmp_path, shut_out(), "select * from frontier order by cost_usd_per_month")
    assert [(r["endpoint"], r["distance_usd_per_month"]) for r in rows] == [("x:best", 500.0), ("acme:now", 0.0)]
    assert rows[0]["cost_usd_per_1k_calls"] == pytest.approx(1.0)


def _candidate(name: str, usd: float, why: list[str], p_ok: float) -> Candidate:
    cost = Cost(
        usd_per_month=usd, low_usd_per_month=usd, high_usd_per_month=usd, usd_per_call=0.001,
        by_meter_usd_per_month={}, rate_ids=(),
    )  # fmt: skip
    return Candidate(
        use_case="triage", endpoint_id=f"x:{name}", model_id=None, move="vendor", eligible=not why, reasons=tuple(why), cost=cost, p_ok=p_ok
    )  # fmt: skip
