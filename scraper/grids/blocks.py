"""Prices outside of tables -> grids: cards with one name and their prices, and tables drawn with blocks.

Structure only. A card is the smallest repeated element with a name of its own; nothing crosses its border.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from scraper.grids.nodes import HEADINGS, LONGEST, Priced, amounts, panes_of, strings_of, struck_in, text_of
from scraper.grids.runs import flat_runs, grid_of, header_run, own_cells
from scraper.grids.types import Cell, Grid, clean

MOST_PRICED = 20_000
HIGHEST = 14  # levels a card may stand above its prices
LETTERS = re.compile(r"[^\W\d_]")
IDENT = re.compile(r"[a-z0-9][a-z0-9._:/@-]*[-/][a-z0-9._:/@-]*[a-z0-9]")
COPIED = ("data-text", "data-clipboard-text", "data-copy", "data-model-id", "data-model")
DISTINCT = 0.9  # share of an element kind's titles that differ, if they are names and not labels
MOST_IN_ROW = 5  # texts in the row of one price: label, note, amount, unit
LONGEST_TITLE = 120


@dataclass(frozen=True)
class Row:
    """A price and the elements around it that hold no other: the innermost first, the last with the price's label."""

    priced: Priced
    climb: tuple[PageElement, ...]

    def within(self, card: Tag) -> PageElement:
        """The largest of them below a card's border."""
        above = {id(p) for p in card.parents} | {id(card)}
        return next((e for e in reversed(self.climb) if id(e) not in above), self.climb[0])


@dataclass(frozen=True)
class Card:
    element: Tag
    rows: tuple[Row, ...]
    title: str


def block_grids(priced: Sequence[Priced], soup: BeautifulSoup) -> Iterator[Grid]:
    """Grids of all prices that stand in repeated blocks; what stands alone in prose is left."""
    if not 2 <= len(priced) <= MOST_PRICED:
        return
    runs = list(flat_runs(priced, soup))
    yield from (grid for _, grid in runs)
    boxes = {id(box) for box, _ in runs}
    alone = [p for p in priced if not any(id(t) in boxes for t in p.node.parents)]
    done: set[int] = set()
    headers: dict[tuple[int, int], list[Tag]] = {}
    for n, card in enumerate(cards_of(alone, soup)):
        if id(card.element) in done or any(id(p) in done for p in card.element.parents):
            continue
        done.add(id(card.element))
        cells = own_cells(card.element)
        place = (id(card.element.parent), len(cells))
        header = headers[place] if place in headers else headers.setdefault(place, header_run(card.element))
        if header:
            yield grid_of([header, cells], f"block[{n}]", card.rows[0].priced.headings, card.element, soup)
        else:
            yield card_grid(card, f"card[{n}]", soup)


def cards_of(priced: Sequence[Priced], soup: BeautifulSoup) -> list[Card]:
    """For every price the smallest element of a repeated kind that has a name of its own."""
    first_headings: dict[int, Tag] = {}
    for heading in soup.find_all(HEADINGS):
        for parent in heading.parents:
            first_headings.setdefault(id(parent), heading)
    rows = [Row(p, tuple(climb(p.node, first_headings))) for p in priced]
    inside: dict[int, tuple[Tag, list[Row]]] = {}
    for row in rows:
        for up, parent in enumerate(row.priced.node.parents):
            if not isinstance(parent, Tag) or parent.name in ("body", "html", "[document]") or up > HIGHEST:
                break
            inside.setdefault(id(parent), (parent, []))[1].append(row)
    kinds: dict[tuple[str, ...], list[Card]] = defaultdict(list)
    for element, held in inside.values():
        title = title_of(element, held, first_headings.get(id(element)))
        kinds[kind_of(element)].append(Card(element, tuple(held), title))
    cards = {id(c.element): c for group in kinds.values() if are_cards(group) for c in group if c.title}
    chosen: dict[int, Card] = {}
    for row in rows:
        smallest = next((p for p in row.priced.node.parents if id(p) in cards), None)
        if smallest is not None:
            chosen.setdefault(id(smallest), cards[id(smallest)])
    return list(chosen.values())


def are_cards(cards: list[Card]) -> bool:
    """Elements of one kind are cards where there are several, side by side, and their titles tell them apart."""
    titled = [c.title for c in cards if c.title]
    beside = Counter(id(c.element.parent) for c in cards)
    if len(titled) < 2 or max(beside.values()) < 2 or len(titled) < 0.8 * len(cards):
        return False
    return len(set(titled)) >= DISTINCT * len(titled)


def kind_of(element: Tag) -> tuple[str, ...]:
    """What makes two elements alike: their own name and first style or role, and their parents'."""
    return tuple(
        f"{e.name}.{next(iter(e.get('class') or ()), None) or e.get('role') or ''}"
        for e in (element, *list(element.parents)[:2])
    )


def climb(node: NavigableString, first_headings: dict[int, Tag]) -> Iterator[PageElement]:
    """A price, then the elements around it up to the one that holds its label; none with a second price or a heading."""
    yield node
    bare = clean(str(node))
    own = amounts(bare)
    for parent in node.parents:
        if not isinstance(parent, Tag) or parent.name == "body" or id(parent) in first_headings:
            return
        texts = list(map(clean, strings_of(parent)))
        short = " ".join(t for t in texts if len(t) <= LONGEST)
        if short.count(bare) > 1 or amounts(short) > own or (len(texts) > MOST_IN_ROW and texts != [bare]):
            return
        yield parent
        if texts != [bare]:
            return


def title_of(element: Tag, rows: Sequence[Row], heading: Tag | None) -> str:
    """The name of a card: its first heading, else its first text that is neither a price nor the label of one."""
    if heading is not None:
        return clean(text_of(heading))
    labels = {id(row.within(element)) for row in rows}
    for text in strings_of(element):
        said = clean(text)
        if id(text) in labels or any(id(parent) in labels for parent in text.parents):
            return ""  # a price before any name
        if LETTERS.search(said):
            return said if len(said) <= LONGEST_TITLE else ""
    return ""


def card_grid(card: Card, locator: str, soup: BeautifulSoup) -> Grid:
    """A card as a table of one row: its name, then each price under its label."""
    header = [Cell("", f"{locator}/label/0", True)]
    cells = [Cell(card.title, f"{locator}/0", ident=ident_of(card))]
    for n, row in enumerate(card.rows, 1):
        label, text = label_and_text(row, card)
        node = row.priced.node
        struck = struck_in(node.parent) if isinstance(node.parent, Tag) else ""
        header.append(Cell(label, f"{locator}/label/{n}", True))
        cells.append(Cell(text, f"{locator}/{n}", struck=struck, raw=clean(str(node))))
    return Grid((tuple(header), tuple(cells)), locator, card.rows[0].priced.headings, panes_of(card.element, soup))


def label_and_text(row: Row, card: Card) -> tuple[str, str]:
    """(what stands before a price in its row, the price with what stands behind it)."""
    node, around = row.priced.node, row.within(card.element)
    if len(card.rows) == 1 and sum(1 for _ in strings_of(card.element)) <= MOST_IN_ROW:
        around = card.element  # the card is the row
    bare = clean(str(node))
    texts = [clean(t) for t in strings_of(around)] if isinstance(around, Tag) else [bare]
    at = texts.index(bare) if bare in texts else 0
    label = " ".join(t for t in texts[:at] if len(t) <= LONGEST and t != card.title)
    return label or before(node, card), " ".join(texts[at:]) or bare


def before(node: NavigableString, card: Card) -> str:
    """The text directly before a price, where it is neither the card's name nor another price."""
    last = ""
    for text in strings_of(card.element):
        if text is node:
            break
        last = clean(text)
    return "" if last == card.title or amounts(last) or len(last) > LONGEST else last


def ident_of(card: Card) -> str | None:
    """The id a card gives beside its name: what its copy button copies, or what stands in code marks."""
    for tag in card.element.descendants:
        if not isinstance(tag, Tag):
            continue
        for key in COPIED:
            if IDENT.fullmatch(str(tag.get(key) or "")):
                return str(tag.get(key))
        if tag.name == "code" and IDENT.fullmatch(clean(tag.get_text())):
            return clean(tag.get_text())
    return None
