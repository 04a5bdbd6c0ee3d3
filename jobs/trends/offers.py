"""Our own offers: witnessed prices of scored models, day by day, and what a board's task cost. Reads only shipped files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from recommender.trends import Offer, Series, record_lows

SEED = Path(__file__).parents[2] / "data" / "seed" / "trends"
LEVELS = {"percent": (30.0, 50.0, 70.0, 85.0), "elo": (1200.0, 1300.0, 1400.0)}  # fixed scores, never moving quantiles
FEWEST_MODELS = 25


@cache
def own_offers() -> dict[str, list[Offer]]:
    """Benchmark -> offers: each witnessed price of a scored model, from the day it was known. A model's best measured
    score counts (self-reports do not), and a price stands until it changes."""
    prices = recorded_prices("any")
    found: dict[str, list[Offer]] = {}
    for board, model_id, score in _best_scores():
        for day, usd in prices.get(model_id, ()):
            if usd is not None:
                found.setdefault(board, []).append(Offer(model_id, day, usd, score))
    return found


@cache
def task_costs() -> dict[str, list[Offer]]:
    """Benchmark -> offers at what one task cost when the board ran it (tokens really used, prices of that day)."""
    from scraper.seed import load_seed

    boards = {b.benchmark: b for b in load_seed().benchmarks}
    found: dict[str, list[Offer]] = {}
    for s in load_seed().stated:
        c, board = s.claim, boards[s.claim.benchmark]
        items = c.n_items or board.n_items
        if not c.cost_usd or not items or c.self_reported or board.scale != "percent" or not board.higher_is_better:
            continue
        if c.evaluated_on and len(c.evaluated_on) == 10:  # a month or a year is no day
            offer = Offer(c.model_as_written, date.fromisoformat(c.evaluated_on), c.cost_usd / items, c.value)
            found.setdefault(c.benchmark, []).append(offer)
    return found


def scale_of(board: str, offers: Sequence[Offer]) -> str:
    return "percent" if all(0 <= o.score <= 100 for o in offers) else "elo"


def own_series(board: str, level: float) -> Series:
    """The record lows of a level, for forecasts and charts."""
    offers = own_offers().get(board, [])
    lows = record_lows(offers, level, bounded=scale_of(board, offers) == "percent")
    return Series(board, level, "", tuple(lows))


def _best_scores() -> Iterator[tuple[str, str, float]]:
    from scraper.match import Matcher
    from scraper.seed import load_seed

    matcher, ids = Matcher.from_package(), dict[str, str | None]()
    boards = {b.benchmark: b for b in load_seed().benchmarks}
    best: dict[tuple[str, str], float] = {}
    for s in load_seed().stated:
        c = s.claim
        board = boards[c.benchmark]
        if c.self_reported or not board.higher_is_better or board.scale not in ("percent", "elo"):
            continue
        if c.model_as_written not in ids:
            ids[c.model_as_written] = matcher.match(c.model_as_written).model_id
        model_id = ids[c.model_as_written]
        if model_id is not None:
            key = (c.benchmark, model_id)
            best[key] = max(best.get(key, c.value), c.value)
    for (name, model_id), score in sorted(best.items()):
        yield name, model_id, score


@cache
def recorded_prices(seller: str) -> dict[str, list[tuple[date, float | None]]]:
    """Model -> (day, USD per million tokens, blended; None: no longer told). `seller`: "maker" (its own list price) or
    "any" (the lowest that two records agree on)."""
    found: dict[str, list[tuple[date, float | None]]] = {}
    with gzip.open(SEED / "prices.csv.gz", "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["seller"] == seller:
                both = r["input_usd_per_mtok"] and r["output_usd_per_mtok"]
                usd = (3 * float(r["input_usd_per_mtok"]) + float(r["output_usd_per_mtok"])) / 4 if both else None
                found.setdefault(r["model_id"], []).append((date.fromisoformat(r["day"]), usd))
    return found
