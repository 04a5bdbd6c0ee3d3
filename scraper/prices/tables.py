"""One grid -> price claims: find the axis of meters and the axis of models, then read every cell in its context."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from data.records import PriceClaim
from scraper.amounts import BARE, amounts_in, is_nothing, unit_of
from scraper.grids import Grid
from scraper.grids.types import fold
from scraper.prices.cells import Refuse, Row, cell_claims
from scraper.prices.conditions import CLOCK, band_of
from scraper.prices.context import Around, context_of
from scraper.prices.layout import (
    BAND,
    Cells,
    Column,
    columns_of,
    is_further,
    is_name,
    label_of,
    name_column,
    names_in,
    split_header,
)
from scraper.prices.words import PRICE_HEADER, SIZE, is_name_header, meaning_of, tier_of
from scraper.source import Hints

EXAMPLE = re.compile(r"example|worked|calculation|total\b|示例|beispiel|exemple", re.I)
UNPAID = re.compile(r"\bfree\b|免费|gratuit|kostenlos")
ZONE = re.compile(r"UTC(?:\s?[+-]\d+)?|GMT|北京时间|Beijing time", re.I)
LONGEST = 60
SHORT = 30  # a cell of more letters describes, it does not name a meter
NO_MODEL = re.compile(r"paid|price|付费|价格")


def claims_of_grid(
    grid: Grid, page_text: str, capture: str, hints: Hints, refuse: Refuse, known: Collection[str] = ()
) -> Iterator[PriceClaim]:
    """Claims of one table; nothing where no meter is named or the table is a worked example."""
    header, body = split_header(grid)
    if not body or any(EXAMPLE.search(h) for h in grid.headings[-1:]):
        return
    around = context_of(grid, page_text, hints, known)
    columns = columns_of(header, body, around.currency)
    names = name_column(columns, body)
    if taught := next((c for c in columns if c.meaning and c.meaning.meter == "training"), None):
        # prices beside a training price are those of the tuned model, not of the base one (HAZARDS X5)
        around = replace(around, conditions=(*around.conditions, f"beside {taught.path[-1]}"))
    if header and all(BAND.search(c.head) for c in columns):
        yield from bands_across(columns, body, around, capture, refuse)
    elif turned(columns, body, names):
        yield from meters_down(grid, columns, body, around, capture, refuse)
    elif any(c.priced for n, c in enumerate(columns) if n != names):
        yield from models_down(columns, body, names or 0, around, capture, refuse)


def turned(columns: list[Column], body: list[Cells], names: int | None) -> bool:
    """Whether meters stand in the rows: no column names one, and most rows with amounts are labelled by one."""
    if any(c.meaning for c in columns):
        return False
    if names is None:
        return True
    if is_name_header(columns[names].head) and any(PRICE_HEADER.search(fold(" ".join(c.path))) for c in columns):
        return False
    labels = [fold(r[names].text) for r in body if names < len(r) and any(amounts_in(c.text) for c in r)]
    told = [x for x in labels if PRICE_HEADER.search(x) or ((m := meaning_of(x)) and m.meter != "embedding")]
    return 2 * len(told) > len(labels)


def models_down(
    columns: list[Column], body: list[Cells], names: int, around: Around, capture: str, refuse: Refuse
) -> Iterator[PriceClaim]:
    """One model a row, meters in columns."""
    last: list[tuple[str, str | None]] = []
    plain = around
    for cells in body:
        if len({id(c) for c in cells}) == 1 and len(columns) > 1:
            around = below_title(plain, cells[0].text)
            continue
        if names >= len(cells):
            continue
        if len(cells) != len(columns) and any(c.meaning for c in columns):
            refuse(" | ".join(c.text for c in cells), "a row longer or shorter than its header", cells[0].locator)
            continue
        further = (cells[names].text,) if last and is_further(cells[names].text) else ()
        last = names_in(cells[names]) if cells[names].text and not further else last
        others = [(n, c) for n, c in enumerate(cells) if n != names]
        kinds = tuple(c.text for n, c in others if not columns[n].priced and not amounts_in(c.text))
        said = tuple(in_zone(columns[n], c.text) for n, c in others if narrows(columns[n], c.text)) + further
        per = next((u for _, c in others if not amounts_in(c.text) and (u := unit_of(c.text))), None)
        what = next((m for k in kinds if len(k) < SHORT and (m := meaning_of(k))), None)
        for name, ident in last:
            row = Row(name, ident, per, (columns[names].head, *kinds), said)
            if not is_name(name):
                continue
            for n, cell in others:
                if columns[n].priced:
                    meaning = columns[n].meaning or what
                    yield from cell_claims(row, cell, columns[n], meaning, around, capture, refuse)


def below_title(around: Around, text: str) -> Around:
    """What a title across the width of a table says of the rows below it; a note says nothing (HAZARDS T9)."""
    if not 0 < len(text) < LONGEST or amounts_in(text) or text.endswith((".", "。")):
        return around
    return replace(
        around,
        tier=tier_of(text) or around.tier,
        conditions=tuple(dict.fromkeys((*around.conditions, text))),
        words=(around.words[0], text, *around.words[1:]),
    )


def narrows(column: Column, text: str) -> bool:
    """Whether a cell beside prices tells them apart: no price, no number, no size or limit unless it is a band."""
    if (
        column.priced
        or (meaning_of(column.head) and band_of(text) is None)  # `50% off` under a meter is no condition of another
        or not 0 < len(text) < LONGEST
        or amounts_in(text)
        or is_nothing(text)
        or unit_of(text)
    ):
        return False
    return bool(BAND.search(text)) or not (SIZE.search(fold(" ".join(column.path))) or BARE.match(text))


def in_zone(column: Column, text: str) -> str:
    """Hours with the time zone that their header names."""
    zone = ZONE.search(column.head) if CLOCK.search(text) else None
    return f"{text} ({zone.group()})" if zone and not ZONE.search(text) else text


def meters_down(
    grid: Grid, columns: list[Column], body: list[Cells], around: Around, capture: str, refuse: Refuse
) -> Iterator[PriceClaim]:
    """Meters in rows; the model is a column's header, or the nearest heading where columns are only free and paid."""
    for cells in body:
        label, meaning, first = label_of(cells)
        if not label:
            continue
        for n, cell in enumerate(cells[first:], first):
            head = columns[n].head if n < len(columns) else ""
            if UNPAID.search(fold(head)):
                continue
            model = head
            if not head or NO_MODEL.search(fold(head)):
                model = grid.headings[-1] if grid.headings else ""
            if (tier_of(model) or fold(model) == "standard") and len(grid.headings) > 1:
                model = grid.headings[-2]
            if not is_name(model):
                continue
            said = () if meaning else (label,)
            row = Row(model, None, unit_of(label), (label,), said)
            yield from cell_claims(row, cell, columns[n], meaning, around, capture, refuse)


def bands_across(
    columns: list[Column], body: list[Cells], around: Around, capture: str, refuse: Refuse
) -> Iterator[PriceClaim]:
    """Bands in columns, `Input: $3` in cells, and the models in the sentence above (HAZARDS T13)."""
    for name in named_in(around.words[0], around.known):
        for cells in body:
            for n, cell in enumerate(cells):
                meaning = meaning_of(cell.text)
                column = replace(columns[n], meaning=meaning)
                row = Row(name, said=(column.head,))
                yield from cell_claims(row, cell, column, meaning, around, capture, refuse)


def named_in(sentence: str, known: Collection[str]) -> list[str]:
    """The page's own names that a sentence names, in full or without their first word ("Sonnet 4.5")."""
    text, out = fold(sentence), []
    for name in sorted(set(known), key=lambda n: (-len(n), n)):
        for form in (fold(name), fold(name).partition(" ")[2]):
            if len(form) > 3 and re.search(rf"(?<![\w.]){re.escape(form)}(?![\w-]|\.\d)", text):
                text = re.sub(rf"(?<![\w.]){re.escape(form)}(?![\w-]|\.\d)", " ", text)
                out.append(name)
                break
    return out
