"""Tables drawn with blocks: a header run before rows of equal cells, or one flat run whose columns are only style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bs4 import BeautifulSoup, Tag

from scraper.grids.nodes import DROPPED, LONGEST, Priced, amounts, panes_of, struck_in, tags_in, text_of
from scraper.grids.types import Cell, Grid, clean

MOST_CELLS = 5000
WIDEST = 12
NEAREST = 3  # blocks before a row, or first in its parent, that may be the header


def own_cells(row: Tag) -> list[Tag]:
    return [c for c in tags_in(row) if c.name not in DROPPED]


def header_run(row: Tag) -> list[Tag]:
    """The cells of the header of a table drawn with blocks: a block before the rows, or one before their parent."""
    width = len(own_cells(row))
    if width < 2:
        return []
    for here in (row, row.parent):
        if not isinstance(here, Tag) or not isinstance(here.parent, Tag):
            continue
        beside = tags_in(here.parent)
        at = next(n for n, t in enumerate(beside) if t is here)
        for other in (*beside[max(0, at - NEAREST) : at][::-1], *beside[: min(at, NEAREST)]):
            for box in (other, *tags_in(other)[:NEAREST]):
                cells = own_cells(box)
                if len(cells) == width and all(is_label(c) for c in cells):
                    return cells
    return []


def is_label(cell: Tag) -> bool:
    text = clean(text_of(cell))
    return len(text) < LONGEST and not amounts(text)


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


def flat_runs(priced: Sequence[Priced], soup: BeautifulSoup) -> Iterator[tuple[Tag, Grid]]:
    """Cells that are all children of one block (columns exist only in the style): rows by the period of the prices."""
    parents: dict[int, tuple[Tag, Priced]] = {}
    for p in priced:
        cell = p.node.parent
        for _ in range(3):
            if isinstance(cell, Tag) and isinstance(cell.parent, Tag):
                parents.setdefault(id(cell.parent), (cell.parent, p))
                cell = cell.parent
    holding = {id(t): p for p in priced for t in p.node.parents}
    for n, (box, first) in enumerate(parents.values()):
        cells = own_cells(box)
        if not 6 <= len(cells) <= MOST_CELLS:
            continue
        if width := period([amounts(c.get_text(" ")) if id(c) in holding else 0 for c in cells]):
            rows = [cells[i : i + width] for i in range(0, len(cells), width)]
            yield box, grid_of(rows, f"run[{n}]", first.headings, box, soup)


def period(counts: list[int]) -> int | None:
    """The width of a flat run of cells: a first row without amounts, then rows whose first cell has none and others do."""
    start = next((i for i, c in enumerate(counts) if c), 0)
    for width in range(2, min(WIDEST, start + 1)):
        rows = [counts[i : i + width] for i in range(0, len(counts), width)]
        if len(counts) % width or len(rows) < 2 or any(rows[0]):
            continue
        like = Counter(tuple(bool(c) for c in row) for row in rows[1:])
        shape, often = like.most_common(1)[0]
        if not shape[0] and any(shape) and often >= 0.6 * (len(rows) - 1) and not any(r[0] for r in rows):
            return width
    return None
