"""The instant alert: who, what, money; now and then; trust; fit; effort; the next command; how to stop it; why now."""

from __future__ import annotations

from datetime import datetime

from data.errors import DataMissing
from data.records import Candidate, Cost, Decision, UseCase
from jobs.evaluation import evaluation
from jobs.messages.blocks import Payload, clean, name, payload, percent, usd
from jobs.messages.sums import CONTRACT, Sums, reason, sums
from recommender.decide import evaluation_needed

MARKS = {"switch": "🟡", "test": "🔵", "wait": "🔵", "keep": "🔵", "unknown": "🔵"}
PROMISES = {"switch": "switch would save", "test": "a test may save", "wait": "waiting, may save"}
LEAST_RATIO = 0.005  # of tokens, that is worth a word
COMMAND_MOST = 380  # a line holds 400 characters
STOP = "Stop it alerts: {mode: digest} or {mode: never} in use_cases.yaml"


def alert_message(
    d: Decision,
    case: UseCase,
    *,
    now: datetime,
    data_as_of: datetime | None = None,
    list_now: Cost | None = None,
    trigger: str | None = None,
) -> Payload:
    """The message of one finding (PRODUCT 4.1 and 4.2). Contract prices never show: sums are at list prices.

    `list_now`: today's cost at list prices where the team has a contract; `trigger`: the price or score that moved,
    with its date and source, in plain words. What is not known is said to be unknown.
    """
    best, at = d.best, data_as_of or d.data_as_of
    told = sums(d, case, list_now)
    owner = case.owner or (case.contacts[0] if case.contacts else "nobody named")
    who = f"Who     {d.rec} · {case.channel} · {owner}"
    answer = f"Answer  undercut feedback {d.rec} approve | later | reject --why …"
    if best is None:
        head = f"{MARKS[d.verdict]} {case.slug}: {d.verdict}"
        lines = [who, f"Verdict {reason(d, told)}", f"Next    undercut explain {d.rec}"]
        return payload(head, lines, _small(d, told, at), last=[STOP, _why(d, case, told, trigger)])
    lines = [
        who,
        *([f"Again   {name(best.reopened, 300)}"] if best.reopened else []),
        *_money(d.current, best, told),
        *_quality(d, case, best),
        *_at_list_rates(best, told),
        *fits(case, best),
        _effort(case, best, told),
        *_easier(d, told),
        *_abundance(best, told),
        *_next(d, case, best),
    ]
    last = [answer, STOP, _why(d, case, told, trigger)]
    return payload(_head(d, case, best, told), lines, _small(d, told, at), last=last, more=f"undercut explain {d.rec}")


def _head(d: Decision, case: UseCase, best: Candidate, told: Sums) -> str:
    start = f"{MARKS[d.verdict]} {case.slug}: {PROMISES.get(d.verdict, d.verdict)}"
    saving, share = told.saving(best), told.share(best)
    if saving is None or saving <= 0:
        return f"{start} money under your contract"
    return f"{start} ≈ {usd(saving)} a month" + (f" (−{percent(share)})" if share is not None else "")


def _money(now: Candidate, best: Candidate, told: Sums) -> list[str]:
    names = [name(c.endpoint_id) + ("" if c.tier == "standard" else f" [{c.tier}]") for c in (now, best)]
    months = [usd(told.now_usd_per_month), usd(best.cost.usd_per_month if best.cost else None)]
    calls = [told.now_usd_per_call, best.cost.usd_per_call if best.cost else None]
    spread = ""
    if best.cost and best.cost.high_usd_per_month > best.cost.low_usd_per_month:
        spread = f"   range {usd(best.cost.low_usd_per_month)}–{usd(best.cost.high_usd_per_month)[1:]}"
    wide, deep = max(map(len, names)), max(map(len, months))
    return [
        f"{word:<7} {n:<{wide}}  {m:>{deep}}/mo   {usd(c * 1000 if c is not None else None)} per 1,000 calls{tail}"
        for word, n, m, c, tail in zip(("Now", "Move"), names, months, calls, ("", spread), strict=True)
    ]


def _at_list_rates(best: Candidate, told: Sums) -> list[str]:
    """What the rates alone promise, where the candidate's tokenizer or the length of its answers changes the sum."""
    cost = best.cost
    if cost is None or not cost.by_meter_usd_per_month or not told.now_usd_per_month:
        return []
    prompt, answer = cost.prompt_ratio[0], cost.answer_ratio[0]
    counted = [
        *([f"tokenizer (×{prompt:.2f})"] if abs(prompt - 1) >= LEAST_RATIO else []),
        *(
            [f"{'longer' if answer > 1 else 'shorter'} output (×{answer:.2f})"]
            if abs(answer - 1) >= LEAST_RATIO
            else []
        ),
    ]
    if not counted or prompt <= 0 or answer <= 0:
        return []
    by = {
        **dict.fromkeys(("input", "cached_input", "cache_write", "cache_write_1h"), prompt),
        "output": answer,
        "reasoning": answer,
    }
    bare = sum(usd_ / by.get(meter, 1.0) for meter, usd_ in cost.by_meter_usd_per_month.items())
    share = 1 - bare / told.now_usd_per_month
    sign = "−" if share >= 0 else "+"
    verb = "is" if len(counted) == 1 else "are"
    return [f"Rates   list prices suggest {sign}{percent(abs(share))}; {' and '.join(counted)} {verb} already counted"]


def _quality(d: Decision, case: UseCase, best: Candidate) -> list[str]:
    if best.move == "tier":
        return ["Quality the same model on the same host: no quality question"]
    q, mine, asked = best.quality, d.current.quality, percent(case.quality.confidence)
    if q is None or mine is None:
        same = "the same weights on another host" if best.move == "endpoint" else "unknown"
        return [f"Quality {same} → {_likely(best)} likely good enough (you ask {asked})"]
    setting = f" with {name(best.variant)}" if best.variant else ""
    yours = mine.beside(q)
    allowed = max(yours - case.quality.max_drop, case.quality.floor or 0) if yours is not None else None
    beside = f"yours {yours:.2f}, allowed ≥ {allowed:.2f}" if yours is not None else "yours unknown on these"
    kind = "measured" if q.measured and mine.measured else "likely, some boards are estimated"
    notes = "".join(f" · {note}" for note in q.notes)
    return [
        f"Quality {q.mean:.2f} [{q.low:.2f}–{q.high:.2f}, 80 %]{setting} vs {beside} "
        f"→ {_likely(best)} likely good enough (you ask {asked})",
        f"Trust   {kind}, evidence {q.grade or 'none'} (you ask {case.quality.evidence}) · {_age(d, best)} · adoption unknown{notes}",
    ]


def _age(d: Decision, c: Candidate) -> str:
    return "age unknown" if c.born_on is None else f"age {(d.decided_at.date() - c.born_on).days} days"


def _likely(c: Candidate) -> str:
    """Never certain where another model answers."""
    sure = c.move in ("tier", "endpoint")
    return percent(c.p_ok if c.p_ok is None or sure else min(c.p_ok, 0.999))


def fits(case: UseCase, best: Candidate) -> list[str]:
    """Demands that eligibility has proven; an unknown one would have shut the candidate out."""
    need = case.require
    asked = [*need.features, *need.params, *need.regions]
    if need.retention != "any":
        asked.append(f"{need.retention} retention" if need.retention == "zero" else need.retention)
    if need.context_tokens:
        asked.append(f"context {need.context_tokens:,}")
    met = " · ".join(f"{a} ✓" for a in asked) if asked else "no hard constraint beyond age and remaining life"
    notes = f" · {'; '.join(best.cost.notes)}" if best.cost and best.cost.notes else ""
    if best.tier in ("batch", "flex") and case.current.tier not in ("batch", "flex"):
        notes = f" · {percent(case.workload.batchable_share)} of the calls by {best.tier}{notes}"
    end = f"retires {name(best.retires_on)}" if best.retires_on else "no retirement announced"
    return [f"Fits    {met} · {end}{notes}"]


def _effort(case: UseCase, best: Candidate, told: Sums) -> str:
    days = "unknown" if best.effort_days is None else f"~{best.effort_days:g} days"
    once = f" + {usd(case.switch.eval_cost_usd)} evaluation" if case.switch.eval_cost_usd else ""
    if best.payback_days is None:
        back = "not paid back at the low end"
    elif told.hidden:  # the day of payback would tell the contract
        within = "within" if best.payback_days <= case.switch.payback_days else "not within"
        back = f"paid back {within} your {case.switch.payback_days} days at the low end"
    else:
        back = f"paid back in {best.payback_days:.0f} days at the low end"
    return f"Effort  {days} ({best.move}){once} → {back}"


def _easier(d: Decision, told: Sums) -> list[str]:
    e = d.easier
    if e is None or e.move is None:
        return []
    tier = "" if e.tier == "standard" else f" [{e.tier}]"
    saving = told.saving(e)
    money = f"−{usd(saving)}/mo" if saving is not None and saving > 0 else "saving unknown"
    days = "effort unknown" if e.effort_days is None else f"{e.effort_days:g} days"
    return [f"Easier  {e.move}: {name(e.endpoint_id)}{tier}, {money}, {days}"]


def _abundance(best: Candidate, told: Sums) -> list[str]:
    """What today's bill would buy (PRODUCT 6.4): a sum, no gain promised."""
    if best.cost is None or not best.cost.high_usd_per_month or not told.now_usd_per_month:
        return []
    calls = int(told.now_usd_per_month // best.cost.high_usd_per_month)
    if calls < 2:
        return []
    return [f"Or      keep the bill: {calls} calls for each of today's; without a check on the answers one stays right"]


def _next(d: Decision, case: UseCase, best: Candidate) -> list[str]:
    """One command; where another model would answer, also the evaluation that settles it, as it is typed, whole or not at all."""
    if best.move not in ("sibling", "vendor"):
        return [f"Next    undercut explain {d.rec}"]
    first = f"Next    undercut explain {d.rec} --eval   {evaluation_needed(case.quality.max_drop)} would prove it"
    try:
        asked = evaluation(case, d)
    except DataMissing as error:
        return [first, f"Eval    no command: {name(error.what, 200)}"]
    if len(asked.command) > COMMAND_MOST:
        return [first]
    return [first, f"Eval    {clean(asked.command)}", *(f"        {name(note, 200)}" for note in asked.hosts)]


def _why(d: Decision, case: UseCase, told: Sums, trigger: str | None) -> str:
    best, terms = d.best, case.switch
    bar = f"{usd(terms.min_saving_usd_per_month)} and {percent(terms.min_saving_share)}"
    if best is None or best.saving_low_usd_per_month is None:
        rule = reason(d, told)
    elif told.hidden:
        rule = f"the low end of the saving, {CONTRACT}, against your {bar}"
    else:
        rule = f"the low end of the saving {usd(best.saving_low_usd_per_month)} against your {bar}"
    moved = f"{trigger}; " if trigger else ""
    return f"Why now {moved}{rule}"


def _small(d: Decision, told: Sums, at: datetime) -> list[str]:
    own = f"; {CONTRACT}" if told.hidden else ""
    behind = f"{len(d.rate_ids)} rates and {len(d.score_ids)} scores behind it, each with its source"
    return [f"{d.rec} · sums at list prices{own} · prices as of {at:%d %b %Y} · {behind}: undercut explain {d.rec}"]
