"""One use case weighed: every endpoint with its cost, quality and probability, as offers for the ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from data.records import EFFORTS, Candidate, Cost, Endpoint, Quality, UseCase
from data.tasks import blend, load_tasks
from jobs.facts import Facts
from jobs.lengths import our_ratio, token_ratios
from jobs.unsteady import widened
from recommender.cost import RateBook, monthly_cost
from recommender.rank import Offer, move_of, rank
from recommender.ratios import spends_reasoning
from recommender.verbosity import Subject, Verbosity

if TYPE_CHECKING:
    from recommender.quality import Fitted, Judgement

WAITING = ("batch", "flex")  # tiers for calls that can wait
CLOUDS = frozenset({"aws", "azure", "google"})  # sell closed models under contract with their makers
UNPROVEN = "this host states no precision, and the scores were not measured on it"


def weigh(
    case: UseCase,
    facts: Facts,
    book: RateBook,
    fitted: Fitted | None,
    lengths: Mapping[Subject, Mapping[str, Verbosity]] | None = None,
) -> tuple[Candidate, list[Candidate]]:
    """The present choice and every candidate of a use case, ranked. `lengths`: how long models answer, where measured."""
    known_lengths = lengths or {}
    variants = _variants(case, fitted)
    judged = _judge(case, fitted, variants)
    now_endpoint = facts.endpoints[case.current.endpoint_id]
    now_variant = variants.get(case.current.model_id, "")

    def offer(endpoint_id: str, tier: str, tier_share: float) -> Offer:
        endpoint = facts.endpoints[endpoint_id]
        model_id = endpoint.model_id
        move = move_of(now_endpoint, endpoint)
        same = move in ("tier", "endpoint")
        variant = now_variant if same else variants.get(model_id or "", "")
        known = fitted.variants(model_id) if fitted and model_id else []
        prompt, answer = token_ratios(
            case,
            facts,
            known_lengths,
            (model_id or "", variant),
            (case.current.model_id, now_variant),
            same_model=same,
            same_maker=move != "vendor",
            reasons=spends_reasoning(variant, known),
        )

        def priced(at: RateBook, **contract: Any) -> Cost | str:
            return monthly_cost(
                case.workload,
                at,
                endpoint_id,
                tier=tier,
                tier_share=tier_share,
                token_ratio=prompt,
                output_ratio=answer,
                **contract,
            )

        cost = priced(book)
        if isinstance(cost, Cost) and (moves := facts.moving.get(endpoint_id)):
            past = (priced(RateBook(facts.rates_of[endpoint_id], at=t)) for t in moves)
            cost = widened(cost, [c for c in past if isinstance(c, Cost)], len(moves))
        own = None
        if endpoint_id == case.current.endpoint_id and tier != case.current.tier and has_contract(case):
            own = priced(book, **_contract(case), tier_at_list=True)
        found = judged.get((model_id or "", variant))
        quality = found.quality if found else None
        if quality is not None and not same and _unproven_host(facts, endpoint):
            quality = quality.model_copy(update={"grade": quality.grade and "D", "notes": (*quality.notes, UNPROVEN)})
        if quality is not None and endpoint_id == case.current.endpoint_id:
            quality = _stand_in(case, quality, variant)
        return Offer(
            endpoint=endpoint,
            model=facts.models.get(model_id) if model_id else None,
            tier=tier,  # type: ignore[arg-type]
            variant=variant,
            cost=cost,
            quality=quality,
            p_ok=_p_same(case, facts, endpoint_id) if same else found.p_ok if found else None,
            first_seen=facts.first_seen.get(endpoint_id),
            p_gain=found.p_gain if found and not same else None,
            price_drops=_drops(case, facts, book, endpoint_id, model_id),
            own_cost=own if isinstance(own, Cost) else None,
            context_elsewhere=facts.least_context.get(model_id or ""),
        )

    present = _present(case, facts, book, offer(case.current.endpoint_id, case.current.tier, 1.0))
    return rank(case, present, list(_offers(case, facts, book, offer)), today=book.at.date())


def _offers(case: UseCase, facts: Facts, book: RateBook, offer: Callable[[str, str, float], Offer]) -> Iterable[Offer]:
    """Every endpoint at its standard price and, for the calls that can wait, in the tiers for those (PRODUCT 3.2: stacked moves)."""
    here, tier_now = case.current.endpoint_id, case.current.tier
    share = 1.0 if tier_now in WAITING else case.workload.batchable_share
    for endpoint_id in book.endpoints():
        if endpoint_id not in facts.endpoints or endpoint_id.partition(":")[2].startswith("~"):
            continue  # a pointer that moves is no choice
        if endpoint_id.endswith(":batch") and share < 1:
            continue  # an id that only takes batches, and not all calls can wait
        if endpoint_id != here:
            yield offer(endpoint_id, "standard", 1.0)
        for tier in book.tiers(endpoint_id) if share > 0 else ():
            if tier in WAITING and (endpoint_id != here or tier_now == "standard"):
                yield offer(endpoint_id, tier, share)


def list_cost(case: UseCase, facts: Facts, book: RateBook) -> Cost | None:
    """Today's cost at list prices where the team pays otherwise; None where it pays the list."""
    if not has_contract(case):
        return None
    ours = our_ratio(case, facts)
    found = monthly_cost(
        case.workload, book, case.current.endpoint_id, tier=case.current.tier, token_ratio=ours, output_ratio=ours
    )
    return found if isinstance(found, Cost) else None


def _present(case: UseCase, facts: Facts, book: RateBook, listed: Offer) -> Offer:
    """What runs today at the team's own price, where it has one."""
    if not has_contract(case):
        return listed
    ours = our_ratio(case, facts)
    own = monthly_cost(
        case.workload,
        book,
        case.current.endpoint_id,
        tier=case.current.tier,
        token_ratio=ours,
        output_ratio=ours,
        **_contract(case),
    )
    return Offer(**{**vars(listed), "cost": own})


def has_contract(case: UseCase) -> bool:
    """Whether the team pays other than the list."""
    return bool(case.current.private_price or case.current.discount_share)


def _contract(case: UseCase) -> dict[str, Any]:
    return {"private_price": case.current.private_price, "discount_share": case.current.discount_share}


def _drops(case: UseCase, facts: Facts, book: RateBook, endpoint_id: str, model_id: str | None) -> dict[str, float]:
    """How far the cost of an endpoint fell since each day of a ruling on its model that asks about it, by what is known now."""
    days = {r.date for r in case.rulings if r.model == model_id and "price_drop" in (r.reopen_if or "")}
    now = monthly_cost(case.workload, book, endpoint_id) if days else ""
    own = [r for r in facts.rates if r.endpoint_id == endpoint_id] if days else []
    out = {}
    for day in days:
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        then = monthly_cost(case.workload, RateBook(own, at=at, known_at=book.at), endpoint_id)
        if isinstance(then, Cost) and isinstance(now, Cost) and then.usd_per_month > 0:
            out[day] = 1 - now.usd_per_month / then.usd_per_month
    return out


def _unproven_host(facts: Facts, endpoint: Endpoint) -> bool:
    """Weights may run worse elsewhere than where they were scored: the maker, or a cloud under contract with it."""
    model = facts.models.get(endpoint.model_id or "")
    contract = endpoint.provider in CLOUDS and model is not None and model.open_weights is False
    return not (endpoint.first_party or contract or endpoint.precision in ("bf16", "fp16"))


def _p_same(case: UseCase, facts: Facts, endpoint_id: str) -> float | None:
    """Same weights: certain on the same endpoint and on clouds under contract; elsewhere only a stated precision helps."""
    if endpoint_id == case.current.endpoint_id:
        return 1.0
    return None if _unproven_host(facts, facts.endpoints[endpoint_id]) else 1.0


def _judge(case: UseCase, fitted: Fitted | None, variants: dict[str, str]) -> dict[tuple[str, str], Judgement]:
    own = {r.model: r for r in case.evals.results}
    if fitted is None and not own:
        return {}
    from recommender.quality import judge

    incumbent = (case.current.model_id, variants.get(case.current.model_id, ""))
    rows = sorted((dict.fromkeys(own, "") | variants).items())  # own results need no public score beside them
    weights = _weights(case)

    def judged(floor: float | None) -> dict[tuple[str, str], Judgement]:
        return judge(fitted, rows, incumbent, weights, max_drop=case.quality.max_drop, floor=floor, own=own)

    found = judged(case.quality.floor)
    if own and case.evals.pass_score is not None and case.evals.pass_score != case.quality.floor:
        found |= {row: j for row, j in judged(case.evals.pass_score).items() if row[0] in own}
    return found


def _variants(case: UseCase, fitted: Fitted | None) -> dict[str, str]:
    """The run setting weighed for each model: the one with most boards of the task measured; ours by the effort asked for.

    Of equals the default setting, then the one that spends least. An effort that nobody measured stands for itself, without
    a score: another effort's says nothing of it (PRODUCT 3.3).
    """
    asked = case.current.effort and f"effort={case.current.effort}"
    own = {case.current.model_id: asked} if asked else {}
    if fitted is None:
        return own
    boards = list(_weights(case))
    best: dict[str, tuple[tuple[bool, int, bool, int], str]] = {}
    for model_id, variant in fitted.rows:
        if model_id in own and asked not in variant.split(";"):
            continue
        spent = next((n for n, e in enumerate(EFFORTS) if f"effort={e}" in variant), 0)
        exact = model_id in own and variant == asked  # and no thinking mode that nobody asked for
        worth = (exact, len(fitted.measured((model_id, variant), boards)), variant == "", -spent)
        if model_id not in best or (worth, variant) > best[model_id]:
            best[model_id] = (worth, variant)
    return own | {m: v for m, (_, v) in best.items()}


def _stand_in(case: UseCase, quality: Quality, variant: str) -> Quality:
    """The quality of the model in use, saying which setting's scores these are where the entry names none."""
    if case.current.effort or not variant or not quality.benchmarks:
        return quality
    told = f"no effort is given for the model in use: its scores are those with {variant}, which most of these boards state"
    return quality.model_copy(update={"notes": (*quality.notes, told)})


def _weights(case: UseCase) -> dict[str, float]:
    return case.quality.benchmarks or blend(load_tasks(), case.tasks)


def fit(facts: Facts) -> Fitted | None:
    from recommender.quality import fit_quality

    released = {m.model_id: m.released_on for m in facts.models.values() if m.released_on}
    return fit_quality(facts.scores, released, facts.benchmarks, as_of=facts.as_of)
