"""Factor analysis of a table with holes: a mean and a variance for every cell, newer models expected higher.

The method is SCIENCE.md 3.2: z_ij = b_j + W_j . f_i + e_ij, f_i normal around g a_i with unit covariance, a_i the release
in years, fitted by EM with every benchmark's loadings and noise pulled to the common ones. Plain numpy, no randomness
but a fixed start; the same table gives the same numbers bit for bit. Cells may carry a known sampling error of their own
beside the benchmark's noise, and models a weight in the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDS = 40
LOADING_PENALTY = 2.0
INTERCEPT_SHARE = 0.5
NOISE_CELLS = 5.0
DATE_RIDGE = 1.0


@dataclass(frozen=True)
class Factors:
    """Fitted parameters: loadings (J, k), levels (J,), noise variances (J,), drift of the prior with the date (k,)."""

    loadings: Array
    levels: Array
    noise: Array
    drift: Array

    def trust(self, known: Array, error: Array | float) -> Array:
        """(N, J) how much a known cell says against one without sampling error: 1 where `error` is 0, 0 where unknown."""
        return np.asarray(known * (self.noise / (self.noise + error)))

    def scores(
        self, z: Array, known: Array, age: Array, *, error: Array | float = 0.0, lean: Array | float = 0.0
    ) -> tuple[Array, Array]:
        """Per model: expected factors (N, k) and their covariance (N, k, k), from whatever is known of it.

        `error`: sampling variance of known cells; `lean` (N, k): what is expected of a model beyond its date.
        """
        k = self.loadings.shape[1]
        weighted = self.loadings / self.noise[:, None]
        outer = np.einsum("jk,jl->jkl", weighted, self.loadings).reshape(len(self.noise), k * k)
        trust = self.trust(known, error)
        precision = np.eye(k) + (trust @ outer).reshape(-1, k, k)
        covariance = np.linalg.inv(precision)
        pull = age[:, None] * self.drift + lean + (trust * (z - self.levels)) @ weighted
        return np.einsum("nkl,nl->nk", covariance, pull), covariance

    def predict(self, z: Array, known: Array, age: Array) -> tuple[Array, Array]:
        """Mean and variance of every cell (N, J) in z."""
        mean, covariance = self.scores(z, known, age)
        spread = np.einsum("jk,nkl,jl->nj", self.loadings, covariance, self.loadings)
        return self.levels + mean @ self.loadings.T, spread + self.noise


def fit(
    z: Array,
    known: Array,
    age: Array,
    *,
    rank: int = 2,
    rounds: int = ROUNDS,
    penalty: float = LOADING_PENALTY,
    error: Array | float = 0.0,
    weight: Array | None = None,
) -> Factors:
    """Fit on a table (N models, J benchmarks); `known` is 1 where z is, `age` the release in years from the mean day.

    `error` (N, J): sampling variance of the cells; `weight` (N,): how much a model counts in loadings, noise and drift.
    """
    n_benchmarks = z.shape[1]
    z = np.where(known > 0, z, 0.0)
    weight = np.ones(len(z)) if weight is None else weight
    loadings = np.random.default_rng(0).normal(0.0, 0.2, (n_benchmarks, rank))
    loadings[:, 0] = 0.8
    state = Factors(loadings, np.zeros(n_benchmarks), np.full(n_benchmarks, 0.4), np.zeros(rank))
    for _ in range(rounds):
        mean, covariance = state.scores(z, known, age, error=error)
        drift = _drift(mean, age, weight)
        state = _maximise(z, known * weight[:, None], mean, covariance, state, drift, penalty, error)
    return state


def _drift(mean: Array, age: Array, weight: Array) -> Array:
    """Slope of the factors on the date, ridge 1 on slope and intercept; the levels carry the intercept."""
    design = np.column_stack([np.ones_like(age), age])
    weighted = design * weight[:, None]
    both = np.linalg.solve(weighted.T @ design + DATE_RIDGE * np.eye(2), weighted.T @ mean)
    return np.asarray(both[1])


def _maximise(
    z: Array,
    counted: Array,
    mean: Array,
    covariance: Array,
    old: Factors,
    drift: Array,
    penalty: float,
    error: Array | float,
) -> Factors:
    n, k = mean.shape
    centre = np.zeros(k + 1)
    centre[0] = old.loadings[:, 0].mean()
    common_noise = old.noise.mean()
    trust = old.trust(counted, error)
    design = np.column_stack([mean, np.ones(n)])
    moments = np.einsum("nk,nl->nkl", design, design)
    moments[:, :k, :k] += covariance
    gram = (trust.T @ moments.reshape(n, -1)).reshape(-1, k + 1, k + 1)
    pulled = penalty * old.noise[:, None] * np.array([1.0] * k + [INTERCEPT_SHARE])
    gram += np.einsum("jk,kl->jkl", pulled, np.eye(k + 1))
    right = (trust * z).T @ design + pulled * centre
    theta = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    loadings, levels = theta[:, :k], theta[:, k]
    surprise = (z - levels - mean @ loadings.T) ** 2 + np.einsum("jk,nkl,jl->nj", loadings, covariance, loadings)
    share = old.noise / (old.noise + error)  # of the surprise that is noise; the rest is sampling
    own = counted * (share**2 * surprise + old.noise * (1 - share))
    noise = (own.sum(axis=0) + NOISE_CELLS * common_noise) / (counted.sum(axis=0) + NOISE_CELLS)
    return Factors(loadings, levels, noise, drift)
