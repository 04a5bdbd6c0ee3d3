"""HTML -> grids: tables with their headings, panes and the words above; component data; cards and grids of blocks."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PageElement

from scraper.grids.blocks import block_grids
from scraper.grids.components import component_grids
from scraper.grids.nodes import DROPPED, HEADINGS, LONGEST, Priced, panes_of, text_of
from scraper.grids.scripts import script_data
from scraper.grids.spans import table_rows
from scraper.grids.types import Grid, clean, joined

MONEY = re.compile(r"[$€£¥￥]\s?\.?\d|\d\s?[元€£$]|^\s*(?:free|免费|gratuit|kostenlos)\s*$", re.I)
INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "button",
        "code",
        "em",
        "font",
        "i",
        "label",
        "mark",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
    ]
)
SKIPPED = frozenset((*DROPPED, "head", "select", "nav"))
LAST_BLOCKS = 3
HEADER_ROWS = 2


@dataclass(frozen=True)
class Page:
    """`grids` are tables and component data, `blocks` gives what cards and runs of divs hold, `data` what scripts and attributes hold."""

    grids: tuple[Grid, ...]
    blocks: Callable[[], tuple[Grid, ...]]
    data: Callable[[], Any]
    text: str


def soup_of(text: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(text, "lxml")


def read_html(text: str) -> Page:
    """One walk over the page: headings, the words above each table, the tables, and every price outside of them."""
    soup = soup_of(text)
    seen = Walk(words=[clean(soup.title.get_text())] if soup.title else [])
    node: PageElement | None = soup.contents[0] if soup.contents else None
    while node is not None:
        node = seen.step(node)
    grids = rejoined(
        [
            Grid(rows, f"table[{n}]", headings, panes_of(table, soup), intro)
            for n, (table, headings, intro) in enumerate(seen.tables)
            if (rows := table_rows(table, f"table[{n}]"))
        ]
    )
    return Page(
        (*grids, *component_grids(soup, grids)),
        lambda: tuple(block_grids(seen.priced, soup)),
        lambda: script_data(soup),
        clean(" ".join(seen.words)),
    )


def rejoined(grids: list[Grid]) -> list[Grid]:
    """A header that is drawn as a table of its own, put on the table behind it (HAZARDS T6); else all as they are."""
    out: list[Grid] = []
    for grid in grids:
        last = out[-1] if out else None
        if last and is_header_alone(last) and not is_header_alone(grid) and same_place(last, grid):
            out[-1] = replace(grid, rows=(*last.rows, *grid.rows), intro=joined(last.intro, grid.intro))
        else:
            out.append(grid)
    return out


def is_header_alone(grid: Grid) -> bool:
    return len(grid.rows) <= HEADER_ROWS and not any(MONEY.search(c.text) for row in grid.rows for c in row)


def same_place(one: Grid, other: Grid) -> bool:
    """As many columns, under the same headings and tabs, and the second without a header of its own."""
    return (
        len(one.rows[0]) == len(other.rows[0])
        and (one.headings, one.panes) == (other.headings, other.panes)
        and not any(c.header for c in other.rows[0])
        and any(re.search(r"\d", c.text) for c in other.rows[0])
    )


@dataclass
class Walk:
    """What was met so far, in page order."""

    chain: dict[int, str] = field(default_factory=dict)
    intro: list[str] = field(default_factory=list)
    block: Tag | None = None
    tables: list[tuple[Tag, tuple[str, ...], str]] = field(default_factory=list)
    priced: list[Priced] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(self.chain[k] for k in sorted(self.chain) if self.chain[k])

    def step(self, node: PageElement) -> PageElement | None:
        """Take one node in and return the next one; tables and dead parts are passed over whole."""
        if isinstance(node, Tag):
            if node.name in SKIPPED:
                return after(node)
            if node.name in HEADINGS:
                text, level = clean(text_of(node)), int(node.name[1])
                self.chain = {k: v for k, v in self.chain.items() if k < level} | {level: text}
                self.words.append(text)
                self.intro, self.block = [], None
                return after(node)
            if node.name == "table":
                self.tables.append((node, self.headings, " ".join(self.intro)))
                self.words.append(node.get_text(" "))
                return after(node)
        elif type(node) is NavigableString and (text := str(node)).strip():
            self.take(node, text)
        return node.next_element

    def take(self, node: NavigableString, text: str) -> None:
        block = block_of(node)
        if block is self.block and self.intro:
            self.intro[-1] = joined(self.intro[-1], clean(text))[-400:]
        else:
            self.intro = [*self.intro[1 - LAST_BLOCKS :], clean(text)]
            self.block = block
        self.words.append(text)
        if len(text) <= LONGEST and MONEY.search(text):
            self.priced.append(Priced(node, self.headings))


def after(node: PageElement) -> PageElement | None:
    """The next node outside of this one."""
    here: PageElement | None = node
    while here is not None:
        if here.next_sibling is not None:
            return here.next_sibling
        here = here.parent
    return None


def block_of(node: PageElement) -> Tag | None:
    """The nearest element around a text that stands on lines of its own."""
    here = node.parent
    while here is not None and here.name in INLINE and not here.get("data-as"):
        here = here.parent
    return here
