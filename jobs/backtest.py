"""Files in, the world of a replay out: recorded prices by day and dated scores, both under the catalogue's own names."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from jobs.replay import Row, read_history

if TYPE_CHECKING:
    from recommender.backtest import World

SHOWN_AT_RELEASE = 3
DAYS_IN_MONTH = 30
INPUT_SHARE = 0.75  # three parts input, one output (SCIENCE 2.2)


def load_world(history: Path, scores: Path, *, lag_months: int, source: str) -> World:
    """Rows of `source` in the score table that the catalogue knows and the history prices.

    A score without a day of its own counts as known `lag_months` after release, but for three a model, drawn by hash, which
    its maker shows at release. Raises UsageError where a file is not such a table.
    """
    import numpy as np

    from recommender.backtest import World
    from recommender.backtest.world import NEVER
    from scraper.match import Matcher

    matcher = Matcher.from_package()
    cells, released = _read_scores(scores, source)
    model = {name: matcher.match(name).model_id for name in sorted(released)}
    timeline = price_timeline(read_history(history), matcher)
    names = [n for n, m in model.items() if m is not None and m in timeline]
    if not names:
        raise UsageError(
            "no scored model has a recorded price", where=str(scores), fix="give tables of the same models"
        )
    boards = sorted({b for _, b in cells})
    days = [d for m in timeline.values() for d, _ in m]
    first, last = min(days), max(days)
    score = np.full((len(names), len(boards)), np.nan)
    known = np.full(score.shape, NEVER, dtype=np.int64)
    usd = np.full((len(names), last - first + 1), np.nan)
    for n, name in enumerate(names):
        own = sorted((b for m, b in cells if m == name), key=lambda b: hashlib.sha256(f"{name}|{b}".encode()).digest())
        for position, board in enumerate(own):
            j = boards.index(board)
            score[n, j] = cells[name, board]
            late = 0 if position < SHOWN_AT_RELEASE else lag_months * DAYS_IN_MONTH
            known[n, j] = released[name] + late
        for day, price in timeline[str(model[name])]:
            usd[n, day - first :] = np.nan if price is None else price
    return World(
        tuple(names), tuple(str(model[n]) for n in names), tuple(boards),
        np.array([released[n] for n in names], dtype=np.int64), score, known, usd, first,
    )  # fmt: skip


def price_timeline(rows: Sequence[Row], matcher: object) -> dict[str, list[tuple[int, float | None]]]:
    """Per model: (day, USD per million tokens 3:1, None while nobody lists it), whenever it changes.

    The price of a day is the median over the records of what the maker's own shop takes, of all shops where it sells none.
    """
    model_of: dict[str, str | None] = {}
    state: dict[str, dict[tuple[str, tuple[str, str]], tuple[bool, float]]] = defaultdict(dict)
    out: dict[str, list[tuple[int, float | None]]] = defaultdict(list)
    for row in rows:
        name = row.written[1]
        if name not in model_of:
            model_of[name] = matcher.match(name).model_id  # type: ignore[attr-defined]
        model = model_of[name]
        if model is None:
            continue
        key, own = (row.source, row.written), row.shop == model.split("/")[0]
        both = row.usd.get("input"), row.usd.get("output")
        if row.removed or not both[0] or not both[1]:  # unknown, or a zero, which is usually a fault
            state[model].pop(key, None)
        else:
            state[model][key] = (own, INPUT_SHARE * float(both[0]) + (1 - INPUT_SHARE) * float(both[1]))
        price = _median(state[model].values())
        if not out[model] or out[model][-1][1] != price:
            out[model].append((row.day.toordinal(), price))
    return {m: changes for m, changes in out.items() if any(p is not None for _, p in changes)}


def _median(stated: Iterable[tuple[bool, float]]) -> float | None:
    from statistics import median_low

    both = list(stated)
    prices = [p for own, p in both if own] or [p for _, p in both]
    return median_low(prices) if prices else None


def _read_scores(path: Path, source: str) -> tuple[dict[tuple[str, str], float], dict[str, int]]:
    """Percent cells (name, benchmark) of one source, and the release day of each name as an ordinal."""
    cells: dict[tuple[str, str], float] = {}
    released: dict[str, int] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as f:
            for r in csv.DictReader(f):
                if r["source"] != source or r["unit"] != "percent" or r["higher_is_better"] != "1":
                    continue
                day = json.loads(r["settings_json"] or "{}").get("release_date")
                if day:
                    released[r["model_name_raw"]] = date.fromisoformat(day).toordinal()
                    cells[r["model_name_raw"], r["benchmark"]] = float(r["score"])
    except (OSError, KeyError, ValueError) as error:
        fix = "columns: source, benchmark, model_name_raw, score, unit, higher_is_better, settings_json (release_date)"
        raise UsageError(f"not a table of dated scores: {error!r}", where=str(path), fix=fix) from None
    return cells, released
