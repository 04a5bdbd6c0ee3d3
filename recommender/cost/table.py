"""What many workloads cost on all endpoints at once, as one array: the same sums as `monthly_cost`, without its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.records import Workload
from recommender.cost.book import RateBook
from recommender.cost.demand import METERS, demand
from recommender.cost.sheet import Sheet, line_for
from recommender.cost.windows import window_shares

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CostTable:
    """USD a month, one row a workload, one column an endpoint; NaN where it cannot be priced."""

    endpoints: tuple[str, ...]
    usd_per_month: Floats


def cost_table(workloads: Sequence[Workload], book: RateBook, *, tier: str = "standard") -> CostTable:
    """All workloads on all endpoints with a price of `tier`, at list prices and the tokens registered.

    Endpoints whose prices step at the same lengths and hours share one product: what is consumed x what it costs.
    """
    priced = {e: s for e in book.endpoints() if (s := book.sheet(e, tier)) is not None}
    names = tuple(priced)
    alike: dict[tuple[tuple[int, ...], tuple[str, ...]], list[int]] = {}
    for n, sheet in enumerate(priced.values()):
        alike.setdefault((sheet.edges, sheet.windows), []).append(n)
    usd = np.empty((len(workloads), len(names)))
    sheets = list(priced.values())
    for (edges, windows), columns in alike.items():
        try:
            wanted = np.array([_wanted(w, edges, windows) for w in workloads]).reshape(len(workloads), -1)
        except ValueError:  # a time window nobody can read: `monthly_cost` says which
            usd[:, columns] = np.nan
            continue
        prices = np.array([_prices(sheets[n]) for n in columns])
        unknown = (wanted > 0).astype(float) @ np.isnan(prices).astype(float).T > 0
        sums = wanted @ np.nan_to_num(prices).T
        usd[:, columns] = np.where(unknown, np.nan, sums)
    calls = np.array([w.calls_per_month * (1 + w.retry_rate) for w in workloads])
    return CostTable(names, usd * calls[:, None])


def _wanted(load: Workload, edges: tuple[int, ...], windows: tuple[str, ...]) -> list[float]:
    shares = window_shares(windows, load.hours_utc)
    return [amount * share for band in demand(load, edges) for share in shares for amount in band.values()]


def _prices(sheet: Sheet) -> list[float]:
    """USD of one token (or unit), in the order of `_wanted`; NaN where unknown, a fee per request 0 where there is none."""
    return [
        line.dollars if (line := line_for(lines, m)) else 0.0 if m == "request" else float("nan")
        for band in sheet.cells
        for lines in band
        for m in METERS
    ]
