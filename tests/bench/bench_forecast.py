"""Forecasts of the lowest price at a level, replayed every 30 days beside "no change" and constant rates (SCIENCE.md 2.4).

Three tables: the published one (Epoch AI), one joined from Artificial Analysis scores and recorded prices (scores read from
the corpus, never shipped), and our own shipped lines. A row a horizon: error of each method, coverage of our 80 %.
Run: python -m tests.bench.bench_forecast ../shared/corpus/benchmarks/scores.csv.gz
"""

from __future__ import annotations

import csv
import gzip
import sys
from datetime import date
from pathlib import Path

import numpy as np

from jobs.trends.forecast import own_lines, points
from jobs.trends.offers import recorded_prices
from jobs.trends.published import published_lines
from recommender.outlook import METHODS, Verdict, replay
from recommender.trends import Offer, record_lows

BOARDS = (
    "aa_gpqa",
    "aa_hle",
    "aa_scicode",
    "aa_lcr",
    "aa_ifbench",
    "aa_tau2_bench",
    "aa_terminal_bench_hard",
)
QUANTILES = (0.3, 0.5, 0.7, 0.85)
Line = list[tuple[date, float]]


def epoch() -> list[Line]:
    return [[(o.day, o.usd) for o in lows] for lows in published_lines()]


def ours() -> list[Line]:
    return [points(line, date.max) for line in own_lines()]


def joined(scores: Path) -> list[Line]:
    """Seven boards x four quantiles of their scores, priced by what two independent records agree on."""
    from scraper.match import Matcher

    matcher, best = Matcher.from_package(), dict[tuple[str, str], float]()
    with gzip.open(scores, "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["source"] == "artificial_analysis" and r["benchmark"] in BOARDS:
                model = matcher.match(r["model_name_raw"]).model_id
                if model is not None:
                    key = r["benchmark"], model
                    best[key] = max(best.get(key, 0.0), float(r["score"]))
    prices, lines = recorded_prices("any"), []
    for board in BOARDS:
        mine = {m: s for (b, m), s in best.items() if b == board and m in prices}
        offers = [Offer(m, day, usd, s) for m, s in mine.items() for day, usd in prices[m] if usd is not None]
        for q in QUANTILES:
            lows = record_lows(offers, float(np.quantile(list(mine.values()), q)))
            lines.append([(o.day, o.usd) for o in lows])
    return lines


def table(name: str, verdicts: list[Verdict]) -> list[str]:
    out = []
    for days in sorted({v.days for v in verdicts}):
        row = {v.method: v for v in verdicts if v.days == days}
        errors = "  ".join(f"{m} {row[m].mae:.3f}" for m in METHODS)
        held = next(v.covered for v in row.values() if v.covered is not None)
        out.append(f"{name:6} {days:3} d  n {row['no change'].n:4}  {errors}  80 % interval holds {held:.3f}")
    return out


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, lines in (("epoch", epoch()), ("AA", joined(Path(sys.argv[1]))), ("own", ours())):
        sys.stdout.write("\n".join(table(name, replay(lines))) + "\n")
