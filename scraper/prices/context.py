"""What the place of a table says of every price in it: unit, currency, tier, region, the words that name its kind."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from data.records import Tier
from scraper.amounts import currency_of, unit_of
from scraper.grids import Grid
from scraper.prices.words import tier_of
from scraper.source import Hints

PAGE_UNIT = re.compile(r"prices?[^.]{0,60}per (?:1m|million|1 million|1,000,000) tokens|mtok = million tokens", re.I)
PAGE_CURRENCY = re.compile(
    r"(?:all )?prices[^.]{0,40}\b(?:in|are)\b[^.]{0,20}\b(USD|US dollars|EUR|euros?|CNY|RMB)\b", re.I
)
MANY_SIGNS = 10
KANA = re.compile(r"[\u3041-\u30fa]")
CURRENCY_WORDS = {"usd": "USD", "us d": "USD", "eur": "EUR", "euro": "EUR", "cny": "CNY", "rmb": "CNY"}


@dataclass(frozen=True)
class Around:
    """`near_per` is what stands directly above; `per` also what the page or the source file says of all its prices."""

    per: str | None
    near_per: str | None
    currency: str | None
    tier: Tier
    conditions: tuple[str, ...]
    words: tuple[str, ...]  # the sentence above, then the headings, the nearest first
    yen: str = "CNY"  # what the sign ¥ stands for here
    known: Collection[str] = ()  # names of models that other tables of the page give


def context_of(grid: Grid, page_text: str, hints: Hints, known: Collection[str] = ()) -> Around:
    near = (grid.intro, *reversed(grid.headings))
    near_per = next((u for t in near if (u := unit_of(t))), None)
    page_per, page_currency, yen = page_says(page_text)
    per = near_per or hints.per or page_per
    currency = next((c for t in near if (c := currency_of(t))), None) or page_currency
    tier = next((t for text in (*reversed(grid.panes), *reversed(grid.headings)) if (t := tier_of(text))), None)
    heading = [grid.headings[-1]] if grid.headings and grid.headings[-1] else []
    conditions = tuple(dict.fromkeys([*heading, *grid.panes]))
    return Around(per, near_per, currency or hints.currency, tier or "standard", conditions, near, yen, known)


@lru_cache(maxsize=4)
def page_says(text: str) -> tuple[str | None, str | None, str]:
    """(unit, currency) that a page states for all its prices, by a sentence or by its one sign, and what ¥ means on it."""
    per = "per_mtok" if PAGE_UNIT.search(text) else None
    yen = "JPY" if KANA.search(text) else "CNY"
    if said := PAGE_CURRENCY.search(text):
        return per, CURRENCY_WORDS[said.group(1).casefold()[:4].strip()], yen
    only_dollars = text.count("$") >= MANY_SIGNS and not re.search(r"[€¥£元]", text)
    return per, "USD" if only_dollars else None, yen
