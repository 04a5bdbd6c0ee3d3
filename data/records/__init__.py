"""The types that cross rooms: frozen, unknown keys forbidden, the unit in every name.

Money is `Decimal` (estimates are floats), unknown is None and never 0, times are UTC and aware. Token bands read
"above `context_min_tokens`, up to and including `context_max_tokens`", counted on the whole prompt. A time window is
UTC text: `HH:MM-HH:MM`, weekdays optional (`01:00-04:00 Mon-Fri`), several joined by `, `; None is every hour that no
other window of the same rate covers. A variant is a run setting, `key=value` joined by `;` in order of key, `""` for
the default.
"""

from data.records.beliefs import Benchmark, Endpoint, Held, Model, Rate, Score
from data.records.claims import Capture, PriceClaim, ScoreClaim
from data.records.core import (
    DAYS_PER_MONTH,
    EFFORTS,
    PRECISION_RANK,
    Grade,
    Meter,
    Move,
    Outcome,
    Record,
    Share,
    SourceKind,
    Standing,
    Tier,
    Verdict,
)
from data.records.decision import Alert, Candidate, Cost, Decision, Quality
from data.records.usecase import (
    AlertTerms,
    Budget,
    Cache,
    Compromise,
    Designed,
    EndpointChoice,
    EvalResult,
    Evals,
    QualityDemand,
    Requirements,
    Ruling,
    SwitchTerms,
    Tokens,
    UseCase,
    Workload,
    lognormal_sigma,
)

__all__ = [
    "DAYS_PER_MONTH",
    "EFFORTS",
    "PRECISION_RANK",
    "Alert",
    "AlertTerms",
    "Benchmark",
    "Budget",
    "Cache",
    "Candidate",
    "Capture",
    "Compromise",
    "Cost",
    "Decision",
    "Designed",
    "Endpoint",
    "EndpointChoice",
    "EvalResult",
    "Evals",
    "Grade",
    "Held",
    "Meter",
    "Model",
    "Move",
    "Outcome",
    "PriceClaim",
    "Quality",
    "QualityDemand",
    "Rate",
    "Record",
    "Requirements",
    "Ruling",
    "Score",
    "ScoreClaim",
    "Share",
    "SourceKind",
    "Standing",
    "SwitchTerms",
    "Tier",
    "Tokens",
    "UseCase",
    "Verdict",
    "Workload",
    "lognormal_sigma",
]
