"""Which limits of a use case a cost breaks: a month, a call, an accepted outcome. Values in, values out."""

from __future__ import annotations

from dataclasses import dataclass

from data.records import Budget, Cost


@dataclass(frozen=True)
class Broken:
    """A limit that is passed, USD. `per`: month, call or outcome."""

    per: str
    spent_usd: float
    most_usd: float

    @property
    def over_share(self) -> float:
        """How far over, as a share of the limit; a limit of 0 counts as passed by the whole."""
        return self.spent_usd / self.most_usd - 1 if self.most_usd > 0 else 1.0


def broken(budget: Budget, cost: Cost) -> list[Broken]:
    """Every limit passed, the most passed first. What is not known breaks nothing."""
    limits = (
        ("month", cost.usd_per_month, budget.usd_per_month),
        ("call", cost.usd_per_call, budget.usd_per_call),
        ("outcome", cost.usd_per_outcome, budget.usd_per_outcome),
    )
    found = [
        Broken(per, spent, most)
        for per, spent, most in limits
        if spent is not None and most is not None and spent > most
    ]
    return sorted(found, key=lambda b: -b.over_share)
