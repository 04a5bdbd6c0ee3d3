"""Every fall of our own floors with what stood beside it: facts from the catalogue, hosts and cuts from recorded prices."""

from __future__ import annotations

import csv
import gzip
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

from data.catalogue import load_catalogue
from jobs.trends.forecast import own_lines
from jobs.trends.offers import SEED, recorded_prices
from recommender.trends.drivers import Cut, Driver, Known, drivers
from scraper.match import Matcher
from scraper.seed import load_releases

SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![\w.])")
WORTH = 0.05  # a cut of a list price under this share is rounding


@dataclass(frozen=True)
class Drop:
    """One fall of one level: USD per million tokens (3 of input to 1 of output), `factor` times cheaper."""

    benchmark: str
    level: float
    day: date
    from_model: str
    to_model: str
    from_usd: float
    to_usd: float
    hosts: int | None
    drivers: tuple[Driver, ...]

    @property
    def factor(self) -> float:
        return self.from_usd / self.to_usd

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "drivers": list(self.drivers), "factor": self.factor}


def drops(as_of: date, boards: Sequence[str] | None = None) -> list[Drop]:
    """Falls up to a day, newest first; of all boards or some."""
    found = []
    for line in own_lines():
        if boards is not None and line.benchmark not in boards:
            continue
        for a, b in pairwise(o for o in line.points if o.day <= as_of):
            before, after = _known(a.model, b.day), _known(b.model, b.day)
            why = tuple(drivers(before, after, b.day, _cuts()))
            found.append(Drop(line.benchmark, line.level, b.day, a.model, b.model, a.usd, b.usd, after.hosts, why))
    return sorted(found, key=lambda d: (-d.day.toordinal(), -d.factor, d.benchmark, d.level))


def size_of(model_id: str) -> float | None:
    """Billions of weights as the name states them; the largest figure, since a mixture names its active part too."""
    sizes = [float(n) for n in SIZE.findall(model_id.replace("-", " ").replace("_", " "))]
    return max(sizes) if sizes else None


def _known(model_id: str, day: date) -> Known:
    (released, opened), quotes = _facts().get(model_id, (None, None)), _hosts().get(model_id, [])
    at = bisect_right([d for d, _, _ in quotes], day) - 1
    first = next((d for d, usd in recorded_prices("any").get(model_id, ()) if usd is not None), None)
    return Known(
        model=model_id,
        maker=model_id.partition("/")[0],
        since=released or first,
        size=size_of(model_id),
        open_weights=opened,
        hosts=quotes[at][1] if at >= 0 else None,
        spread=quotes[at][2] if at >= 0 else None,
    )  # precision: nobody records it by day, so it is not said


@cache
def _facts() -> dict[str, tuple[date | None, bool | None]]:
    """Model -> (released on, open weights), by the catalogue where it says, else by the shipped tables."""
    matcher, found = Matcher.from_package(), dict[str, tuple[date | None, bool | None]]()
    for r in load_releases():
        model_id = matcher.match(r.model_as_written).model_id
        if model_id is not None:
            found.setdefault(model_id, (_day(r.released_on), r.open_weights))
    for model_id, m in load_catalogue().models.items():
        day, opened = found.get(model_id, (None, None))
        found[model_id] = _day(m.released_on) or day, opened if m.open_weights is None else m.open_weights
    return found


@cache
def _hosts() -> dict[str, list[tuple[date, int, float]]]:
    """Model -> (day, hosts with a witnessed price, dearest over cheapest)."""
    found: dict[str, list[tuple[date, int, float]]] = {}
    with gzip.open(SEED / "prices.csv.gz", "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["seller"] == "any" and r["hosts"]:
                spread = float(r["spread"]) if r["spread"] else 1.0
                found.setdefault(r["model_id"], []).append((date.fromisoformat(r["day"]), int(r["hosts"]), spread))
    return found


@cache
def _cuts() -> tuple[Cut, ...]:
    """Every cut of a maker's own list price, in order of day."""

    def all_cuts() -> Iterator[Cut]:
        for model_id, prices in recorded_prices("maker").items():
            told = [(day, usd) for day, usd in prices if usd]
            for (_, a), (day, b) in pairwise(told):
                if 1 - b / a >= WORTH:
                    yield Cut(model_id.partition("/")[0], day, 1 - b / a)

    return tuple(sorted(all_cuts(), key=lambda c: (c.day, c.maker)))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text and len(text) == 10 else None
