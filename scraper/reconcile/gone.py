"""When a price that a page no longer lists is withdrawn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scraper.reconcile.guards import LEAST_FOR_MASS, MASS_SHARE

READINGS = 3
SPAN = timedelta(hours=72)
SPAN_OF_MANY = timedelta(days=7)


def gone_at(missing: Sequence[datetime], now: datetime, *, share: float, of: int) -> bool:
    """Whether it is withdrawn at `now`: `missing` are the times of the good readings, back to back, without it.

    `share`: of the `of` prices the page stated, how many are missing. Beyond 40 % it takes a week (PRODUCT 5.7, 5.9).
    """
    many = of >= LEAST_FOR_MASS and share > MASS_SHARE
    return len(missing) >= READINGS and now - min(missing) >= (SPAN_OF_MANY if many else SPAN)
