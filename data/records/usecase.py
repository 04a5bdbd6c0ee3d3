"""A registered use case with effective values."""

from __future__ import annotations

from decimal import Decimal
from math import log
from typing import Literal

from data.records.core import Grade, Move, Record, Share, Tier


def lognormal_sigma(p50: float | None, p95: float | None) -> float | None:
    """Of the logarithm, by the lognormal through both; None where they are not both given and apart."""
    return log(p95 / p50) / 1.645 if p50 and p95 and p95 > p50 else None


class Tokens(Record):
    """Tokens per call. `mean` is what costs use; p50 and p95 carry the spread."""

    mean: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Workload(Record):
    calls_per_month: float  # a month is 365/12 days
    growth_per_month: float = 0
    batchable_share: Share = 0
    peak_calls_per_minute: int | None = None
    hours_utc: str | None = None
    calls_per_outcome: float = 1
    retry_rate: Share = 0
    input_tokens: Tokens
    output_tokens: Tokens
    reasoning_tokens: Tokens = Tokens(mean=0)
    cached_share: Share = 0
    cache_written_share: Share = 0  # of the prompt, written to a prompt cache that the team declared
    cache_lifetime: Literal["5m", "1h"] = "5m"
    images_per_call: float = 0
    language: str = "en"
    content: Literal["prose", "code", "json", "mixed"] = "prose"
    measured_on: str | None = None


class EndpointChoice(Record):
    """An endpoint as a registry names it, resolved, with what the team pays where that differs from the list."""

    written: str
    model_id: str
    endpoint_id: str
    via: str | None = None
    region: str | None = None
    tier: Tier = "standard"
    effort: str | None = None
    private_price: dict[str, Decimal] = {}  # input_usd_per_mtok, ..., call_usd
    discount_share: float = 0


class QualityDemand(Record):
    max_drop: Share = 0.02
    floor: Share | None = None
    confidence: float = 0.85
    benchmarks: dict[str, float] = {}
    evidence: Grade = "C"


class Requirements(Record):
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    features: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    retention: Literal["any", "no-training", "zero"] = "any"
    license: Literal["any", "open-weights", "permissive"] = "any"
    min_precision: str | None = None
    first_party: bool = False
    max_ttft_s: float | None = None
    max_latency_s: float | None = None
    min_tokens_per_s: float | None = None
    calls_per_minute: int | None = None
    uptime: Share | None = None
    min_age_days: int = 14
    min_life_days: int = 180
    providers: tuple[str, ...] = ()
    deny: tuple[str, ...] = ("*:free", "*-preview")


class Budget(Record):
    usd_per_month: float | None = None
    usd_per_call: float | None = None
    usd_per_outcome: float | None = None


class SwitchTerms(Record):
    days: float | None = None  # None: by move
    usd_per_day: float = 800
    eval_cost_usd: float = 0
    payback_days: int = 90
    min_saving_usd_per_month: float = 100
    min_saving_share: Share = 0.15
    hold_days: int = 7
    cooldown_days: int = 30
    moves: tuple[Move, ...] = ("tier", "endpoint", "sibling", "vendor")


class AlertTerms(Record):
    mode: Literal["instant", "digest", "never"] = "instant"
    schedule: str = "Mon 09:00 UTC"
    max_per_week: int = 2
    mute: tuple[str, ...] = ()
    snooze_until: str | None = None


class Compromise(Record):
    what: str
    because: str | None = None
    costs_usd_per_month: float | None = None
    saves_usd_per_month: float | None = None


class Designed(Record):
    date: str
    model: str | None = None
    usd_per_call: float | None = None
    compromises: tuple[Compromise, ...] = ()


class Cache(Record):
    name: str
    kind: Literal["prompt", "semantic", "response"] = "prompt"
    hit_rate: Share
    costs_usd_per_month: float = 0
    hours_per_month: float = 0
    ttl: str | None = None


class EvalResult(Record):
    model: str
    score: Share
    n: int
    date: str | None = None
    output_tokens: float | None = None
    note: str | None = None


class Evals(Record):
    results: tuple[EvalResult, ...] = ()
    files: tuple[str, ...] = ()
    run: str | None = None
    pass_score: Share | None = None


class Ruling(Record):
    """What a person decided, from the registry's `decisions` or from feedback."""

    model: str
    verdict: Literal["approved", "switched", "rejected", "later"]
    date: str
    rec: str | None = None
    via: str | None = None
    move: Move | None = None
    until: str | None = None
    reopen_if: str | None = None
    why: str | None = None
    by: str | None = None


class UseCase(Record):
    """A registered workload with effective values; `origins` says where each came from."""

    slug: str
    title: str
    description: str | None = None
    tasks: dict[str, float]
    owner: str | None = None
    team: str | None = None
    channel: str
    contacts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    repo: str | None = None
    criticality: Literal["low", "normal", "high"] = "normal"
    current: EndpointChoice
    fallbacks: tuple[EndpointChoice, ...] = ()
    workload: Workload
    telemetry: str | None = None
    quality: QualityDemand = QualityDemand()
    require: Requirements = Requirements()
    budget: Budget = Budget()
    switch: SwitchTerms = SwitchTerms()
    alerts: AlertTerms = AlertTerms()
    designed: Designed | None = None
    caches: tuple[Cache, ...] = ()
    evals: Evals = Evals()
    rulings: tuple[Ruling, ...] = ()
    origins: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
