"""Grids and data -> price claims, read by what headers, units and context mean, never by whose page it is.

`read_prices` is the door. No evidence, no claim: a number without currency or unit anywhere in its context is refused.
"""

from scraper.grids import reread
from scraper.prices.read import Reading, Refusal, read_prices

__all__ = ["Reading", "Refusal", "read_prices", "reread"]
