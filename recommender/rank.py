"""Candidates of one use case: eligible or why not, what each would cost and save, the frontier, the order.

Costs, qualities and probabilities come in as values; nothing is fetched, estimated or decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from data.records import (
    DAYS_PER_MONTH,
    Candidate,
    Cost,
    Endpoint,
    Model,
    Move,
    Quality,
    QualityDemand,
    Ruling,
    Tier,
    UseCase,
)
from recommender.cost.growth import months_until, months_worth
from recommender.eligible import earliest, objections, standing, unmet
from recommender.reopen import Known, holds

EFFORT_DAYS: dict[Move, float] = {"tier": 0.5, "endpoint": 1, "sibling": 2, "vendor": 4}
DIALECT_DAYS = 2.0  # tools and schemas are spelled differently by another maker (PRODUCT 3.2)
LIFE_MONTHS = 6.0  # how long a choice is expected to stand; an announced end can only make it shorter
LIKELY_ENOUGH_TO_TEST = 0.5
EASIER_SHARE = 0.8  # an easier move that reaches this share of the best net value is the headline


@dataclass(frozen=True)
class Offer:
    """What one endpoint would mean for one use case, as computed elsewhere.

    `cost` is at list prices, a text where there is none; `own_cost` what the team would pay where its contract covers
    part of it. A candidate shows the first; only its saving knows of the second.
    """

    endpoint: Endpoint
    model: Model | None
    tier: Tier
    variant: str
    cost: Cost | str
    quality: Quality | None
    p_ok: float | None
    first_seen: date | None = None
    p_gain: float | None = None
    price_drops: Mapping[str, float] = field(default_factory=dict)  # day of a ruling -> share its cost fell since
    own_cost: Cost | None = None
    context_elsewhere: int | None = None  # least context that any host states for the model


def rank(
    use_case: UseCase, current: Offer, offers: Iterable[Offer], *, today: date
) -> tuple[Candidate, list[Candidate]]:
    """The present choice and every candidate: of the eligible ones those good enough first, then those worth a test, by net value;
    each with its reasons."""
    now = _present(use_case, current)
    weighed = [_weigh(use_case, current, offer, today) for offer in offers]
    frontier = _frontier([now, *weighed])
    order = sorted(weighed, key=lambda c: _order(use_case.quality, c))
    ranked = [
        c.model_copy(update={"rank": n if c.eligible else None, "on_frontier": _key(c) in frontier})
        for n, c in enumerate(order, 1)
    ]
    return now.model_copy(update={"on_frontier": _key(now) in frontier}), ranked


def move_of(current: Endpoint, candidate: Endpoint) -> Move:
    """What changes: the tier, the host, the model of the same maker, or the maker."""
    if candidate.endpoint_id == current.endpoint_id:
        return "tier"
    if candidate.model_id is not None and candidate.model_id == current.model_id:
        return "endpoint"
    same_maker = _maker(candidate) is not None and _maker(candidate) == _maker(current)
    return "sibling" if same_maker else "vendor"


def effort_days(use_case: UseCase, move: Move, *, tier_too: bool = False) -> float:
    """Working days a move takes: by kind, two more for a new tool or schema dialect, half a day more where the tier moves
    with it, doubled if critical.
    """
    if use_case.switch.days is not None:
        return use_case.switch.days
    days = EFFORT_DAYS[move]
    if move == "vendor" and {"tools", "parallel_tools", "json_schema"} & set(use_case.require.features):
        days += DIALECT_DAYS
    if tier_too and move != "tier":
        days += EFFORT_DAYS["tier"]
    return days * 2 if use_case.criticality == "high" else days


def good_enough(asked: QualityDemand, c: Candidate) -> bool:
    """Probable enough, on evidence good enough.

    A tier move asks no quality question; another host of the same weights was judged when its p_ok was set.
    """
    if c.p_ok is None or c.p_ok < asked.confidence:
        return False
    if c.move in ("tier", "endpoint"):
        return True
    return c.quality is not None and c.quality.grade is not None and c.quality.grade <= asked.evidence


def constraint_prices(current: Candidate, candidates: Iterable[Candidate], asked: QualityDemand) -> dict[str, float]:
    """USD a month that each constraint costs: the best eligible cost less the best when only that one is dropped.

    What runs today is a choice too, so no constraint costs more than today's bill less what it shuts out. Never
    negative. Candidates shut out by several constraints charge none of them alone (PRODUCT 3.2).
    """
    good = [c for c in (current, *candidates) if c.cost is not None and (c is current or good_enough(asked, c))]
    best = min((_bill(current, c) for c in good if c.eligible), default=None)
    prices: dict[str, float] = {}
    for c in good:
        keys = {reason.split(":")[0] for reason in c.reasons}
        if c.eligible or len(keys) != 1 or best is None or keys & {"price", "identity"}:
            continue
        (key,) = keys
        prices[key] = max(prices.get(key, 0.0), best - _bill(current, c))
    return {key: usd for key, usd in sorted(prices.items(), key=lambda kv: -kv[1]) if usd > 0}


def _bill(current: Candidate, c: Candidate) -> float:
    """USD a month the team would pay: where a contract is counted, the saving knows it and the list price does not."""
    if current.cost is not None and c.saving_usd_per_month is not None:
        return current.cost.usd_per_month - c.saving_usd_per_month
    return c.cost.usd_per_month if c.cost else float("inf")


def _present(use_case: UseCase, offer: Offer) -> Candidate:
    priced = not isinstance(offer.cost, str)
    return Candidate(
        use_case=use_case.slug,
        endpoint_id=offer.endpoint.endpoint_id,
        model_id=offer.endpoint.model_id,
        tier=offer.tier,
        variant=offer.variant,
        move=None,
        eligible=priced,
        reasons=tuple(f"in use though {why}" for why in unmet(use_case, offer.endpoint, offer.model))
        if priced
        else (f"price: {offer.cost}",),
        cost=None if isinstance(offer.cost, str) else offer.cost,
        quality=offer.quality,
        p_ok=1.0,
    )


def _weigh(use_case: UseCase, current: Offer, offer: Offer, today: date) -> Candidate:
    move = move_of(current.endpoint, offer.endpoint)
    lifted = _lifted(use_case, current, offer, move, today)
    against = list(
        objections(
            use_case, offer.endpoint, offer.model, move, today=today, first_seen=offer.first_seen, lifted=lifted,
            prompt_ratio=offer.cost.prompt_ratio[0] if isinstance(offer.cost, Cost) else 1.0,
            context_elsewhere=offer.context_elsewhere,
        )
    )  # fmt: skip
    cost = offer.cost if not isinstance(offer.cost, str) else None
    if cost is None:
        against.append(f"price: {offer.cost}")
    elif cost.usd_per_month == 0 and not (isinstance(current.cost, Cost) and current.cost.usd_per_month == 0):
        against.append("price: stated as 0; free comes with limits, so it is not ranked")
    money = _money(use_case, current, offer, move, today)
    if _leaves_first(use_case, offer.endpoint, money, today):
        against.append(f"min_life_days: retires on {offer.endpoint.retires_on}, before a switch is paid back")
    plain = Candidate(
        use_case=use_case.slug,
        endpoint_id=offer.endpoint.endpoint_id,
        model_id=offer.endpoint.model_id,
        tier=offer.tier,
        variant=offer.variant,
        move=move,
        eligible=not against,
        reasons=tuple(against),
        cost=cost,
        quality=offer.quality,
        p_ok=offer.p_ok,
        p_gain=offer.p_gain,
        born_on=earliest(offer.model.released_on if offer.model else None) or offer.first_seen,
        retires_on=offer.endpoint.retires_on,
        reopened="; ".join(
            f"{r.verdict} on {r.date}{f' ({r.why})' if r.why else ''}, reopened: {r.reopen_if}" for r in lifted
        )
        or None,
    )
    return plain.model_copy(update=money)


def _lifted(use_case: UseCase, current: Offer, offer: Offer, move: Move, today: date) -> list[Ruling]:
    """Noes whose condition has come true for this offer (PRODUCT 3.4)."""
    low = None
    if isinstance(offer.cost, Cost) and isinstance(current.cost, Cost):
        low = savings(current.cost, offer.own_cost or offer.cost, move)[1]
    grade = offer.quality.grade if offer.quality else None
    return [
        r
        for r in standing(use_case.rulings, offer.endpoint, move, today)
        if r.reopen_if
        and holds(r.reopen_if, Known(offer.endpoint, grade, offer.p_ok, low, offer.price_drops.get(r.date)))
    ]


def savings(now: Cost, then: Cost, move: Move | None) -> tuple[float, float, float]:
    """USD a month saved: central, low, high.

    A tier of the same endpoint has its tokens and its unrest in common with what runs today, so their ends belong
    together; whatever else moves may meet the other's worst end.
    """
    saving = now.usd_per_month - then.usd_per_month
    if move == "tier":
        ends = (now.low_usd_per_month - then.low_usd_per_month, now.high_usd_per_month - then.high_usd_per_month)
        return saving, min(saving, *ends), max(saving, *ends)
    return (
        saving,
        now.low_usd_per_month - then.high_usd_per_month,
        now.high_usd_per_month - then.low_usd_per_month,
    )


def _money(use_case: UseCase, current: Offer, offer: Offer, move: Move, today: date) -> dict[str, float | None]:
    days = effort_days(use_case, move, tier_too=offer.tier != current.tier)
    if isinstance(offer.cost, str) or isinstance(current.cost, str):
        return {"effort_days": days}
    saving, low, high = savings(current.cost, offer.own_cost or offer.cost, move)
    once = _once(use_case, days)
    back = days * use_case.switch.usd_per_day
    growth = use_case.workload.growth_per_month
    payback = months_until(once / low, growth) if low > 0 else None
    p_bad = 1 - (offer.p_ok if offer.p_ok is not None else 0.0)
    return {
        "effort_days": days,
        "saving_usd_per_month": saving,
        "saving_low_usd_per_month": low,
        "saving_high_usd_per_month": high,
        "payback_days": payback * DAYS_PER_MONTH if payback is not None else None,
        "net_value_usd": saving * months_worth(_months(offer.endpoint, today), growth) - once - p_bad * back,
    }


def _once(use_case: UseCase, days: float) -> float:
    return days * use_case.switch.usd_per_day + use_case.switch.eval_cost_usd


def _leaves_first(use_case: UseCase, endpoint: Endpoint, money: dict[str, float | None], today: date) -> bool:
    """A saving that ends with its endpoint before it has paid for the switch: a cheaper tier of a model that leaves, which
    no `min_life_days` holds back (`objections`)."""
    saving, days = money.get("saving_usd_per_month"), money["effort_days"]
    if endpoint.retires_on is None or saving is None or days is None or saving <= 0:
        return False
    return saving * months_worth(_months(endpoint, today), use_case.workload.growth_per_month) < _once(use_case, days)


def _months(endpoint: Endpoint, today: date) -> float:
    gone = earliest(endpoint.retires_on)
    if gone is None:
        return LIFE_MONTHS
    return max(0.0, min(LIFE_MONTHS, (gone - today).days / DAYS_PER_MONTH))


def _frontier(candidates: list[Candidate]) -> set[tuple[str, str, str]]:
    """Keys of the eligible candidates that no other beats on both cost and quality."""
    points = [c for c in candidates if c.eligible and c.cost is not None and c.quality is not None]
    points.sort(key=lambda c: (c.cost.usd_per_month if c.cost else 0, -(c.quality.mean if c.quality else 0), _key(c)))
    kept: set[tuple[str, str, str]] = set()
    best = float("-inf")
    for c in points:
        if c.quality is not None and c.quality.mean > best:
            kept.add(_key(c))
            best = c.quality.mean
    return kept


def _order(asked: QualityDemand, c: Candidate) -> tuple[bool, bool, bool, bool, float, tuple[str, str, str]]:
    value = c.net_value_usd if c.net_value_usd is not None else float("-inf")
    unlikely = (c.p_ok or 0) < LIKELY_ENOUGH_TO_TEST
    return (not c.eligible, c.p_ok is None, not good_enough(asked, c), unlikely, -value, _key(c))


def _key(c: Candidate) -> tuple[str, str, str]:
    return (c.endpoint_id, c.tier, c.variant)


def _maker(endpoint: Endpoint) -> str | None:
    return endpoint.model_id.partition("/")[0] if endpoint.model_id else None


def shadowed(prices: Mapping[str, float]) -> tuple[str, float] | None:
    """The constraint that costs most, with USD a month, or nobody."""
    return max(prices.items(), key=lambda kv: kv[1], default=None)
