"""The threat model of jobs/README.md: every line names a test that exists; examples in it are real commands."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from apscheduler.triggers.cron import CronTrigger
from ruamel.yaml import YAML
from typer.main import get_command

from data.errors import StoreError, UndercutError
from data.records import Alert
from data.registry import load_registry
from data.store import Store
from jobs.cli import app
from jobs.settings import Settings
from jobs.slack import BotSender
from scraper.capture import Bodies
from scraper.match import Matcher

ROOT = Path(__file__).parents[1]
README = (ROOT / "jobs" / "README.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:4] for line in README.splitlines() if line.startswith("| ") and "`tests/" in line]
TOKEN = "xoxb-fake-never-anywhere-4711"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip()[:40])
def test_every_line_of_the_threat_model_names_a_test_that_exists(row: list[str]) -> None:
    file, _, name = row[2].strip().strip("`").partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def test_the_threat_model_is_there() -> None:
    assert len(ROWS) >= 15


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/cron.d/x", "..\\..\\x", "a\x00b", "con", "name with spaces", "x" * 5000]
)
def test_no_text_of_a_page_becomes_a_path(tmp_path: Path, name: str) -> None:
    before = set(tmp_path.parent.iterdir())
    Bodies(tmp_path).put(name.encode())
    made = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert made
    assert all(re.fullmatch(r"[0-9a-f]{64}(\.\w+)*", p.name) for p in made)
    assert set(tmp_path.parent.iterdir()) == before
    with pytest.raises(StoreError, match="no SHA-256"):  # what asks for a kept body names it by its hash, or not at all
        Bodies(tmp_path).get(name)
    registry = tmp_path / "use_cases.yaml"
    registry.write_text(
        f"use_cases:\n  {name!r}: {{task: classification, model: openai/gpt-4o, traffic: 1k/day, tokens: {{in: 1, out: 1}}, channel: '#x'}}\n"
    )
    if not re.fullmatch(r"[a-z0-9-]{2,63}", name):
        with pytest.raises(UndercutError):
            load_registry([registry], Matcher.from_package().resolve)


def test_a_token_is_in_no_trace_database_or_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: Callable[[Path], Path]
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    found = Settings()
    sender = BotSender(TOKEN, "http://127.0.0.1:9/api/", timeout_s=1, sleep=lambda _: None)
    answer = sender.send("#x", {"text": "x"}, "msg-1")
    assert TOKEN not in f"{answer} {found!r}"
    try:
        assert found.slack_bot_token is not None
        raise RuntimeError(f"something with {found} and {found.slack_bot_token}")
    except RuntimeError:
        assert TOKEN not in traceback.format_exc()
    demo(tmp_path / "db")
    with Store(tmp_path / "db") as store:
        store.insert("alert", [])
        assert "token" not in {c["name"] for c in store.rows("select column_name as name from duckdb_columns()")}
    for file in (tmp_path / "db").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()
    assert "token" not in Alert.model_fields


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("use_cases: !!python/object/apply:os.system ['touch hacked']\n", "tags such as !!python/object"),
        ("use_cases: !run {a: 1}\n", "tags such as !run"),
        ("use_cases: {a: !x {task: classification}}\n", "tags such as !x"),
        ("use_cases: &a [*a]\n", "use_cases"),
    ],
)
def test_a_registry_cannot_run_anything(tmp_path: Path, text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "use_cases.yaml").write_text(text)
    with pytest.raises(UndercutError, match=said):
        load_registry([tmp_path / "use_cases.yaml"], Matcher.from_package().resolve)
    assert [p.name for p in tmp_path.iterdir()] == ["use_cases.yaml"]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)


def known(command: str) -> None:
    """A command line of undercut whose subcommand and options exist."""
    words = shlex.split(command)
    start = next(i for i, w in enumerate(words) if w.endswith("undercut"))
    sub, *rest = words[start + 1 :]
    group = get_command(app)
    command_found = group.commands[sub]  # type: ignore[attr-defined]
    options = {o for p in command_found.params for o in p.opts}
    assert {w for w in rest if w.startswith("--")} <= options, command


def test_the_cron_lines_are_cron_lines_and_run_real_commands() -> None:
    lines = blocks("cron")[0].splitlines()
    assert len(lines) == 3
    for line in lines:
        fields = line.split(None, 5)
        CronTrigger.from_crontab(" ".join(fields[:5]))
        known(fields[5].split("&&")[1].split(">>")[0])


def test_the_systemd_unit_starts_a_real_command() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(blocks("ini")[0])
    known(unit["Service"]["ExecStart"])
    names = set(re.findall(r"\b((?:UNDERCUT|SLACK)_[A-Z_]+)=", blocks("ini")[0]))
    assert {n.lower() for n in names} <= set(Settings.model_fields)


def test_the_build_step_is_yaml_with_a_real_command() -> None:
    tree = YAML(typ="safe").load(blocks("yaml")[0])
    steps = [s["run"] for s in tree["jobs"]["models"]["steps"] if "run" in s]
    for step in steps:
        known(step)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_build_step_runs_as_it_stands(tmp_path: Path, demo: Callable[[Path], Path]) -> None:
    """In a folder as its words suppose: entries under llm/, the published copy beside them, no settings and no secrets."""
    step = next(s["run"] for s in YAML(typ="safe").load(blocks("yaml")[0])["jobs"]["models"]["steps"] if "run" in s)
    copy = demo(tmp_path / "home") / "market.duckdb"
    shutil.copyfile(copy.resolve(), tmp_path / "market.duckdb")
    (tmp_path / "llm").mkdir()
    entry = "task: classification, model: openai/gpt-4o, traffic: 20k/day, tokens: {in: 900, out: 40}, channel: '#x'"
    (tmp_path / "llm" / "own.yaml").write_text(f"use_cases:\n  own-triage: {{{entry}}}\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERCUT_", "SLACK_"))}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"

    def run(words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, shell=True, check=False, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=500
        )

    old = run(step)
    assert (old.returncode, old.stdout) == (3, ""), "the shipped prices are older than the week that the step asks for"
    assert "days old" in old.stderr
    done = run(step.replace("--max-age 7d", "--max-age 3650d"))
    assert done.returncode in (0, 10, 11), done.stderr
    assert (tmp_path / "summary.md").read_text().startswith("### undercut")
    assert not (tmp_path / "data").exists(), "a build writes nothing but what it was asked for"
