"""An HTML table -> rows with row and column spans filled; placeholder cells (colspan or rowspan 0) dropped first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from scraper.grids.nodes import struck_in, tags_in, text_of
from scraper.grids.types import Cell, clean

MOST_CELLS = 200_000
MOST_SPAN = 200
MOST_COLUMNS = 500


def table_rows(table: Tag, locator: str) -> tuple[tuple[Cell, ...], ...]:
    grid: list[list[Cell]] = []
    waiting: dict[int, tuple[int, Cell]] = {}
    count = 0
    for r, tr in enumerate(rows_of(table)):
        row: list[Cell] = []
        for c, td in enumerate(td for td in tags_in(tr) if td.name in ("td", "th") and not placeholder(td)):
            while len(row) in waiting:
                row.append(take(waiting, len(row)))
            cell = cell_of(td, f"{locator}/{r}/{c}")
            tall = span(td, "rowspan")
            for _ in range(span(td, "colspan")):
                if tall > 1:
                    waiting[len(row)] = (tall - 1, cell)
                row.append(cell)
            if len(row) > MOST_COLUMNS:
                return ()
        while len(row) in waiting:
            row.append(take(waiting, len(row)))
        count += len(row)
        if count > MOST_CELLS:
            return ()
        grid.append(row)
    return tuple(tuple(row) for row in grid if row)


def rows_of(table: Tag) -> Iterator[Tag]:
    """The rows of a table, those of tables inside its cells left out."""
    stack = tags_in(table)[::-1]
    while stack:
        here = stack.pop()
        if here.name == "tr":
            yield here
        elif here.name != "table":
            stack.extend(tags_in(here)[::-1])


def take(waiting: dict[int, tuple[int, Cell]], column: int) -> Cell:
    left, cell = waiting.pop(column)
    if left > 1:
        waiting[column] = (left - 1, cell)
    return cell


def span(td: Tag, name: str) -> int:
    found = re.match(r"\d{1,6}", str(td.get(name) or "1"))
    return max(1, min(MOST_SPAN, int(found.group()))) if found else 1


def placeholder(td: Tag) -> bool:
    return str(td.get("colspan", "")) == "0" or str(td.get("rowspan", "")) == "0"


def cell_of(td: Tag, locator: str) -> Cell:
    text = text_of(td)
    lines = tuple(line for part in text.split("\n") if (line := clean(part)))
    return Cell(clean(text), locator, td.name == "th", struck_in(td), lines=lines if len(lines) > 1 else ())
