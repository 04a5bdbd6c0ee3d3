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
DRAWS = 3  # of SCIENCE.md 3.3
STEADY_DRAWS = (
    30  # which three scores are shown moves the median by half a point from one set of three draws to the next
)


@dataclass(frozen=True)
class Outcome:
    """`of_95`: the median error's bootstrap interval over newcomers, whose cells err together."""

    cells: int
    newcomers: int
    median_error_points: float
    of_95: tuple[float, float]
    covered: float
    median_width_points: float


def read(path: Path) -> dict[tuple[str, str], tuple[float, int, str]]:
    """(model, benchmark) -> score 0 to 100, release day and maker; pruned to 5 scores a model and 15 a benchmark."""
    with path.open(encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["release_date"] and r["benchmark"] != "geobench"]
    table = {
        (r["model_version"], r["benchmark"]): (
            float(r["score"]),
            date.fromisoformat(r["release_date"]).toordinal(),
            r["organization"],
        )
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
    makers = [""] * len(models)
    for (m, b), (score, day, maker) in cells.items():
        makers[row[m]] = maker
        table[row[m], column[b]], released[row[m]] = score, day
    errors: list[float] = []
    whose: list[int] = []
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
        by = [maker for maker, old in zip(makers, early, strict=True) if old]
        asked_by = [makers[n] for n in np.flatnonzero(late)[enough]]
        centre = released[early].mean()
        estimator = ScoreEstimator(level=level)
        age = (released[early] - centre) / 365
        estimator.fit(known, age=age, percent=np.ones(known.shape[1], dtype=bool))
        estimator.calibrate_newcomers(known, age, makers=by)
        for draw in range(draws):
            shown = np.full_like(asked, np.nan)
            rng = np.random.default_rng(draw)
            for n, line in enumerate(asked):
                at = rng.choice(np.flatnonzero(~np.isnan(line)), SHOWN, replace=False)
                shown[n, at] = line[at]
            hidden = ~np.isnan(asked) & np.isnan(shown)
            ahead = (asked_released - centre) / 365
            value, low, high = estimator.interval(shown, ahead, newcomers=True, makers=asked_by)
            errors += list(np.abs(value - asked)[hidden])
            whose += list(np.flatnonzero(late)[enough][np.nonzero(hidden)[0]])
            covered += list(((low <= asked) & (asked <= high))[hidden])
            widths += list((high - low)[hidden])
    error, newcomer = np.array(errors), np.array(whose)
    cells_of = [np.flatnonzero(newcomer == n) for n in np.unique(newcomer)]
    chance = np.random.default_rng(0)
    again = [
        np.median(error[np.concatenate([cells_of[n] for n in chance.integers(0, len(cells_of), len(cells_of))])])
        for _ in range(1000)
    ]
    low, high = (float(np.quantile(again, q)) for q in (0.025, 0.975))
    return Outcome(
        len(errors),
        len(cells_of),
        float(np.median(error)),
        (low, high),
        float(np.mean(covered)),
        float(np.median(widths)),
    )


if __name__ == "__main__":
    for draws in (DRAWS, STEADY_DRAWS):
        for share in (0.8, 0.9):
            found = new_models(Path(sys.argv[1]), level=share, draws=draws)
            sys.stdout.write(
                f"{draws} draws, {found.cells} cells of {found.newcomers} models: MedAE {found.median_error_points:.2f} "
                f"(95 % over models {found.of_95[0]:.1f} to {found.of_95[1]:.1f})  {share:.0%} interval covers "
                f"{found.covered:.3f} at median width {found.median_width_points:.1f}\n"
            )
