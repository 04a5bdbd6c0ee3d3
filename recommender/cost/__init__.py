"""Workload x rates -> USD. One evaluator for single calls and for a month; unknown prices are texts, never 0.

`price_line` prices one call from a JSON entry (`price_lines` many), `monthly_cost` a registered workload, `cost_table` many on all
endpoints; `RateBook` holds the rates in force at an instant as sheets by prompt length and hour,
`Desk` those of any instant.
"""

from recommender.cost.book import Desk, RateBook
from recommender.cost.call import NoPrice, price_call, price_line, price_lines
from recommender.cost.demand import share_above
from recommender.cost.force import rates_in_force
from recommender.cost.month import Ratio, monthly_cost
from recommender.cost.table import CostTable, cost_table
from recommender.cost.windows import window_share

__all__ = [
    "CostTable",
    "Desk",
    "NoPrice",
    "RateBook",
    "Ratio",
    "cost_table",
    "monthly_cost",
    "price_call",
    "price_line",
    "price_lines",
    "rates_in_force",
    "share_above",
    "window_share",
]
