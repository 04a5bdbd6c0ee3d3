"""Costs, qualities, candidates, decisions and alerts."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime

from data.records.core import Grade, Move, Record, Tier, Verdict


class Cost(Record):
    """What a workload costs on an endpoint. low and high bound it at 80 %."""

    usd_per_month: float
    low_usd_per_month: float
    high_usd_per_month: float
    usd_per_call: float
    usd_per_outcome: float | None = None  # of an accepted one: calls per outcome x (1 + retry rate) x a call
    by_meter_usd_per_month: dict[str, float]
    rate_ids: tuple[str, ...]
    notes: tuple[str, ...] = ()
    prompt_ratio: tuple[float, float, float] = (
        1.0,
        1.0,
        1.0,
    )  # tokens relative to the ones registered: mean, low, high
    answer_ratio: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Quality(Record):
    """Quality of a model (with a variant) on a use case's tasks, as a share 0 to 1; low and high bound it at 80 %."""

    mean: float
    low: float
    high: float
    grade: Grade | None  # None: not enough data
    measured: bool  # False: at least one benchmark is an estimate
    benchmarks: tuple[str, ...]
    score_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own: bool = False  # mean, low and high are shares of the team's own cases, not of boards
    boards_mean: float | None = None  # where `own`: what the boards say; None: nothing

    def beside(self, other: Quality) -> float | None:
        """The mean of this one in the terms of the other: shares of own cases and of boards do not compare. None: unknown."""
        return self.mean if self.own == other.own else self.boards_mean


class Candidate(Record):
    """An endpoint and tier weighed for a use case. Money compares with the use case's present cost."""

    use_case: str
    endpoint_id: str
    model_id: str | None
    tier: Tier = "standard"
    variant: str = ""
    move: Move | None  # None: it is what runs today
    eligible: bool
    reasons: tuple[str, ...] = ()  # why not, or what to know
    cost: Cost | None = None
    quality: Quality | None = None
    p_ok: float | None = None
    p_gain: float | None = None  # probability that quality is better by 0.02 or more
    on_frontier: bool = False
    rank: int | None = None
    saving_usd_per_month: float | None = None
    saving_low_usd_per_month: float | None = None
    saving_high_usd_per_month: float | None = None
    effort_days: float | None = None
    payback_days: float | None = None
    net_value_usd: float | None = None
    reopened: str | None = None  # the "no" that ended early, and the condition that came true
    born_on: date | None = None  # release, else the first record of it
    retires_on: str | None = None  # as announced: a day, month or year


class Decision(Record):
    """One verdict for one use case, with everything it was based on."""

    rec: str  # rec-xxxx, stable while use case, move and target stay
    use_case: str
    decided_at: AwareDatetime
    data_as_of: AwareDatetime
    verdict: Verdict
    reason: str
    reasons: tuple[str, ...] = ()
    current: Candidate
    best: Candidate | None = None
    easier: Candidate | None = None
    others: tuple[Candidate, ...] = ()
    constraint_usd_per_month: dict[str, float] = {}
    contract: bool = False  # the team pays other prices; sums here are at list prices
    rate_ids: tuple[str, ...] = ()
    score_ids: tuple[str, ...] = ()


class Alert(Record):
    """A finding, sent or withheld. `message` is the Slack payload (text, blocks)."""

    alert_id: str
    kind: str
    use_case: str | None
    rec: str | None
    channel: str
    created_at: AwareDatetime
    message: dict[str, object]
    withheld_because: str | None = None
    follows: str | None = None  # message id that this one adds to: same thread, and that one is edited
