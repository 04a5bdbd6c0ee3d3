"""A week of the schedule with a moved clock: restarts, an outage, the end of summer time; every source on time, none twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
from apscheduler.executors.debug import DebugExecutor

from data.store import Store
from jobs.alerts import make_alert
from jobs.messages import platform_message
from jobs.outbox import enqueue
from jobs.schedule import Stop, overdue, planned
from jobs.work import missed_digest
from scraper.source import Source

BEGIN = datetime(2026, 10, 21, 0, 30, tzinfo=UTC)  # a Wednesday; summer time ends on Sunday the 25th at 01:00 UTC
END = BEGIN + timedelta(days=8)
STEP = timedelta(minutes=1)
DOWN = (
    datetime(2026, 10, 24, 3, 10, tzinfo=UTC),
    datetime(2026, 10, 26, 10, 20, tzinfo=UTC),
)  # over the change and the digest
RESTARTS = (datetime(2026, 10, 22, 7, 0, 30, tzinfo=UTC), datetime(2026, 10, 27, 5, 20, tzinfo=UTC))
PERIODS = {"hourly": 1, "every 6h": 6, "daily": 24, "weekly": 168}


def source(name: str, schedule: str) -> Source:
    return Source(id=name, kind="official", name=name, url="http://127.0.0.1/", schedule=schedule)


SOURCES = [
    source("hour", "hourly"),
    source("six", "every 6h"),
    source("day", "daily"),
    source("week", "weekly"),
    source("bad", "daily"),
]


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's own zone, which must not matter."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


class Week:
    """What ran when; `bad` fails every time. The clock only moves where the test moves it."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, datetime]] = []
        self.last: dict[str, datetime] = {}
        self.busy = False

    def scrape(self, name: str) -> None:
        self.job(name)
        if name == "bad":
            raise RuntimeError("a page that never answers")
        self.last[name] = datetime.now(UTC)

    def job(self, name: str) -> None:
        assert not self.busy, "two jobs at once"
        self.busy = True
        self.ran.append((name, datetime.now(UTC)))
        self.busy = False

    def times(self, name: str) -> list[datetime]:
        return [at for n, at in self.ran if n == name]


def live(week: Week, begin: datetime, end: datetime, clock: time_machine.Coordinates) -> None:
    """One life of the service, from start to its end."""
    stop = Stop()
    clock.move_to(begin)
    scheduler = planned(
        SOURCES, overdue(SOURCES, week.last, begin), scrape=week.scrape, check=lambda: week.job("check"),
        digest=lambda: week.job("digest"), missed=lambda: week.job("missed"), answers=None, stop=stop, jitter=False,
        executor=DebugExecutor(),
    )  # fmt: skip
    scheduler.start(paused=True)
    scheduler.state = 1  # running, but only when told to look
    now = begin
    while now < end:
        clock.move_to(now)
        scheduler._process_jobs()
        now += STEP
    scheduler.shutdown(wait=False)


def test_a_week_with_restarts_an_outage_and_the_end_of_summer_time(zone: str) -> None:
    week = Week()
    lives = [(BEGIN, RESTARTS[0]), (RESTARTS[0] + STEP, DOWN[0]), (DOWN[1], RESTARTS[1]), (RESTARTS[1] + STEP, END)]
    with time_machine.travel(BEGIN, tick=False) as clock:
        for begin, end in lives:
            live(week, begin, end, clock)
    up = [(b, e) for b, e in lives]
    for s in SOURCES:
        if s.id == "bad":
            continue
        times, period = week.times(s.id), timedelta(hours=PERIODS[s.schedule])
        assert len(times) == len(set(times))
        for a, b in pairwise(times):
            gap = b - a
            over_outage = a < DOWN[0] and b >= DOWN[1]
            assert gap <= period + timedelta(hours=1) or over_outage, (s.id, a, b)
        assert sum(DOWN[0] <= t < DOWN[1] for t in times) == 0
    caught = Counter(name for name, at in week.ran if at == DOWN[1])
    assert (
        caught["hour"] == caught["six"] == caught["day"] == caught["week"] == caught["check"] == caught["missed"] == 1
    )
    assert sorted({t.day for t in week.times("check")}) == [
        21,
        22,
        23,
        26,
        27,
        28,
    ]  # 07:00 of the 24th and 25th were in the outage
    assert [f"{t:%d %H:%M}" for t in week.times("week")] == [
        "21 00:30",
        "26 10:20",
    ]  # its Monday was missed, not its week
    daily = [t for t in week.times("day") if t.minute == sum(b"day") % 60]
    assert {t.hour for t in daily if t not in {b for b, _ in up}} == {5}  # in UTC, whatever the machine's clock does
    assert len(week.times("bad")) >= 6  # its failures stop nobody and are tried again
    assert week.times("digest") == []  # the service was down then: `missed` ran in its place


def test_a_digest_is_missed_only_after_its_hour_and_once(tmp_path: Path) -> None:
    monday = datetime(2026, 10, 26, 9, tzinfo=UTC)

    def note(store: Store, at: datetime) -> None:
        with store.transaction():
            enqueue(
                store, make_alert("rollup", "#p", platform_message("week", ["x"]), at, key=at.isoformat()), run_id="d"
            )

    with Store(tmp_path) as store:
        assert not missed_digest(store, monday + timedelta(hours=1))  # a first week has none to miss
        note(store, monday - timedelta(days=7))
        assert not missed_digest(store, monday - timedelta(minutes=1))
        assert missed_digest(store, monday + timedelta(hours=1))
        assert missed_digest(store, monday + timedelta(days=5))
        note(store, monday + timedelta(hours=2))
        assert not missed_digest(store, monday + timedelta(days=5))
        assert missed_digest(store, monday + timedelta(days=7, hours=1))
