"""HTML -> grids: tables with spans filled and their headings, panes and captions; rows of component data in attributes."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString

from scraper.grids.types import Cell, Grid, clean

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MOST_CELLS = 200_000
MOST_SPAN = 200
STRUCK = ("s", "del", "strike")
DROPPED = ("script", "style", "template", "noscript", "svg")
PANE_ID = re.compile(r"[-_]([A-Za-z0-9 ]+)$")  # leaderboard-Verified
TAB_PANE = re.compile(r"tab.*(cont|pane|panel)", re.I)
BLOCKS = frozenset(("br", "p", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "small"))


def soup_of(text: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(text, "lxml")


def html_grids(text: str) -> tuple[list[Grid], str]:
    """Grids in page order, and the visible text of the page."""
    soup = soup_of(text)
    chain: dict[int, str] = {}
    intro: list[str] = []
    grids: list[Grid] = []
    tables = 0
    for node in soup.find_all([*HEADINGS, "p", "table", "caption"]):
        if node.name in HEADINGS:
            level = int(node.name[1])
            chain = {k: v for k, v in chain.items() if k < level} | {level: clean(node.get_text(" "))}
            intro = []
        elif node.name in ("p", "caption") and node.find_parent("table") is None:
            intro = [*intro, clean(node.get_text(" "))][-3:]
        elif node.name == "table" and node.find_parent("table") is None:
            rows = table_rows(node, f"table[{tables}]")
            tables += 1
            if rows:
                headings = tuple(chain[k] for k in sorted(chain) if chain[k])
                grids.append(Grid(rows, f"table[{tables - 1}]", headings, panes_of(node, soup), " ".join(intro)))
    visible = visible_text(soup)
    return [*grids, *component_grids(soup, grids)], visible


def visible_text(soup: BeautifulSoup) -> str:
    for dead in soup.find_all(DROPPED):
        dead.extract()
    return clean(soup.get_text(" "))


def table_rows(table: Tag, locator: str) -> tuple[tuple[Cell, ...], ...]:
    """Rows with row and column spans filled; placeholder cells (colspan or rowspan 0, hidden) are dropped first."""
    grid: list[list[Cell | None]] = []
    waiting: dict[int, tuple[int, Cell]] = {}
    count = 0
    for r, tr in enumerate(tr for tr in table.find_all("tr") if tr.find_parent("table") is table):
        row: list[Cell] = []
        column = 0
        for c, td in enumerate(td for td in tr.find_all(["td", "th"], recursive=False) if not placeholder(td)):
            while column in waiting:
                row.append(take(waiting, column))
                column += 1
            cell = cell_of(td, f"{locator}/{r}/{c}")
            wide, tall = span(td, "colspan"), span(td, "rowspan")
            for _ in range(wide):
                row.append(cell)
                if tall > 1:
                    waiting[column] = (tall - 1, cell)
                column += 1
                count += 1
        while column in waiting:
            row.append(take(waiting, column))
            column += 1
        if count > MOST_CELLS:
            break
        grid.append(list(row))
    return tuple(tuple(c for c in row if c is not None) for row in grid if row)


def take(waiting: dict[int, tuple[int, Cell]], column: int) -> Cell:
    left, cell = waiting.pop(column)
    if left > 1:
        waiting[column] = (left - 1, cell)
    return cell


def span(td: Tag, name: str) -> int:
    found = re.match(r"\d+", str(td.get(name) or "1"))
    return max(1, min(MOST_SPAN, int(found.group()))) if found else 1


def placeholder(td: Tag) -> bool:
    return str(td.get("colspan", "")) == "0" or str(td.get("rowspan", "")) == "0"


def cell_of(td: Tag, locator: str) -> Cell:
    struck = " ".join(clean(s.get_text(" ")) for s in td.find_all(STRUCK))
    text = text_of(td)
    lines = tuple(line for part in text.split("\n") if (line := clean(part)))
    return Cell(clean(text), locator, td.name == "th", struck, lines=lines if len(lines) > 1 else ())


def text_of(node: Tag) -> str:
    """Text with blocks apart, without struck prices, superscripts and scripts."""
    out: list[str] = []

    def walk(n: Any) -> None:
        for child in n.children:
            if isinstance(child, NavigableString):
                if type(child) is NavigableString:
                    out.append(str(child).replace("\n", " "))
            elif isinstance(child, Tag) and child.name not in (*STRUCK, "sup", *DROPPED):
                apart = child.name in BLOCKS
                out.append("\n" if apart else "")
                walk(child)
                out.append("\n" if apart else "")

    walk(node)
    return "".join(out)


def panes_of(node: Tag, soup: BeautifulSoup) -> tuple[str, ...]:
    """The words of the tabs or panes a node lies in, outermost first."""
    out: list[str] = []
    for parent in node.parents:
        if not isinstance(parent, Tag):
            continue
        label = parent.get("data-value") or parent.get("data-tab") or parent.get("aria-label")
        by = parent.get("aria-labelledby")
        if by and (named := soup.find(id=str(by))) is not None and isinstance(named, Tag):
            label = clean(named.get_text(" "))
        own = PANE_ID.search(str(parent.get("id") or ""))
        if not label and own and "tab" in " ".join(parent.get("class") or ()):
            out.append(own.group(1))
        if not label and (tab := tab_label(parent)):
            out.append(tab)
        if label and (parent.get("data-value") or parent.get("role") == "tabpanel" or parent.get("data-tab")):
            out.append(clean(str(label)))
    return tuple(reversed(out))


def tab_label(pane: Tag) -> str | None:
    """The label of a pane's tab, by order, where a list of as many tabs stands beside the panes."""
    names = pane.get("class") or ()
    kind = next((c for c in names if TAB_PANE.search(c)), None)
    if kind is None or not isinstance(pane.parent, Tag):
        return None
    panes = [p for p in pane.parent.find_all(True, recursive=False) if kind in (p.get("class") or ())]
    for other in pane.parent.find_all(True, recursive=False):
        if other in panes:
            continue
        for box in [other, *other.find_all(True)]:
            items = box.find_all(True, recursive=False)
            if len(items) == len(panes) > 1 and all(0 < len(clean(i.get_text(" "))) < 40 for i in items):
                return clean(items[panes.index(pane)].get_text(" "))
    return None


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
        return clean(text_of(soup_of(str(inner)))) if inner is not None else ""
    return clean(str(value))


def raw_of(value: Any) -> str:
    return "" if isinstance(value, dict | list) else str(value)
