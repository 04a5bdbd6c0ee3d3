"""When a digest is due: `alerts.schedule` of the registry, a weekday or `daily`, a time and a zone ("Mon 09:00 Europe/Berlin")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS = tuple(name[:3] for name in NAMES)
USUAL = "Mon 09:00 UTC"


def last_due(schedule: str, now: datetime) -> datetime:
    """The last time it was due, in UTC, not after `now` (aware). An hour that a change of clocks leaves out is the
    one after it; one that comes twice is the first.
    """
    day, clock, _ = schedule.split()
    hour, minute = map(int, clock.split(":"))
    here = now.astimezone(zone_of(schedule))
    at = here.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    for back in range(9):
        due = at - timedelta(days=back)  # on the wall: the same time of an earlier day
        if day in ("daily", WEEKDAYS[due.weekday()]) and due.timestamp() <= now.timestamp():
            return due.astimezone(UTC)
    raise AssertionError(schedule)  # the registry lets no other day pass


def spoken(schedule: str) -> str:
    """`on Mondays`, `on Fridays at 16:00 Europe/Berlin`, `every day at 07:15 UTC`."""
    day, at = schedule.split(maxsplit=1)
    often = "every day" if day == "daily" else f"on {NAMES[WEEKDAYS.index(day)]}s"
    return often if schedule == USUAL else f"{often} at {at}"


def zone_of(schedule: str) -> ZoneInfo:
    return ZoneInfo(schedule.rpartition(" ")[2])


def period_of(schedule: str) -> timedelta:
    return timedelta(days=1 if schedule.startswith("daily") else 7)


def issue_of(schedule: str, at: datetime) -> str:
    """Names the week, or the day, of one digest: 2026-48, 2026-11-25. With its schedule where that is not the usual one, as a
    channel may have several."""
    here = at.astimezone(zone_of(schedule))
    year, week, _ = here.isocalendar()
    name = f"{here:%Y-%m-%d}" if schedule.startswith("daily") else f"{year}-{week}"
    return name if schedule == USUAL else f"{name}|{schedule}"
