"""Spend cheap inference on quality, or not: what repeated calls, checks and caches are worth. No file, clock or database.

`plans` lists what a bill buys, `fit` reads a pilot of two runs an item, `prompt_cache` and `answer_cache` weigh caches.
"""

from recommender.abundance.caches import Paid, answer_cache, prompt_break_even, prompt_cache, right_until
from recommender.abundance.plans import Ground, Plan, affordable, plans
from recommender.abundance.success import (
    Check,
    Drawn,
    Items,
    count,
    draw_until_accepted,
    fit,
    fits,
    too_small,
    unbiased_coverage,
)

__all__ = [
    "Check",
    "Drawn",
    "Ground",
    "Items",
    "Paid",
    "Plan",
    "affordable",
    "answer_cache",
    "count",
    "draw_until_accepted",
    "fit",
    "fits",
    "plans",
    "prompt_break_even",
    "prompt_cache",
    "right_until",
    "too_small",
    "unbiased_coverage",
]
