"""The view `decisions`: what people decided, the saving forecast then, the saving that came; unknown is never 0."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.records import Decision, EndpointChoice
from data.records.usecase import Ruling
from data.registry import Registry
from data.store import Copy, Store, published
from jobs.answered import with_answers
from jobs.check import _register, check_cycle
from jobs.docs import QUESTIONS
from jobs.evals import load_cases
from jobs.feedback import Said, record
from jobs.look_back import look
from tests.test_messages import BEST, cost, decision, use_case
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


def test_what_was_announced_accepted_and_realised_are_three_sums(store: Store) -> None:
    query = (QUESTIONS / "10_savings.sql").read_text(encoding="utf-8")
    usd = ("announced_usd_per_month", "accepted_usd_per_month", "realised_usd_per_month")
    decided(store, day(0), saves(3_478))
    other = saves(900).model_copy(update={"rec": "rec-000002", "use_case": "triage"})
    decided(store, day(1), other)
    said = [asked(store, query)[0]]
    record(store, REC, Said("approve", day(2), by="@dana"))
    said.append(asked(store, query)[0])
    record(store, REC, Said("switched", day(3), by="@dana"))
    decided(store, day(10), runs_there(1_430))
    said.append(asked(store, query)[0])
    assert [[s[u] for u in usd] for s in said] == [
        [pytest.approx(4_378), None, None],
        [pytest.approx(4_378), pytest.approx(3_478), None],
        [pytest.approx(4_378), pytest.approx(3_478), pytest.approx(3_000)],
    ], "a verdict counts once, and what nobody accepted or measured is not 0"
    assert [s["findings"] for s in said] == [2, 2, 2]


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


def registered(store: Store, at: datetime, *rulings: Ruling, **more: Any) -> None:
    """An entry of use_cases.yaml as a check writes it."""
    _register(store, Registry(use_cases=[use_case(rulings=rulings, **more)], warnings=[]), at)


def test_what_only_the_registry_says_is_a_decision_too(store: Store) -> None:
    no = Ruling(
        model="deepseek/v4",
        verdict="rejected",
        date="2026-08-03",
        why="no EU endpoint",
        reopen_if="region eu available",
        by="@lee",
    )
    registered(store, day(0), no, Ruling(model="x/y", verdict="later", date="2026-08-10", until="2026-08-12"))
    first, second = asked(store)
    assert (first["rec"], first["use_case"], first["verdict"], first["model"]) == (
        None,
        "ticket-summary",
        "rejected",
        "deepseek/v4",
    )
    assert (first["reason"], first["reopen_if"], first["decided_by"]) == (
        "no EU endpoint",
        "region eu available",
        "@lee",
    )
    assert (str(first["decided_on"]), str(first["until"])) == ("2026-08-03", "2027-01-30"), (
        "180 days where none is named"
    )
    assert str(second["until"]) == "2026-08-12"
    assert [r["forecast_usd_per_month"] for r in (first, second)] == [None, None]
    assert {r["written_in"] for r in (first, second)} == {"use_cases.yaml"}
    registered(store, day(1))
    assert asked(store) == [], "an entry that was taken out decides nothing"


def test_where_both_say_it_the_registry_wins_and_the_forecast_stays(store: Store) -> None:
    decided(store, day(0), saves(3_478))
    record(store, REC, Said("reject", day(1), why="pressed in haste"))
    record(store, REC, Said("approve", day(2)))
    registered(
        store, day(3), Ruling(model="vendor-b/mini-5", rec=REC, verdict="rejected", date="2026-09-09", why="tone")
    )
    rows = {r["verdict"]: r for r in asked(store)}
    assert set(rows) == {"rejected", "approved"}
    assert (rows["rejected"]["reason"], str(rows["rejected"]["decided_on"])) == ("tone", "2026-09-09")
    assert rows["rejected"]["forecast_usd_per_month"] == pytest.approx(3_478)
    assert [rows[v]["written_in"] for v in ("rejected", "approved")] == ["use_cases.yaml", "feedback"]


def test_the_end_of_a_fallback_is_in_the_view_with_its_role_and_who_states_it(store: Store) -> None:
    spare = EndpointChoice(
        written="s",
        model_id="m/s",
        endpoint_id="aws:spare",
        discount_share=0.25,
        private_price={"call_usd": Decimal("0.77")},
    )
    registered(store, day(0), fallbacks=(spare,))
    decided(store, day(0), quiet())
    plain = {
        "provider": "x",
        "region": "global",
        "source_id": "by-hand",
        "link": "https://x/ends",
        "checked_on": "2026-08-01",
    }
    ends = [
        ("azure:large-2@eu", "2027-01-01", -3),
        ("azure:large-2@eu", "2026-12-01", -2),
        ("aws:spare", "2026-11-01", -1),
        ("aws:other", "2026-10-01", -1),
    ]
    store.insert(
        "endpoint", [{**plain, "endpoint_id": e, "retires_on": on, "known_from": day(at)} for e, on, at in ends]
    )
    store.insert(
        "endpoint",
        [{**plain, "endpoint_id": "aws:spare", "retires_on": "2026-11-01", "known_from": day(0), "precision": "fp8"}],
    )
    rows = asked(store, "select * from retirements order by retires_on")
    assert [(str(r["retires_on"]), r["endpoint"], r["role"], r["source"], r["url"]) for r in rows] == [
        ("2026-11-01", "aws:spare", "fallback", "by-hand", "https://x/ends"),
        ("2026-12-01", "azure:large-2@eu", "in use", "by-hand", "https://x/ends"),
    ]
    assert [r["announced_at"] for r in rows] == [day(-1).replace(tzinfo=None), day(-2).replace(tzinfo=None)], (
        "since the day is known"
    )
    assert [r["cost_usd_per_month"] for r in rows] == [None, pytest.approx(4_430)]
    assert not {"0.25", "0.77"} & set(
        re.findall(r"[\d.]+", str(store.rows("select entry::varchar as e from use_case")))
    ), "no contract's terms"


def test_an_answer_counts_as_its_patch_would_and_the_registry_wins(store: Store) -> None:
    model = "vendor-b/mini-5"
    decided(store, day(0), decision(best=BEST.model_copy(update={"model_id": model})))

    def ruled(**changes: Any) -> list[tuple[str, str, str | None]]:
        known = Registry(use_cases=(use_case(**changes), use_case("other")), warnings=())
        here, there = with_answers(store, known).use_cases
        assert there.rulings == ()
        return [(r.model, r.verdict, r.until) for r in here.rulings]

    assert ruled() == []
    record(store, REC, Said("later", day(1), until="2026-12-01"))
    record(store, REC, Said("reject", day(2), why="tone"))
    said = (model, "rejected", (day(2) + timedelta(days=180)).date().isoformat())
    assert ruled() == [said], "the newest word"
    no = Ruling(model=model, verdict="later", date=day(1).date().isoformat(), until="2026-11-30")
    assert ruled(rulings=(no,)) == [(model, "later", "2026-11-30"), said], "an older entry of no finding"
    for newer in ({"date": day(3).date().isoformat()}, {"rec": REC}):
        assert ruled(rulings=(no.model_copy(update=newer),)) == [(model, "later", "2026-11-30")]
    record(store, REC, Said("approve", day(4)))
    assert [verdict for _, verdict, _ in ruled()] == ["approved"], "a no that was taken back is none"


@pytest.mark.parametrize(
    ("move", "scope"),
    [
        ("tier", ("tier", None)),
        ("endpoint", ("endpoint", "vendor-b")),
        ("sibling", (None, None)),
        ("vendor", (None, None)),
    ],
)
def test_a_no_to_a_tier_or_a_host_is_none_to_the_model(
    store: Store, move: str, scope: tuple[str | None, str | None]
) -> None:
    decided(store, day(0), decision(best=BEST.model_copy(update={"model_id": "vendor-b/mini-5", "move": move})))
    patch = record(store, REC, Said("reject", day(1), why="tone"))
    (case,) = with_answers(store, Registry(use_cases=(use_case(),), warnings=())).use_cases
    assert [(r.move, r.via) for r in case.rulings] == [scope]
    assert [f'{k}: "{v}"' in str(patch) for k, v in zip(("move", "via"), scope, strict=True)] == [
        s is not None for s in scope
    ]


@pytest.mark.slow
def test_a_rejected_finding_is_proposed_no_more_and_the_registered_entry_stays(
    tmp_path: Path, demo: Callable[[Path], Path]
) -> None:
    demo(tmp_path)
    with Store(tmp_path) as store:
        first = store.rows("select rec, use_case, to_endpoint, decided_at from recommendation where verdict = 'switch' limit 1")[0]  # fmt: skip
        entries = store.rows("select count(*) as n from use_case")
        now = first["decided_at"].replace(tzinfo=UTC) + timedelta(hours=2)
        record(store, first["rec"], Said("reject", now - timedelta(hours=1), why="we tried it"))
        done = check_cycle(store, load_cases([Path("use_cases.yaml")]), now=now)
        assert first["rec"] not in {d.rec for _, d in done.decisions}
        store.publish()
        here = look(tmp_path / "market.duckdb", [Path("use_cases.yaml")], now, lambda _: None)
        assert {s: d.rec for s, d in here.decisions.items()} == {c.slug: d.rec for c, d in done.decisions}, (
            "audits, plans and reviews decide as the check does"
        )
        weighed = {c.endpoint_id: c for c in done.candidates[first["use_case"]][1:]}
        assert any("we tried it" in r for r in weighed[first["to_endpoint"]].reasons)
        assert store.rows("select count(*) as n from use_case") == entries
