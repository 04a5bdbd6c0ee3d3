"""New models of which three scores are known, replayed: the Epoch hub table in, error and coverage out (SCIENCE.md 3.3).

Learn from releases before a day, predict those of the next 120 days, three shown scores each; nothing later is seen.
Run: python -m tests.bench.bench_quality ../shared/corpus/quality/epoch_hub_2025-12_scores.csv
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from recommender.quality import ScoreEstimator

DAYS = ("2025-02-01", "2025-06-01", "2025-10-01")
AHEAD_DAYS = 120
SHOWN = 3
DRAWS = 3


@dataclass(frozen=True)
class Outcome:
    cells: int
    median_error_points: float
    covered: float
    median_width_points: float


def read(path: Path) -> dict[tuple[str, str], tuple[float, int]]:
    """(model, benchmark) -> score 0 to 100 and release day; pruned to 5 scores a model and 15 a benchmark."""
    with path.open(encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["release_date"] and r["benchmark"] != "geobench"]
    table = {
        (r["model_version"], r["benchmark"]): (float(r["score"]), date.fromisoformat(r["release_date"]).toordinal())
        for r in rows
    }
    while True:
        models, boards = Counter(m for m, _ in table), Counter(b for _, b in table)
        kept = {c: v for c, v in table.items() if models[c[0]] >= 5 and boards[c[1]] >= 15}
        if len(kept) == len(table):
            return kept
        table = kept


def new_models(path: Path, *, level: float = 0.8, days: tuple[str, ...] = DAYS, draws: int = DRAWS) -> Outcome:
    """Errors in points over every hidden cell of every draw and day."""
    cells = read(path)
    models, boards = sorted({m for m, _ in cells}), sorted({b for _, b in cells})
    row, column = {m: n for n, m in enumerate(models)}, {b: n for n, b in enumerate(boards)}
    table, released = np.full((len(models), len(boards)), np.nan), np.zeros(len(models))
    for (m, b), (score, day) in cells.items():
        table[row[m], column[b]], released[row[m]] = score, day
    errors: list[float] = []
    covered: list[bool] = []
    widths: list[float] = []
    for text in days:
        cut = date.fromisoformat(text).toordinal()
        early, late = released < cut, (released >= cut) & (released < cut + AHEAD_DAYS)
        seen = (~np.isnan(table[early])).sum(axis=0) >= 5
        known, asked = table[early][:, seen], table[late][:, seen]
        asked_released = released[late]
        enough = (~np.isnan(asked)).sum(axis=1) >= 6
        asked, asked_released = asked[enough], asked_released[enough]
        centre = released[early].mean()
        estimator = ScoreEstimator(level=level)
        age = (released[early] - centre) / 365
        estimator.fit(known, age=age, percent=np.ones(known.shape[1], dtype=bool)).calibrate_newcomers(known, age)
        for draw in range(draws):
            shown = np.full_like(asked, np.nan)
            rng = np.random.default_rng(draw)
            for n, line in enumerate(asked):
                at = rng.choice(np.flatnonzero(~np.isnan(line)), SHOWN, replace=False)
                shown[n, at] = line[at]
            hidden = ~np.isnan(asked) & np.isnan(shown)
            value, low, high = estimator.interval(shown, (asked_released - centre) / 365, newcomers=True)
            errors += list(np.abs(value - asked)[hidden])
            covered += list(((low <= asked) & (asked <= high))[hidden])
            widths += list((high - low)[hidden])
    return Outcome(len(errors), float(np.median(errors)), float(np.mean(covered)), float(np.median(widths)))


if __name__ == "__main__":
    for share in (0.8, 0.9):
        found = new_models(Path(sys.argv[1]), level=share)
        sys.stdout.write(
            f"{found.cells} cells: MedAE {found.median_error_points:.2f}  {share:.0%} interval covers "
            f"{found.covered:.3f} at median width {found.median_width_points:.1f}\n"
        )
