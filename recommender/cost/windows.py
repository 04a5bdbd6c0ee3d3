"""Time windows as UTC text: the minutes of a week they cover, whether an instant lies in one, and shares of traffic."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
WINDOW = re.compile(
    r"(?P<h1>\d{2})(?::(?P<m1>\d{2}))?-(?P<h2>\d{2})(?::(?P<m2>\d{2}))?"
    r"(?: (?P<d1>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(?P<d2>Mon|Tue|Wed|Thu|Fri|Sat|Sun))?)?"
)


@lru_cache(maxsize=4096)
def minutes(window: str) -> NDArray[np.bool_]:
    """The minutes of a week (from Monday 00:00 UTC) that a window covers. Raises ValueError where it cannot be read."""
    covered = np.zeros(WEEK_MINUTES, dtype=bool)
    for part in window.split(", "):
        found = WINDOW.fullmatch(part)
        if found is None:
            raise ValueError(f"cannot read the time window {window!r}; write e.g. 01:00-04:00 Mon-Fri")
        start = int(found["h1"]) * 60 + int(found["m1"] or 0)
        end = int(found["h2"]) * 60 + int(found["m2"] or 0)
        if start >= DAY_MINUTES or end > DAY_MINUTES:
            raise ValueError(f"no such hour in the time window {window!r}; a day runs from 00:00 to 24:00")
        length = (end - start) % DAY_MINUTES or DAY_MINUTES
        first = DAYS.index(found["d1"]) if found["d1"] else 0
        last = DAYS.index(found["d2"] or found["d1"]) if found["d1"] else 6
        for day in range(first, first + (last - first) % 7 + 1):
            begin = day % 7 * DAY_MINUTES + start
            covered[np.arange(begin, begin + length) % WEEK_MINUTES] = True
    covered.flags.writeable = False  # shared by every caller
    return covered


def covers(window: str, at: datetime) -> bool:
    """Whether an instant (UTC) lies in a window; the start counts, the end does not."""
    at = at.astimezone(UTC)
    return bool(minutes(window)[at.weekday() * DAY_MINUTES + at.hour * 60 + at.minute])


@lru_cache(maxsize=4096)
def window_shares(windows: tuple[str, ...], hours_utc: str | None) -> tuple[float, ...]:
    """The share of traffic in each window (the first that covers a minute has it), and last the share in none of them.

    Traffic is spread evenly over `hours_utc` (None: all hours).
    """
    left = np.ones(WEEK_MINUTES, dtype=bool) if hours_utc is None else minutes(hours_utc).copy()
    busy = int(left.sum())
    shares = []
    for window in windows:
        inside = left & minutes(window)
        shares.append(float(inside.sum()) / busy)
        left &= ~inside
    return (*shares, float(left.sum()) / busy)


def window_share(window: str, hours_utc: str | None) -> float:
    """The share of traffic in one window."""
    return window_shares((window,), hours_utc)[0]
