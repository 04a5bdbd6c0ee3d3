"""What constraints cost and what lies on the frontier, as SQL: never negative, never charged to one of two that both shut out."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.records import Candidate, Cost, Quality, QualityDemand
from data.store import Copy, Store, published
from recommender.rank import constraint_prices

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PLAIN: dict[str, Any] = {"run_id": "r1", "use_case": "triage", "model_id": "acme/one", "tier": "standard", "variant": "",
                         "move": "vendor", "eligible": True, "reasons": [], "p_ok": 0.95, "on_frontier": False,
                         "cost_usd_per_call": 0.001, "evidence": "C", "quality": 0.6, "quality_low": 0.5, "quality_high": 0.7}  # fmt: skip
SHUT = [
    ("best", 500.0, [], 0.95),
    ("one", 300.0, ["regions: us, eu needed"], 0.95),
    ("two", 100.0, ["regions: us, eu needed", "retention: unknown, zero needed"], 0.95),
    ("dear", 900.0, ["license: closed weights"], 0.95),
    ("weak", 10.0, ["features: tools unknown"], 0.4),
    ("thin", 20.0, ["regions: us, eu needed"], 0.95),  # evidence D where C is asked: nobody knows that it would serve
    ("free", 0.0, ["price: stated as 0; free comes with limits, so it is not ranked"], 0.95),
]


def asked(folder: Path, rows: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """The views over one decision of each use case in the rows; each asks 85 %."""
    cases = sorted({r["use_case"] for r in rows})
    with Store(folder) as store:
        with store.transaction():
            store.insert("use_case", [{"use_case": u, "title": "t", "channel": "#c", "endpoint_id": "acme:now", "model_id": "acme/now",
                                       "tier": "standard", "tasks": {}, "entry": {"quality": {"confidence": 0.85, "evidence": "C"}}, "entry_sha": "s",
                                       "registered_at": NOW, "withdrawn": False} for u in cases])  # fmt: skip
            store.insert("recommendation", [{"run_id": "r1", "rec": f"rec-{u}", "use_case": u, "decided_at": NOW, "data_as_of": NOW,
                                             "verdict": "keep", "reason": "", "reasons": [], "from_endpoint": "acme:now", "rate_ids": [],
                                             "score_ids": [], "decision": {}, "decision_sha": "d"} for u in cases])  # fmt: skip
            store.insert("candidate", rows)
        store.publish()
    with published(folder / "market.duckdb") as con:
        return Copy(con).rows(query)


def present(usd: float | None = 1000.0, use_case: str = "triage") -> dict[str, Any]:
    why = [] if usd is not None else ["price: no standard price is known"]
    return PLAIN | {"use_case": use_case, "endpoint_id": "acme:now", "move": None, "cost_usd_per_month": usd, "reasons": why,
                    "eligible": not why, "p_ok": 1.0, "on_frontier": True}  # fmt: skip


def weighed(rows: list[tuple[str, float, list[str], float]], use_case: str = "triage") -> list[dict[str, Any]]:
    return [
        PLAIN | {"use_case": use_case, "endpoint_id": f"x:{n}", "cost_usd_per_month": usd, "reasons": why, "eligible": not why,
                 "p_ok": p, "on_frontier": not why, "evidence": "D" if n.startswith("thin") else "C"}
        for n, usd, why, p in rows
    ]  # fmt: skip


def in_python(rows: list[dict[str, Any]]) -> dict[str, float]:
    now, *others = (_candidate(r) for r in rows)
    return constraint_prices(now, others, QualityDemand(confidence=0.85, evidence="C"))


def test_a_constraint_costs_what_dropping_it_alone_would_save(tmp_path: Path) -> None:
    all_rows = [present(), *weighed(SHUT)]
    rows = asked(tmp_path, all_rows, "select * from constraint_cost order by constraint_key")
    assert [(r["constraint_key"], r["shadow_usd_per_month"], r["excludes"]) for r in rows] == [
        ("license", 0.0, 1),
        ("regions", 200.0, 2),
        ("regions + retention", 400.0, 1),
        ("retention", 0.0, 1),
    ]
    same = in_python(all_rows)
    assert {r["constraint_key"]: r["shadow_usd_per_month"] for r in rows if r["shadow_usd_per_month"] > 0 and "+" not in r["constraint_key"]} == same  # fmt: skip


def test_no_constraint_costs_more_than_todays_bill_less_what_it_shuts_out(tmp_path: Path) -> None:
    """What runs today is a choice: dropping `regions` saves 400 - 300, not 900 - 300."""
    rows = [present(400.0), *weighed([("dear", 900.0, [], 0.95), SHUT[1]])]
    (only,) = asked(tmp_path, rows, "select * from constraint_cost")
    assert (only["constraint_key"], only["shadow_usd_per_month"]) == ("regions", 100.0)
    assert in_python(rows) == {"regions": 100.0}
    cheap = [present(200.0), *rows[1:]]
    assert in_python(cheap) == {}
    assert in_python([present(400.0), rows[2]]) == {"regions": 100.0}  # nothing else may be chosen: today's bill stands


def test_the_view_says_what_the_decision_says_of_any_candidates(tmp_path: Path) -> None:
    """One sum in SQL and in Python, over 60 made-up use cases with up to three reasons a candidate."""
    dice = random.Random(7)
    reasons = [
        "regions: us",
        "regions: unknown",
        "retention: unknown",
        "deny: matches *",
        "price: stated as 0",
        "identity: nobody",
    ]
    cases: dict[str, list[dict[str, Any]]] = {}
    for n in range(60):
        made = [
            (f"{dice.choice(('m', 'm', 'thin'))}{k}", float(dice.randrange(0, 2000)), dice.sample(reasons, dice.choice((0, 1, 1, 1, 1, 2, 3))), dice.choice((0.5, 0.85, 0.99)))
            for k in range(dice.randrange(1, 9))
        ]  # fmt: skip
        cases[f"u{n}"] = [present(dice.choice((None, 800.0, 1800.0)), f"u{n}"), *weighed(made, f"u{n}")]
    rows = asked(
        tmp_path, [r for c in cases.values() for r in c], "select * from constraint_cost where shadow_usd_per_month > 0"
    )
    view: dict[str, dict[str, float]] = {slug: {} for slug in cases}
    for r in rows:
        if "+" not in r["constraint_key"]:
            view[r["use_case"]][r["constraint_key"]] = r["shadow_usd_per_month"]
    assert view == {slug: in_python(c) for slug, c in cases.items()}
    assert sum(map(len, view.values())) > 20


def test_without_an_eligible_choice_no_sum_is_made_up(tmp_path: Path) -> None:
    rows = [present(None), *weighed([r for r in SHUT if r[0] != "best"])]
    found = asked(tmp_path, rows, "select shadow_usd_per_month from constraint_cost")
    assert {r["shadow_usd_per_month"] for r in found} == {None}
    assert in_python(rows) == {}


def test_the_frontier_says_how_far_todays_choice_is(tmp_path: Path) -> None:
    rows = asked(tmp_path, [present(), *weighed(SHUT)], "select * from frontier order by cost_usd_per_month")
    assert [(r["endpoint"], r["distance_usd_per_month"]) for r in rows] == [("x:best", 500.0), ("acme:now", 0.0)]
    assert rows[0]["cost_usd_per_1k_calls"] == pytest.approx(1.0)


def _candidate(row: dict[str, Any]) -> Candidate:
    usd, why = row["cost_usd_per_month"], row["reasons"]
    cost = None if usd is None else Cost(
        usd_per_month=usd, low_usd_per_month=usd, high_usd_per_month=usd, usd_per_call=0.001,
        by_meter_usd_per_month={}, rate_ids=(),
    )  # fmt: skip
    return Candidate(
        use_case=row["use_case"], endpoint_id=row["endpoint_id"], model_id=None, move=row["move"], eligible=row["eligible"],
        reasons=tuple(why), cost=cost, p_ok=row["p_ok"],
        quality=Quality(mean=0.6, low=0.5, high=0.7, grade=row["evidence"], measured=True, benchmarks=()),
    )  # fmt: skip
