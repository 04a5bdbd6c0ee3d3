"""Prices that move all the time: an aggregator's headline price took eight values in fourteen days.

Such a price is believed as a range of its last 30 days, so that no message rests on where it stood this morning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from data.records import Cost, Rate

LOOK_BACK_DAYS = 30
MOVES = 4  # changes in that time: a new price, its correction and a promotion with its end are three at most
METERS = ("input", "output")


def moving(rates: Iterable[Rate], now: datetime) -> dict[str, list[datetime]]:
    """Endpoint -> the instants of the last 30 days at which its standard price moved, where those are four or more."""
    series: dict[tuple[str, str, str], list[Rate]] = defaultdict(list)
    for r in rates:
        plain = r.meter in METERS and r.tier == "standard" and r.context_min_tokens is None and r.time_window is None
        if plain and r.usd_per_mtok is not None and r.known_from <= now and not r.withdrawn:
            series[r.endpoint_id, r.meter, r.source_id].append(r)
    found: dict[str, dict[date, datetime]] = defaultdict(dict)
    since = now - timedelta(days=LOOK_BACK_DAYS)
    for (endpoint, _, _), stated in series.items():
        if len(stated) < MOVES:
            continue
        before = None
        for r in sorted(stated, key=lambda r: r.known_from):
            if before is not None and r.usd_per_mtok != before.usd_per_mtok and r.known_from >= since:
                found[endpoint][r.known_from.date()] = r.known_from
            before = r
    return {e: sorted(days.values()) for e, days in found.items() if len(days) >= MOVES}


def widened(cost: Cost, others: Iterable[Cost], moves: int) -> Cost:
    """The cost with the range of what it would have been at the other instants."""
    all_costs = [cost, *others]
    note = f"its price moved on {moves} of the last {LOOK_BACK_DAYS} days: the range is that of those days"
    return cost.model_copy(
        update={
            "low_usd_per_month": min(c.low_usd_per_month for c in all_costs),
            "high_usd_per_month": max(c.high_usd_per_month for c in all_costs),
            "notes": (*cost.notes, note),
        }
    )
