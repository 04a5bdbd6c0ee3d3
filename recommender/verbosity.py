"""Output tokens of models and settings relative to each other, from runs of one test. Pure; units of a run cancel.

A run states its output tokens, or its cost: of cost and prices only bounds follow, since the prompt of the run is not stated.
`log tokens = model + test + rest`, fitted by medians; the ratio of two models on a new task carries the spread of the rests.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from recommender.cost import Ratio

Subject = tuple[str, str]  # (model id, setting: effort and thinking only)
ROUNDS = 25
LEVEL = 1.28  # normal quantile of an 80 % interval; how often it holds: tests/bench/bench_verbosity.py
PRIOR_RUNS = 3  # a subject's own spread counts as if by so many runs of the common one
LEAST_SUBJECTS = 4  # of a test, else it compares nobody
SANE = (1e-9, 1e15)  # tokens, or millions of them; what lies outside is no count
LEAST_SHARED = 3  # subjects that link two tests


@dataclass(frozen=True)
class Run:
    """Output tokens of one whole run of a test: between `low` and `high`, in any unit common to the test."""

    subject: Subject
    test: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Log of the geometric middle; a lower end of nothing is taken as half the upper one."""
        return 0.5 * (math.log(max(self.low, 0.5 * self.high)) + math.log(self.high))

    @property
    def blur(self) -> float:
        """Half the width of the log bounds."""
        return 0.5 * math.log(self.high / max(self.low, 0.5 * self.high))


@dataclass(frozen=True)
class Verbosity:
    """`ratio` of output tokens to the median subject's, with its 80 % interval for a task that was not run."""

    ratio: float
    low: float
    high: float
    runs: int
    sd: float  # of a rest of this subject, in log


def runs_by_cost(costs: Mapping[Subject, tuple[float, float, float]], test: str) -> list[Run]:
    """Runs of one test known by cost: subject -> (USD of the run, USD per token in, USD per token out).

    No prompt can have cost more than the cheapest run: that bounds the input tokens of the test, and so the output.
    """
    usable = {s: c for s, c in costs.items() if c[0] > 0 and c[1] > 0 and c[2] > 0}
    if not usable:
        return []
    most_input = min(usd / price_in for usd, price_in, _ in usable.values())
    return [
        Run(subject, test, max(0.0, usd - most_input * price_in) / price_out, usd / price_out)
        for subject, (usd, price_in, price_out) in sorted(usable.items())
    ]


def fit(runs: Iterable[Run]) -> dict[Subject, dict[str, Verbosity]]:
    """Subject -> group of tests -> its ratio to the median subject of that group.

    Tests that share fewer than three subjects say nothing of each other: each group of linked tests is fitted alone, and
    only subjects of one group compare. Tests of fewer than four subjects are left out.
    """
    by_test: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if SANE[0] < run.high < SANE[1]:
            by_test[run.test].append(run)
    kept = {t: rows for t, rows in by_test.items() if len({r.subject for r in rows}) >= LEAST_SUBJECTS}
    out: dict[Subject, dict[str, Verbosity]] = defaultdict(dict)
    for group in _linked(kept):
        for subject, found in _fit_group([r for t in group for r in kept[t]]).items():
            out[subject][group[0]] = found
    return dict(out)


def relative(candidate: Mapping[str, Verbosity], now: Mapping[str, Verbosity]) -> Ratio | None:
    """Answer tokens of a candidate where the model in use needs one, with an 80 % interval for a new task.

    None where no group of tests knows both.
    """
    groups = sorted(candidate.keys() & now.keys(), key=lambda g: (-min(candidate[g].runs, now[g].runs), g))
    if not groups:
        return None
    a, b = candidate[groups[0]], now[groups[0]]
    mean = a.ratio / b.ratio
    wide = LEVEL * math.hypot(a.sd, b.sd)
    return Ratio(mean, mean * math.exp(-wide), mean * math.exp(wide))


def _linked(tests: Mapping[str, list[Run]]) -> list[list[str]]:
    """Tests in groups that shared subjects link, each in order of name."""
    subjects = {t: {r.subject for r in rows} for t, rows in tests.items()}
    left = sorted(tests)
    groups = []
    while left:
        group, edge = [left[0]], [left.pop(0)]
        while edge:
            here = edge.pop()
            near = [t for t in left if len(subjects[t] & subjects[here]) >= LEAST_SHARED]
            left = [t for t in left if t not in near]
            group += near
            edge += near
        groups.append(sorted(group))
    return groups


def _fit_group(kept: list[Run]) -> dict[Subject, Verbosity]:
    mine: dict[Subject, list[Run]] = defaultdict(list)
    its: dict[str, list[Run]] = defaultdict(list)
    for run in kept:
        mine[run.subject].append(run)
        its[run.test].append(run)
    level = dict.fromkeys(mine, 0.0)
    test = {t: median(r.middle for r in rows) for t, rows in its.items()}
    for _ in range(ROUNDS):
        level = {s: median(r.middle - test[r.test] for r in rows) for s, rows in mine.items()}
        test = {t: median(r.middle - level[r.subject] for r in rows) for t, rows in its.items()}
    rests = {s: [r.middle - level[s] - test[r.test] for r in rows] for s, rows in mine.items()}
    spread = _spread(
        [e * math.sqrt(len(rows) / (len(rows) - 1)) for rows in rests.values() if len(rows) > 1 for e in rows]
    )
    centre = median(level.values())
    return {s: _verbosity(level[s] - centre, rests[s], mine[s], spread) for s in sorted(level)}


def _verbosity(level: float, rests: list[float], runs: list[Run], spread: float) -> Verbosity:
    n = len(rests)
    own = sum(e * e for e in rests)
    blur = sum(r.blur for r in runs) / n
    sd = math.sqrt((own + PRIOR_RUNS * spread**2) / (n - 1 + PRIOR_RUNS) * (1 + 1 / n) + blur**2 / 3)
    return Verbosity(math.exp(level), math.exp(level - LEVEL * sd), math.exp(level + LEVEL * sd), n, sd)


def _spread(rests: list[float]) -> float:
    """Spread of the rests by their mean size, which far ones move little; a factor of two where too few tell."""
    if len(rests) < 8:
        return math.log(2)
    return 1.2533 * sum(map(abs, rests)) / len(rests) or 0.05
