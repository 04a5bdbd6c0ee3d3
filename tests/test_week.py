"""A week of the schedule with a moved clock: restarts, an outage, both changes of summer time; every source on time, none twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from apscheduler.executors.debug import DebugExecutor

from jobs.schedule import Stop, overdue, planned
from scraper.source import Source

BEGIN = datetime(2026, 10, 21, 0, 30, tzinfo=UTC)  # a Wednesday; summer time ends on Sunday the 25th at 01:00 UTC
END = BEGIN + timedelta(days=8)
STEP = timedelta(minutes=1)
# days of 23, 24.5, 25 and 23.5 hours on the machine's own clock: where, when, and how far it jumps
CHANGES = [
    ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC), timedelta(hours=1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=-1)),
    ("America/New_York", datetime(2027, 3, 14, 7, tzinfo=UTC), timedelta(hours=1)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC), timedelta(hours=-1)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC), timedelta(minutes=30)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, tzinfo=UTC), timedelta(minutes=-30)),
]
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


@contextmanager
def living_in(zone: str) -> Iterator[None]:
    """The machine's own zone, which must not matter."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    with living_in(request.param):
        yield request.param


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
    clock.move_to(begin.timestamp())
    scheduler = planned(
        SOURCES, overdue(SOURCES, week.last, begin), scrape=week.scrape, check=lambda: week.job("check"),
        digest=lambda: week.job("digest"), answers=None, stop=stop, jitter=False,
        executor=DebugExecutor(),
    )  # fmt: skip
    scheduler.start(paused=True)
    scheduler.state = 1  # running, but only when told to look
    now = begin
    while now < end:
        clock.move_to(now.timestamp())  # a datetime in UTC would set the zone of the process too
        scheduler._process_jobs()
        now += STEP
    scheduler.shutdown(wait=False)


def test_a_week_with_restarts_an_outage_and_the_end_of_summer_time(zone: str) -> None:
    week = Week()
    lives = [(BEGIN, RESTARTS[0]), (RESTARTS[0] + STEP, DOWN[0]), (DOWN[1], RESTARTS[1]), (RESTARTS[1] + STEP, END)]
    with time_machine.travel(BEGIN.timestamp(), tick=False) as clock:
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
    assert [caught[n] for n in ("hour", "six", "day", "week", "check", "digest")] == [1] * 6
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
    quarters = [t for t in week.times("digest") if t not in {b for b, _ in up}]
    assert {t.minute for t in quarters} == {0, 15, 30, 45}, "every channel has its own time: what is due is looked for"


@pytest.mark.parametrize(("zone", "change", "jump"), CHANGES, ids=lambda x: str(x).partition(" ")[0])
def test_no_job_is_left_out_or_run_twice_on_the_day_that_the_clocks_change(
    zone: str, change: datetime, jump: timedelta
) -> None:
    """Three days around it, without an outage: each time of the schedule, in UTC, once, whatever the wall says."""
    begin = change.replace(hour=0, minute=30) - timedelta(days=1)
    week = Week()
    with living_in(zone), time_machine.travel(begin.timestamp(), tick=False) as clock:
        before, after = (change + timedelta(minutes=n) for n in (-1, 0))
        assert local(after) - local(before) == jump + timedelta(minutes=1), "the clock does jump here"
        live(week, begin, begin + timedelta(days=3), clock)
    due = {"hour": (72, 60), "six": (12, 360), "day": (3, 1440), "check": (3, 1440), "digest": (287, 15)}
    for name, (times, minutes) in due.items():
        ran = [t for t in week.times(name) if t != begin]  # at the start it catches up
        assert len(ran) == times, name
        assert {b - a for a, b in pairwise(ran)} == {timedelta(minutes=minutes)}, "evenly, through the change"
        assert all(t.utcoffset() == timedelta() for t in ran)


def local(at: datetime) -> datetime:
    return at.astimezone().replace(tzinfo=None)
