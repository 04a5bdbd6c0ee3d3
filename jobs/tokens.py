"""Runs whose output tokens are stated or follow from their cost, and what they say of each model's verbosity."""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.errors import SourceError
from data.records import Endpoint, Rate, Score
from recommender.verbosity import Run, Subject, Verbosity, fit, runs_by_cost
from scraper.match import Matcher

SEED = Path(__file__).parents[1] / "data" / "seed" / "tokens"
STATED = "run_tokens.csv"
COLUMNS = ("test", "model_as_written", "items", "output_tokens")
SETTINGS = ("effort", "thinking")


def verbosities(
    scores: Iterable[Score], rates: Iterable[Rate], endpoints: Iterable[Endpoint], matcher: Matcher
) -> dict[Subject, dict[str, Verbosity]]:
    """Verbosity of every model and setting that some run tells of."""
    return fit(runs_of(scores, rates, endpoints, matcher))


def runs_of(
    scores: Iterable[Score], rates: Iterable[Rate], endpoints: Iterable[Endpoint], matcher: Matcher
) -> list[Run]:
    """The shipped runs and those whose scores state tokens or cost; scores of one test and source are one board."""
    runs = list(stated_runs(matcher))
    prices = _prices(rates, endpoints)
    boards: dict[str, dict[Subject, tuple[float, float, float]]] = defaultdict(dict)
    for s in sorted(scores, key=lambda s: (s.benchmark, s.source_id, s.known_from), reverse=True):
        subject = (s.model_id, setting(s.variant))
        board = f"{s.source_id} {s.benchmark}"
        if s.output_tokens:
            runs.append(Run(subject, f"{board} tokens", s.output_tokens, s.output_tokens))
        elif s.cost_usd and (price := _at(prices.get(s.model_id, ()), s.evaluated_on)) is not None:
            boards[board].setdefault(subject, (s.cost_usd, *price))
    for board, costs in boards.items():
        runs.extend(runs_by_cost(costs, board))
    return runs


def stated_runs(matcher: Matcher, folder: Path = SEED) -> Iterable[Run]:
    """The shipped runs with tokens: output tokens of an item."""
    path = folder / STATED
    if not path.is_file():
        raise SourceError("the shipped runs are missing.", where=str(path), fix="python -m jobs.tokens CORPUS")
    with path.open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            found = matcher.match(r["model_as_written"])
            if found.model_id is None:
                continue
            tokens = float(r["output_tokens"]) / float(r["items"])
            variant = ";".join(f"{k}={v}" for k, v in sorted(found.variant.items()))
            yield Run((found.model_id, setting(variant)), r["test"], tokens, tokens)


def setting(variant: str) -> str:
    """What of a run's setting moves the length of answers: effort and thinking."""
    pairs = (p.split("=", 1) for p in variant.split(";") if "=" in p)
    return ";".join(f"{k}={v}" for k, v in sorted(pairs) if k in SETTINGS)


def _prices(rates: Iterable[Rate], endpoints: Iterable[Endpoint]) -> dict[str, list[tuple[datetime, float, float]]]:
    """Model -> (valid from, USD per token in, out) of the maker's own endpoint, else of the only one, oldest first."""
    own = {e.endpoint_id: e.model_id for e in endpoints if e.model_id and e.first_party}
    found: dict[str, dict[datetime, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    for r in rates:
        model = own.get(r.endpoint_id)
        plain = r.tier == "standard" and not r.context_min_tokens and not r.time_window and not r.withdrawn
        if model and plain and r.meter in ("input", "output") and r.usd_per_mtok:
            found[model][r.valid_from or begin].setdefault(r.meter, float(r.usd_per_mtok) / 1e6)
    return {
        model: [(day, both["input"], both["output"]) for day, both in sorted(days.items()) if len(both) == 2]
        for model, days in found.items()
    }


def _at(prices: Sequence[tuple[datetime, float, float]], day: str | None) -> tuple[float, float] | None:
    """The price in force on the day of a run; the newest where the day is not stated."""
    if not prices:
        return None
    asked = f"{day}-12-31"[:10] if day and len(day) == 4 else f"{day}-28"[:10] if day else "9999-12-31"
    begun = [p for p in prices if p[0].date().isoformat() <= asked]
    return (begun or prices[:1])[-1][1:]


def build(corpus: Path, out: Path = SEED) -> int:
    """Write the shipped runs from the corpus; rows written. Facts only: test, model, items, output tokens."""
    path = corpus / "trends" / "epoch2025_eval_token_data.csv"
    with path.open(encoding="utf-8", newline="") as f:
        rows: list[dict[str, Any]] = list(csv.DictReader(f))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted((r["Task"], r["Model"].strip(), r["total_samples"], r["output_tokens"]) for r in rows))
    out.mkdir(parents=True, exist_ok=True)
    (out / STATED).write_text(text.getvalue(), encoding="utf-8")
    return len(rows)


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path('../shared/corpus'))} runs\n")
