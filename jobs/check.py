"""One decision cycle: facts as known, every use case weighed and decided, what changed written in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data.errors import DataMissing
from data.records import Alert, Candidate, Cost, Decision, Endpoint, UseCase
from data.registry import Registry
from data.store import Store
from data.tasks import blend, load_tasks
from jobs.alerts import alerts_for
from jobs.facts import Facts, facts_as_of
from jobs.outbox import enqueue
from recommender.cost import RateBook, monthly_cost
from recommender.decide import decide
from recommender.rank import Offer, move_of, rank
from recommender.ratios import ratios, spends_reasoning

if TYPE_CHECKING:
    from recommender.quality import Fitted, Judgement

CLOUDS = frozenset({"aws", "azure", "google"})  # sell closed models under contract with their makers
UNPROVEN = "this host states no precision, and the scores were not measured on it"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Checked:
    """What a cycle decided. `alerts`: new ones, sent or withheld. `changed`: use cases whose decision is not the last."""

    run_id: str
    decisions: list[tuple[UseCase, Decision]]
    candidates: dict[str, list[Candidate]]
    alerts: list[Alert]
    changed: list[str]
    first_run: bool
    data_as_of: datetime


def check_cycle(
    store: Store, registry: Registry, *, now: datetime, progress: Progress = lambda _: None, facts: Facts | None = None
) -> Checked:
    """Decide every use case as of `now` and write what is new. Raises DataMissing where no price is known."""
    facts = facts or facts_as_of(store, now)
    if facts is None:
        raise DataMissing(
            "no prices yet.", where=str(store.path), fix="run `undercut scrape` (or `undercut demo`) first."
        )
    progress("estimating quality")
    fitted = _fit(facts)
    book = RateBook(facts.rates, at=now)
    weighed: dict[str, list[Candidate]] = {}
    decisions: list[tuple[UseCase, Decision]] = []
    for case in registry.use_cases:
        progress(f"ranking models for {case.slug}")
        current, ranked = weigh(case, facts, book, fitted)
        weighed[case.slug] = [current, *ranked]
        decisions.append((case, decide(case, current, ranked, now=now, data_as_of=facts.data_as_of)))
    return _write(store, registry, decisions, weighed, now, facts)


def weigh(case: UseCase, facts: Facts, book: RateBook, fitted: Fitted | None) -> tuple[Candidate, list[Candidate]]:
    """The present choice and every candidate of a use case, ranked."""
    variants = _variants(case, fitted)
    judged = _judge(case, fitted, variants)
    now_endpoint = facts.endpoints[case.current.endpoint_id]
    now_variant = variants.get(case.current.model_id, "")
    reasons_now = case.workload.reasoning_tokens.mean > 0

    def offer(endpoint_id: str, tier: str, tier_share: float) -> Offer:
        endpoint = facts.endpoints[endpoint_id]
        model_id = endpoint.model_id
        move = move_of(now_endpoint, endpoint)
        same = move in ("tier", "endpoint")
        variant = now_variant if same else variants.get(model_id or "", "")
        known = fitted.variants(model_id) if fitted and model_id else []
        prompt, answer = ratios(
            same_model=same,
            same_maker=move != "vendor",
            reasons=spends_reasoning(variant, known),
            reasons_now=reasons_now,
        )
        cost = monthly_cost(
            case.workload, book, endpoint_id, tier=tier, tier_share=tier_share, token_ratio=prompt, output_ratio=answer
        )
        found = judged.get((model_id or "", variant))
        quality = found.quality if found else None
        if quality is not None and not same and _unproven_host(facts, endpoint):
            quality = quality.model_copy(update={"grade": quality.grade and "D", "notes": (*quality.notes, UNPROVEN)})
        return Offer(
            endpoint=endpoint,
            model=facts.models.get(model_id) if model_id else None,
            tier=tier,  # type: ignore[arg-type]
            variant=variant,
            cost=cost,
            quality=quality,
            p_ok=_p_same(case, facts, endpoint_id) if same else found.p_ok if found else None,
            first_seen=facts.first_seen.get(endpoint_id),
        )

    present = _present(case, book, offer(case.current.endpoint_id, case.current.tier, 1.0))
    return rank(case, present, list(_offers(case, facts, book, offer)), today=book.at.date())


def _offers(case: UseCase, facts: Facts, book: RateBook, offer: Callable[[str, str, float], Offer]) -> Iterable[Offer]:
    share = case.workload.batchable_share
    for endpoint_id in book.endpoints():
        if endpoint_id not in facts.endpoints or endpoint_id.partition(":")[2].startswith("~"):
            continue  # a pointer that moves is no choice
        if endpoint_id.endswith(":batch") and share < 1:
            continue  # an id that only takes batches, and not all calls can wait
        if endpoint_id != case.current.endpoint_id:
            yield offer(endpoint_id, "standard", 1.0)
            continue
        for tier in book.tiers(endpoint_id):
            if (
                tier != case.current.tier
                and tier in ("batch", "flex")
                and share > 0
                and case.current.tier == "standard"
            ):
                yield offer(endpoint_id, tier, share)


def _present(case: UseCase, book: RateBook, listed: Offer) -> Offer:
    """What runs today at the team's own price, where it has one."""
    if not case.current.private_price and not case.current.discount_share:
        return listed
    own = monthly_cost(
        case.workload,
        book,
        case.current.endpoint_id,
        tier=case.current.tier,
        private_price=case.current.private_price,
        discount_share=case.current.discount_share,
    )
    return Offer(**{**vars(listed), "cost": own})


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
    if fitted is None:
        return {}
    from recommender.quality import judge

    incumbent = (case.current.model_id, variants.get(case.current.model_id, ""))
    own = {r.model: r for r in case.evals.results}
    return judge(
        fitted,
        sorted(variants.items()),
        incumbent,
        _weights(case),
        max_drop=case.quality.max_drop,
        floor=case.quality.floor,
        own=own,
    )


def _variants(case: UseCase, fitted: Fitted | None) -> dict[str, str]:
    """The run setting weighed for each model: the one asked for, else the one with most boards of the task measured.

    Of equals the default setting, then the one that spends least.
    """
    if fitted is None:
        return {}
    boards = list(_weights(case))
    best: dict[str, tuple[tuple[int, bool, int], str]] = {}
    for model_id, variant in fitted.rows:
        asked = model_id == case.current.model_id and f"effort={case.current.effort}" == variant
        effort = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
        spent = next((n for n, e in enumerate(effort) if f"effort={e}" in variant), 0)
        worth = (99 if asked else len(fitted.measured((model_id, variant), boards)), variant == "", -spent)
        if model_id not in best or (worth, variant) > best[model_id]:
            best[model_id] = (worth, variant)
    return {m: v for m, (_, v) in best.items()}


def _weights(case: UseCase) -> dict[str, float]:
    return case.quality.benchmarks or blend(load_tasks(), case.tasks)


def _fit(facts: Facts) -> Fitted | None:
    from recommender.quality import fit_quality

    released = {m.model_id: m.released_on for m in facts.models.values() if m.released_on}
    return fit_quality(facts.scores, released, facts.benchmarks, as_of=facts.as_of)


def _write(
    store: Store,
    registry: Registry,
    decisions: list[tuple[UseCase, Decision]],
    weighed: dict[str, list[Candidate]],
    now: datetime,
    facts: Facts,
) -> Checked:
    """Only what is not the last state is written: the same facts and registry twice add nothing."""
    last = {
        r["use_case"]: r["decision_sha"]
        for r in store.rows(
            "select use_case, decision_sha from recommendation "
            "qualify row_number() over (partition by use_case order by decided_at desc) = 1"
        )
    }
    run_id = hashlib.blake2b(f"{now.isoformat()}{facts.data_as_of}".encode(), digest_size=6).hexdigest()
    changed = [case.slug for case, d in decisions if last.get(case.slug) != _sha(d)]
    alerts = alerts_for(store, decisions, now=now, data_as_of=facts.data_as_of, changed=changed)
    with store.transaction():
        _register(store, registry, now)
        for case, d in decisions:
            if case.slug in changed:
                store.insert("recommendation", [_recommendation(run_id, d)])
                store.insert("candidate", (_candidate(run_id, c) for c in weighed[case.slug]))
        for alert in alerts:
            enqueue(store, alert, run_id=run_id)
    return Checked(run_id, decisions, weighed, alerts, changed, not last, facts.data_as_of)


def _register(store: Store, registry: Registry, now: datetime) -> None:
    rows = []
    for case in registry.use_cases:
        entry = case.model_dump(mode="json", exclude={"current": {"private_price", "discount_share"}, "origins": True})
        text = json.dumps(entry, sort_keys=True)
        rows.append(
            {
                "use_case": case.slug,
                "title": case.title,
                "team": case.team,
                "owner": case.owner,
                "channel": case.channel,
                "endpoint_id": case.current.endpoint_id,
                "model_id": case.current.model_id,
                "tier": case.current.tier,
                "tasks": case.tasks,
                "entry": entry,
                "entry_sha": hashlib.sha256(text.encode()).hexdigest(),
                "registered_at": now,
                "withdrawn": False,
            }
        )
    store.insert("use_case", rows, unique=("use_case", "entry_sha"))


def _recommendation(run_id: str, d: Decision) -> dict[str, Any]:
    cost: Cost | None = d.current.cost
    best = d.best
    return {
        "run_id": run_id,
        "rec": d.rec,
        "use_case": d.use_case,
        "decided_at": d.decided_at,
        "data_as_of": d.data_as_of,
        "verdict": d.verdict,
        "reason": d.reason,
        "reasons": list(d.reasons),
        "move": best.move if best else None,
        "from_endpoint": d.current.endpoint_id,
        "to_endpoint": best.endpoint_id if best else None,
        "to_tier": best.tier if best else None,
        "cost_usd_per_month": cost.usd_per_month if cost else None,
        "best_cost_usd_per_month": best.cost.usd_per_month if best and best.cost else None,
        "saving_usd_per_month": best.saving_usd_per_month if best else None,
        "saving_low_usd_per_month": best.saving_low_usd_per_month if best else None,
        "p_ok": best.p_ok if best else None,
        "evidence": best.quality.grade if best and best.quality else None,
        "payback_days": best.payback_days if best else None,
        "rate_ids": list(d.rate_ids),
        "score_ids": list(d.score_ids),
        "decision": d.model_dump(mode="json"),
        "decision_sha": _sha(d),
    }


def _candidate(run_id: str, c: Candidate) -> dict[str, Any]:
    q, cost = c.quality, c.cost
    plain = c.model_dump(exclude={"cost", "quality", "saving_high_usd_per_month"})
    return plain | {
        "run_id": run_id,
        "reasons": list(c.reasons),
        "cost_usd_per_month": cost.usd_per_month if cost else None,
        "cost_low_usd_per_month": cost.low_usd_per_month if cost else None,
        "cost_high_usd_per_month": cost.high_usd_per_month if cost else None,
        "cost_usd_per_call": cost.usd_per_call if cost else None,
        "quality": q.mean if q else None,
        "quality_low": q.low if q else None,
        "quality_high": q.high if q else None,
        "evidence": q.grade if q else None,
        "measured": q.measured if q else None,
    }


def _sha(d: Decision) -> str:
    """What makes a decision another one: everything but the clock."""
    text = d.model_dump_json(exclude={"decided_at", "data_as_of"})
    return hashlib.sha256(text.encode()).hexdigest()
