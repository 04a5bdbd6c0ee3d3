"""Factor analysis of a table with holes: a mean and a variance for every cell, newer models expected higher.

The method is SCIENCE.md 3.2: z_ij = b_j + W_j . f_i + e_ij, f_i normal around g a_i with unit covariance, a_i the release
in years, fitted by EM with every benchmark's loadings and noise pulled to the common ones. Plain numpy, no randomness
but a fixed start; the same table gives the same numbers bit for bit.
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

    def scores(self, z: Array, known: Array, age: Array) -> tuple[Array, Array]:
        """Per model: expected factors (N, k) and their covariance (N, k, k), from whatever is known of it."""
        k = self.loadings.shape[1]
        weighted = self.loadings / self.noise[:, None]
        outer = np.einsum("jk,jl->jkl", weighted, self.loadings).reshape(len(self.noise), k * k)
        precision = np.eye(k) + (known @ outer).reshape(-1, k, k)
        covariance = np.linalg.inv(precision)
        pull = age[:, None] * self.drift + (known * (z - self.levels)) @ weighted
        return np.einsum("nkl,nl->nk", covariance, pull), covariance

    def predict(self, z: Array, known: Array, age: Array) -> tuple[Array, Array]:
        """Mean and variance of every cell (N, J) in z."""
        mean, covariance = self.scores(z, known, age)
        spread = np.einsum("jk,nkl,jl->nj", self.loadings, covariance, self.loadings)
        return self.levels + mean @ self.loadings.T, spread + self.noise


def fit(z: Array, known: Array, age: Array, *, rank: int = 2, rounds: int = ROUNDS) -> Factors:
    """Fit on a table (N models, J benchmarks); `known` is 1 where z is, `age` the release in years from the mean day."""
    n_benchmarks = z.shape[1]
    z = np.where(known > 0, z, 0.0)
    loadings = np.random.default_rng(0).normal(0.0, 0.2, (n_benchmarks, rank))
    loadings[:, 0] = 0.8
    state = Factors(loadings, np.zeros(n_benchmarks), np.full(n_benchmarks, 0.4), np.zeros(rank))
    counts = known.sum(axis=0)
    for _ in range(rounds):
        mean, covariance = state.scores(z, known, age)
        drift = _drift(mean, age)
        state = _maximise(z, known, counts, mean, covariance, state, drift)
    return state


def _drift(mean: Array, age: Array) -> Array:
    """Slope of the factors on the date, ridge 1 on slope and intercept; the levels carry the intercept."""
    design = np.column_stack([np.ones_like(age), age])
    both = np.linalg.solve(design.T @ design + DATE_RIDGE * np.eye(2), design.T @ mean)
    return np.asarray(both[1])


def _maximise(
    z: Array, known: Array, counts: Array, mean: Array, covariance: Array, old: Factors, drift: Array
) -> Factors:
    n, k = mean.shape
    centre = np.zeros(k + 1)
    centre[0] = old.loadings[:, 0].mean()
    common_noise = old.noise.mean()
    design = np.column_stack([mean, np.ones(n)])
    moments = np.einsum("nk,nl->nkl", design, design)
    moments[:, :k, :k] += covariance
    gram = (known.T @ moments.reshape(n, -1)).reshape(-1, k + 1, k + 1)
    penalty = LOADING_PENALTY * old.noise[:, None] * np.array([1.0] * k + [INTERCEPT_SHARE])
    gram += np.einsum("jk,kl->jkl", penalty, np.eye(k + 1))
    right = (known * z).T @ design + penalty * centre
    theta = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    loadings, levels = theta[:, :k], theta[:, k]
    rest = known * (z - levels - mean @ loadings.T) ** 2
    spread = known * np.einsum("jk,nkl,jl->nj", loadings, covariance, loadings)
    noise = ((rest + spread).sum(axis=0) + NOISE_CELLS * common_noise) / (counts + NOISE_CELLS)
    return Factors(loadings, levels, noise, drift)
