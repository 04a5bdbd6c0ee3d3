"""Rates by endpoint and tier, at one instant (`RateBook`) or at any (`Desk`); sheets are compiled when first asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from data.records import Rate
from recommender.cost.force import rates_in_force
from recommender.cost.sheet import Sheet, compile_sheet

FOREVER = datetime.max.replace(tzinfo=UTC)


class RateBook:
    """The rates in force at `at`, as known at `known_at` (`at` where left out); times UTC."""

    def __init__(self, rates: Iterable[Rate], *, at: datetime, known_at: datetime | None = None) -> None:
        self.at = at
        self._rates: dict[str, dict[str, list[Rate]]] = {}
        self._sheets: dict[tuple[str, str], Sheet | None] = {}
        for rate in rates_in_force(rates, at, known_at):
            self._rates.setdefault(rate.endpoint_id, {}).setdefault(rate.tier, []).append(rate)

    def endpoints(self) -> list[str]:
        return sorted(self._rates)

    def tiers(self, endpoint_id: str) -> list[str]:
        return sorted(self._rates.get(endpoint_id, ()))

    def sheet(self, endpoint_id: str, tier: str = "standard") -> Sheet | None:
        """Prices of a tier; a meter that it does not state is charged as standard. None: the tier has no price."""
        key = (endpoint_id, tier)
        if key not in self._sheets:
            self._sheets[key] = self._compile(endpoint_id, tier)
        return self._sheets[key]

    def _compile(self, endpoint_id: str, tier: str) -> Sheet | None:
        tiers = self._rates.get(endpoint_id, {})
        if tier not in tiers:
            return None
        return compile_sheet(tiers.get("standard", ()), tiers[tier] if tier != "standard" else None)


class Desk:
    """Price sheets for any instant, by all that is known today; each is compiled once between two changes of price."""

    def __init__(self, rates: Mapping[str, Sequence[Rate]]) -> None:
        self.rates = rates  # by endpoint
        self._changes: dict[str, list[datetime]] = {}
        self._books: dict[tuple[str, int], RateBook] = {}

    def book(self, endpoint_id: str, at: datetime) -> RateBook:
        """The book of one endpoint at an instant. Raises KeyError where nobody knows the endpoint."""
        changes = self._changes.get(endpoint_id)
        if changes is None:
            own = self.rates[endpoint_id]
            changes = sorted({t for r in own for t in (r.valid_from, r.valid_to, r.known_from) if t is not None})
            self._changes[endpoint_id] = changes
        key = (endpoint_id, bisect_right(changes, at))
        if key not in self._books:
            self._books[key] = RateBook(self.rates[endpoint_id], at=at, known_at=FOREVER)
        return self._books[key]
