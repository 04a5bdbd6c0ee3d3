"""Rates in force at an instant, by endpoint, tier and meter; and time windows weighed against hours of traffic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data.records import Rate

BEGINNING = datetime.min.replace(tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK_MINUTES = 7 * 24 * 60
WINDOW = re.compile(
    r"(?P<h1>\d{2})(?::(?P<m1>\d{2}))?-(?P<h2>\d{2})(?::(?P<m2>\d{2}))?"
    r"(?: (?P<d1>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(?P<d2>Mon|Tue|Wed|Thu|Fri|Sat|Sun))?)?"
)
Sheet = Mapping[str, tuple[Rate, ...]]


class RateBook:
    """The rates in force at `at`, as known at `known_at` (`at` where left out); times UTC.

    Of several rows for one meter, band and window the one known last among those that began last stands
    (facts are dated twice: DESIGN.md).
    """

    def __init__(self, rates: Iterable[Rate], *, at: datetime, known_at: datetime | None = None) -> None:
        self.at = at
        known = known_at or at
        newest: dict[tuple[object, ...], Rate] = {}
        for rate in rates:
            starts = rate.valid_from or BEGINNING
            if starts > at or rate.known_from > known:
                continue
            key = (
                rate.endpoint_id,
                rate.tier,
                rate.meter,
                rate.context_min_tokens,
                rate.context_max_tokens,
                rate.time_window,
                rate.unit,
            )
            old = newest.get(key)
            if old is None or (starts, rate.known_from) > (old.valid_from or BEGINNING, old.known_from):
                newest[key] = rate
        self._sheets: dict[str, dict[str, dict[str, tuple[Rate, ...]]]] = {}
        for rate in newest.values():
            if rate.withdrawn or (rate.valid_to is not None and rate.valid_to <= at):
                continue
            meters = self._sheets.setdefault(rate.endpoint_id, {}).setdefault(rate.tier, {})
            meters[rate.meter] = (*meters.get(rate.meter, ()), rate)

    def endpoints(self) -> list[str]:
        return sorted(self._sheets)

    def tiers(self, endpoint_id: str) -> list[str]:
        return sorted(self._sheets.get(endpoint_id, ()))

    def sheet(self, endpoint_id: str, tier: str = "standard") -> Sheet | None:
        """Rates by meter; a meter the tier does not state is charged as standard. None: the tier has no price."""
        tiers = self._sheets.get(endpoint_id)
        if tiers is None or tier not in tiers:
            return None
        return tiers[tier] if tier == "standard" else {**tiers.get("standard", {}), **tiers[tier]}


@lru_cache(maxsize=256)
def minutes(window: str) -> NDArray[np.bool_]:
    """The minutes of a week (from Monday 00:00 UTC) that a window covers. Raises ValueError where it cannot be read."""
    covered = np.zeros(WEEK_MINUTES, dtype=bool)
    for part in window.split(", "):
        found = WINDOW.fullmatch(part)
        if found is None:
            raise ValueError(f"cannot read the time window {window!r}")
        start = int(found["h1"]) * 60 + int(found["m1"] or 0)
        end = int(found["h2"]) * 60 + int(found["m2"] or 0)
        length = (end - start) % (24 * 60) or 24 * 60
        first = DAYS.index(found["d1"]) if found["d1"] else 0
        last = DAYS.index(found["d2"] or found["d1"]) if found["d1"] else 6
        for day in range(first, first + (last - first) % 7 + 1):
            begin = day % 7 * 24 * 60 + start
            covered[np.arange(begin, begin + length) % WEEK_MINUTES] = True
    return covered


def covers(window: str, at: datetime) -> bool:
    """Whether an instant (UTC) lies in a window; the start counts, the end does not."""
    at = at.astimezone(UTC)
    return bool(minutes(window)[at.weekday() * 24 * 60 + at.hour * 60 + at.minute])


@lru_cache(maxsize=1024)
def window_share(window: str, hours_utc: str | None) -> float:
    """The share of traffic in a window, traffic being spread evenly over `hours_utc` (None: all hours)."""
    inside = minutes(window)
    if hours_utc is None:
        return float(inside.mean())
    busy = minutes(hours_utc)
    return float((inside & busy).sum() / busy.sum())
