"""The published table (Epoch AI, 12 March 2025) rebuilt from its own data, and its headlines tried. Reads shipped files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from data.errors import DataMissing
from recommender.trends import Fall, Offer, Series, fall, record_lows, series_at, thresholds

SEED = Path(__file__).parents[2] / "data" / "seed" / "trends"
REASONING = {"DeepSeek-R1", "o1", "o1-mini", "o1-preview", "o3-mini"}  # spend more tokens: left out by the study
CHANCE = {"MMLU": 30.0, "GPQA Diamond": 30.0}  # multiple choice: no level under 30, near chance
SINCE_2024 = date(2024, 1, 1)


@dataclass(frozen=True)
class Rebuilt:
    """A published series and ours from the same data; `deviation` is the largest relative one of factor and bounds."""

    benchmark: str
    level_model: str
    level: float
    ours: Fall
    since_2024: Fall | None
    published: tuple[float, float, float]

    @property
    def deviation(self) -> float:
        return max(
            abs(a / b - 1)
            for a, b in zip((self.ours.factor, self.ours.low, self.ours.high), self.published, strict=True)
        )


def rebuilt(folder: Path = SEED) -> list[Rebuilt]:
    """The published table from its own data (Epoch AI, 12 March 2025). Raises DataMissing where a series is not found."""
    series = {(s.benchmark, s.level): s for s in _published_series(folder)}
    found = []
    with (folder / "epoch_published.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            s = series.get((r["benchmark"], float(r["level"])))
            line = _line(s, 4) if s else "no series"
            if s is None or isinstance(line, str):
                raise DataMissing(f"{r['benchmark']} {r['level']}: {line}", where=str(folder), fix="reinstall.")
            late = _line(
                Series(s.benchmark, s.level, s.level_model, tuple(p for p in s.points if p.day >= SINCE_2024)), 3
            )
            bounds = (float(r["factor_per_year"]), float(r["low90"]), float(r["high90"]))
            found.append(
                Rebuilt(s.benchmark, s.level_model, s.level, line, late if isinstance(late, Fall) else None, bounds)
            )
    if len(found) != len(series):
        raise DataMissing(f"{len(series)} series, {len(found)} published.", where=str(folder), fix="reinstall.")
    return found


def headlines(table: Sequence[Rebuilt]) -> list[dict[str, Any]]:
    """The quoted figures, recomputed, and whether they hold on the very data they come from."""
    factors = [r.ours.factor for r in table]
    late = [r.since_2024.factor for r in table if r.since_2024]
    long = [r.ours.factor for r in table if r.ours.span_days >= 365]
    short = [r.ours.factor for r in table if r.ours.span_days < 365]
    level = next(r.ours for r in table if r.benchmark == "MMLU" and r.level == 64.8)
    fold = level.first_usd / level.last_usd
    doubt = f"rests on short lines: {len(long)} of a year or more have a median of {median(long):.1f}, {len(short)} shorter ones {median(short):.0f}"
    return [
        {"figure": "9 to 900 times a year", "recomputed": f"{min(factors):.2f} to {max(factors):.0f}", "holds": "as arithmetic",
         "but": "the 851 is a line through 4 points, 90 % interval 6 to 117,290"},
        {"figure": "median 50", "recomputed": f"{median(factors):.1f} over {len(factors)} series", "holds": "as arithmetic", "but": doubt},
        {"figure": "200 since 2024", "recomputed": f"{median(late):.0f} over {len(late)} series", "holds": "roughly", "but": "lines of 3 and more points within 14 months"},
        {"figure": "280-fold in two years at GPT-3.5 level", "recomputed": f"${level.first_usd:g} to ${level.last_usd:g}: {fold:.0f}-fold in {level.span_days} days",
         "holds": "yes" if fold > 280 else "nearly", "but": f"that is {fold ** (365 / level.span_days):.0f} times a year, not 50 or 200"},
    ]  # fmt: skip


def published_series() -> list[Series]:
    """The published series with their members (model, day, price)."""
    return _published_series(SEED)


def published_lines() -> list[list[Offer]]:
    """The record lows of every published level, also of those too short for the published table."""
    return [
        record_lows(offers, o.score, bounded="Elo" not in board)
        for board, offers in _published_offers(SEED).items()
        for o in thresholds(offers, CHANCE.get(board))
    ]


def _published_offers(folder: Path) -> dict[str, list[Offer]]:
    by_board: dict[str, list[Offer]] = {}
    with (folder / "epoch_prices.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            name = "GPT-3" if r["model"] == "GPT-3 175B (davinci)" else r["model"]
            if r["usd_per_mtok"] and name not in REASONING:
                offer = Offer(name, date.fromisoformat(r["day"]), float(r["usd_per_mtok"]), float(r["score"]))
                by_board.setdefault(r["benchmark"], []).append(offer)
    return by_board


def _published_series(folder: Path) -> list[Series]:
    return [
        s
        for board, offers in _published_offers(folder).items()
        for s in series_at(board, offers, thresholds(offers, CHANCE.get(board)), bounded="Elo" not in board)
    ]


def _line(s: Series, fewest: int) -> Fall | str:
    return fall([(p.day, p.usd) for p in s.points], min_points=fewest, min_span_days=0)
