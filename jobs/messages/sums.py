"""Sums that may be shown: at list prices, never a contract's. What cannot be given without telling it is None."""

from __future__ import annotations

from dataclasses import dataclass

from data.records import Candidate, Cost, Decision, UseCase

CONTRACT = "your contract was counted in the decision"


@dataclass(frozen=True)
class Sums:
    """List prices, USD. `hidden`: the team pays otherwise, so savings of the decision itself must not be printed."""

    hidden: bool
    now_usd_per_month: float | None
    now_usd_per_call: float | None

    def saving(self, c: Candidate) -> float | None:
        """USD a month against today's list price; unknown where that is not known."""
        if not self.hidden:
            return c.saving_usd_per_month
        if self.now_usd_per_month is None or c.cost is None:
            return None
        return self.now_usd_per_month - c.cost.usd_per_month

    def share(self, c: Candidate) -> float | None:
        saving = self.saving(c)
        return saving / self.now_usd_per_month if saving is not None and self.now_usd_per_month else None


def sums(d: Decision, case: UseCase, list_now: Cost | None = None) -> Sums:
    """Today's cost at list prices: as given, or reckoned back from a discount; a private price cannot be reckoned back."""
    cost, choice = d.current.cost, case.current
    hidden = bool(choice.private_price or choice.discount_share)
    if not hidden and cost is not None:
        return Sums(False, cost.usd_per_month, cost.usd_per_call)
    if list_now is not None:
        return Sums(True, list_now.usd_per_month, list_now.usd_per_call)
    if cost is None or choice.private_price or choice.discount_share >= 1:
        return Sums(hidden, None, None)
    paid = 1 - choice.discount_share
    return Sums(True, cost.usd_per_month / paid, cost.usd_per_call / paid)


def reason(d: Decision, told: Sums) -> str:
    """The decision's own reason, unless a sum in it would tell the contract."""
    return (
        f"see undercut explain {d.rec}" if told.hidden and ("$" in d.reason or "waiting pays" in d.reason) else d.reason
    )
