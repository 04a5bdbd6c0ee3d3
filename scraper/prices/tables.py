"""One grid -> price claims: find the axis of meters and the axis of models, then read every cell in its context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from data.records import Meter, PriceClaim, Tier
from scraper.amounts import Amount, amounts_in, currency_of, is_nothing, unit_of
from scraper.grids import Cell, Grid
from scraper.grids.types import fold
from scraper.prices.words import (
    GENERIC_ROW,
    MODALITY,
    PRICE_HEADER,
    Meaning,
    is_name_header,
    meaning_of,
    tier_of,
    with_modality,
)
from scraper.source import Hints

Refuse = Callable[[str, str, str], None]
TOKEN_UNITS = {"per_mtok": Decimal(1), "per_ktok": Decimal(1000), "per_token": Decimal(1_000_000)}
PAGE_UNIT = re.compile(r"prices?[^.]{0,60}per (?:1m|million|1 million|1,000,000) tokens", re.I)
PAGE_CURRENCY = re.compile(
    r"(?:all )?prices[^.]{0,40}\b(?:in|are)\b[^.]{0,20}\b(USD|US dollars|EUR|euros?|CNY|RMB)\b", re.I
)
WORDS_OF_CURRENCY = {
    "usd": "USD",
    "us dollars": "USD",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "cny": "CNY",
    "rmb": "CNY",
}
CUT = re.compile(r"(?:限时)?\s*(\d+(?:\.\d+)?)\s*折(?=.*)", re.S)
EMBEDS = re.compile(r"embed|向量", re.I)
EXAMPLE = re.compile(r"example|worked|calculation|total\b|示例|beispiel|exemple", re.I)


@dataclass(frozen=True)
class Column:
    """What a column says: its path of headers, the meter, and unit and currency where the path names them."""

    path: tuple[str, ...]
    meaning: Meaning | None
    per: str | None
    currency: str | None


def claims_of_grid(grid: Grid, page_text: str, capture: str, hints: Hints, refuse: Refuse) -> Iterator[PriceClaim]:
    """Claims of one table; nothing where no meter is named or the table is a worked example."""
    header_rows, body = split_header(grid)
    if not body or any(EXAMPLE.search(h) for h in grid.headings[-1:]):
        return
    columns = columns_of(header_rows, max(len(r) for r in body))
    around = context_of(grid, page_text, hints)
    columns = [priced(c, n, body, around) for n, c in enumerate(columns)]
    names = name_column(columns, body)
    if taught := next((c for c in columns if c.meaning and c.meaning.meter == "training"), None):
        # prices beside a training price are those of the tuned model, not of the base one (HAZARDS X5)
        around = replace(around, conditions=(*around.conditions, f"beside {taught.path[-1]}"))
    if any(c.meaning for c in columns) or any(states_price(c) for n, c in enumerate(columns) if n != names):
        yield from models_down(grid, columns, body, names, around, capture, refuse)
    elif any(label_of(r)[1] for r in body):
        yield from meters_down(grid, columns, body, around, capture, refuse)


def split_header(grid: Grid) -> tuple[list[tuple[Cell, ...]], list[tuple[Cell, ...]]]:
    """Leading rows without amounts that name meters, units or models, and the rest."""
    n = 0
    for row in grid.rows[:4]:
        texts = [c.text for c in row]
        says = (
            any(meaning_of(t) or is_name_header(t) for t in texts)
            or all(c.header for c in row)
            or (n == 0 and texts[:1] == [""])
        )
        if not says or any(amounts_in(t) for t in texts):
            break
        if n and not all(c.header for c in row) and len({fold(t) for t in texts}) > 2 and is_row_label(row):
            break
        n += 1
    return list(grid.rows[:n]), [r for r in grid.rows[n:] if r]


def is_row_label(row: tuple[Cell, ...]) -> bool:
    """A row whose first cell names a meter and whose others do not: data of a turned table, not a header."""
    return meaning_of(row[0].text) is not None and not any(meaning_of(c.text) for c in row[1:])


def columns_of(header: list[tuple[Cell, ...]], width: int) -> list[Column]:
    out = []
    for c in range(width):
        path = tuple(dict.fromkeys(row[c].text for row in header if c < len(row) and row[c].text))
        text = " ".join(path)
        own = meaning_of(path[-1]) if path else None
        meaning = own or (meaning_of(text) if path else None)
        if meaning and is_name_header(path[-1]):
            meaning = None
        out.append(Column(path, meaning, unit_of(text), currency_of(text)))
    return out


def priced(column: Column, n: int, body: list[tuple[Cell, ...]], around: Around) -> Column:
    """A column named after a meter that holds no amount says something else: a band, a limit."""
    bare = (column.currency or around.currency) is not None
    if column.meaning and not any(n < len(r) and amounts_in(r[n].text, bare=bare) for r in body):
        return Column(column.path, None, column.per, column.currency)
    return column


def states_price(column: Column) -> bool:
    """A column of prices that names no direction: the row, or the words beside the number, must say which."""
    return column.meaning is None and bool(PRICE_HEADER.search(fold(" ".join(column.path)))) and column.per is not None


def label_of(row: tuple[Cell, ...]) -> tuple[str, Meaning | None, int]:
    """(label, what it means, first column after it) of a row that is named by a meter."""
    for n, cell in enumerate(row[:3]):
        if (found := meaning_of(cell.text)) is not None and not amounts_in(cell.text):
            last = max(k for k, c in enumerate(row) if c is cell)
            return cell.text, found, max(n, last) + 1
    return "", None, 1


def name_column(columns: list[Column], body: list[tuple[Cell, ...]]) -> int:
    """The column with the models' names: the one that says so, else the first that names no meter and holds no amount."""
    for n, c in enumerate(columns):
        if c.path and is_name_header(c.path[-1]):
            return n
    return next(
        (
            n
            for n, c in enumerate(columns)
            if c.meaning is None and not any(n < len(r) and amounts_in(r[n].text) for r in body)
        ),
        0,
    )


@dataclass(frozen=True)
class Around:
    """Unit, currency, tier and conditions that the place of a table gives."""

    per: str | None
    currency: str | None
    tier: Tier
    conditions: tuple[str, ...]


def context_of(grid: Grid, page_text: str, hints: Hints) -> Around:
    near = [grid.intro, *reversed(grid.headings)]
    per = next((u for t in near if (u := unit_of(t))), None) or hints.per
    currency = next((c for t in near if (c := currency_of(t))), None)
    if per is None and (PAGE_UNIT.search(page_text) or "MTok = Million tokens" in page_text):
        per = "per_mtok"
    if currency is None and (said := PAGE_CURRENCY.search(page_text)):
        currency = WORDS_OF_CURRENCY[said.group(1).casefold()]
    if currency is None and page_text.count("$") >= 10 and not re.search(r"[€¥£元]", page_text):
        currency = "USD"  # every amount the page shows carries the dollar sign
    tier = next((t for text in (*reversed(grid.panes), *reversed(grid.headings)) if (t := tier_of(text))), None)
    heading = [grid.headings[-1]] if grid.headings and grid.headings[-1] else []
    return Around(per, currency or hints.currency, tier or "standard", tuple(dict.fromkeys([*heading, *grid.panes])))


def models_down(
    grid: Grid,
    columns: list[Column],
    body: list[tuple[Cell, ...]],
    names: int,
    around: Around,
    capture: str,
    refuse: Refuse,
) -> Iterator[PriceClaim]:
    """One model a row, meters in columns."""
    last = ""
    for row in body:
        if names >= len(row) or len({id(c) for c in row}) == 1:
            continue
        name = named(row[names])
        if not name:
            name = last
        last = name
        if not is_name(name):
            continue
        row_unit = next((u for c in row if not amounts_in(c.text) and (u := unit_of(c.text))), None)
        kinds = [
            c.text for n, c in enumerate(row) if n != names and columns[n].meaning is None and not amounts_in(c.text)
        ]
        modality = next((f.group().rstrip("s") for k in kinds if len(k) < 20 and (f := MODALITY.search(fold(k)))), None)
        said = tuple(k for k in kinds if 0 < len(k) < 60 and not is_nothing(k) and unit_of(k) is None)
        for n, cell in enumerate(row):
            column = columns[n]
            meaning = column.meaning
            if n != names and meaning is None and states_price(column):
                meaning = next((m for k in kinds if (m := meaning_of(k))), Meaning("unified"))
            if n == names or meaning is None:
                continue
            for found in cell_claims(name, cell, column, meaning, around, row_unit, modality, said, capture, refuse):
                yield found.model_copy(update={"model_id_as_written": row[names].ident}) if row[names].ident else found


def meters_down(
    grid: Grid, columns: list[Column], body: list[tuple[Cell, ...]], around: Around, capture: str, refuse: Refuse
) -> Iterator[PriceClaim]:
    """Meters in rows; the model is a column's header, or the nearest heading where columns are only free and paid."""
    for row in body:
        label, meaning, first = label_of(row)
        if meaning is None:
            continue
        row_unit = unit_of(label)
        for n, cell in enumerate(row[first:], first):
            head = columns[n].path[-1] if n < len(columns) and columns[n].path else ""
            flat = fold(head)
            if re.search(r"\bfree\b|免费", flat):
                continue
            model = (
                (grid.headings[-1] if grid.headings else "")
                if not head or re.search(r"paid|price|付费|价格", flat)
                else head
            )
            if (tier_of(model) or fold(model) == "standard") and len(grid.headings) > 1:
                model = grid.headings[-2]
            if is_name(model):
                yield from cell_claims(model, cell, columns[n], meaning, around, row_unit, None, (), capture, refuse)


def named(cell: Cell) -> str:
    """The name in a cell: badges in blocks of their own are no part of it."""
    if (
        len(cell.lines) > 1
        and re.search(r"[A-Za-z]", cell.lines[0])
        and not any(re.search(r"\d", x) and re.fullmatch(r"[\w.:/-]+", x) for x in cell.lines[1:])
    ):
        return " ".join(x for n, x in enumerate(cell.lines) if n == 0 or x.startswith(("(", "（", "[")))
    return cell.text


def is_name(text: str) -> bool:
    """Something that can be a model's name: not empty, not a sentence, not a bare word for a kind of content."""
    return (
        1 < len(text) <= 120
        and not GENERIC_ROW.match(fold(text))
        and not text.endswith((".", ":", "。"))
        and not is_nothing(text)
        and not amounts_in(text)
    )


def cell_claims(
    name: str,
    cell: Cell,
    column: Column,
    meaning: Meaning,
    around: Around,
    row_unit: str | None,
    modality: str | None,
    said: tuple[str, ...],
    capture: str,
    refuse: Refuse,
) -> Iterator[PriceClaim]:
    evidence = column.currency or around.currency
    cut = CUT.search(cell.text) if "原价" in cell.text else None
    for amount in amounts_in(CUT.sub(" ", cell.text) if cut else cell.text, bare=evidence is not None):
        per = amount.per or column.per or row_unit or around.per
        currency = amount.currency or evidence
        if per is None or currency is None:
            refuse(cell.text, "no unit" if per is None else "no currency", cell.locator)
            continue
        beside = meaning_of(amount.qualifier) if meaning.meter == "unified" else None
        if meaning.meter == "unified" and beside is None and (len(amounts_in(cell.text)) > 1 or per not in TOKEN_UNITS):
            refuse(cell.text, "no direction", cell.locator)
            continue
        told = beside or meaning
        own = MODALITY.fullmatch(amount.qualifier.strip("() "))
        kind = own.group().rstrip("s") if own else modality
        meter = told.meter if kind is None else with_modality(told.meter, kind)
        if meter in ("input", "image_input", "video_input", "unified") and EMBEDS.search(
            f"{name} {' '.join(around.conditions)}"
        ):
            meter, said = "embedding", (*said, *column.path[-1:])
        if per == "per_mtok_hour":
            meter = "cache_storage"
        upper = tuple(p for p in column.path[:-1] if meaning_of(p) is None)
        extra = [*told.conditions, *upper, *said, *around.conditions, *(["free"] if amount.free else [])]
        if amount.qualifier and len(amount.qualifier) < 80:
            extra.append(amount.qualifier)
        tier = told.tier or tier_of(" ".join(column.path)) or around.tier
        if cut:  # a list price and a rate, no net printed: tenths to pay (HAZARDS P1)
            listed = claim(name, meter, tier, amount, per, currency, [*extra, cut.group()], cell, capture)
            yield listed.model_copy(update={"list_price": True})
            amount = replace(amount, value=amount.value * Decimal(cut.group(1)) / 10)
            extra += [cut.group(), "net price computed, not printed"]
        yield claim(name, meter, tier, amount, per, currency, extra, cell, capture)


def claim(
    name: str,
    meter: Meter,
    tier: Tier,
    amount: Amount,
    per: str,
    currency: str,
    conditions: list[str],
    cell: Cell,
    capture: str,
    model_id: str | None = None,
) -> PriceClaim:
    """A claim record; USD per million tokens only where that is what the page states."""
    factor = TOKEN_UNITS.get(per)
    return PriceClaim(
        capture=capture,
        model_as_written=name,
        model_id_as_written=model_id,
        meter=meter,
        tier=tier,
        amount=amount.value,
        currency=currency,
        per=per,
        usd_per_mtok=amount.value * factor if factor and currency == "USD" else None,
        conditions=tuple(dict.fromkeys(c for c in conditions if c)),
        quote=cell.quote,
        locator=cell.locator,
    )
