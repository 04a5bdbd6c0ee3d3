"""A stale source is told once, metrics hold no secret, a log line is one object, and a token's file is its owner's alone."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from data.errors import UsageError
from data.store import Store
from jobs.doctor import examine
from jobs.lock import service_lock
from jobs.logs import JsonLines
from jobs.messages import plain
from jobs.metrics import Metrics
from jobs.outbox import enqueue
from jobs.schedule import serve
from jobs.settings import Settings, read_secret, settings
from jobs.stale import stale_alerts, stale_sources
from tests.slack_server import TOKEN, SlackServer

NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)
SECRET = "xoxb-not-a-real-token-77"


def run(store: Store, source: str, outcome: str, days_ago: float, detail: str = "") -> None:
    at = NOW - timedelta(days=days_ago)
    row = {"run_id": f"{source}{days_ago}", "kind": "scrape", "source_id": source, "started_at": at, "finished_at": at}
    store.insert("run", [{**row, "outcome": outcome, "detail": detail}])


def told(store: Store, now: datetime, platform: str | None = "#platform") -> list[str]:
    alerts = stale_alerts(store, now, platform)
    with store.transaction():
        for a in alerts:
            enqueue(store, a, run_id="stale")
    return [plain(a.message) for a in alerts]


def test_a_stale_source_is_told_once_and_again_only_after_it_was_well(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run(store, "fine", "unchanged", 0.5)
        run(store, "broken", "new", 9)
        run(store, "broken", "failed", 1, "HTTP 503")
        first = told(store, NOW)
        assert len(first) == 1
        assert "broken since 2026-11-11  HTTP 503" in first[0]
        assert "fine" not in first[0]
        assert told(store, NOW + timedelta(days=1, hours=-12)) == []
        run(store, "broken", "changed", 0.1)
        assert told(store, NOW) == []
        later = NOW + timedelta(days=9)
        run(store, "fine", "unchanged", -8.9)
        assert "broken since 2026-11-20" in told(store, later)[0]
        assert told(store, later + timedelta(days=1)) == []


def test_a_source_that_was_never_read_well_is_stale_after_a_week_and_not_before(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run(store, "new", "failed", 6, "HTTP 403")
        assert stale_sources(store, NOW) == []
        assert "new never read  HTTP 403" in told(store, NOW + timedelta(days=2))[0]


def test_without_a_platform_channel_it_is_recorded_and_says_what_is_missing(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run(store, "broken", "new", 9)
        told(store, NOW, None)
        rows = store.rows("select withheld_because from alert where kind = 'stale'")
        assert [r["withheld_because"] for r in rows] == ["no platform channel: set UNDERCUT_PLATFORM_CHANNEL"]
        assert store.rows("select * from outbox") == []
        told(store, NOW + timedelta(hours=1), None)
        assert len(store.rows("select * from alert")) == 1
        assert len(told(store, NOW + timedelta(days=1), "#llm-platform")) == 1, "nobody had been told"
        assert told(store, NOW + timedelta(days=2), "#llm-platform") == []


def test_check_send_of_cron_tells_of_stale_sources_too(
    tmp_path: Path, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.commands.decide import _deliver

    for name, value in (("SLACK_BOT_TOKEN", TOKEN), ("UNDERCUT_SLACK_URL", slack.api), ("UNDERCUT_PLATFORM_CHANNEL", "#llm-platform")):  # fmt: skip
        monkeypatch.setenv(name, value)
    with Store(tmp_path) as store:
        run(store, "broken", "new", 9 - (datetime.now(UTC) - NOW).days)
        assert [_deliver(store).sent for _ in range(2)] == [1, 0]
    assert ["stale for over 7 days" in m["text"] for m in slack.posted] == [True]


def test_metrics_are_served_on_loopback_and_tell_jobs_sources_and_the_outbox(tmp_path: Path) -> None:
    metrics = Metrics()
    with Store(tmp_path) as store, metrics.timed("check"):
        metrics.after_check(store, NOW, 2)
    with pytest.raises(ValueError, match="fault"), metrics.timed("scrape"):
        raise ValueError("fault")
    metrics.well("openai", NOW)
    port = metrics.serve(0)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    for line in (
        'undercut_jobs_total{job="check",outcome="done"} 1.0',
        'undercut_jobs_total{job="scrape",outcome="failed"} 1.0',
        "undercut_sources_stale 2.0",
        "undercut_outbox_waiting 0.0",
        f'undercut_source_last_success_timestamp_seconds{{source="openai"}} {NOW.timestamp():.1f}'.replace(".0", ""),
    ):
        assert line in text or line.split("} ")[0] in text
    with pytest.raises(OSError):  # no other address of this machine answers
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_a_log_line_is_one_object_with_the_fields_of_its_run() -> None:
    record = logging.makeLogRecord(
        {"name": "undercut.schedule", "levelname": "INFO", "msg": "%s", "args": ("a\nb",), "created": 0.0, "source": "openai",
         "outcome": "failed", "claims": 0, "error": "HTTP 503"}
    )  # fmt: skip
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00", "level": "INFO", "logger": "undercut.schedule", "message": "a\nb",
        "source": "openai", "outcome": "failed", "claims": 0, "error": "HTTP 503",
    }  # fmt: skip


def test_a_token_comes_from_a_file_that_only_its_owner_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(file))
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    found = Settings()
    assert found.slack_bot_token is not None
    assert found.slack_bot_token.get_secret_value() == SECRET
    assert SECRET not in repr(found) + str(found.model_dump()) + found.model_dump_json()
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    assert Settings().slack_bot_token is not None
    assert Settings().slack_bot_token.get_secret_value() == "xoxb-other"  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_token_file_that_others_can_read_is_refused_and_not_quoted(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    file.chmod(mode)
    with pytest.raises(UsageError, match="others can read") as refused:
        read_secret(file, "SLACK_BOT_TOKEN_FILE")
    assert SECRET not in str(refused.value)
    assert "chmod 600" in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"one\ntwo\n", b"\xff\xfe"])
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(body)
    file.chmod(0o600)
    with pytest.raises(UsageError):
        read_secret(file, "SLACK_BOT_TOKEN_FILE")
    with pytest.raises(UsageError, match="cannot be read"):
        read_secret(tmp_path / "none", "SLACK_BOT_TOKEN_FILE")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("UNDERCUT_METRICS_PORT", "abc", "a valid integer"),
        ("UNDERCUT_METRICS_PORT", "70000", "less than or equal to 65535"),
        ("UNDERCUT_LOG", "xml", "'text' or 'json'"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_with_the_fix_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=rf"{variable} should be .*{said}.* Fix: set or unset {variable}") as told:
        settings()
    assert value not in str(told.value)


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UNDERCUT_METRICS_PORT", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "UNDERCUT_HOME", "UNDERCUT_STORE"):
        monkeypatch.setenv(name, "")
    found = settings()
    assert (found.undercut_metrics_port, found.slack_app_token, found.slack_bot_token) == (None, None, None)
    assert (found.undercut_home, found.undercut_store) == (Path("data/db"), None)


def test_a_metrics_port_in_use_is_told_and_another_service_before_anything_is_opened(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be opened"):
            serve(Settings(undercut_home=tmp_path, undercut_metrics_port=port))
        code = (
            "import sys; from pathlib import Path; from jobs.schedule import serve; from jobs.settings import Settings\n"
            "serve(Settings(undercut_home=Path(sys.argv[1]), undercut_metrics_port=int(sys.argv[2])))"
        )
        with service_lock(tmp_path), Store(tmp_path):
            command = [sys.executable, "-c", code, str(tmp_path), str(port)]
            second = subprocess.run(command, check=False, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert "another `undercut run` has this home" in second.stderr


def test_doctor_says_how_old_the_newest_reading_is_and_what_the_registry_lacks(tmp_path: Path) -> None:
    file, now = tmp_path / "use_cases.yaml", datetime.now(UTC)
    file.write_text("use_cases:\n  a:\n    require: {regions: [eu], regions: [us]}\n", encoding="utf-8")

    def lines() -> list[tuple[bool, str]]:
        found = examine(Settings(undercut_home=tmp_path / "home", undercut_registry=str(file)))
        return [
            (f.ok, f.what)
            for f in found
            if f.what.startswith(("newest", "nothing was", "registry", "2 sources", "1 source"))
        ]

    assert [ok for ok, _ in lines()] == [False], "no database: nothing is said of its age"
    with Store(tmp_path / "home") as store:
        store.publish()
        assert lines()[0] == (False, "nothing was read yet")
        for age, ok in ((9, False), (1, True)):
            run(store, f"page{age}", "new", age - (now - NOW).days)
            row = {
                "sha256": f"{age}",
                "source_id": f"page{age}",
                "url": "http://x/",
                "fetched_at": now - timedelta(days=age),
                "outcome": "new",
                "bytes": 1,
                "renderer": "plain",
            }
            with store.transaction():
                store.insert("capture", [row])
            store.publish()
            days = f"{age} day{'s' * (age > 1)} ago"
            assert lines()[0] == (ok, f"newest reading {now - timedelta(days=age):%d %b %Y}, {days}")
    assert lines()[1] == (False, "1 source gave nothing good for 7 days: page9")
    assert lines()[-1][0] is False
    assert '"regions" again' in lines()[-1][1]


def test_doctor_says_of_a_copy_that_is_none_that_it_cannot_be_read(tmp_path: Path) -> None:
    copy = tmp_path / "market.duckdb"
    duckdb.connect(str(copy)).execute("create table other (a int)").close()
    for junk in (None, b"no database at all, and longer than a header would be" * 90):
        if junk:
            copy.write_bytes(junk)
        found = examine(Settings(undercut_home=tmp_path, undercut_registry=str(tmp_path / "none.yaml")))
        assert [f.ok for f in found if "cannot be read" in f.what] == [False]
