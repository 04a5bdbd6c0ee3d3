"""One decision cycle: facts as known, every use case weighed and decided, what changed written in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from data.errors import BreakerOpen, DataMissing, StoreError
from data.records import Alert, Candidate, Cost, Decision, UseCase
from data.registry import Registry
from data.store import Readable, Store
from jobs.alerts import alerts_for
from jobs.answered import with_answers
from jobs.breaker import look
from jobs.facts import Facts, facts_as_of
from jobs.outbox import enqueue
from jobs.shared import at_list_prices, candidate_at_list
from jobs.tokens import verbosities
from jobs.trends.forecast import own_cuts
from jobs.watch import Watched, watch
from jobs.weigh import fit, list_cost, weigh
from recommender.cost import RateBook
from recommender.decide import decide
from recommender.outlook import foresee
from scraper.match import Matcher

if TYPE_CHECKING:
    from recommender.quality import Fitted

Progress = Callable[[str], None]
PRIVATE = {"private_price", "discount_share"}  # a contract's terms are in no table
AGAIN_DAYS = 180  # the time in which something better may come up and make a switch due again


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
    breaker_open: str | None = None  # why teams hear nothing of what moved
    withdrawn: tuple[str, ...] = ()  # use cases that left the registry with this cycle
    registered: int = 0  # entries of the registry that are new, changed or back

    def check(self) -> None:
        """Raises BreakerOpen (exit 21) where the circuit breaker holds messages back."""
        if self.breaker_open:
            fix = "look at the sources and `undercut feedback breaker release`, or wait until two sources confirm it."
            raise BreakerOpen(f"circuit breaker open: {self.breaker_open}.", where="check", fix=fix)


@contextmanager
def deciding(store: Store) -> Iterator[None]:
    """One machine decides at a time; the others wait. Raises StoreError where that takes too long."""
    with store.lease("decide", wait=True) as mine:
        if not mine:
            raise StoreError("another machine is deciding.", where=store.where, fix="wait for it; nothing was written.")
        yield


def check_cycle(
    store: Store,
    registry: Registry,
    *,
    now: datetime,
    progress: Progress = lambda _: None,
    facts: Facts | None = None,
    rehearsal: str | None = None,
    platform: str | None = None,
    buttons: bool = False,
) -> Checked:
    """Decide every use case as of `now` and write what is new. Raises DataMissing where no price is known.

    `rehearsal`: why nothing of this cycle may ever be sent (the demo's messages are shown, recorded and kept back).
    """
    facts = facts or facts_as_of(store, now)
    if facts is None:
        raise DataMissing("no prices yet.", where=store.where, fix="run `undercut scrape` (or `undercut demo`) first.")
    answered = with_answers(store, registry)
    decisions, weighed, listed = decide_all(answered, facts, now, progress, waiting_since=waiting(store))
    watched = watch(store, decisions, weighed, facts, now=now)
    return _write(store, registry, decisions, weighed, listed, now, facts, rehearsal, watched, platform, buttons)


def waiting(store: Readable) -> dict[str, datetime]:
    """Use cases whose last decision is to wait, with the day since which every decision was."""
    found = store.rows(
        "select use_case, min(decided_at) as since from (select *, max(decided_at) filter (where verdict <> 'wait') "
        "over (partition by use_case) as broken from recommendation) "
        "where verdict = 'wait' and (broken is null or decided_at > broken) group by use_case"
    )
    return {r["use_case"]: r["since"].replace(tzinfo=UTC) for r in found}


def decide_all(
    registry: Registry,
    facts: Facts,
    now: datetime,
    progress: Progress = lambda _: None,
    *,
    waiting_since: Mapping[str, datetime] | None = None,
    fitted: Fitted | None = None,
) -> tuple[list[tuple[UseCase, Decision]], dict[str, list[Candidate]], dict[str, Cost]]:
    """(decisions, candidates by use case with the present one first, costs at list prices); nothing is written.

    `fitted`: the quality of these facts, where it is known already.
    """
    if fitted is None:
        progress("estimating quality")
        fitted = fit(facts)
    book = RateBook(facts.rates, at=now)
    lengths = verbosities(facts.scores, facts.rates, facts.endpoints.values(), Matcher.from_package())
    p_again = 1 - foresee(own_cuts(facts.data_as_of.date()), 1.0, AGAIN_DAYS).p_unchanged
    weighed: dict[str, list[Candidate]] = {}
    decisions: list[tuple[UseCase, Decision]] = []
    listed: dict[str, Cost] = {}
    for case in registry.use_cases:
        progress(f"ranking models for {case.slug}")
        current, ranked = weigh(case, facts, book, fitted, lengths)
        weighed[case.slug] = [current, *ranked]
        if (at_list := list_cost(case, facts, book)) is not None:
            listed[case.slug] = at_list
        decisions.append(
            (
                case,
                decide(
                    case,
                    current,
                    ranked,
                    now=now,
                    data_as_of=facts.data_as_of,
                    waiting_since=(waiting_since or {}).get(case.slug),
                    p_again=p_again,
                    pressed=_retires(facts, case, now),
                ),
            )
        )
    return decisions, weighed, listed


def _retires(facts: Facts, case: UseCase, now: datetime) -> str | None:
    """Why a use case cannot wait: its endpoint ends within the time that waiting could take."""
    day = facts.endpoints[case.current.endpoint_id].retires_on
    soon = day is not None and day[:10] <= (now + timedelta(days=AGAIN_DAYS)).date().isoformat()
    return f"{case.current.endpoint_id} retires on {day}" if soon else None


def _write(
    store: Store,
    registry: Registry,
    decisions: list[tuple[UseCase, Decision]],
    weighed: dict[str, list[Candidate]],
    listed: dict[str, Cost],
    now: datetime,
    facts: Facts,
    rehearsal: str | None,
    watched: list[Watched],
    platform: str | None,
    buttons: bool,
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
    breaker = look(store, decisions, now, platform)
    alerts = alerts_for(
        store,
        decisions,
        now=now,
        data_as_of=facts.data_as_of,
        changed=changed,
        listed=listed,
        watched=watched,
        platform=platform,
        buttons=buttons,
        breaker=breaker,
    )
    with store.transaction():
        gone, registered = _register(store, registry, now)
        for case, d in decisions:
            if case.slug in changed:
                at_list = listed.get(case.slug)
                store.insert("recommendation", [_recommendation(run_id, at_list_prices(d, at_list), _sha(d))])
                current, *others = weighed[case.slug]
                kept = [current.model_copy(update={"cost": at_list}) if at_list else current]
                kept += [candidate_at_list(c, at_list) if at_list else c for c in others]
                store.insert("candidate", (_candidate(run_id, c) for c in kept))
        for alert in alerts:
            held = alert.withheld_because or rehearsal
            enqueue(store, alert.model_copy(update={"withheld_because": held}), run_id=run_id)
    return Checked(
        run_id, decisions, weighed, alerts, changed, not last, facts.data_as_of, breaker.open, gone, registered
    )


def _register(store: Store, registry: Registry, now: datetime) -> tuple[tuple[str, ...], int]:
    """Every entry that is not the one registered last, one that came back included; those that are gone, as withdrawn.

    Returns those gone, and how many entries were written.
    """
    last = {
        r["use_case"]: r["entry_sha"]
        for r in store.rows(
            "select use_case, max_by(entry_sha, registered_at) as entry_sha from use_case group by use_case"
        )
    }
    rows = []
    for case in registry.use_cases:
        entry = case.model_dump(
            mode="json", exclude={"current": PRIVATE, "fallbacks": {"__all__": PRIVATE}, "origins": True}
        )
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
    written = store.insert("use_case", (r for r in rows if last.get(r["use_case"]) != r["entry_sha"]))
    return () if registry.part else _withdraw(store, {c.slug for c in registry.use_cases}, now), written


def _withdraw(store: Store, registered: set[str], now: datetime) -> tuple[str, ...]:
    """A last row for each use case that the registry no longer has; its slugs, in order."""
    newest = store.rows(
        "select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1"
    )
    gone = [r for r in newest if not r["withdrawn"] and r["use_case"] not in registered]
    said = {"entry_sha": "", "registered_at": now, "withdrawn": True}
    store.insert("use_case", ({**r, **{k: json.loads(r[k]) for k in ("tasks", "entry")}, **said} for r in gone))
    return tuple(sorted(r["use_case"] for r in gone))


def _recommendation(run_id: str, d: Decision, sha: str) -> dict[str, Any]:
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
        "decision_sha": sha,
    }


def _candidate(run_id: str, c: Candidate) -> dict[str, Any]:
    q, cost = c.quality, c.cost
    plain = c.model_dump(
        exclude={"cost", "quality", "saving_high_usd_per_month", "p_gain", "reopened", "born_on", "retires_on"}
    )
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
