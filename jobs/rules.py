"""Which rule keeps a message back (PRODUCT 5). Each says so in words; the words are what is recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from data.records import Decision, UseCase
from data.store import Readable
from jobs.sightings import SEEN_ONCE, TOO_OLD, seen_once, sightings, too_old
from jobs.withdraw import naive

NEWS_COST_SHARE = 0.2  # a told finding is news again where its saving moved by so much (PRODUCT 5.3)
NEWS_P = 0.1
REARM_SHARE = 0.5  # it clears under half the threshold, or (PRODUCT 5.4)
REARM_P = 0.15  # so far under the confidence asked for
HELD_BY = "circuit breaker"
FIRST_RUN = "first run"
FOR_DIGEST = "for the digest"
CAP = "alerts this week already; the rest goes to the digest"
PRICED = ("cheaper", "better", "price_rise")  # what rests on a price, not on a date or on a lack of one
SAVINGS = ("cheaper", "better")
# what these keep back goes out once they no longer hold; what the others keep back is in the summary or the digest
PASSING = (SEEN_ONCE, TOO_OLD, HELD_BY, "cooldown", "snoozed")
# `told`: it reached people, as a message of its own, in an onboarding summary or in the joint message after the breaker
RECORDED = f"""
select a.alert_id, a.use_case, a.kind, a.rec, a.created_at, a.withheld_because, r.saving_usd_per_month, r.p_ok,
    a.withheld_because is null
    or starts_with(a.withheld_because, '{FIRST_RUN}') and exists (select 1 from alert o where o.kind = 'onboarding'
        and o.channel = a.channel and o.created_at = a.created_at and o.withheld_because is null)
    or starts_with(a.withheld_because, '{HELD_BY}') and exists (select 1 from alert j where j.kind = 'joint'
        and j.channel = a.channel and j.created_at > a.created_at and contains(j.message::varchar, a.rec)) as told
from alert a left join recommendation r on r.run_id = a.run_id and r.rec = a.rec
where a.kind not in ('onboarding', 'digest', 'rollup', 'breaker', 'joint', 'stale') order by a.created_at"""


@dataclass(frozen=True)
class Rules:
    """One cycle's. `recorded`: every finding so far, the oldest first. `known`: use cases decided before. `broken`: why
    nothing may be sent in this run. `waiting`: use cases that the circuit breaker holds since an earlier one."""

    store: Readable
    now: datetime
    recorded: Sequence[Mapping[str, Any]]
    known: Collection[str]
    broken: str | None
    waiting: Collection[str]

    def withheld(
        self, kind: str, case: UseCase, rate_ids: Sequence[str], *, more: int = 0, urgent: bool = False
    ) -> str | None:
        """The first rule that keeps a message back, or None. What is urgent knows no cooldown and no cap (PRODUCT 5.5).

        `rate_ids`: the prices it rests on; `more`: messages of this run for the use case so far.
        """
        if case.slug not in self.known:
            return f"{FIRST_RUN}: the onboarding summary only"
        if self.broken or case.slug in self.waiting:
            return f"{HELD_BY}: {self.broken or 'not released yet'}"
        if kind in case.alerts.mute:
            return f"muted: {kind}"
        if case.alerts.mode != "instant":
            return f"alerts: {{mode: {case.alerts.mode}}}"
        if case.alerts.snooze_until and self.now.date().isoformat() < case.alerts.snooze_until:
            return f"snoozed until {case.alerts.snooze_until}"
        if (why := self._unproven(kind, rate_ids)) is not None:
            return why
        if kind in SAVINGS and self._in_cooldown(case):
            return f"cooldown of {case.switch.cooldown_days} days after a decision"
        week = naive(self.now - timedelta(days=7))
        sent = [r for r in self.recorded if r["use_case"] == case.slug and r["withheld_because"] is None]
        if not urgent and more + sum(r["created_at"] >= week for r in sent) >= case.alerts.max_per_week:
            return f"{case.alerts.max_per_week} {CAP}"
        return None

    def told_before(self, case: UseCase, d: Decision) -> str | None:
        """None: never told. `again`: told, cleared since, and crossed anew. A message id: told, and its facts have moved so
        far that it is news. `already told` otherwise."""
        told = [a for a in self.recorded if self._tells(a, d)]
        if not told or d.best is None:
            return None
        last = told[-1]
        if self._cleared(case, d, last["created_at"]):
            return "again"
        saving, then = d.best.saving_usd_per_month or 0, last["saving_usd_per_month"]
        moved = then is not None and abs(saving - then) >= NEWS_COST_SHARE * abs(then)
        p_moved = last["p_ok"] is not None and d.best.p_ok is not None and abs(d.best.p_ok - last["p_ok"]) >= NEWS_P
        if not moved and not p_moved:
            return "already told"
        return message_id(last["alert_id"]) if last["withheld_because"] is None else "again"

    def told_at(self, d: Decision) -> datetime | None:
        """When people last heard of a finding, naive UTC."""
        return max((a["created_at"] for a in self.recorded if self._tells(a, d)), default=None)

    def pending(self, d: Decision) -> str | None:
        """The passing rule that kept a finding back when it was last looked at."""
        found = [a for a in self.recorded if a["kind"] == "cheaper" and a["rec"] == d.rec]
        return passing(found[-1]["withheld_because"]) if found and not found[-1]["told"] else None

    @staticmethod
    def _tells(a: Mapping[str, Any], d: Decision) -> bool:
        return bool(a["kind"] == "cheaper" and a["rec"] == d.rec and a["told"])

    def _unproven(self, kind: str, rate_ids: Sequence[str]) -> str | None:
        if kind not in PRICED:
            return None
        found = sightings(self.store, rate_ids, self.now)
        if len(found) < len(set(rate_ids)) or not rate_ids:
            return f"{SEEN_ONCE} at most: a price it rests on is not in the tables"
        return (too_old(found, self.now) if kind in SAVINGS else None) or seen_once(found)

    def _in_cooldown(self, case: UseCase) -> bool:
        days = [(self.now.date() - datetime.fromisoformat(r.date).date()).days for r in case.rulings]
        return any(0 <= d < case.switch.cooldown_days for d in days)

    def _cleared(self, case: UseCase, d: Decision, since: datetime) -> bool:
        """Was the finding gone at any cycle since: shut out, under half the threshold, or far less likely to hold?"""
        best, terms = d.best, case.switch
        if best is None:
            return False
        found = self.store.rows(
            """
            select 1 from candidate c
            join (select distinct run_id, use_case, decided_at, cost_usd_per_month as now_usd from recommendation) r
                on r.run_id = c.run_id and r.use_case = c.use_case
            where r.use_case = ? and r.decided_at > ? and c.endpoint_id = ? and c.tier = ? and c.variant = ?
                and c.move is not distinct from ?
                and (not c.eligible or c.saving_usd_per_month is null or c.p_ok is null or c.p_ok < ?
                    or c.saving_usd_per_month < ? * greatest(?, ? * r.now_usd)) limit 1""",
            [
                case.slug, since, best.endpoint_id, best.tier, best.variant, best.move,
                case.quality.confidence - REARM_P, REARM_SHARE, terms.min_saving_usd_per_month, terms.min_saving_share,
            ],
        )  # fmt: skip
        return bool(found)


def passing(why: str | None) -> str | None:
    """The rule, without its particulars, where what it keeps back goes out by itself once it no longer holds."""
    return next((rule for rule in PASSING if why is not None and why.startswith(rule)), None)


def message_id(alert_id: str) -> str:
    return "msg-" + alert_id.removeprefix("al-")
