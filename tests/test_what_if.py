"""`rank --set`: the choice under another entry, on the facts as published; a wrong change is one message, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import UsageError
from data.registry.changes import apply_changes, read_change
from data.registry.document import read_document
from jobs.cli import app

REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"
ENTRY = """defaults:
  require: {regions: [eu], context: 8k}
use_cases:
  one: {task: classification, model: openai/gpt-4o, traffic: 20k/day, tokens: {in: 900, out: 40}, channel: "#x"}
  two: {task: classification, model: openai/gpt-4o, traffic: 20k/day, tokens: {in: 900, out: 40}, channel: "#x"}
"""


@pytest.fixture(scope="module")
def home(demo: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo(tmp_path_factory.mktemp("what-if") / "home")


def run(home: Path, *words: str) -> tuple[int, str, str]:
    env = {"UNDERCUT_HOME": str(home), "UNDERCUT_REGISTRY": str(REGISTRY), "NO_COLOR": "1", "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["rank", *words], env=env)
    said = str(done.exception) if isinstance(done.exception, UsageError) else ""
    return done.exit_code, done.stdout, said


def costs(home: Path, *words: str) -> dict[str, float]:
    code, out, _ = run(home, "code-review", "--json", *words)
    assert code == 0
    return {
        f"{r['endpoint']} {r['tier']} {r['variant']}": r["usd_per_month"] for r in map(json.loads, out.splitlines())
    }


def test_twice_the_calls_cost_twice_as_much_and_nothing_is_written(home: Path) -> None:
    def kept() -> dict[str, bytes]:
        return {str(f): f.read_bytes() for f in home.rglob("*") if f.is_file()}

    before, plain = kept(), costs(home)
    double = costs(home, "--set", "traffic=80k/month")
    priced = [k for k, usd in plain.items() if usd and double.get(k)]
    assert len(priced) > 100, "retries and outcomes stay as they are: only the calls are said anew"
    assert all(double[k] == pytest.approx(2 * plain[k], rel=1e-3, abs=0.02) for k in priced)
    assert kept() == before


def test_both_decisions_are_told_and_that_nothing_was_written(home: Path) -> None:
    code, out, _ = run(home, "code-review", "--set", "quality.confidence=0.99", "--most", "3")
    assert code == 0
    first, second, third = out.splitlines()[:3]
    assert first.startswith("registered")
    assert "switch → " in first
    assert second.startswith("would be")
    assert "you ask 99%" in second
    assert third == "with quality.confidence=0.99; nothing was written"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("traffic", "'traffic' is no change"),
        ("trafic=1k/day", 'unknown key "trafic"'),
        ("traffic=20000", "20000 has no period"),
        ("quality=neer", 'no quality "neer"'),
        ("model=openai/gpt-99", "openai/gpt-99 is not in the catalogue"),
        ("task=", '"task" is missing'),
        ("require.regions=[eu", "cannot read the value"),
    ],
)
def test_a_change_that_no_entry_could_hold_is_one_message(home: Path, change: str, said: str) -> None:
    code, out, told = run(home, "code-review", "--set", change)
    assert (code, out) == (1, "")  # the runner's code of an exception; `main` makes it 2
    assert said in told
    assert "--set" in told


def test_a_change_reaches_its_entry_alone_and_a_dropped_key_its_default_too(tmp_path: Path) -> None:
    file = tmp_path / "use_cases.yaml"
    file.write_text(ENTRY, encoding="utf-8")
    document = read_document(file)
    said = ["traffic.batchable=0.5", "traffic=30k/day", "require.regions=", "switch.payback_days=30", "quality=near"]
    apply_changes(document, "one", [read_change(s) for s in said])
    one, two = document.tree["use_cases"]["one"], document.tree["use_cases"]["two"]
    assert one["traffic"] == {"calls": "30k/day", "batchable": 0.5}
    assert (one["switch"], one["quality"], two["traffic"]) == ({"payback_days": 30}, "near", "20k/day")
    assert document.tree["defaults"]["require"] == {"context": "8k"}
    assert file.read_text(encoding="utf-8") == ENTRY
