"""Rows that only stand in the data of a component (`props` of an island), with the headings it states or shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag

from scraper.grids.nodes import HEADINGS, panes_of, text_of
from scraper.grids.types import Cell, Grid, clean


def component_grids(soup: BeautifulSoup, rendered: list[Grid]) -> Iterator[Grid]:
    """Rows that only stand in the data of a component (`props` of an island), with the headings it states or shows."""
    for n, island in enumerate(soup.find_all("astro-island")):
        try:
            props = unboxed(json.loads(str(island.get("props") or "null")))
        except (ValueError, RecursionError):
            continue
        if not isinstance(props, dict):
            continue
        shown = [g for g in rendered if g.panes] if props.get("tier") else []
        yield from stated_grids(props, f"props[{n}]", island_context(island, soup), shown)


def island_context(island: Tag, soup: BeautifulSoup) -> tuple[tuple[str, ...], tuple[str, ...]]:
    heading = island.find_previous(HEADINGS)
    return ((clean(heading.get_text(" ")),) if isinstance(heading, Tag) else (), panes_of(island, soup))


def stated_grids(
    props: dict[str, Any], locator: str, context: tuple[tuple[str, ...], tuple[str, ...]], rendered: list[Grid]
) -> Iterator[Grid]:
    headings, panes = context
    labels = props.get("headings")
    groups = props.get("groups") or ([{"rows": props["rows"]}] if isinstance(props.get("rows"), list) else [])
    tier = props.get("tier")
    panes = panes or ((str(tier),) if isinstance(tier, str) else ())
    rows: list[list[Any]] = []
    for group in groups if isinstance(groups, list) else []:
        for row in (group.get("rows") or []) if isinstance(group, dict) else []:
            if isinstance(row, list) and row:
                rows.append([*([group["model"]] if group.get("model") else []), *row])
    if not rows:
        return
    if isinstance(labels, list) and labels:
        by_width = {len(labels): [words(h) for h in labels]}
    else:
        by_width = proven_headers(rows, rendered)
    for width, header in by_width.items():
        like = [(i, r) for i, r in enumerate(rows) if len(r) == width]
        head = tuple(Cell(h, f"{locator}/header/{c}", True) for c, h in enumerate(header))
        body = tuple(
            tuple(Cell(words(v), f"{locator}/{i}/{c}", raw=raw_of(v)) for c, v in enumerate(r)) for i, r in like
        )
        if body:
            yield Grid((head, *body), f"{locator}/{width}", headings, panes)


def proven_headers(rows: list[list[Any]], rendered: list[Grid]) -> dict[int, list[str]]:
    """Headings for rows without any, proved on rows that are also rendered; a row one short lacks the cache write."""
    for grid in rendered:
        header = next((r for r in reversed(grid.rows[:3]) if any("input" in c.text.lower() for c in r)), None)
        shown = {r[0].text: [amount_text(c.text) for c in r[1:]] for r in grid.rows}
        for row in rows:
            values = [amount_text(words(v)) for v in row[1:]]
            if header and (same := shown.get(words(row[0]))) and same[: len(values)] == values:
                names = [header[0].text, *(c.text for c in header[1 : len(row)])]
                short = [h for h in names if "write" not in h.lower()]
                return {len(names): names} | ({len(short): short} if len(short) == len(names) - 1 else {})
    return {}


def amount_text(text: str) -> str:
    found = re.search(r"\d[\d,]*\.?\d*", text)
    return (
        found.group().replace(",", "").rstrip("0").rstrip(".")
        if found and "." in found.group()
        else found.group()
        if found
        else "-"
    )


def unboxed(value: Any) -> Any:
    """Astro boxes every value as [type, value]."""
    if isinstance(value, list) and len(value) == 2 and value[0] in (0, 1) and not isinstance(value[0], bool):
        inner = value[1]
        return (
            [unboxed(v) for v in inner]
            if isinstance(inner, list)
            else unboxed(inner)
            if isinstance(inner, dict)
            else inner
        )
    if isinstance(value, list):
        return [unboxed(v) for v in value]
    if isinstance(value, dict):
        return {k: unboxed(v) for k, v in value.items()}
    return value


def words(value: Any) -> str:
    """A value of component data as a reader sees it."""
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = value.get("__pricingHtml") or value.get("label")
        nested = next((v for v in value.values() if isinstance(v, dict)), None)
        if inner is None and nested is not None:
            return words(nested)
        return clean(text_of(BeautifulSoup(str(inner), "lxml"))) if inner is not None else ""
    return clean(str(value))


def raw_of(value: Any) -> str:
    return "" if isinstance(value, dict | list) else str(value)
