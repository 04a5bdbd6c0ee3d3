"""Decisions and tables for a terminal. Prints nothing itself: gives rich renderables and lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from data.records import Candidate, Decision, UseCase
from jobs.messages.blocks import name, percent, usd

COLOURS = {
    "switch": "bold green",
    "test": "bold cyan",
    "wait": "bold yellow",
    "keep": "bold",
    "unknown": "bold magenta",
}


def decision_table(case: UseCase, d: Decision, most: int = 5) -> Table:
    """The present choice and the best eligible candidates, with cost and quality and their 80 % intervals."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("", "endpoint", "tier", "setting"):
        table.add_column(column, no_wrap=True, overflow="ellipsis", max_width=40)
    for column in ("$/month", "range", "quality", "80 %", "P(ok)", "evidence"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row("now", *_row(d.current))
    for mark, c in _shown(d, most):
        table.add_row(mark, *_row(c))
    return table


def headline(case: UseCase, d: Decision) -> Text:
    tasks = " + ".join(f"{t} {w:.0%}" if w < 1 else t for t, w in case.tasks.items())
    return Text.assemble(
        (case.slug, "bold"), (f"  {tasks} · {case.workload.calls_per_month:,.0f} calls a month", "dim")
    )


def verdict(d: Decision) -> Text:
    best = (
        f" → {name(d.best.endpoint_id)}" + (f" [{d.best.tier}]" if d.best.tier != "standard" else "") if d.best else ""
    )
    return Text.assemble((f"{d.verdict}{best}", COLOURS[d.verdict]), f"  {d.reason}  ", (d.rec, "dim"))


def reasons(d: Decision) -> Iterable[Text]:
    for line in d.reasons:
        yield Text(f"  · {line}", style="dim")


def rows_table(rows: Sequence[dict[str, Any]], *, wrap: bool = True) -> Table:
    """Rows of a query, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, value in (rows[0] if rows else {}).items():
        table.add_column(
            column,
            justify="right" if isinstance(value, int | float) else "left",
            overflow="fold" if wrap else "ellipsis",
            no_wrap=not wrap,
        )
    for row in rows:
        table.add_row(*(Text("" if v is None else _cell(v)) for v in row.values()))
    return table


def age(as_of: datetime, now: datetime) -> str:
    days = (now - as_of).days
    return f"{as_of:%d %b %Y} ({'today' if days <= 0 else f'{days} day{chr(115) * (days != 1)} ago'})"


def _row(c: Candidate) -> tuple[Text, ...]:
    q, cost = c.quality, c.cost
    spread = f"{usd(cost.low_usd_per_month)}–{usd(cost.high_usd_per_month)}" if cost and _spread(c) else ""
    return tuple(
        Text(t)
        for t in (
            name(c.endpoint_id),
            c.tier,
            c.variant or "default",
            usd(cost.usd_per_month if cost else None),
            spread,
            f"{q.mean:.2f}" if q else "unknown",
            f"{q.low:.2f}–{q.high:.2f}" if q else "",
            percent(min(c.p_ok, 0.999) if c.p_ok is not None and c.move in ("sibling", "vendor") else c.p_ok)
            if c.move
            else "",
            (q.grade if q and q.grade else "none") if c.move not in ("tier",) else "–",
        )
    )


def _spread(c: Candidate) -> bool:
    return c.cost is not None and c.cost.high_usd_per_month > c.cost.low_usd_per_month * 1.001


def _shown(d: Decision, most: int) -> Iterable[tuple[str, Candidate]]:
    seen: set[tuple[str, str]] = set()
    named = [("best", d.best), ("easier", d.easier)] + [("", c) for c in d.others]
    for mark, c in named:
        if c is not None and (c.endpoint_id, c.tier) not in seen and len(seen) < most:
            seen.add((c.endpoint_id, c.tier))
            yield mark, c


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else str(value)
