"""The commands as a person runs them: the demo twice, every bad input with its exit code, and readers while writing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def run(*words: str, home: Path, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERCUT_", "SLACK_"))}
    settings = clean | {"UNDERCUT_HOME": str(home)} | env
    return subprocess.run(
        [str(BIN / "undercut"), *words],
        input=text,
        check=False,
        capture_output=True,
        text=True,
        env=settings,
        cwd=ROOT,
        timeout=120,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home filled by the demo."""
    folder = tmp_path_factory.mktemp("home")
    done = run("demo", home=folder)
    assert done.returncode == 0, done.stderr
    (folder / "first.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_demo_decides_every_use_case_and_shows_the_messages(home: Path) -> None:
    said = (home / "first.txt").read_text(encoding="utf-8")
    for slug in (
        "support-triage",
        "ticket-summary",
        "docs-answers",
        "code-review",
        "nightly-tagging",
        "contract-extraction",
    ):
        assert slug in said
    assert "as of 10 Nov 2026" in said
    assert "first run" in said
    assert "held, not sent (first run: the onboarding summary only)" in said
    assert said.rstrip().splitlines()[-1].startswith("Next: undercut explain rec-")


def test_a_second_demo_changes_nothing_and_says_so(home: Path) -> None:
    counts = "select table_name, estimated_size from duckdb_tables() order by 1"
    before = run("sql", counts, "--json", home=home).stdout
    again = run("demo", home=home)
    assert again.returncode == 0
    assert "Nothing changed since the last run" in again.stdout
    assert run("sql", counts, "--json", home=home).stdout == before


def test_a_first_run_sends_no_alert(home: Path) -> None:
    alerts = [
        json.loads(line)
        for line in run(
            "sql", "select kind, withheld_because, sent from alerts", "--json", home=home
        ).stdout.splitlines()
    ]
    assert {a["kind"] for a in alerts if a["withheld_because"] == "demo: shown, never sent"} == {"onboarding"}
    assert all(a["withheld_because"].startswith("first run") for a in alerts if a["kind"] == "cheaper")
    assert json.loads(run("sql", "select count(*) as n from outbox", "--json", home=home).stdout) == {"n": 0}


def test_every_figure_of_a_finding_leads_to_the_kept_text(home: Path) -> None:
    rec = json.loads(
        run("sql", "select rec from recommendations where verdict = 'switch' limit 1", "--json", home=home).stdout
    )["rec"]
    found = json.loads(run("explain", rec, "--json", home=home).stdout)
    assert found["rates"]
    assert all(r["kept"].endswith("✓") for r in found["rates"] + found["scores"])


def test_private_prices_never_reach_the_database_or_a_message(tmp_path: Path) -> None:
    registry = tmp_path / "own.yaml"
    registry.write_text(
        "use_cases:\n  secret-deal:\n    task: classification\n    model: {id: openai/gpt-4o, discount: 0.3717, price: {input_usd_per_mtok: 1.2345}}\n"
        '    traffic: 20k/day\n    tokens: {in: 900, out: 40}\n    channel: "#x"\n',
        encoding="utf-8",
    )
    done = run("demo", home=tmp_path / "h", UNDERCUT_REGISTRY=str(registry))
    assert done.returncode == 0, done.stderr
    everything = run("sql", "select * from use_case", "--json", home=tmp_path / "h").stdout
    everything += run("sql", "select * from recommendation", "--json", home=tmp_path / "h").stdout
    kept = json.loads(
        run("sql", "select cost_usd_per_month as usd from use_cases", "--json", home=tmp_path / "h").stdout
    )
    assert round(kept["usd"]) == 1612  # at list prices
    for secret in ("0.3717", "1.2345"):
        assert secret not in everything
        assert secret not in done.stdout


def test_no_sum_that_is_kept_lets_a_discount_be_reckoned_back(tmp_path: Path) -> None:
    """Two teams with the same work, one with a contract: the published copy and the message show the same sums for both."""
    entry = "    task: classification\n    model: {{id: openai/gpt-4o{0}}}\n    traffic: {{calls: 20k/day, batchable: 0.9}}\n" \
            '    tokens: {{in: 900, out: 40}}\n    channel: "#x"\n'  # fmt: skip
    registry = tmp_path / "own.yaml"
    registry.write_text(
        "use_cases:\n  open-deal:\n" + entry.format("") + "  secret-deal:\n" + entry.format(", discount: 0.0837"),
        encoding="utf-8",
    )
    done = run("demo", home=tmp_path / "h", UNDERCUT_REGISTRY=str(registry))
    assert done.returncode == 0, done.stderr
    sums = "endpoint, tier, cost_usd_per_month, cost_low_usd_per_month, cost_high_usd_per_month, cost_usd_per_call"
    query = f"select {sums}, saving_usd_per_month from candidates where use_case = '{{}}-deal' order by all"
    shown, secret = (run("sql", query.format(n), "--json", home=tmp_path / "h").stdout for n in ("open", "secret"))
    assert '"batch"' in shown
    assert shown == secret


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        (["demo"], {"UNDERCUT_REGISTRY": "none.yaml"}, 2, "none.yaml:1:1"),
        (["sql", "select * from nope"], {}, 2, "nope"),
        (["sql", "copy prices to 'x.csv'"], {}, 2, "sql"),
        (["explain", "rec-000000"], {}, 3, "rec-"),
        (["explain", "nobody"], {}, 3, "support-triage"),
        (["rank", "nobody"], {}, 3, "code-review"),
        (["scrape", "nobody"], {}, 2, "openai"),
        (["feedback", "rec-000000", "approve"], {}, 3, "rec-000000"),
        (["feedback", "rec-000000", "maybe"], {}, 2, "approve"),
        (["check", "--registry", "none.yaml"], {}, 2, "none.yaml"),
    ],
)
def test_bad_input_is_one_message_with_the_fix(
    home: Path, words: list[str], env: dict[str, str], code: int, said: str
) -> None:
    done = run(*words, home=home, **env)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Fix:" in done.stderr


def test_no_database_yet_names_the_command(tmp_path: Path) -> None:
    done = run("rank", "docs-answers", home=tmp_path)
    assert (done.returncode, "undercut demo" in done.stderr) == (3, True)


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    registry = tmp_path / "own.yaml"
    registry.write_text(
        'use_cases:\n  triage:\n    task: classification\n    model: openai/gpt-4.11\n    traffic: 20k/day\n    tokens: {in: 9, out: 4}\n    channel: "#x"\n',
        encoding="utf-8",
    )
    done = run("demo", home=tmp_path / "h", UNDERCUT_REGISTRY=str(registry))
    assert done.returncode == 2
    assert "own.yaml:4:12: triage.model: openai/gpt-4.11 is not in the catalogue." in done.stderr
    assert "openai/gpt-4.1" in done.stderr
    assert not (tmp_path / "h" / "market.duckdb").exists()


def test_an_unwritable_home_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("demo", home=tmp_path / "file" / "home")
    assert (done.returncode, "UNDERCUT_HOME" in done.stderr) == (2, True)


def test_a_decision_of_a_person_is_kept_and_printed_as_yaml(home: Path) -> None:
    rec = json.loads(
        run("sql", "select rec from recommendations where verdict = 'test' limit 1", "--json", home=home).stdout
    )["rec"]
    done = run("feedback", rec, "reject", "--why", 'no: {contract}, "yet"', "--reopen-if", "evidence=A", home=home)
    assert done.returncode == 0, done.stderr
    from ruamel.yaml import YAML

    patch = YAML(typ="safe").load(done.stdout)
    (entry,) = next(iter(patch["use_cases"].values()))["decisions"]
    assert (entry["verdict"], entry["why"], entry["reopen_if"]) == ("rejected", 'no: {contract}, "yet"', "evidence=A")
    state = json.loads(run("sql", f"select state from recommendations where rec = '{rec}'", "--json", home=home).stdout)
    assert state == {"state": "rejected"}
    assert done.stdout.startswith("# recorded: rejected until "), "it says that it is kept"
    bare = run("feedback", rec, "reject", home=home)
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "a no needs its reason" in bare.stderr
    again = run("feedback", rec, "approve", home=home).stdout.splitlines()
    assert again[0] == "# recorded: approved"
    assert again[1].startswith("# in place of: rejected until 20"), "the first reason is not hidden by the second"
    assert again[1].partition(", said")[0].endswith(', "no: {contract}, \\"yet\\""')


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from data.store import Store
with Store(Path(sys.argv[1])) as store:
    for n in range(12):
        with store.transaction():
            store.insert("run", [{"run_id": str(n), "kind": "test", "started_at": datetime.now(UTC)}])
            store.insert("run", [{"run_id": str(n), "kind": "test", "started_at": datetime.now(UTC)}])
        store.publish()
"""


def test_the_copy_opens_in_the_duckdb_command_line_tool_while_a_cycle_writes(home: Path) -> None:
    """Rows are written in pairs: a reader that saw an odd number would have seen half a cycle."""
    query = "select count(*) as runs, (select count(*) from prices) as prices from run"
    words = [str(BIN / "duckdb"), "-readonly", "-json", str(home / "market.duckdb"), query]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home)], cwd=ROOT)
    seen = []
    while writer.poll() is None:
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seen.append(json.loads(done.stdout)[0])
    assert writer.returncode == 0
    assert len({s["runs"] for s in seen}) > 2
    assert all(s["runs"] % 2 == 0 and s["prices"] > 5000 for s in seen)


def test_help_answers_in_under_300_ms() -> None:
    best = 9.0
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([str(BIN / "undercut"), "--help"], capture_output=True, check=True)
        best = min(best, time.perf_counter() - begun)
    heavy = "import sys; import jobs.cli; print([m for m in ('numpy', 'sklearn', 'duckdb', 'pydantic', 'playwright', 'bs4') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == "[]"
    assert best < 0.9  # the limit is 0.3 s on a free machine; this one may be busy
