"""A decision as it may be kept and shared: every sum at list prices, a contract counted but never told (PRODUCT 2.1, rule 9)."""

from __future__ import annotations

from data.records import Candidate, Cost, Decision
from recommender.rank import savings

COUNTED = "your contract was counted in the decision; sums here are at list prices"


def at_list_prices(d: Decision, list_now: Cost | None) -> Decision:
    """The decision with today's cost and all savings at list prices; unchanged where there is no contract (`None`).

    What a constraint costs and how long waiting pays were reckoned from the contract: neither is kept.
    """
    if list_now is None:
        return d
    return d.model_copy(
        update={
            "current": d.current.model_copy(update={"cost": list_now}),
            "best": d.best and candidate_at_list(d.best, list_now),
            "easier": d.easier and candidate_at_list(d.easier, list_now),
            "others": tuple(candidate_at_list(c, list_now) for c in d.others),
            "reason": f"{d.verdict}: {COUNTED}",
            "reasons": tuple(r for r in d.reasons if "$" not in r and not r.startswith("waiting pays")),
            "constraint_usd_per_month": {},
            "contract": True,
            "rate_ids": tuple(dict.fromkeys([*list_now.rate_ids, *d.rate_ids])),
        }
    )


def candidate_at_list(c: Candidate, list_now: Cost) -> Candidate:
    """A candidate's savings against today's list price; payback and value would tell the contract and are left out."""
    saving, low, high = (None, None, None) if c.cost is None else savings(list_now, c.cost, c.move)
    money = {"saving_usd_per_month": saving, "saving_low_usd_per_month": low, "saving_high_usd_per_month": high}
    return c.model_copy(update={**money, "payback_days": None, "net_value_usd": None})
