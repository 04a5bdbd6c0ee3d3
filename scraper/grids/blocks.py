"""Prices outside of tables -> grids: rows of divs under a header run, and cards with one name and its prices.

Structure only. A card is the smallest repeated element with a name of its own; nothing crosses its border. A run of
like siblings whose first has no amount is a table drawn with blocks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from scraper.grids.nodes import DROPPED, HEADINGS, is_struck, panes_of, struck_in, text_of
from scraper.grids.types import Cell, Grid, clean

MOST_PRICED = 20_000
HIGHEST = 14  # levels a card may stand above its prices
LETTERS = re.compile(r"[^\W\d_]")
IDENT = re.compile(r"[a-z0-9][a-z0-9._:/@-]*[-/][a-z0-9._:/@-]*[a-z0-9]")
COPIED = ("data-text", "data-clipboard-text", "data-copy", "data-model-id", "data-model")
LONGEST = 100  # characters of a label or a price; a longer text explains
MOST_IN_ROW = 5  # texts in the row of one price: label, note, amount, unit
DISTINCT = 0.9  # share of an element kind's titles that differ, if they are names and not labels


@dataclass(frozen=True)
class Priced:
    """A text with an amount in it, and the headings above it."""

    node: NavigableString
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    element: Tag
    prices: tuple[Priced, ...]
    title: str


def block_grids(priced: Sequence[Priced], soup: BeautifulSoup) -> Iterator[Grid]:
    """Grids of all prices that stand in repeated blocks; what stands alone in prose is left."""
    if not 2 <= len(priced) <= MOST_PRICED:
        return
    runs = list(flat_runs(priced, soup))
    yield from runs
    if runs:
        return
    done: set[int] = set()
    for n, card in enumerate(cards_of(priced)):
        if any(id(p) in done for p in card.element.parents) or id(card.element) in done:
            continue
        done.add(id(card.element))
        header = header_run(card.element)
        cells = own_cells(card.element)
        if header and len(header) == len(cells):
            yield grid_of([header, cells], f"block[{n}]", card.prices[0].headings, card.element, soup)
        else:
            yield card_grid(card, f"card[{n}]", soup)


def cards_of(priced: Sequence[Priced]) -> list[Card]:
    """For every price the smallest element of a repeated kind that has a name of its own."""
    by_element: dict[int, tuple[Tag, list[Priced]]] = {}
    for p in priced:
        for up, parent in enumerate(p.node.parents):
            if not isinstance(parent, Tag) or parent.name in ("body", "html", "[document]") or up > HIGHEST:
                break
            by_element.setdefault(id(parent), (parent, []))[1].append(p)
    kinds: dict[tuple[str, ...], list[Card]] = defaultdict(list)
    for element, inside in by_element.values():
        title = title_of(element, inside)
        kinds[kind_of(element)].append(Card(element, tuple(inside), title))
    names = {kind for kind, cards in kinds.items() if are_cards(cards)}
    chosen: dict[int, Card] = {}
    by_id = {id(c.element): c for cards in kinds.values() for c in cards}
    for p in priced:
        for parent in p.node.parents:
            card = by_id.get(id(parent))
            if card is not None and card.title and kind_of(card.element) in names:
                chosen.setdefault(id(parent), card)
                break
    return list(chosen.values())


def are_cards(cards: list[Card]) -> bool:
    """Elements of one kind are cards where there are several, side by side, and their titles tell them apart."""
    titled = [c.title for c in cards if c.title]
    beside = Counter(id(c.element.parent) for c in cards)
    if len(titled) < 2 or max(beside.values()) < 2 or len(titled) < 0.8 * len(cards):
        return False
    return len(set(titled)) >= DISTINCT * len(titled)


def kind_of(element: Tag) -> tuple[str, ...]:
    """What makes two elements alike: their own name and first style, and their parents'."""
    return tuple(f"{e.name}.{(e.get('class') or ('',))[0]}" for e in (element, *list(element.parents)[:2]))


def title_of(element: Tag, inside: Sequence[Priced]) -> str:
    """The name of a card: its first heading, else its first text that is neither a price nor the label of one."""
    heading = element.find(HEADINGS)
    if isinstance(heading, Tag):
        return clean(text_of(heading))
    rows = [row_of(p.node, element) for p in inside]
    for text in strings_of(element):
        said = clean(text)
        if LETTERS.search(said) and not within(text, rows):
            return said if len(said) <= 120 else ""
        if within(text, rows):
            return ""  # a price before any name
    return ""


def within(text: NavigableString, rows: Sequence[PageElement]) -> bool:
    return any(row is text or any(row is parent for parent in text.parents) for row in rows)


def row_of(node: NavigableString, card: Tag) -> PageElement:
    """The smallest element below the card that holds a price with its label, and no second price."""
    here: PageElement = node
    bare = clean(str(node))
    for parent in node.parents:
        if parent is card or not isinstance(parent, Tag):
            break
        text = clean(text_of(parent))
        short = " ".join(t for t in map(clean, strings_of(parent)) if len(t) <= LONGEST)
        if short.count(bare) > 1 or amounts(short) > amounts(bare) or parent.find(HEADINGS):
            break
        if text != bare and sum(1 for _ in strings_of(parent)) > MOST_IN_ROW:
            break
        here = parent
        if text != bare:
            break
    return here


def amounts(text: str) -> int:
    return len(re.findall(r"[$€£¥￥]\s?\.?\d|\d\s?[元€£$]|\bfree\b|免费", text, re.I))


def strings_of(element: Tag) -> Iterator[NavigableString]:
    for text in element.find_all(string=True):
        if type(text) is NavigableString and text.strip() and not dead(text, element):
            yield text


def dead(text: NavigableString, within: Tag) -> bool:
    for parent in text.parents:
        if parent is within or not isinstance(parent, Tag):
            return False
        if parent.name in DROPPED or parent.name == "button" or is_struck(parent):
            return True
    return False


def card_grid(card: Card, locator: str, soup: BeautifulSoup) -> Grid:
    """A card as a table of one row: its name, then each price under its label."""
    header = [Cell("", f"{locator}/label/0", True)]
    row = [Cell(card.title, f"{locator}/0", ident=ident_of(card))]
    for n, p in enumerate(card.prices, 1):
        label, text = label_and_text(p.node, card)
        struck = struck_in(p.node.parent) if isinstance(p.node.parent, Tag) else ""
        header.append(Cell(label, f"{locator}/label/{n}", True))
        row.append(Cell(text, f"{locator}/{n}", struck=struck, raw=clean(str(p.node))))
    return Grid((tuple(header), tuple(row)), locator, card.prices[0].headings, panes_of(card.element, soup))


def label_and_text(node: NavigableString, card: Card) -> tuple[str, str]:
    """(what stands before a price in its row, the price with what stands behind it)."""
    row = row_of(node, card.element)
    bare = clean(str(node))
    texts = [clean(t) for t in strings_of(row)] if isinstance(row, Tag) else [bare]
    at = texts.index(bare) if bare in texts else 0
    label = " ".join(t for t in texts[:at] if len(t) <= LONGEST)
    if not label:
        label = before(node, card)
    return label, " ".join(texts[at:]) or bare


def before(node: NavigableString, card: Card) -> str:
    """The text directly before a price, where it is neither the card's name nor another price."""
    last = ""
    for text in strings_of(card.element):
        if text is node:
            break
        last = clean(text)
    return "" if last == card.title or amounts(last) or len(last) > 80 else last


def ident_of(card: Card) -> str | None:
    """The id a card gives beside its name: what its copy button copies, or what stands in code marks."""
    for key in COPIED:
        for tag in card.element.select(f"[{key}]"):
            value = str(tag.get(key))
            if IDENT.fullmatch(value):
                return value
    code = card.element.find("code")
    text = clean(code.get_text()) if isinstance(code, Tag) else ""
    return text if IDENT.fullmatch(text) else None


def own_cells(row: Tag) -> list[Tag]:
    return [c for c in row.find_all(True, recursive=False) if c.name not in DROPPED]


def header_run(row: Tag) -> list[Tag]:
    """The cells of the header of a table drawn with blocks: a sibling before the rows, or a block before their parent."""
    for first in (row, row.parent):
        if not isinstance(first, Tag):
            continue
        for other in first.find_previous_siblings(True):
            if amounts(other.get_text(" ")):
                continue
            for box in [other, *other.find_all(True, recursive=False)]:
                cells = own_cells(box)
                if len(cells) == len(own_cells(row)) > 1 and all(len(clean(text_of(c))) < 80 for c in cells):
                    return cells
    return []


def grid_of(rows: list[list[Tag]], locator: str, headings: tuple[str, ...], around: Tag, soup: BeautifulSoup) -> Grid:
    made = tuple(
        tuple(block_cell(c, f"{locator}/{r}/{n}", header=r == 0) for n, c in enumerate(row))
        for r, row in enumerate(rows)
    )
    return Grid(made, locator, headings, panes_of(around, soup))


def block_cell(block: Tag, locator: str, *, header: bool) -> Cell:
    text = text_of(block)
    lines = tuple(line for part in text.split("\n") if (line := clean(part)))
    return Cell(clean(text), locator, header, struck_in(block), lines=lines if len(lines) > 1 else ())


def flat_runs(priced: Sequence[Priced], soup: BeautifulSoup) -> Iterator[Grid]:
    """Cells that are all children of one block (columns exist only in the style): rows by the period of the prices."""
    parents: dict[int, tuple[Tag, Priced]] = {}
    for p in priced:
        cell = p.node.parent
        for _ in range(3):
            if isinstance(cell, Tag) and isinstance(cell.parent, Tag):
                parents.setdefault(id(cell.parent), (cell.parent, p))
                cell = cell.parent
    for n, (box, first) in enumerate(parents.values()):
        cells = own_cells(box)
        if 6 <= len(cells) <= 5000 and (width := period([amounts(c.get_text(" ")) for c in cells])):
            rows = [cells[i : i + width] for i in range(0, len(cells), width)]
            yield grid_of(rows, f"run[{n}]", first.headings, box, soup)


def period(counts: list[int]) -> int | None:
    """The width of a flat run of cells: a first row without amounts, then rows whose first cell has none and others do."""
    start = next((i for i, c in enumerate(counts) if c), 0)
    for width in range(2, min(12, start + 1)):
        rows = [counts[i : i + width] for i in range(0, len(counts), width)]
        if len(counts) % width or len(rows) < 2 or any(rows[0]):
            continue
        like = Counter(tuple(bool(c) for c in row) for row in rows[1:])
        shape, often = like.most_common(1)[0]
        if not shape[0] and any(shape) and often >= 0.6 * (len(rows) - 1) and not any(r[0] for r in rows):
            return width
    return None
