"""Replay of history, as known on each day: would the alerts have been right, and what would following them have saved.

Values in, values out. The product's own fit, probability and rule (`asof`, `rule`) meet the rivals of SCIENCE.md (`foresee`) on
the same decisions: `weigh_alerts` scores single ones, `replay_years` a year of following each rule, `weigh_clauses`
lifts one clause of the rule after the other.
"""

from recommender.backtest.alerts import AlertLine, Claim, FifthLine, claims_of, said_and_seen, weigh_alerts
from recommender.backtest.asof import AsOf
from recommender.backtest.clauses import ClauseLine, weigh_clauses
from recommender.backtest.foresee import Foreseen, foresee
from recommender.backtest.world import World
from recommender.backtest.year import YearLine, Years, replay_years

__all__ = [
    "AlertLine",
    "AsOf",
    "Claim",
    "ClauseLine",
    "FifthLine",
    "Foreseen",
    "World",
    "YearLine",
    "Years",
    "claims_of",
    "foresee",
    "replay_years",
    "said_and_seen",
    "weigh_alerts",
    "weigh_clauses",
]
