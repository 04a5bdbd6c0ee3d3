"""When a digest is due: at its own time of its own zone, once a week or a day, through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.post_days import USUAL, WEEKDAYS, issue_of, last_due

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        (USUAL, "2026-11-23 08:59", "2026-11-16 09:00"),
        (USUAL, "2026-11-23 09:00", "2026-11-23 09:00"),
        ("Mon 09:00 Europe/Berlin", "2026-11-23 08:00", "2026-11-23 08:00"),
        ("Mon 09:00 Europe/Berlin", "2026-07-13 06:59", "2026-07-06 07:00"),
        ("Sun 23:30 America/New_York", "2026-11-23 04:29", "2026-11-16 04:30"),
        ("daily 07:15 Australia/Lord_Howe", "2026-11-23 00:00", "2026-11-22 20:15"),
        ("Sun 02:30 Europe/Berlin", "2026-03-29 12:00", "2026-03-29 01:30"),  # the wall has no 02:30: 03:30
        ("Sun 02:30 Europe/Berlin", "2026-10-25 12:00", "2026-10-25 00:30"),  # it has two: the first
    ],
)
def test_it_is_due_at_its_own_time(schedule: str, now: str, due: str) -> None:
    found = last_due(schedule, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert f"{found:%Y-%m-%d %H:%M}" == due
    assert found.tzinfo == UTC


@given(
    st.sampled_from([*WEEKDAYS, "daily"]), st.times(), st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
)  # fmt: skip
def test_a_year_of_quarter_hours_has_each_once(day: str, at: object, zone: str, begin: datetime) -> None:
    """Looked at every six hours for twelve weeks: no time comes back, none is left out, each has a name of its own."""
    schedule = f"{day} {at:%H:%M} {zone}"
    looks = [begin.replace(tzinfo=UTC) + timedelta(hours=6 * n) for n in range(4 * 84)]
    dues = [last_due(schedule, now) for now in looks]
    assert all(due <= now for due, now in zip(dues, looks, strict=True))
    once = list(dict.fromkeys(dues))
    assert once == sorted(once)
    step = timedelta(days=1 if day == "daily" else 7)
    assert all(abs(b - a - step) <= timedelta(hours=1) for a, b in pairwise(once))
    assert len({issue_of(schedule, due) for due in once}) == len(once)
    assert day == "daily" or {WEEKDAYS[d.astimezone(ZoneInfo(zone)).weekday()] for d in once} <= {day}


def test_schedules_of_one_channel_do_not_share_a_name() -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert issue_of(USUAL, at) == "2026-48"
    assert len({issue_of(s, at) for s in (USUAL, "Fri 16:00 UTC", "daily 16:00 UTC")}) == 3
