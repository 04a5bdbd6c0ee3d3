"""Which of many dated rows are in force: rates in, the one row that stands for each meter, band and window out. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime

from data.records import Rate, Standing

BEGINNING = datetime.min.replace(tzinfo=UTC)
TRUST: dict[Standing, int] = {"official": 2, "witnessed": 1, "disputed": 1, "single": 0}
Rank = tuple[int, bool, datetime, datetime]


def rates_in_force(rates: Iterable[Rate], at: datetime, known_at: datetime | None = None) -> list[Rate]:
    """The rates in force at `at`, by what was known at `known_at` (`at` where left out), weakest first; times UTC.

    Of one source the row that began last stands, and of those that began together the one known last; a row it
    withdrew stands no more. Between sources the better standing wins: no mirror outvotes the maker's page, however
    new or dated it is (PRODUCT 5.8). Where an undated row overlaps a banded one, the later in the list is meant.
    """
    known = known_at or at
    by_source: dict[Hashable, tuple[Rank, Rate]] = {}
    for rate in rates:
        if rate.known_from > known or (rate.valid_from or BEGINNING) > at:
            continue
        if rate.valid_to is not None and rate.valid_to <= at:
            continue
        place = (*_place(rate), rate.source_id)
        rank = _rank(rate, at)
        old = by_source.get(place)
        if old is None or rank[1:] > old[0][1:]:
            by_source[place] = (rank, rate)
    best: dict[Hashable, Rate] = {}
    for _, rate in sorted((r for r in by_source.values() if not r[1].withdrawn), key=lambda ranked: ranked[0]):
        best.pop(_place(rate), None)  # so that the list stays in order of rank
        best[_place(rate)] = rate
    return list(best.values())


def _place(rate: Rate) -> tuple[Hashable, ...]:
    return (
        rate.endpoint_id,
        rate.tier,
        rate.meter,
        rate.context_min_tokens,
        rate.context_max_tokens,
        rate.time_window,
        rate.unit,
        rate.region,
    )


def _rank(rate: Rate, at: datetime) -> Rank:
    """Trust, then an offer with both ends, then the later beginning, then the later knowledge.

    A row without a date began when it was first seen; asked about earlier days it is the last resort.
    """
    seen = rate.known_from if rate.known_from <= at else BEGINNING
    bounded = rate.valid_from is not None and rate.valid_to is not None
    return (TRUST[rate.standing], bounded, rate.valid_from or seen, rate.known_from)
