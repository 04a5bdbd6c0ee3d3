"""A page as data: sections with a sentence, a table from one query, and perhaps a chart. Renders Markdown; knows no SQL of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from data.store import Readable

Row = dict[str, Any]
MONEY, SHARE = ("usd", "cost", "saving", "gap"), ("share", "p_ok", "p_unchanged", "hit_rate")


@dataclass(frozen=True)
class Section:
    """`lead`: a sentence or two; `rows` are the answer of `query` on the published copy, whole and in its order."""

    title: str
    lead: str
    query: str = ""
    rows: Sequence[Row] = ()
    empty: str = "nothing"
    chart: str | None = None  # name of the chart that shows it
    names: dict[str, str] = field(default_factory=dict)  # column -> heading


def asked(store: Readable, title: str, lead: str, query: str, **more: Any) -> Section:
    """A section with the rows of its query."""
    return Section(title, lead, query, store.rows(query), **more)


def heading(section: Section, column: str) -> str:
    if column in section.names:
        return section.names[column]
    text = column.removesuffix("_usd_per_month").replace("_usd_per_", " $/").replace("_", " ")
    return f"{text} $/month" if column.endswith("_usd_per_month") else text


def shown(column: str, value: Any) -> str:
    """A cell for people: money to three digits, shares in per cent, days as dates; empty for unknown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime | date):
        return f"{value:%d %b %Y}"
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float | int):
        if any(column.startswith(s) or column.endswith(s) for s in SHARE):
            return f"{value:.0%}"
        if any(word in column for word in MONEY):
            return dollars(float(value))
        return f"{value:,.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def dollars(usd: float) -> str:
    """Three digits at most where under 1,000; whole dollars above."""
    sign, usd = ("−" if usd < 0 else ""), abs(usd)
    return f"{sign}${usd:,.0f}" if usd >= 100 or usd == 0 else f"{sign}${usd:.3g}"


def numeric(section: Section, column: str) -> bool:
    values = [r[column] for r in section.rows if r[column] is not None]
    return bool(values) and all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in values)


def markdown(title: str, intro: str, sections: Sequence[Section]) -> str:
    """The page as Markdown; names from pages cannot break a table or become a link."""
    out = [f"# {title}", "", intro, ""]
    for n, s in enumerate(sections, 1):
        out += [f"## {n} {s.title}", "", s.lead, ""]
        if s.rows:
            columns = list(s.rows[0])
            out.append("| " + " | ".join(heading(s, c) for c in columns) + " |")
            out.append("|" + "|".join(" ---: " if numeric(s, c) else " --- " for c in columns) + "|")
            out += ["| " + " | ".join(_plain(shown(c, r[c])) for c in columns) + " |" for r in s.rows]
            out.append("")
        elif s.query:
            out += [f"*{s.empty}*", ""]
        if s.query:
            out += ["```sql", s.query, "```", ""]
    return "\n".join(out)


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing but text, on one line."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!~" else c for c in flat)
