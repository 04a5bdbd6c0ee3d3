"""What one call of a workload consumes, meter by meter, cut at the prompt lengths where prices step."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, log, sqrt

from data.records import Tokens, Workload, lognormal_sigma

METERS = ("input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning", "image", "request")


def demand(
    load: Workload, edges: Sequence[int], prompt_ratio: float = 1.0, answer_ratio: float = 1.0
) -> list[dict[str, float]]:
    """Tokens (or units) a call by meter in each band between `edges`, averaged over all calls, so that bands add up.

    Answers are taken to be as long after a long prompt as after a short one; a band counts the whole prompt.
    """
    bands = []
    above = (1.0, load.input_tokens.mean * prompt_ratio)
    for edge in (*edges, None):
        beyond = (
            (0.0, 0.0)
            if edge is None
            else _above(load.input_tokens, edge / prompt_ratio if prompt_ratio else 0, prompt_ratio)
        )
        share, tokens = above[0] - beyond[0], above[1] - beyond[1]
        above = beyond
        amounts = (
            tokens * (1 - load.cached_share - load.cache_written_share),
            tokens * load.cached_share,
            tokens * load.cache_written_share * (load.cache_lifetime == "5m"),
            tokens * load.cache_written_share * (load.cache_lifetime == "1h"),
            share * load.output_tokens.mean * answer_ratio,
            share * load.reasoning_tokens.mean * answer_ratio,
            share * load.images_per_call,
            share,
        )
        bands.append(dict(zip(METERS, amounts, strict=True)))
    return bands


def share_above(tokens: Tokens, limit: float) -> tuple[float, float]:
    """(share of calls with more than `limit` tokens, their tokens per call of all), by the lognormal through p50, p95."""
    if limit <= 0:
        return 1.0, tokens.mean
    sigma = lognormal_sigma(tokens.p50, tokens.p95)
    if sigma is None or tokens.p50 is None:
        return (1.0, tokens.mean) if tokens.mean > limit else (0.0, 0.0)
    z = (log(tokens.p50) - log(limit)) / sigma
    return _phi(z), tokens.mean * _phi(z + sigma)


def _above(tokens: Tokens, limit: float, ratio: float) -> tuple[float, float]:
    share, mean = share_above(tokens, limit)
    return share, mean * ratio


def _phi(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))
