"""What a registry entry does that its author may not see: price steps, parameters, denials, warnings (PRODUCT 2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from math import erfc, log, sqrt

from data.records import Endpoint, Rate, Tokens, UseCase, lognormal_sigma
from jobs.messages.blocks import percent

LEAST_SHARE = 0.002  # of calls above a step that is worth a word


def remarks(
    case: UseCase, rates: Iterable[Rate], endpoints: Mapping[str, Endpoint], names: Mapping[str, Sequence[str]],
    warnings: Sequence[str] = (),
) -> list[str]:  # fmt: skip
    """Sentences for `explain`. `names`: the price ids and other spellings of each model of an evaluation."""
    return [*price_steps(case, rates), *shut_out(case, endpoints), *denied(case, names), *warnings]


def price_steps(case: UseCase, rates: Iterable[Rate]) -> list[str]:
    """Where the prompts of a use case cross a step of the price, or its demand sits on one.

    Where the endpoint in use states no step, the first other endpoint of the model that does is named: `rates` may hold
    those of several.
    """
    steps: dict[str, set[int]] = {}
    for r in rates:
        if r.tier == case.current.tier and r.context_min_tokens:
            steps.setdefault(r.endpoint_id, set()).add(r.context_min_tokens)
    mine = case.current.endpoint_id
    if mine in steps:
        return [text for step in sorted(steps[mine]) if (text := _step(case, mine, step))]
    for other in sorted(steps):
        said = [text for step in sorted(steps[other]) if (text := _step(case, other, step))]
        if said:
            return [f"{text}; {mine} states no step" for text in said]
    return []


def _step(case: UseCase, endpoint_id: str, step: int) -> str | None:
    share = share_above(case.workload.input_tokens, step)
    on_it = case.require.context_tokens == step
    if not on_it and (share is None or share < LEAST_SHARE):
        return None
    head = f"require.context {step:,} sits on a price step" if on_it else f"there is a price step at {step:,} tokens"
    tail = (
        "how many calls lie above it is not known: give p50 and p95"
        if share is None
        else f"about {percent(share)} of the calls lie above it"
    )
    return f"{head} of {endpoint_id}, and {tail}"


def share_above(tokens: Tokens, step: int) -> float | None:
    """Share of calls with longer prompts, by the lognormal through p50 and p95; None without both."""
    sigma = lognormal_sigma(tokens.p50, tokens.p95)
    if sigma is None or tokens.p50 is None:
        return None
    return 0.5 * erfc(log(step / tokens.p50) / sigma / sqrt(2))


def shut_out(case: UseCase, endpoints: Mapping[str, Endpoint]) -> list[str]:
    """Demanded parameters that models are known not to accept."""
    out = []
    for name in case.require.params:
        without = sorted({e.model_id for e in endpoints.values() if e.params.get(name) is False and e.model_id})
        if without:
            shown = ", ".join(without[:3]) + (" …" if len(without) > 3 else "")
            out.append(f"require.params {name} shuts out {len(without)} models that do not accept it: {shown}")
    return out


def denied(case: UseCase, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Evaluated models that the entry's own `deny` keeps away."""
    out = []
    for result in case.evals.results:
        known = [result.model, *names.get(result.model, ())]
        hit = next((p for p in case.require.deny for n in known if fnmatch(n.casefold(), p.casefold())), None)
        if hit:
            out.append(f"evals: {result.model} was tested, but require.deny {hit} keeps it away")
    return out
