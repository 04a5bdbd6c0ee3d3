"""How often repeated calls succeed when the errors of one model are correlated; from two labelled samples an item.

Items differ in how likely one call solves them: a share w never, the others Beta(a, b). Success of N calls is a mean over
items, never 1 - (1 - mean)^N (SCIENCE 5.1; coverage: arXiv 2407.21787, votes: arXiv 2403.02419).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import comb, exp

import numpy as np
from scipy.special import betaincinv, betaln, expit

MIN_ITEMS, MIN_SAMPLES = 20, 2
RESAMPLES = 80
NODES = 1024

Counts = Mapping[tuple[int, int], int]  # (right, tried) -> items


@dataclass(frozen=True)
class Items:
    """Success over items: never with chance `never`, else Beta(a, b)."""

    never: float
    a: float
    b: float

    @property
    def one_call(self) -> float:
        return (1 - self.never) * self.a / (self.a + self.b)

    def coverage(self, n: int) -> float:
        """At least one of n right, with a check that is never wrong."""
        return (1 - self.never) * (1 - exp(betaln(self.a, self.b + n) - betaln(self.a, self.b)))

    def vote(self, n: int) -> float:
        """Most of an odd n right; wrong answers are taken to agree, so this is the least a vote can do."""
        least = n // 2 + 1
        won = sum(
            comb(n, i) * exp(betaln(self.a + i, self.b + n - i) - betaln(self.a, self.b)) for i in range(least, n + 1)
        )
        return (1 - self.never) * won

    def mean(self, of: Callable[[np.ndarray], np.ndarray]) -> float:
        """The mean over items of a function of their success probability, at equal steps of the Beta's quantiles."""
        p = betaincinv(self.a, self.b, (np.arange(NODES) + 0.5) / NODES)
        solvable = float(np.mean(of(np.asarray(p))))
        return (1 - self.never) * solvable + self.never * float(of(np.zeros(1))[0])


@dataclass(frozen=True)
class Check:
    """Accepts right answers with chance `right`, wrong ones with `wrong`. (1, 0) is a perfect one: tests, schema, proof."""

    right: float = 1.0
    wrong: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """Draw until accepted, at most n times: right and accepted, calls used, nothing accepted (goes to the fallback)."""

    right: float
    calls: float
    none: float


def draw_until_accepted(items: Items, check: Check, n: int) -> Drawn:
    """As n grows, `right` tends to a ceiling that no n lifts when the check accepts wrong answers."""

    def accepted(p: np.ndarray) -> np.ndarray:
        return np.clip(p * check.right + (1 - p) * check.wrong, 1e-12, 1 - 1e-15)

    def some(p: np.ndarray) -> np.ndarray:
        return np.asarray(-np.expm1(n * np.log1p(-accepted(p))))

    return Drawn(
        items.mean(lambda p: p * check.right / accepted(p) * some(p)),
        items.mean(lambda p: some(p) / accepted(p)),
        items.mean(lambda p: 1 - some(p)),
    )


def fit(counts: Counts) -> Items:
    """Most likely (never, a, b) with weak penalties that keep two samples an item from saying too much (SCIENCE 5.1)."""
    from scipy.optimize import minimize

    rows = np.array([(c, n, k) for (c, n), k in counts.items()], float)
    c, n, k = rows[:, 0], rows[:, 1], rows[:, 2]

    def cost(x: np.ndarray) -> float:
        w, a, b = expit(x[0]), exp(min(x[1], 12.0)), exp(min(x[2], 12.0))
        like = (1 - w) * np.exp(betaln(c + a, n - c + b) - betaln(a, b)) + w * (c == 0)
        penalty = 0.5 * ((x[0] + 2) / 1.5) ** 2 + 0.05 * (x[1] ** 2 + x[2] ** 2)
        return float(-(k @ np.log(np.maximum(like, 1e-300))) + penalty)

    x = minimize(cost, (-2.0, -0.5, -0.5), method="Nelder-Mead").x
    return Items(float(expit(x[0])), float(exp(min(x[1], 12.0))), float(exp(min(x[2], 12.0))))


def fits(counts: Counts, seed: int = 0) -> list[Items]:
    """The fit first, then those of resampled items: their spread is what the pilot does not know."""
    keys = list(counts)
    share = np.array([counts[k] for k in keys], float)
    total = int(share.sum())
    rng = np.random.default_rng(seed)
    found = [fit(counts)]
    for drawn in rng.multinomial(total, share / total, RESAMPLES):
        found.append(fit({k: int(m) for k, m in zip(keys, drawn, strict=True) if m}))
    return found


def count(trials: Iterable[tuple[str, bool]]) -> Counter[tuple[int, int]]:
    """(item, right) -> how many items had c right of n."""
    right, tried = Counter[str](), Counter[str]()
    for item, ok in trials:
        tried[item] += 1
        right[item] += ok
    return Counter((right[i], n) for i, n in tried.items())


def too_small(counts: Counts) -> str | None:
    """Why a pilot does not bear a model, or None."""
    items = sum(k for (_, n), k in counts.items() if n >= MIN_SAMPLES)
    if items < MIN_ITEMS:
        return f"{items} items with {MIN_SAMPLES} runs or more; {MIN_ITEMS} at least are needed"
    return None


def unbiased_coverage(counts: Counts, n: int) -> float | None:
    """Coverage of n straight from the counts, no model; None where an item was tried less often than n times."""
    total = sum(counts.values())
    if not total or any(tried < n for _, tried in counts):
        return None
    missed = sum(k * comb(tried - c, n) / comb(tried, n) for (c, tried), k in counts.items())
    return 1 - missed / total
