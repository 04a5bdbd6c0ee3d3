"""One chart of the report: its query, its rows, and words for who cannot see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """`draw` names a function of charts.py; `alt` tells what is seen; without rows `empty` is said instead."""

    name: str
    title: str
    draw: str
    query: str
    rows: list[Row]
    alt: str
    empty: str = "nothing to draw yet"


def drawn(figure: Figure) -> Any:
    """The chart of a figure; late, since Altair costs half a second."""
    from jobs.report import charts

    draw: Callable[[list[Row]], Any] = getattr(charts, figure.draw)
    return draw(figure.rows)


def sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
