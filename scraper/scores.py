"""Grids and data -> score claims: one number a model and board, in the board's own unit. Nothing is averaged or invented.

A source file names the benchmark, the headline number and the name column; without one, columns of numbers beside a
column of names are read as they are headed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from data.records import ScoreClaim
from scraper.boards import number, read_boards
from scraper.grids import Cell, Grid, read_document
from scraper.grids.types import fold
from scraper.prices.read import Refusal
from scraper.source import Board, Source

Refuse = Callable[[str, str, str], None]
NAMES = re.compile(r"^(model|name|system|agent|模型|modell|modèle)s?$|^model name$")
NEVER = re.compile(
    r"rank|date|votes?|org|licen|site|logs|trajs|link|#|release|cost|price|seconds|tokens|verified|params|num_|count|commit|version|versions|dirname",
    re.I,
)
MARKS = re.compile(r"^[^\w(\[\"'<]+", re.UNICODE)
HEADLINES = ("score", "accuracy", "pass_rate_2", "resolved", "elo", "average", "overall")


@dataclass(frozen=True)
class ScoreReading:
    claims: tuple[ScoreClaim, ...]
    refused: tuple[Refusal, ...] = ()
    failed: str | None = None
    missing: tuple[str, ...] = ()  # what the source file names and the body no longer has


def read_scores(body: bytes, *, url: str = "", source: Source | None = None) -> ScoreReading:
    """Every score a body states. Never raises on any bytes."""
    board = source.board if source and source.board else Board()
    if board.boards:
        declared = read_boards(body, board, url)
        nothing = None if declared.claims else "; ".join(declared.missing) or "no row of the declared boards."
        return ScoreReading(tuple(declared.claims), tuple(declared.refused), nothing, tuple(declared.missing))
    capture = hashlib.sha256(body).hexdigest()
    document = read_document(body, url)
    refused: list[Refusal] = []

    def refuse(text: str, why: str, locator: str) -> None:
        refused.append(Refusal(text[:200], why, locator))

    claims: list[ScoreClaim] = []
    for grid in document.grids:
        claims.extend(_grid_claims(grid, board, capture, refuse))
    records = document.data if isinstance(document.data, list) else None
    if records and all(isinstance(r, dict) for r in records):
        claims.extend(_record_claims(records, board, capture, refuse))
    failed = None if claims else "no table or list with names and scores."
    return ScoreReading(tuple(claims), tuple(refused), failed)


def _grid_claims(grid: Grid, board: Board, capture: str, refuse: Refuse) -> Iterator[ScoreClaim]:
    header, rows = grid.rows[0], [r for r in grid.rows[1:] if r]
    heads = [fold(c.text) for c in header]
    names = next((n for n, h in enumerate(heads) if (h == fold(board.name) if board.name else NAMES.match(h))), None)
    if names is None or not rows:
        return
    columns = [n for n, h in enumerate(heads) if n != names and _wanted(header[n].text, h, board, rows, n)]
    for row in rows:
        if len(row) != len(header):
            refuse(
                row[names].text if names < len(row) else "",
                f"{len(row)} values for {len(header)} columns",
                grid.locator,
            )
            continue
        model = MARKS.sub("", row[names].text).strip()
        if not model:
            continue
        for n in columns:
            value = number(row[n].text)
            if value is not None:
                benchmark, metric = _named(grid, header[n].text, board)
                yield _claim(model, benchmark, metric, value, row[n], capture, board)
            elif row[n].text and row[n].text not in ("-", "–", "N/A"):
                refuse(row[n].text, "not a number", row[n].locator)


def _record_claims(records: list[dict[str, Any]], board: Board, capture: str, refuse: Refuse) -> Iterator[ScoreClaim]:
    """A list of like records (YAML, JSON): one headline number each."""
    keys = set().union(*records[:50])
    name = board.name or next((k for k in ("model", "name", "Model") if k in keys), None)
    headline = board.headline or next((k for h in HEADLINES for k in keys if fold(k) == h), None)
    if name is None or headline is None:
        return
    for n, record in enumerate(records):
        model, stated = record.get(name), record.get(headline)
        value = number(str(stated))
        if not isinstance(model, str) or value is None:
            refuse(str(model), f"no {headline}", f"/{n}")
            continue
        cost = record.get("total_cost")
        spent = float(cost) if isinstance(cost, int | float) and cost > 0 else None
        setting = f"harness={record['edit_format']}" if isinstance(record.get("edit_format"), str) else ""
        cell = Cell(str(stated), f"/{n}/{headline}", raw=str(stated))
        benchmark = board.benchmark or headline
        found = _claim(model, benchmark, board.metric if board.benchmark else headline, value, cell, capture, board)
        items = record.get("test_cases")
        yield found.model_copy(
            update={
                "cost_usd": spent,
                "variant": setting,
                "n_items": items if isinstance(items, int) else None,
                "evaluated_on": str(record["date"]) if record.get("date") else None,
            }
        )


def _wanted(text: str, head: str, board: Board, rows: list[tuple[Cell, ...]], n: int) -> bool:
    if board.headline:
        return fold(board.headline) == head
    if board.columns:
        return text in board.columns
    if not board.all_columns and (NEVER.search(head) or not head):
        return False
    values = [r[n].text for r in rows if n < len(r) and r[n].text]
    return bool(values) and sum(number(v) is not None for v in values) >= 0.5 * len(values)


def _named(grid: Grid, column: str, board: Board) -> tuple[str, str]:
    """(benchmark, metric): the board is named by the source file, else by the pane or heading, else by the column."""
    if column in board.columns:
        return board.columns[column], board.metric
    pane = next((p for p in reversed(grid.panes) if p), None) or (grid.headings[-1] if grid.headings else None)
    if board.benchmark and pane and board.all_columns is False:
        return f"{board.benchmark} {pane}", column
    if board.benchmark:
        return board.benchmark, column
    return (pane, column) if pane else (f"{board.prefix}{column}", board.metric)


def _claim(
    model: str,
    benchmark: str,
    metric: str,
    value: tuple[float, float | None, float | None],
    cell: Cell,
    capture: str,
    board: Board,
) -> ScoreClaim:
    score, low, high = value
    return ScoreClaim(
        capture=capture,
        model_as_written=model,
        benchmark=benchmark,
        metric=metric,
        value=score,
        low=low,
        high=high,
        self_reported=board.self_reported,
        quote=cell.quote,
        locator=cell.locator,
    )
