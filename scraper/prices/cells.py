"""One cell in its place -> claims: unit and currency from the nearest place that has them, the meter, the conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from data.records import Meter, PriceClaim, Tier
from scraper.amounts import Amount, amounts_in, folded
from scraper.grids import Cell
from scraper.prices.conditions import Band, Days, band_of, days_of, region_of, window_of
from scraper.prices.context import Around
from scraper.prices.layout import Column
from scraper.prices.media import TOKEN_UNITS, kind_of, meter_by_unit, of_clips
from scraper.prices.words import MODALITY, PRICE_HEADER, Meaning, meaning_of, tier_of, with_modality

Refuse = Callable[[str, str, str], None]
CUT = re.compile(r"(?:限时)?\s*(\d+(?:\.\d+)?)\s*折(?=.*)", re.S)
UNDIRECTED: frozenset[Meter] = frozenset(("audio", "agent", "tool"))
ODD = 500  # times smaller than its neighbour under one header: a note corrects its unit (HAZARDS U3)
EMBEDS = re.compile(r"embed|向量", re.I)


@dataclass(frozen=True)
class Row:
    """Whose prices a row states, and what its other cells say of them."""

    name: str
    ident: str | None = None
    per: str | None = None
    kinds: tuple[str, ...] = ()  # every other text of the row
    said: tuple[str, ...] = ()  # those that narrow its prices

    @property
    def modality(self) -> str | None:
        return next(
            (f.group().rstrip("s") for k in self.kinds if len(k) < 20 and (f := MODALITY.search(k.casefold()))), None
        )


def cell_claims(
    row: Row, cell: Cell, column: Column, meaning: Meaning | None, around: Around, capture: str, refuse: Refuse
) -> Iterator[PriceClaim]:
    """Every price of a cell; a struck one is a list price, and so is the first of `原价12元 限时5折`."""
    cut = CUT.search(cell.text) if "原价" in cell.text else None
    text = CUT.sub(" ", cell.text) if cut else cell.text
    bare = meaning is not None or column.names_price or column.currency is not None
    known = column.currency or (around.currency if bare else None)
    in_force = amounts_in(text, bare=known is not None)
    struck = amounts_in(cell.struck, bare=known is not None) if cell.struck and in_force else []
    pairs = column.paired if len(column.paired) > 1 and not any(meaning_of(a.qualifier) for a in in_force) else ()
    if pairs and len(pairs) != len(in_force) > 1:
        refuse(cell.text, "not as many numbers as its header names", cell.locator)
        return
    for n, amount in enumerate((*in_force, *struck)):
        if pairs:
            meaning = pairs[n % len(pairs)] if len(in_force) > 1 else None
        words = (column.head, amount.qualifier, row.name, *row.kinds, *around.words)
        per = amount.per or per_of(column, meaning, amount) or row.per or (around.per if meaning else around.near_per)
        per, clip = of_clips(per, words, amount.qualifier) if amount.per or per is None else (per, None)
        currency = around.yen if amount.currency == "CNY" and "¥" in folded(cell.text) else amount.currency or known
        if per is None or currency is None:
            refuse(cell.text, "no unit" if per is None else "no currency", cell.locator)
            continue
        if amount.per is None and any(0 < amount.value * ODD <= a.value and a.per is None for a in in_force):
            refuse(cell.text, "a note may correct its unit", cell.locator)
            continue
        beside = meaning_of(amount.qualifier) if meaning is None or meaning.meter == "unified" else None
        told = beside or meaning
        meter = meter_of(row, column, told, amount, per, words, around)
        if meter is None:
            refuse(cell.text, f"a price {per} of nothing that is known", cell.locator)
            continue
        if meter == "unified" and not (
            is_whole(amount, in_force) and (column.plain_price or (amount.per and not column.pers))
        ):
            refuse(cell.text, "no direction", cell.locator)
            continue
        upper = tuple(p for p in column.path[:-1] if meaning_of(p) is None)
        narrowed = [*(told.conditions if told else ()), *upper, *row.said]
        if meter == "embedding" or (
            per not in TOKEN_UNITS and not (PRICE_HEADER.search(column.head.casefold()) or column.pers)
        ):
            narrowed += column.path[-1:]
        extra = [*narrowed, *around.conditions, *([clip] if clip else []), *(["free"] if amount.free else [])]
        if amount.qualifier and len(amount.qualifier) < 80:
            extra.append(amount.qualifier)
        tier = (told.tier if told else None) or tier_of(" ".join(column.path)) or around.tier
        crossed = amount in struck and amount not in in_force
        listed = crossed or amount.listed or column.listed
        if cut:  # a list price and a rate, no net printed: tenths to pay (HAZARDS P1)
            before = claim(
                row.name, meter, tier, amount, per, currency, [*extra, cut.group()], cell, capture, row.ident
            )
            yield before.model_copy(update={"list_price": True})
            amount = replace(amount, value=amount.value * Decimal(cut.group(1)) / 10)
            extra += [cut.group(), "net price computed, not printed"]
        stands = cell.crossed_out if crossed else cell
        made = claim(row.name, meter, tier, amount, per, currency, extra, stands, capture, row.ident)
        yield made.model_copy(update={"list_price": True}) if listed else made


def per_of(column: Column, meaning: Meaning | None, amount: Amount) -> str | None:
    """The unit a column names; where it names two, audio is sold by time and text by tokens (HAZARDS U6)."""
    if len(column.pers) < 2:
        return next(iter(column.pers), None)
    timed = meaning is not None and meaning.meter.startswith(("audio", "video"))
    fitting = [p for p in column.pers if (p in TOKEN_UNITS) != timed]
    return fitting[0] if len(fitting) == 1 else None


def meter_of(
    row: Row, column: Column, told: Meaning | None, amount: Amount, per: str, words: tuple[str, ...], around: Around
) -> Meter | None:
    if per not in TOKEN_UNITS:
        return meter_by_unit(per, told.meter if told else None, words)
    kind = kind_beside(amount.qualifier) or row.modality
    place = (*row.kinds[:1], *around.words[1:2])
    meter = told.meter if told else (kind_of(place, UNDIRECTED) or "unified")
    if kind is not None:
        meter = with_modality(meter, kind)
    if meter in ("input", "image_input", "video_input", "unified") and EMBEDS.search(
        f"{row.name} {' '.join(around.conditions)}"
    ):
        meter = "embedding"
    return meter


def is_whole(amount: Amount, in_force: tuple[Amount, ...]) -> bool:
    """One price for both directions: alone in its cell, or an end of a range."""
    return len(in_force) == 1 or amount.qualifier.startswith("range")


def kind_beside(qualifier: str) -> str | None:
    """The kind of content that the first words behind an amount name: `audio`, `(images)`, `audio / video`; not text."""
    words = re.split(r"[/,\s]+", qualifier.partition(")")[0].strip("( "))
    kinds = [m.group().rstrip("s") for w in words if (m := MODALITY.fullmatch(w))]
    return kinds[0] if kinds and len(kinds) == len(words) else None


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
    band = next((b for c in conditions if (b := band_of(c))), Band(None, None))
    days = next((d for c in (name, *conditions) if (d := days_of(c))), Days(None, None))
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
        context_min_tokens=band.least,
        context_max_tokens=band.most,
        time_window=next((w for c in conditions if (w := window_of(c))), None),
        region=next((r for c in conditions if (r := region_of(c))), None),
        modality=next((m for m in ("audio", "image", "video") if m in meter), None),
        valid_from=days.since,
        valid_to=days.until,
        conditions=tuple(dict.fromkeys(c for c in conditions if c)),
        quote=cell.quote,
        locator=cell.locator,
    )
