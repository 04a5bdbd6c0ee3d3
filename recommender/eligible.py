"""May this endpoint serve this use case? Every constraint answers yes, no or unknown; unknown blocks and says so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase

from data.records import PRECISION_RANK, Endpoint, Model, Move, Requirements, Ruling, UseCase

RETENTIONS = ("any", "no-training", "zero")
RULING_DAYS = {"rejected": 180, "later": 30, "approved": 180, "switched": 0}


def objections(
    use_case: UseCase,
    endpoint: Endpoint,
    model: Model | None,
    move: Move,
    *,
    today: date,
    first_seen: date | None = None,
    lifted: Collection[Ruling] = (),
    prompt_ratio: float = 1.0,
    context_elsewhere: int | None = None,
) -> tuple[str, ...]:
    """Why not, each as `constraint: reason`; empty when the endpoint may serve.

    `prompt_ratio`: its tokens for one of the workload's. `context_elsewhere`: the least context that any host states
    for this model, which stands in where this one states none. A tier of the endpoint in use is asked only what a tier
    changes: how fast and how often it answers.

    What was written down by hand and never compared with its page is not in the endpoint (`Catalogue.kept_of`): unknown.

    A model without a release date is as old as `first_seen`, the day of its first record; a retirement nobody
    announced is none (PRODUCT 3.1). `lifted`: rulings whose condition to reopen has come true.
    """
    if endpoint.model_id is None or model is None:
        return ("identity: nobody has said which model this endpoint serves",)
    need = use_case.require
    if move == "tier":
        found = list(_unmeasured(_pace(need)))
    else:
        found = [
            *_limits(use_case, endpoint, prompt_ratio, context_elsewhere),
            *_abilities(need, endpoint, needs_vision=use_case.workload.images_per_call > 0),
            *_host(need, endpoint, model),
            *_life(need, endpoint, model, today, first_seen),
            *_unmeasured({"languages": need.languages} | _pace(need)),
        ]
    if move not in use_case.switch.moves:
        found.append(f"moves: a {move} move is not wanted")
    if hit := next((p for p in need.deny if _denied(p, endpoint)), None):
        found.append(f"deny: matches {hit}")
    found.extend(
        f"decisions: {r.verdict} until {ruling_ends(r)}" + (f" ({r.why})" if r.why else "")
        for r in standing(use_case.rulings, endpoint, move, today)
        if r not in lifted
    )
    return tuple(found)


def unmet(use_case: UseCase, endpoint: Endpoint, model: Model | None) -> tuple[str, ...]:
    """What the endpoint in use is known not to meet of its own use case's demands; what is unknown of it is no fault."""
    found = [
        *_limits(use_case, endpoint, 1.0, None),
        *_abilities(use_case.require, endpoint, needs_vision=use_case.workload.images_per_call > 0),
        *(_host(use_case.require, endpoint, model) if model else ()),
    ]
    return tuple(f for f in found if "unknown" not in f)


def _limits(use_case: UseCase, endpoint: Endpoint, prompt_ratio: float, elsewhere: int | None) -> Iterator[str]:
    need, load = use_case.require, use_case.workload
    prompt = load.input_tokens
    largest = max(prompt.p99 or 0, prompt.p95 or 0, prompt.mean) * prompt_ratio
    answer = load.output_tokens.mean + load.reasoning_tokens.mean
    least = max(need.context_tokens or 0, largest + answer)
    if endpoint.context_tokens is not None:
        if endpoint.context_tokens < least:
            yield f"context: {endpoint.context_tokens:,} tokens, {least:,.0f} needed"
    elif elsewhere is None or need.context_tokens is not None:
        yield f"context: unknown, {least:,.0f} tokens needed"
    elif elsewhere < least:
        yield f"context: unknown here and {elsewhere:,} tokens on another host, {least:,.0f} needed"
    if endpoint.max_output_tokens is None:
        if need.max_output_tokens is not None:
            yield f"max_output: unknown, {need.max_output_tokens:,} tokens needed"
    elif endpoint.max_output_tokens < max(need.max_output_tokens or 0, answer):
        least = max(need.max_output_tokens or 0, answer)
        yield f"max_output: {endpoint.max_output_tokens:,} tokens, {least:,.0f} needed"


def _abilities(need: Requirements, endpoint: Endpoint, *, needs_vision: bool) -> Iterator[str]:
    features = dict.fromkeys(need.features) | ({"vision": None} if needs_vision else {})
    for key, wanted, known in (("features", features, endpoint.features), ("params", need.params, endpoint.params)):
        for name in wanted:
            answer = known.get(name)
            if answer is not True:
                yield f"{key}: {name} {'unknown' if answer is None else 'not accepted'}"


def _host(need: Requirements, endpoint: Endpoint, model: Model) -> Iterator[str]:
    if need.providers and endpoint.provider not in need.providers:
        yield f"providers: {endpoint.provider} is not among {', '.join(need.providers)}"
    if need.first_party and endpoint.first_party is not True:
        yield "first_party: " + ("unknown" if endpoint.first_party is None else "not the maker's own API")
    if need.regions:
        offered = endpoint.regions or (() if endpoint.region == "global" else (endpoint.region,))
        if not offered:
            yield f"regions: unknown, {' or '.join(need.regions)} needed"
        elif not any(in_region(region, wanted) for region in offered for wanted in need.regions):
            yield f"regions: {', '.join(offered)}, {' or '.join(need.regions)} needed"
    if need.retention != "any":
        if endpoint.retention is None:
            yield f"retention: unknown, {need.retention} needed"
        elif RETENTIONS.index(endpoint.retention) < RETENTIONS.index(need.retention):
            yield f"retention: {endpoint.retention}, {need.retention} needed"
    if need.license == "open-weights" and model.open_weights is not True:
        yield "license: " + ("unknown" if model.open_weights is None else "closed weights")
    if need.license == "permissive":
        yield "license: unknown, permissive needed"
    if need.min_precision:
        if endpoint.precision not in PRECISION_RANK:
            yield f"min_precision: unknown, {need.min_precision} needed"
        elif PRECISION_RANK[endpoint.precision] < PRECISION_RANK[need.min_precision]:
            yield f"min_precision: {endpoint.precision}, {need.min_precision} needed"


def _life(need: Requirements, endpoint: Endpoint, model: Model, today: date, first_seen: date | None) -> Iterator[str]:
    born = earliest(model.released_on) or first_seen
    if need.min_age_days:
        if born is None:
            yield "min_age_days: age unknown"
        elif (today - born).days < need.min_age_days:
            yield f"min_age_days: {(today - born).days} days old, {need.min_age_days} needed"
    if endpoint.deprecated:
        yield "min_life_days: deprecated by its host"
    gone = earliest(endpoint.retires_on)
    if gone is not None and (gone - today).days < need.min_life_days:
        yield f"min_life_days: retires on {gone}, {need.min_life_days} days needed"


def _pace(need: Requirements) -> dict[str, object]:
    return {
        "max_ttft_s": need.max_ttft_s,
        "max_latency_s": need.max_latency_s,
        "min_tps": need.min_tokens_per_s,
        "rpm": need.calls_per_minute,
        "uptime": need.uptime,
    }


def _unmeasured(demands: Mapping[str, object]) -> Iterator[str]:
    for key, wanted in demands.items():
        if wanted:
            yield f"{key}: unknown, no source of ours states it"


def standing(rulings: tuple[Ruling, ...], endpoint: Endpoint, move: Move, today: date) -> list[Ruling]:
    """The noes that hold for this endpoint and move today."""
    return [
        r
        for r in rulings
        if r.verdict in ("rejected", "later")
        and r.model == endpoint.model_id
        and r.via in (None, endpoint.provider)
        and (r.move is None or r.move == move)
        and today <= ruling_ends(r)
    ]


def ruling_ends(ruling: Ruling) -> date:
    """The last day a ruling holds: stated, else 180 days for a rejection and 30 for "later"."""
    if ruling.until:
        return date.fromisoformat(ruling.until)
    return date.fromordinal(date.fromisoformat(ruling.date).toordinal() + RULING_DAYS[ruling.verdict])


def earliest(text: str | None) -> date | None:
    """The first day an ISO date, month or year may mean."""
    if not text:
        return None
    year, month, day = ([*text.split("-"), "1", "1"])[:3]
    return date(int(year), int(month), int(day))


def in_region(offered: str, wanted: str) -> bool:
    """`eu` is any region that is called so or begins with it."""
    return offered == wanted or offered.startswith(f"{wanted}-")


def _denied(pattern: str, endpoint: Endpoint) -> bool:
    names = (endpoint.endpoint_id, endpoint.model_id or "", endpoint.endpoint_id.partition(":")[2])
    return any(fnmatchcase(name, pattern) for name in names)
