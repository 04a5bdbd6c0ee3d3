"""The rates in force at an instant, by endpoint and tier, with price sheets compiled when first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from data.records import Rate
from recommender.cost.force import rates_in_force
from recommender.cost.sheet import Sheet, compile_sheet


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
