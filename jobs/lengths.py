"""How many tokens a candidate needs for the work of a use case, relative to the ones registered: prompts and answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import exp, sqrt

from data.records import EvalResult, Tokens, UseCase, lognormal_sigma
from jobs.facts import Facts
from jobs.tokenizers import densities
from jobs.tokens import setting
from recommender.cost import Ratio
from recommender.ratios import OTHER_TOKENIZER, SAME, measured_ratio, prompt_ratio, ratios, texts_of, times
from recommender.verbosity import Subject, Verbosity

Row = tuple[str, str]  # model_id, variant
UNSTATED_SPREAD = 1.0  # standard deviation of an answer's length over its mean, where no p50 and p95 say it
WRITTEN = ("tokens.language", "tokens.content")


def token_ratios(
    case: UseCase,
    facts: Facts,
    lengths: Mapping[Subject, Mapping[str, Verbosity]],
    row: Row,
    now: Row,
    *,
    same_model: bool,
    same_maker: bool,
    reasons: bool,
) -> tuple[Ratio, Ratio]:
    """(prompt, answer) ratios of `row` where `now` is in use. `reasons`: its setting spends reasoning tokens.

    Counts taken with another model's tokenizer (`tokens.measured_on`) are turned into ours first. Answers measured on the
    team's own cases outrank what public runs say.
    """
    counted, ours = case.workload.measured_on or now[0], our_ratio(case, facts)
    if same_model:
        return ours, ours
    prompt = SAME if counted == row[0] else _prompt(case, facts, row[0], counted)
    found, answer = ratios(
        same_model=False,
        same_maker=same_maker,
        reasons=reasons,
        reasons_now=case.workload.reasoning_tokens.mean > 0,
        prompt=prompt,
        measured=(lengths.get((row[0], setting(row[1])), {}), lengths.get((now[0], setting(now[1])), {})),
    )
    return found, times(own_answers(case, row[0], now[0]) or answer, ours)


def our_ratio(case: UseCase, facts: Facts) -> Ratio:
    """Tokens of the model in use relative to the ones registered: 1 unless another model's tokenizer counted them."""
    counted, now = case.workload.measured_on or case.current.model_id, case.current.model_id
    return SAME if counted == now else _prompt(case, facts, now, counted) or OTHER_TOKENIZER


def own_answers(case: UseCase, model_id: str, now_id: str) -> Ratio | None:
    """Answers relative to ours from `out_tokens` of the team's own evaluation; None where either is not stated."""
    own = {r.model: r for r in case.evals.results}
    a, b = own.get(model_id), own.get(now_id)
    if not _counted(a) or not _counted(b) or a is None or b is None:
        return None
    spread = _spread(case.workload.output_tokens)
    return measured_ratio(float(a.output_tokens or 0), float(b.output_tokens or 0), (a.n, b.n), spread)


def _counted(result: EvalResult | None) -> bool:
    return result is not None and bool(result.output_tokens)


def _spread(tokens: Tokens) -> float:
    """Of a lognormal through p50 and p95."""
    sigma = lognormal_sigma(tokens.p50, tokens.p95)
    return UNSTATED_SPREAD if sigma is None else sqrt(exp(sigma**2) - 1)


def _prompt(case: UseCase, facts: Facts, model_id: str, counted: str) -> Ratio | None:
    load = case.workload
    texts = texts_of(load.content, load.language) if any(k in case.origins for k in WRITTEN) else ()
    return prompt_ratio(_tokenizer(facts, model_id), _tokenizer(facts, counted), _densities(), texts)


def _tokenizer(facts: Facts, model_id: str) -> str | None:
    model = facts.models.get(model_id)
    return model.tokenizer if model else None


@cache
def _densities() -> dict[tuple[str, str], tuple[float, float]]:
    """Tokens per 1,000 characters; what is only stated is taken 15 % either way."""
    return {k: (d.low, d.high) if d.measured else (0.85 * d.low, 1.15 * d.high) for k, d in densities().items()}
