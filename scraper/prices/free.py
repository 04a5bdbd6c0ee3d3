"""Cards that say only "Free": input 0, and output 0 of a model that writes (HAZARDS F1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from data.records import Meter, PriceClaim
from scraper.amounts import amounts_in, is_free
from scraper.grids import Grid
from scraper.grids.types import fold
from scraper.prices.cells import claim
from scraper.prices.layout import is_name
from scraper.prices.media import TOKEN_UNITS

WRITES_NOT = re.compile(r"moderat|classif|embed|rerank|\bocr\b|transcri|speech|\btts\b|\basr\b|image|video|audio|guard")


def free_cards(cards: Sequence[Grid], claims: Sequence[PriceClaim], capture: str) -> Iterator[PriceClaim]:
    """Claims of the free cards of a page whose other cards all share one token unit and one currency; else none."""
    usual = {(c.per, c.currency) for c in claims if c.per in TOKEN_UNITS}
    if len(usual) != 1:
        return
    (per, currency) = usual.pop()
    named = {c.model_as_written for c in claims}
    for card in cards:
        cells = card.rows[-1]
        if len(card.rows) != 2 or len(cells) != 2 or not is_free(cells[1].text):
            continue
        name, label = cells[0], card.rows[0][1].text
        if not is_name(name.text) or name.text in named:
            continue
        amount = amounts_in(cells[1].text)[0]
        meters: tuple[Meter, ...] = ("input",) if WRITES_NOT.search(fold(name.text)) else ("input", "output")
        for meter in meters:
            said = ["free", label]
            yield claim(name.text, meter, "standard", amount, per, currency, said, cells[1], capture, name.ident)
