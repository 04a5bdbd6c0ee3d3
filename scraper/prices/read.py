"""The reading of one body: every claim it states, what was refused and why, and whether reading failed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from data.records import PriceClaim
from scraper.grids import Document, Grid, read_document
from scraper.prices.cells import Refuse
from scraper.prices.free import free_cards
from scraper.prices.records import claims_of_data
from scraper.prices.tables import claims_of_grid
from scraper.source import Hints, Source

CHALLENGE = re.compile(
    r"just a moment|verify you are human|captcha|access denied|enable javascript|sign in to continue", re.I
)
PRICE_WORDS = re.compile(r"[$€¥£]\s?\d|\d\s?[元€$]|pric|tarif|preis|价格|计费", re.I)
MONEY = re.compile(r"[$€£¥]\s?\d|\d\s?[元€]")
MANY_AMOUNTS = 20  # more than a page without offers shows in passing
FEW = 5
COUNT = re.compile(r"(?<![\w.,])(\d[\d,]*)\s*(?:个模型|models?\b)", re.I)


@dataclass(frozen=True)
class Refusal:
    text: str
    why: str
    locator: str


@dataclass(frozen=True)
class Reading:
    """`failed` says why the body is not what it should be; a price page without a model offer is no failure."""

    claims: tuple[PriceClaim, ...]
    refused: tuple[Refusal, ...] = ()
    failed: str | None = None
    declared: int | None = None
    notes: tuple[str, ...] = ()


def read_prices(body: bytes, *, url: str = "", source: Source | None = None) -> Reading:
    """Every price a body states. Never raises on any bytes."""
    capture = hashlib.sha256(body).hexdigest()
    document = read_document(body, url)
    hints = source.read if source else Hints()
    refused: list[Refusal] = []

    def refuse(text: str, why: str, locator: str) -> None:
        refused.append(Refusal(text[:200], why, locator))

    def of_grids(grids: tuple[Grid, ...], *, drawn: bool = False) -> list[PriceClaim]:
        out: list[PriceClaim] = []
        known: dict[str, None] = {}  # names so far: a later table may name them in a sentence only
        for grid in grids:
            if wanted(grid.headings, hints):
                made = list(claims_of_grid(grid, document.text, capture, hints, refuse, known.keys()))
                known |= dict.fromkeys(c.model_as_written for c in made)
                if drawn and clashing(made):
                    refuse(grid.rows[-1][0].text, "two prices for one thing: more than one card?", grid.locator)
                    continue
                out.extend(made)
        return out

    def of_data() -> list[PriceClaim]:
        return [] if document.data is None else list(claims_of_data(document.data, capture, hints, refuse))

    # what a page shows as a table outranks its cards, and both the data behind it
    found = of_grids(document.grids)
    if not found:
        cards = of_grids(document.blocks, drawn=True)
        found = [*cards, *free_cards(document.blocks, cards, capture)]
    found = found or of_data()
    claims = tuple(distinct(found, refuse))
    return Reading(claims, tuple(refused), failure(document, claims, refused), declared(document), document.notes)


def wanted(headings: tuple[str, ...], hints: Hints) -> bool:
    path = " / ".join(headings).casefold()
    if any(s.casefold() in path for s in hints.skip_sections):
        return False
    return not hints.sections or any(s.casefold() in path for s in hints.sections)


def distinct(claims: list[PriceClaim], refuse: Refuse) -> list[PriceClaim]:
    """One claim for each fact; where copies of one fact disagree under the same conditions, neither is believed."""
    clash = clashing(claims)
    for c in claims:
        if fact(c) in clash:
            refuse(f"{c.model_as_written} {c.meter} {c.amount}", "another amount under the same conditions", c.locator)
    return [c for key, c in {fact(c): c for c in reversed(claims)}.items() if key not in clash][::-1]


def clashing(claims: list[PriceClaim]) -> set[tuple[object, ...]]:
    """Facts that are stated with two amounts."""
    first: dict[tuple[object, ...], PriceClaim] = {}
    return {fact(c) for c in claims if first.setdefault(fact(c), c).amount != c.amount}


def fact(c: PriceClaim) -> tuple[object, ...]:
    """What a claim is about: all but its amount and its place."""
    return (c.model_as_written, c.model_id_as_written, c.meter, c.tier, c.currency, c.per, c.conditions, c.list_price)


def failure(document: Document, claims: tuple[PriceClaim, ...], refused: list[Refusal]) -> str | None:
    if claims:
        return None
    if document.kind == "empty":
        return f"nothing to read ({', '.join(document.notes) or 'no text'})."
    if CHALLENGE.search(document.text[:3000]) and len(document.text) < 5000:
        return "a challenge or login page, not the page itself."
    if not document.grids and document.data is None and not PRICE_WORDS.search(document.text):
        return "no table, no data and no price in it: an application shell?"
    shown = len(MONEY.findall(document.text))
    if shown >= MANY_AMOUNTS and not refused:
        return f"{shown} amounts of money on it, none of them read as a price of a model."
    refused = [r for r in refused if not r.why.startswith("a price per_")]  # what is known to be something else
    if len(refused) >= FEW:
        return f"{len(refused)} amounts seen, none could be read whole ({refused[0].why}: {refused[0].text[:60]!r})."
    return None


def declared(document: Document) -> int | None:
    """How many models the page itself says it lists."""
    if document.kind == "json" and isinstance(document.data, dict):
        total = str(document.data.get("total_count"))
        return int(total) if total.isdigit() else None
    found = COUNT.search(document.text[:5000])
    return int(found.group(1).replace(",", "")) if found else None
