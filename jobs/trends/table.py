"""Rows of our own trend table by the four definitions, each with its interval or with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from statistics import median
from typing import Any

from data.errors import DataMissing
from data.tasks import load_tasks
from jobs.trends.offers import FEWEST_MODELS, LEVELS, own_offers, recorded_prices, scale_of, task_costs
from recommender.trends import Fall, Offer, Pooled, fall, list_fall, pooled_fall, record_lows


@dataclass(frozen=True)
class Trend:
    """One line of the table. Without `factor_per_year`, `why` says what is missing. Prices: USD per million tokens
    (3 of input to 1 of output), under definition iii per task."""

    definition: str
    benchmark: str
    level: float | None
    factor_per_year: float | None
    factor_low: float | None
    factor_high: float | None
    points: int
    span_days: int
    start: date | None
    end: date | None
    first_usd: float | None
    last_usd: float | None
    why: str | None = None

    def row(self) -> dict[str, Any]:
        return asdict(self)


def boards_of(task: str | None, as_of: date) -> list[str]:
    """A task's boards that have priced models, or the eight with the most. Raises DataMissing for an unknown task."""
    tasks = load_tasks()
    if task is not None and task not in tasks:
        raise DataMissing(f'no task "{task}".', where="trends", fix=f"one of {', '.join(tasks)}.")
    by_board = own_offers()
    if task is not None:
        return [b for b in tasks[task].weights if b in by_board]
    count = {b: len({o.model for o in offers if o.day <= as_of}) for b, offers in by_board.items()}
    return sorted((b for b in count if count[b] >= FEWEST_MODELS), key=lambda b: (-count[b], b))[:8]


def ours(task: str | None, as_of: date) -> list[Trend]:
    """Our own table for a task, or for the boards with the most priced models. Raises DataMissing for an unknown task."""
    boards = boards_of(task, as_of)
    by_board = {b: [o for o in own_offers()[b] if o.day <= as_of] for b in boards}
    rows = [own_list_price(as_of)]
    for board in boards:
        offers = by_board[board]
        elo = scale_of(board, offers) == "elo"
        for level in LEVELS["elo" if elo else "percent"]:
            lows = record_lows(offers, level, bounded=not elo)
            rows.append(_trend("ii", board, level, fall([(o.day, o.usd) for o in lows]), lows))
        for pareto in (False, True):
            rows.append(
                _pooled("iv, frontier" if pareto else "iv", board, pooled_fall(offers, percent=not elo, pareto=pareto))
            )
    for board, offers in sorted(task_costs().items()):
        if task is None or board in load_tasks()[task].weights:
            known = [o for o in offers if o.day <= as_of]
            for level in LEVELS["percent"]:
                lows = record_lows(known, level)
                rows.append(_trend("iii", board, level, fall([(o.day, o.usd) for o in lows]), lows))
    return rows


def own_list_price(as_of: date) -> Trend:
    """Definition i: the median over models of what their maker's own list price did, in models watched for a year or more."""
    falls = []
    for quotes in recorded_prices("maker").values():
        told = [(day, usd) for day, usd in quotes if usd is not None and day <= as_of]
        found = list_fall(told, as_of)
        if isinstance(found, Fall):
            falls.append(found)
    if not falls:
        return Trend(
            "i",
            "all models",
            None,
            None,
            None,
            None,
            0,
            0,
            None,
            None,
            None,
            None,
            "no list price of a year or more is known",
        )
    factors = sorted(f.factor for f in falls)
    low, high = factors[len(factors) // 10], factors[-1 - len(factors) // 10]
    start = min(f.start for f in falls)
    unmoved = sum(f.factor == 1 for f in falls)
    why = f"median of {len(falls)} models, their 10 % and 90 %; {unmoved} never moved"
    return Trend(
        "i",
        "all models",
        None,
        median(factors),
        low,
        high,
        len(falls),
        (as_of - start).days,
        start,
        as_of,
        None,
        None,
        why,
    )


def _trend(definition: str, board: str, level: float, f: Fall | str, lows: Sequence[Offer]) -> Trend:
    first, last = (lows[0], lows[-1]) if lows else (None, None)
    line = f if isinstance(f, Fall) else None
    return Trend(
        definition=definition,
        benchmark=board,
        level=level,
        factor_per_year=line.factor if line else None,
        factor_low=line.low if line else None,
        factor_high=line.high if line else None,
        points=len(lows),
        span_days=(last.day - first.day).days if first and last else 0,
        start=first.day if first else None,
        end=last.day if last else None,
        first_usd=first.usd if first else None,
        last_usd=last.usd if last else None,
        why=f if isinstance(f, str) else None,
    )


def _pooled(definition: str, board: str, p: Pooled | str) -> Trend:
    if isinstance(p, str):
        return Trend(definition, board, None, None, None, None, 0, 0, None, None, None, None, p)
    why = f"{p.models} models"
    return Trend(
        definition, board, None, p.factor, p.low, p.high, p.n, (p.end - p.start).days, p.start, p.end, None, None, why
    )
