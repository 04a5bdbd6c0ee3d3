"""What a design would cost today: compromises and caches priced again, sums that cannot be known left out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import DataMissing, UsageError
from data.records import Compromise
from data.store import Store
from jobs.audit import _fifty, audit, audit_caches, lifted
from jobs.cli import app
from jobs.look_back import Standing, look
from jobs.planning import planned, read_pilot
from scraper.match import Matcher

NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo: Callable[[Path], Path]) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    return demo(folder)


@pytest.fixture(scope="module")
def here(home: Path) -> Standing:
    return look(home / "market.duckdb", [REGISTRY], NOW, lambda _: None)


def test_the_quality_bought_then_is_priced_then_and_now(here: Standing) -> None:
    found = audit(here, here.case("contract-extraction"), 1.5)
    assert found.designed_on == date(2024, 11, 18)
    assert found.registered_usd_per_call == 0.71
    # Claude 3 Opus for a million tokens: 14,854 read at $1.5, 44,563 written at $18.75, 3,151 of answer at $75
    assert found.then_usd_per_call == pytest.approx(0.0223 + 0.8356 + 0.2363, abs=0.001)
    assert found.multiple is not None and found.now_usd_per_call is not None
    assert found.multiple[1] <= found.multiple[0] <= found.multiple[2]
    assert found.multiple[0] == pytest.approx(found.then_usd_per_call / found.now_usd_per_call[0])
    assert [(c.verdict, c.what) for c in found.compromises] == [
        ("drop", "only the first 40 pages are read"),
        ("drop", "semantic cache in Redis"),
        ("ask", "single pass, no verification call"),
    ]
    assert "no figures" in found.compromises[2].why


def test_without_a_design_there_is_nothing_to_compare(here: Standing) -> None:
    found = audit(here, here.case("support-triage"), 1.5)
    assert found.multiple is None and found.then_usd_per_call is None
    assert found.why == "no `designed:` entry in the registry: nothing to compare with"


def test_a_design_on_a_model_nobody_knows_keeps_its_registered_cost_and_says_so(here: Standing) -> None:
    case = here.case("contract-extraction")
    assert case.designed is not None
    odd = case.model_copy(update={"designed": case.designed.model_copy(update={"model": "nobody/knows-1"})})
    found = audit(here, odd, 1.5)
    assert (found.then_usd_per_call, found.then_from) == (0.71, "as registered")
    assert "not in the catalogue" in found.why


@pytest.mark.parametrize(
    ("saves", "costs", "then", "present", "now", "verdict"),
    [
        (None, None, 1.0, 0.1, 0.1, "ask"),
        (100.0, None, None, 0.1, 0.1, "ask"),  # nothing to scale by: never a made-up sum
        (310.0, 640.0, 1.0, 0.5, 0.5, "drop"),  # upkeep above what it saves
        (500.0, None, 1.0, 0.01, 0.01, "drop"),  # $5 of a bill that was $1,000
        (4000.0, None, 1.0, 0.1, 0.1, "try"),  # $400, with today's $100 under the old bill
        (40000.0, None, 1.0, 0.1, 0.1, "keep"),  # $4,000 would exceed it
    ],
)
def test_a_compromise_priced_again(
    saves: float | None, costs: float | None, then: float | None, present: float, now: float, verdict: str
) -> None:
    c = Compromise(what="x", saves_usd_per_month=saves, costs_usd_per_month=costs)
    found = lifted(c, then, present, (now, now, now), 1000)
    assert found.verdict == verdict, found.why
    if saves is None or then is None:
        assert found.saves_now is None


def test_caches_at_the_prices_in_force(here: Standing) -> None:
    redis, prefix = audit_caches(here, here.case("contract-extraction"))
    assert redis.paid.verdict == "remove"
    assert "$640 + 5 h × $112.50 = $1,202.50" in redis.paid.why
    assert redis.paid.saves_usd_per_month is not None and redis.paid.saves_usd_per_month < 0
    assert prefix.paid.break_even == pytest.approx(0.217, abs=5e-4)
    assert prefix.paid.verdict == "keep"
    assert audit_caches(here, here.case("support-triage")) == []


def test_fifty_times_is_there_only_when_the_low_end_says_so() -> None:
    assert _fifty((60, 51, 70), 1.5) == "50 times cheaper: there"
    assert _fifty((60, 40, 70), 1.5).startswith("50 times cheaper: probably there")
    assert "not there, 5.0 of 50; about 5.7 years" in _fifty((5, 4, 6), 1.5)
    assert "no pace" in _fifty((5, 4, 6), 1.0)
    assert _fifty(None, 1.5) == "50 times cheaper: not known how far"


def pilot(path: Path, rows: list[tuple[object, ...]], names: tuple[str, ...] = ("item", "passed")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(names)
        writer.writerows(rows)
    return path


def test_a_plan_without_a_pilot_states_sums_only(here: Standing) -> None:
    found = planned(here, here.case("code-review"), "today", None, None)
    assert all(p.success is None for p in found.plans[1:])
    bill = found.ground.bill_usd * found.ground.calls_per_month
    assert all(p.usd_per_month <= bill * 1.001 for p in found.plans if p.trial)


def test_a_plan_with_a_pilot_states_the_gain_and_the_ceiling_of_its_check(here: Standing, tmp_path: Path) -> None:
    rows = [(i, run < (i % 3), run < (i % 3) or i % 10 == 0) for i in range(60) for run in range(2)]
    runs = read_pilot(pilot(tmp_path / "p.csv", rows, ("item", "passed", "accepted")), here.matcher)
    assert (runs.items, runs.runs) == (60, 120)
    assert runs.check is not None and runs.check.right > 0.97 and 0.0 < runs.check.wrong < 0.25
    found = planned(here, here.case("code-review"), "today", None, runs)
    best = next(p for p in found.plans if p.name.startswith("up to"))
    assert best.success is not None and best.success[0] < 0.9  # 20 of 60 items are never solved, and wrong ones pass
    assert best.usd_per_solved is not None


@pytest.mark.parametrize(
    ("rows", "names", "said"),
    [
        ([(1, 1)], ("item", "score"), "none passed"),
        ([(1, 1), (1, 0)], ("item", "passed"), "1 items with 2 runs or more; 20 at least"),
        ([(i, 1) for i in range(50)], ("item", "passed"), "0 items with 2 runs"),
        ([(1, 1, "a/b"), (1, 1, "c/d")], ("item", "passed", "model"), "runs of 2 models"),
        (
            [(i, 1, "no/such-model") for i in range(30) for _ in range(2)],
            ("item", "passed", "model"),
            "no model we know",
        ),
    ],
)
def test_a_bad_pilot_is_named(
    tmp_path: Path, rows: list[tuple[object, ...]], names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read_pilot(pilot(tmp_path / "p.csv", rows, names), Matcher.from_package())


def test_a_bill_of_a_design_nobody_registered_is_refused(here: Standing) -> None:
    with pytest.raises(DataMissing, match="not known"):
        planned(here, here.case("support-triage"), "design", None, None)


def test_the_commands_print_what_they_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCUT_HOME", str(home))
    monkeypatch.setenv("UNDERCUT_REGISTRY", str(REGISTRY))
    run = CliRunner()
    told = run.invoke(app, ["audit", "contract-extraction"])
    assert told.exit_code == 0, told.output
    assert "Multiple" in told.stdout and "remove" in told.stdout
    rows = [json.loads(line) for line in run.invoke(app, ["audit", "--caches", "--json"]).stdout.splitlines()]
    assert {r["use_case"] for r in rows if r["caches"]} == {"contract-extraction"}
    found = json.loads(run.invoke(app, ["plan", "code-review", "--json"]).stdout)
    assert found["plans"][0]["name"].startswith("one call")
    wrong = run.invoke(app, ["plan", "nobody"])
    assert isinstance(wrong.exception, DataMissing)
    with Store(home) as store:
        assert store.rows("select count(*) as n from recommendation")[0]["n"] > 0
