"""Bars for a build: silent where nothing got worse, one exit code, no contract price in what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import UsageError
from data.records import Cost, Endpoint
from jobs import gates
from jobs.cli import app
from jobs.gates import Finding

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CASE = """use_cases:
  triage:
    task: classification
    model: openai/gpt-4o
    traffic: 20k/day
    tokens: {in: 900, out: 40}
    channel: "#x"
    budget: {month: 10}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo: Callable[[Path], Path]) -> Path:
    found = tmp_path_factory.mktemp("home")
    return demo(found)


def run(home: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--data", str(home / "market.duckdb"), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_what_is_accepted_is_silent_and_what_got_worse_is_named(home: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    code, said = run(home, "--fail-over", "20%")
    assert code == 10
    assert "over" in said
    assert run(home, "--fail-over", "20%", "--baseline", str(baseline), "--accept") == (0, "")
    assert run(home, "--fail-over", "20%", "--baseline", str(baseline)) == (0, "")
    accepted = json.loads(baseline.read_text())
    worst = max(accepted["accepted"], key=accepted["accepted"].get)
    accepted["accepted"][worst] -= 0.5
    baseline.write_text(json.dumps(accepted))
    code, said = run(home, "--fail-over", "20%", "--baseline", str(baseline))
    assert code == 10
    assert [line.partition(":")[0] for line in said.splitlines()] == [worst.partition("/")[0]]


def test_a_share_without_its_sign_is_not_taken_for_two_thousand_percent() -> None:
    assert (gates.share("20%"), gates.share("0.2"), gates.share("1")) == (0.2, 0.2, 1.0)
    with pytest.raises(UsageError, match="20 is 2000%"):
        gates.share("20")


def test_an_accepted_retirement_is_silent_until_the_next_step_or_an_earlier_day() -> None:
    from tests.test_decide import PRESENT, offer, settled, use_case
    from tests.test_lengths import facts

    here, d = PRESENT.endpoint.endpoint_id, settled(offer("other/mini", 500.0))

    def at(left: int) -> Finding:
        day = (NOW + timedelta(days=left)).date().isoformat()
        ends = {here: Endpoint(endpoint_id=here, model_id=None, provider="b", retires_on=day)}
        found = gates.retires(use_case(), d, replace(facts(), endpoints=ends), NOW, 400)
        assert found is not None
        return found

    accepted = {gates.key(at(40)): at(40).value}
    quiet = [left for left in range(-5, 100) if not gates.worse([at(left)], accepted)]
    assert quiet == list(range(31, 100))


def test_a_price_in_use_that_nobody_read_for_long_is_old_data_however_new_the_others_are() -> None:
    from tests.test_cost import rate
    from tests.test_decide import PRESENT, offer, settled, use_case
    from tests.test_lengths import facts

    own = rate("input", "2.5", known_from=NOW - timedelta(days=100))
    known = replace(facts(), rates=[own], data_as_of=NOW)
    assert isinstance(PRESENT.cost, Cost)
    priced = PRESENT.cost.model_copy(update={"rate_ids": (own.rate_id,)})
    pairs = [(use_case(), settled(offer("other/mini", 500.0), present=replace(PRESENT, cost=priced)))]
    fresh, dead = {"x": NOW - timedelta(days=2)}, {"x": NOW - timedelta(days=9)}
    assert gates.unread(pairs, known, fresh, NOW, 7) is None
    assert gates.unread(pairs, known, dead, NOW, 7) == "x, which prices triage, was last read 9 days ago."
    assert (
        gates.unread(pairs, replace(known, data_as_of=NOW - timedelta(days=8)), fresh, NOW, 7)
        == "its newest price is 8 days old."
    )


def test_a_budget_a_summary_and_json(home: Path, tmp_path: Path) -> None:
    registry, summary = tmp_path / "use_cases.yaml", tmp_path / "pr.md"
    registry.write_text(CASE)
    code, said = run(home, "--registry", str(registry), "--fail-over", "900%", "--summary", str(summary), "--json")
    told = json.loads(said)
    assert (code, told["exit_code"]) == (13, 13)
    assert told["worse"][0]["kind"] == "budget"
    text = summary.read_text()
    assert "**triage**" in text
    assert "| triage | openai:gpt-4o |" in text


def test_a_contract_price_is_never_printed(home: Path, tmp_path: Path) -> None:
    registry, summary = tmp_path / "use_cases.yaml", tmp_path / "pr.md"
    registry.write_text(
        CASE.replace(
            "openai/gpt-4o", "{id: openai/gpt-4o, price: {input_usd_per_mtok: 0.0123, output_usd_per_mtok: 77.7}}"
        )
    )
    code, said = run(home, "--registry", str(registry), "--fail-over", "1%", "--summary", str(summary))
    assert code in (10, 13)
    assert "$" not in said


def test_every_limit_that_is_passed_is_named_and_an_outcome_counts_its_calls(home: Path, tmp_path: Path) -> None:
    """$0.00265 a call (900 in at $2.5, 40 out at $10), three calls an outcome: $0.00795."""
    registry = tmp_path / "use_cases.yaml"
    registry.write_text(
        CASE.replace("20k/day", "{calls: 20k/day, calls_per_outcome: 3}").replace(
            "{month: 10}", "{call: 0.003, outcome: 0.007}"
        )
    )
    code, said = run(home, "--registry", str(registry), "--fail-over", "900%")
    assert (code, said.strip()) == (13, "triage: $0.00795 an outcome, budget $0.007")
    registry.write_text(registry.read_text().replace("call: 0.003", "call: 0.001"))
    _, said = run(home, "--registry", str(registry), "--fail-over", "900%")
    assert said.strip() == "triage: $0.00265 a call, budget $0.001, $0.00795 an outcome, budget $0.007"
    registry.write_text(registry.read_text().replace("call: 0.001, outcome: 0.007", "call: 0.003, outcome: 0.008"))
    assert run(home, "--registry", str(registry), "--fail-over", "900%") == (0, "")


def test_the_first_to_leave_of_the_model_in_use_and_its_fallbacks_is_named() -> None:
    from dataclasses import replace

    from data.records import Endpoint, EndpointChoice
    from tests.test_decide import PRESENT, offer, settled
    from tests.test_eligible import use_case
    from tests.test_lengths import facts

    d = settled(offer("other/mini", 500.0))
    spare = EndpointChoice(written="b/spare", model_id="b/spare", endpoint_id="b:spare")
    case = use_case().model_copy(update={"fallbacks": (spare,)})
    ends = {PRESENT.endpoint.endpoint_id: "2027-03-01", "b:spare": "2026-12"}
    known = replace(
        facts(),
        endpoints={e: Endpoint(endpoint_id=e, model_id=None, provider="b", retires_on=day) for e, day in ends.items()},
    )
    found = gates.retires(case, d, known, NOW, 60)
    assert found is not None
    assert (found.text, found.exit_code) == ("fallback b:spare retires in 7 days, on 2026-12", 11)
    assert gates.retires(case, d, known, NOW, 6) is None
    both = gates.retires(case.model_copy(update={"fallbacks": ()}), d, known, NOW, 97)
    assert both is not None
    assert both.text.endswith("retires in 97 days, on 2027-03-01")
    assert gates.retires(case, d, known, NOW, None) is None


def test_old_data_and_a_missing_database_are_told_apart_from_findings(home: Path, tmp_path: Path) -> None:
    old = CliRunner().invoke(app, ["check", "--data", str(home / "market.duckdb"), "--max-age", "3d"])
    assert "days old" in str(old.exception)
    assert getattr(old.exception, "exit_code", None) == 3
    gone = CliRunner().invoke(app, ["check", "--data", str(tmp_path / "none.duckdb"), "--fail-over", "10%"])
    assert getattr(gone.exception, "exit_code", None) == 3


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), 0),
        (("over",), 10),
        (("over", "retires"), 11),
        (("over", "unpriced", "retires"), 12),
        (("budget", "over"), 13),
        (("retires", "budget"), 11),
    ],
)
def test_the_first_of_several_codes(kinds: tuple[str, ...], code: int) -> None:
    assert gates.exit_code([Finding("x", k, 1.0, "") for k in kinds]) == code


@pytest.mark.parametrize(("text", "value"), [("20%", 0.2), ("0.2", 0.2), ("150 %", 1.5)])
def test_a_share(text: str, value: float) -> None:
    assert gates.share(text) == value


@pytest.mark.parametrize("text", ["", "twenty", "-5%", "5d", "1e3"])
def test_no_share(text: str) -> None:
    with pytest.raises(UsageError, match="share"):
        gates.share(text)


def test_days_and_weeks() -> None:
    assert [gates.days(t, "--fail-in") for t in ("60d", "8w", "7")] == [60, 56, 7]
    with pytest.raises(UsageError, match="days"):
        gates.days("soon", "--fail-in")


def test_a_broken_baseline_is_refused_and_a_name_cannot_become_markup(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_text("[]")
    with pytest.raises(UsageError, match="baseline"):
        gates.read_baseline(file)
    assert gates.plain("<!channel> [x](http://y) @all |") == "\\<!channel\\> \\[x\\](http://y) @\u200ball \\|"
