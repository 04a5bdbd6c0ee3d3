"""Replay of history, as known on each day: would the alerts have been right, and what would following them have saved.

Values in, values out. `foresee` predicts every candidate on its first priced day, `weigh_alerts` and `replay_years` score it.
"""

from recommender.backtest.alerts import AlertLine, Claim, claims_of, weigh_alerts
from recommender.backtest.foresee import Foreseen, foresee
from recommender.backtest.world import World
from recommender.backtest.year import YearLine, replay_years

__all__ = [
    "AlertLine",
    "Claim",
    "Foreseen",
    "World",
    "YearLine",
    "claims_of",
    "foresee",
    "replay_years",
    "weigh_alerts",
]
