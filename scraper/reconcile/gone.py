"""When a price that a page no longer lists is withdrawn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scraper.reconcile.guards import LEAST_FOR_MASS, MASS_SHARE

READINGS = 3
SPAN = timedelta(hours=72)
SPAN_OF_MANY = timedelta(days=7)


def gone_at(missing: Sequence[datetime], now: datetime, *, gone: int, of: int) -> bool:
    """Whether it is withdrawn at `now`: `missing` are the times of the good readings, back to back, without it.

    `gone`: how many of the `of` prices it stated are missing. Five or more, and over 40 %, take a week (PRODUCT 5.7, 5.9).
    """
    many = gone >= LEAST_FOR_MASS and gone > MASS_SHARE * of
    return len(missing) >= READINGS and now - min(missing) >= (SPAN_OF_MANY if many else SPAN)
