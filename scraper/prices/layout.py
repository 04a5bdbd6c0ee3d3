"""The shape of a table: header rows, what each column says, where the names stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from scraper.amounts import BARE, amounts_in, clean_words, currency_of, folded, is_nothing, units_in
from scraper.grids import Cell, Grid
from scraper.grids.types import fold
from scraper.prices.words import (
    BLENDED,
    GENERIC_ROW,
    PRICE_HEADER,
    Meaning,
    is_name_header,
    meaning_of,
    paired_meanings,
)

Cells = tuple[Cell, ...]
FURTHER = re.compile(
    r"^(?:[→↳>+•·\s–-]*(?:over|above|up to|under|below|more than|less than|beyond|über|bis|ab|超过|大于|小于)?\s*[<>≤≥]?=?\s*\d+(?:\.\d+)?\s*[km](?:\s*(?:input |prompt )?tokens?)?|[→↳].*)$",
    re.I,
)
BAND = re.compile(r"[<>≤≥＜＞]=?\s*\d+(?:[.,]\d+)?\s*[km]?\b", re.I)
LISTED = re.compile(
    r"\blist\b|\bold\b|\boriginal\b|\bregular\b|\bbefore\b|\bwas\b|\bprevious|原价|\balt(?:er)?\b|\bancien"
)
PLAIN = re.compile(
    r"\b(?:pric(?:e|es|ing)|costs?|rates?|usd|eur|in|per|per|the|api|list|our|standard|tokens?|1?m|us|dollars?|tarifs?|prix|preise?|paid|tier|unit)\b"
    r"|价格|单价|费用|料金|価格|元|美元|人民币|欧元|每|tokens"
)
IDENT = re.compile(r"(?=.*\d)[\w.:/-]+", re.ASCII)
HEADER_ROWS = 4


@dataclass(frozen=True)
class Column:
    """What a column says: its path of headers, the meter, units and currency where the path names them.

    `priced`: its cells are prices, of the meter it names or of one that the row or the unit must say.
    """

    path: tuple[str, ...]
    meaning: Meaning | None
    pers: tuple[str, ...]
    currency: str | None
    priced: bool = False
    listed: bool = False  # what was charged before, or before a discount that another column states

    @property
    def head(self) -> str:
        return self.path[-1] if self.path else ""

    @property
    def names_price(self) -> bool:
        return bool(PRICE_HEADER.search(fold(" ".join(self.path))) or (self.currency and self.pers))

    @property
    def plain_price(self) -> bool:
        """A header that says price, unit and currency and nothing else: no kind of token, no part of a request."""
        left = PLAIN.sub(" ", clean_words(folded(" ".join(self.path))))
        return self.names_price and not re.search(r"[^\W\d_]", left)

    @property
    def paired(self) -> tuple[Meaning, ...]:
        """`input / output`: the meters of the numbers of one cell, in order."""
        return paired_meanings(self.head)


def split_header(grid: Grid) -> tuple[list[Cells], list[Cells]]:
    """Leading rows without amounts that name meters, units or models, and the rest."""
    n = 0
    for row in grid.rows[:HEADER_ROWS]:
        texts = [c.text for c in row]
        marked = all(c.header for c in row)
        says = any(meaning_of(t) or is_name_header(t) for t in texts) or marked or (n == 0 and texts[:1] == [""])
        numbers = any(amounts_in(t) for t in texts) or (not marked and any(BARE.match(t) for t in texts))
        if not says or numbers:
            break
        if n and not marked and len({fold(t) for t in texts}) > 2 and is_row_label(row):
            break
        n += 1
    return list(grid.rows[:n]), [r for r in grid.rows[n:] if r]


def is_row_label(row: Cells) -> bool:
    """A row whose first cell names a meter and whose others do not: data of a turned table, not a header."""
    return meaning_of(row[0].text) is not None and not any(meaning_of(c.text) for c in row[1:])


def columns_of(header: list[Cells], body: list[Cells], currency: str | None) -> list[Column]:
    """What every column says; one that is named after a meter and holds no amount is a band or a limit."""
    out = []
    for n in range(max(len(r) for r in body)):
        path = tuple(dict.fromkeys(row[n].text for row in header if n < len(row) and row[n].text))
        text = " ".join(path)
        meaning = (meaning_of(path[-1]) or meaning_of(text)) if path else None
        if path and is_name_header(path[-1]):
            meaning = None
        own = currency_of(text)
        column = Column(path, meaning, tuple(units_in(text)), own)
        cells = [r[n].text for r in body if n < len(r) and not is_nothing(r[n].text)]
        stated = sum(bool(amounts_in(t, bare=bool(own or currency))) for t in cells)
        out.append(replace(column, meaning=meaning if stated else None, priced=is_priced(column, cells, stated)))
    return [replace(c, listed=is_listed(c, out)) for c in out]


def is_listed(column: Column, columns: list[Column]) -> bool:
    """A list or old price beside a column of the same meter that is in force."""
    if not column.priced or column.meaning is None or not LISTED.search(fold(column.head)):
        return False
    return any(
        c.priced and c.meaning == column.meaning and c.currency == column.currency and not LISTED.search(fold(c.head))
        for c in columns
    )


def is_priced(column: Column, cells: list[str], stated: int) -> bool:
    flat = fold(" ".join(column.path))
    if not stated or BLENDED.search(flat):
        return False
    money = sum(bool(amounts_in(t)) for t in cells)
    return bool(column.meaning or column.names_price or (column.pers and money) or 2 * money > len(cells))


def name_column(columns: list[Column], body: list[Cells]) -> int | None:
    """The column with the names: the one that says so, else the first that names no meter and holds no amount."""
    for n, c in enumerate(columns):
        if c.path and is_name_header(c.path[-1]):
            return n
    for n, c in enumerate(columns):
        if c.meaning is None and not any(n < len(r) and amounts_in(r[n].text) for r in body):
            return n
    return None


def label_of(row: Cells) -> tuple[str, Meaning | None, int]:
    """(label, what it means, first column after it) of a row that is named by a meter."""
    for n, cell in enumerate(row[:3]):
        if (found := meaning_of(cell.text)) is not None and not amounts_in(cell.text):
            last = max(k for k, c in enumerate(row) if c is cell)
            return cell.text, found, max(n, last) + 1
    return (row[0].text if row and not amounts_in(row[0].text) else ""), None, 1


def names_in(cell: Cell) -> list[tuple[str, str | None]]:
    """(name, id) of each model a cell names: ids on lines of their own are models, or the id of the name above.

    Badges in blocks of their own are no part of a name; a note in brackets is.
    """
    lines = cell.lines
    if len(lines) < 2 or not re.search(r"[A-Za-z]", lines[0]):
        return [(cell.text, cell.ident)]
    idents = [x for x in lines[1:] if IDENT.fullmatch(x)]
    name = " ".join(x for n, x in enumerate(lines) if n == 0 or x.startswith(("(", "（", "[")))
    if not idents:
        return [(name, cell.ident)]
    if IDENT.fullmatch(lines[0]) and len(idents) == len(lines) - 1:
        return [(x, None) for x in lines]
    if len(idents) == 1 and same_name(lines[0], idents[0]):
        return [(name, idents[0])]
    return [(cell.text, cell.ident)]


def is_further(text: str) -> bool:
    """A name cell that only narrows the model above it: `→ over 100K`, `> 128K tokens` (HAZARDS T10)."""
    return bool(FURTHER.match(fold(text)))


def same_name(name: str, ident: str) -> bool:
    """An id that spells the name: `DeepSeek V3.2` and `deepseek/deepseek-v3.2`."""
    a, b = (re.sub(r"[\W_]", "", fold(t)) for t in (name, ident.rsplit("/", 1)[-1]))
    return a in b or b in a


def is_name(text: str) -> bool:
    """Something that can be a model's name: not empty, not a sentence, not a bare word for a kind of content."""
    return (
        1 < len(text) <= 120
        and not GENERIC_ROW.match(fold(text))
        and not text.endswith((".", ":", "。"))
        and not is_nothing(text)
        and not amounts_in(text)
    )
