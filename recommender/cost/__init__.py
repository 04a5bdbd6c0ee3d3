"""Workload x rates -> USD. One evaluator for single calls and for a month; unknown prices are texts, never 0.

`price_line` prices one call from a JSON entry, `monthly_cost` a registered workload, `RateBook` holds the rates in
force at an instant.
"""

from recommender.cost.book import RateBook, window_share
from recommender.cost.call import price_call, price_line
from recommender.cost.month import Ratio, monthly_cost

__all__ = ["RateBook", "Ratio", "monthly_cost", "price_call", "price_line", "window_share"]
