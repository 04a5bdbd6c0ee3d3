"""What each clause of the whole rule costs: the same replay with one of them lifted (an ablation)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.backtest.alerts import AlertLine, Claim, alert_line, says_switch
from recommender.backtest.rule import Clauses
from recommender.backtest.world import World
from recommender.backtest.year import YearLine, Years

WHOLE = Clauses()
VARIANTS = (
    ("the whole rule", WHOLE),
    ("confidence 0.7", Clauses(confidence=0.7)),
    ("measured scores taken as exact", Clauses(sampling_error=False)),
    ("central saving, not its low end", Clauses(low_end=False)),
    ("the digest followed too", Clauses(digest=True)),
    ("no payback asked", Clauses(payback=False)),
    ("no option to wait", Clauses(waiting=False)),
    ("no age asked", Clauses(min_age_days=0)),
    ("no cooldown", Clauses(cooldown=False)),
    ("exact scores, digest followed", Clauses(sampling_error=False, digest=True)),
)


@dataclass(frozen=True)
class ClauseLine:
    """One variant of the rule. `alerts` None: it changes nothing on a candidate's first day. `year` None: no use case."""

    rule: str
    alerts: AlertLine | None
    year: YearLine | None


def weigh_clauses(world: World, claims: Sequence[Claim], years: Years) -> list[ClauseLine]:
    """The whole rule, then each variant on the same decisions and the same use cases."""
    return [
        ClauseLine(
            name,
            _alerts(world, claims, name, clauses),
            years.line(name, years.decided(clauses)) if years.cases else None,
        )
        for name, clauses in VARIANTS
    ]


def _alerts(world: World, claims: Sequence[Claim], name: str, clauses: Clauses) -> AlertLine | None:
    """Scores of a new candidate are unknown, its age is not asked and nothing was decided before: three clauses are silent."""
    first_day = Clauses(
        confidence=clauses.confidence, low_end=clauses.low_end, payback=clauses.payback,
        waiting=clauses.waiting, digest=clauses.digest,
    )  # fmt: skip
    if clauses != WHOLE and first_day == WHOLE:
        return None
    sent = [says_switch(world, c.foreseen, c.incumbent, c.need_points, c.p_ok, first_day) for c in claims]
    return alert_line(name, sent, claims)
