"""The service: when sources are due, one instance, a clean end, nothing at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.errors import UsageError
from data.store import Store
from jobs.schedule import last_successes, overdue, run_service, trigger_of
from scraper.source import Source

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
ROOT = Path(__file__).parents[1]


def source(name: str = "page", schedule: str = "daily") -> Source:
    return Source(id=name, kind="official", name=name, url="http://127.0.0.1/", schedule=schedule)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [("hourly", 1), ("every 6h", 6), ("daily", 24), ("weekly", 168)],
)
def test_a_schedule_keeps_its_period(schedule: str, gap: int) -> None:
    trigger = trigger_of(source(schedule=schedule), jitter=False)
    first = trigger.get_next_fire_time(None, NOW)
    second = trigger.get_next_fire_time(first, first + timedelta(seconds=1))
    assert second - first == timedelta(hours=gap)
    assert first.utcoffset() == timedelta(0)
    if schedule == "weekly":
        assert first.strftime("%a") == "Mon"


def test_an_unreadable_schedule_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"page\.yaml.*0 9 \* \* 1.*hourly"):
        trigger_of(source(schedule="0 9 * * 1"))


def test_overdue_is_what_was_due_since_its_last_success_longest_ago_first() -> None:
    known = [source("a"), source("b"), source("c"), source("d", "hourly"), source("w", "weekly"), source("never")]
    ago = {
        "a": 3,
        "b": 25,
        "c": 99,
        "d": 1,
        "w": 60,
    }  # it is Wednesday noon; daily sources are due at five, weekly on Monday
    last = {k: NOW - timedelta(hours=h) for k, h in ago.items()}
    assert overdue(known, last, NOW) == ["never", "c", "w", "b", "d"]


def test_a_failed_run_is_no_success(tmp_path: Path) -> None:
    assert last_successes(tmp_path / "nothing yet") == {}
    rows = [
        {"run_id": str(n), "kind": "scrape", "source_id": "a", "started_at": NOW + timedelta(hours=n), "outcome": o}
        for n, o in enumerate(("new", "unchanged", "failed"))
    ]
    with Store(tmp_path) as store:
        store.insert("run", rows)
    assert last_successes(tmp_path) == {"a": NOW + timedelta(hours=1)}


SERVICE = """
import sys, time, threading
from datetime import UTC, datetime
from pathlib import Path
from jobs.schedule import run_service
from tests.test_schedule import source
at_work = threading.Lock()
def print(*words, **_):
    sys.stdout.write(" ".join(words) + "\\n")  # one write, so that threads do not mix lines
    sys.stdout.flush()
def job(name, seconds):
    if not at_work.acquire(blocking=False):
        print("OVERLAP", flush=True)
    print("begin", name, flush=True)
    time.sleep(seconds)
    print("end", name, flush=True)
    at_work.release()
    if name == "bad": raise ValueError("broken page")
sources = [source("fresh"), source("bad"), source("late")]
run_service(Path(sys.argv[1]), sources, scrape=lambda i: job(i, float(sys.argv[2])), check=lambda: job("check", 0),
    last_success={"fresh": datetime.now(UTC)}, ready=lambda: print("ready", flush=True))
print("over", flush=True)
"""


Start = Callable[[float], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the service in a process of its own; what is left of it at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVICE, str(tmp_path), str(seconds)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True))
        return running[-1]

    yield begin
    for process in running:
        with process:  # closes its pipes and waits
            process.kill()


def read_to(process: subprocess.Popen[str], line: str) -> list[str]:
    assert process.stdout is not None
    seen: list[str] = []
    while not seen or seen[-1] != line:
        got = process.stdout.readline()
        assert got, seen
        seen.append(got.strip())
    return seen


def test_it_catches_up_survives_a_bad_job_and_checks_last(start: Start) -> None:
    process = start(0.05)
    seen = read_to(process, "end check")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert [s for s in seen if s != "ready"] == [
        "begin bad", "end bad", "begin late", "end late", "begin check", "end check",
    ]  # fmt: skip
    assert "over" in out
    assert "broken page" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_job_at_work_and_starts_no_other(start: Start, number: signal.Signals) -> None:
    process = start(2)
    read_to(process, "begin bad")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "end bad" in out
    assert "begin late" not in out
    assert "OVERLAP" not in out


def test_a_second_service_is_refused_and_the_lock_ends_with_its_holder(tmp_path: Path, start: Start) -> None:
    process = start(0)
    read_to(process, "end check")
    with pytest.raises(UsageError, match="another `undercut run`"):
        run_service(tmp_path, [], scrape=print, check=lambda: None)
    process.kill()
    process.communicate(timeout=60)
    again = start(0)
    read_to(again, "end check")
    began = time.monotonic()
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert time.monotonic() - began < 5
