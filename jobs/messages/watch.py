"""Messages about the model in use: its bill moves, it leaves, its price is in doubt, a better one costs no more (PRODUCT 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from data.records import Candidate, Cost, Decision, Endpoint, Rate, UseCase
from jobs.messages.blocks import Payload, cut, exact, name, payload, percent, usd
from jobs.messages.finding import fits
from jobs.messages.sums import CONTRACT, sums
from recommender.budget import broken
from recommender.decide import evaluation_needed

REPLACEMENTS = 3
WORKING_WEEK = 5 / 7
METERS = 6
CLAIMS = 8
PLAIN = re.compile(r"[\w.:/@+-]+")
UNITS = {"per_mtok": "per 1M tokens", "per_ktok": "per 1K tokens", "per_token": "per token"}
DIGEST_ONLY = ("new_model", "price_drop")


def bill_message(
    d: Decision,
    case: UseCase,
    before: Cost,
    after: Cost,
    *,
    least_at: datetime,
    at: datetime,
    now: datetime,
    over: bool,
    ranked: Sequence[Candidate],
    moved: str | None = None,
) -> Payload:
    """The same work at two instants, at list prices; `at` in the future is a price that was announced. `moved`: the price
    that moved it most, with its day and source."""
    more = after.usd_per_month - before.usd_per_month
    rise = more > 0
    mark = ("🔴" if over else "🟡") if rise else "🔵"
    verb = ("bill rises" if at > now else "bill rose") if rise else "bill fell"
    head = f"{mark} {case.slug}: {verb} {usd(abs(more))} a month" + (f" from {at:%d %b %Y}" if at > now else "")
    share = f" ({'+' if rise else '−'}{percent(abs(more) / before.usd_per_month)})" if before.usd_per_month else ""
    lines = [
        _who(d, case),
        f"Then    {usd(before.usd_per_month)}/mo   {usd(before.usd_per_call * 1000)} per 1,000 calls   prices of {least_at:%d %b %Y}",
        f"Now     {usd(after.usd_per_month)}/mo   {usd(after.usd_per_call * 1000)} per 1,000 calls   prices of {at:%d %b %Y}{share}",
        f"Where   {_meters(before, after)}",
        f"Hours   {case.workload.hours_utc or 'all hours'} UTC, weighed as registered; the calls are today's in both lines",
    ]
    if rise:
        lines += [
            *([f"Budget  {_limits(case, after)} passed: please acknowledge"] if over else []),
            f"Still   {_still(d)}",
            *_ranked("Instead", [c for c in ranked if _serves(case, c)], after.usd_per_month, 1),
        ]
    lines.append(f"Next    {f'undercut explain {case.slug}' if rise else 'nothing to do'}")
    last = [
        f'Answer  undercut feedback {d.rec} later --why "…"' if rise else "Answer  none is asked",
        _stop("price_rise" if rise else "price_drop"),
        f"Why now {moved or 'the rates in force changed'}; your threshold is {usd(case.switch.min_saving_usd_per_month)} a month",
    ]
    return payload(head, lines, _small(d, case), last=last, more=f"undercut explain {case.slug}")


def _limits(case: UseCase, bill: Cost) -> str:
    """The limits that a bill passes; a month's as `$4,500/mo`."""
    short = {"month": "/mo", "call": " a call", "outcome": " an outcome"}
    return " and ".join(f"{usd(b.most_usd)}{short[b.per]}" for b in broken(case.budget, bill))


def retirement_message(
    d: Decision,
    case: UseCase,
    endpoint: Endpoint,
    day: date,
    *,
    now: datetime,
    ranked: Sequence[Candidate],
    longer: Sequence[str],
) -> Payload:
    """The model leaves this endpoint on a day: last safe start, replacements for this use case, hosts that keep it."""
    left = (day - now.date()).days
    role = "your model" if endpoint.endpoint_id == case.current.endpoint_id else "a fallback"
    when = f"leaves in {left} days" if left > 0 else "leaves today" if left == 0 else f"left {-left} days ago"
    known = case.current.endpoint_id == endpoint.endpoint_id
    found = [
        c
        for c in ranked
        if _serves(case, c) and c.endpoint_id != endpoint.endpoint_id and (c.move != "tier")
    ]  # fmt: skip
    effort = next((c.effort_days for c in _best_by_model(found) if c.effort_days is not None), None)
    lines = [
        _who(d, case),
        f"Leaves  {name(endpoint.endpoint_id)} on {day:%d %b %Y} ({role})",
        f"Source  {name(endpoint.link or endpoint.source_id, 120)}"
        + (f", checked {name(endpoint.checked_on)}" if endpoint.checked_on else ""),
        _start(day, now, effort),
        *(_ranked("Instead", found, d.current.cost.usd_per_month if d.current.cost else None, REPLACEMENTS)
          or ["Instead nothing eligible is known to be good enough; an evaluation of yours would settle it"]),
        f"Longer  {', '.join(name(e) for e in longer[:4]) + ' (no end known, or a later one)' if longer else 'no other host is known to keep it longer'}",
        f"Next    undercut rank {case.slug}" if known else f"Next    undercut explain {case.slug}",
        "iCal    undercut report --ical   (every retirement that touches you, with alarms)",
    ]  # fmt: skip
    last = [
        f'Answer  undercut feedback {d.rec} later --why "…"',
        _stop("retirement"),
        "Why now told 180, 90, 30 and 7 days before, and when the date moves",
    ]
    mark = "🔴" if left <= 30 else "🟡"
    return payload(f"{mark} {case.slug}: {role} {when}", lines, _small(d, case), last=last)


def doubt_message(
    d: Decision,
    case: UseCase,
    claims: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    last: datetime | None,
    kind: str,
    trusted: Sequence[Rate] = (),
) -> Payload:
    """The price of the model in use is unknown or in doubt: every claim with source, day and URL, the last price that was
    trusted, and what rests meanwhile. `claims` with a `claim_id` are held."""
    endpoint = case.current.endpoint_id
    prices = _trusted(trusted)
    if kind == "unpriced":
        head, why = "we cannot price your model", "the model in use has no price"
        known = f"{prices or 'price known'}, until {last:%d %b %Y}" if last else "none was ever known"
        rests = "no finding of this use case is made or sent until it has a price"
    else:
        head, why = "your model's price is in doubt", "held or contested for 24 hours"
        since = f"in doubt since {last:%d %b %Y}" if last else "unknown since when it is in doubt"
        known = f"{prices or 'the price before'} stands meanwhile; {since}"
        rests = "sums rest on the last trusted price; nothing new is claimed from the doubted one"
    stated = list(dict.fromkeys(map(_claim, claims)))
    more = [f"        … {len(stated) - CLAIMS} more: undercut explain {case.slug}"] if len(stated) > CLAIMS else []
    held = next((str(c["claim_id"]) for c in claims if c.get("claim_id")), None)
    where = f" where endpoint = '{endpoint}'" if PLAIN.fullmatch(endpoint) else ""
    lines = [
        _who(d, case),
        f"Model   {name(endpoint)}",
        f"Trusted {known}",
        *(stated[:CLAIMS] or ["Claims  no source states a price of it"]),
        *more,
        f"Rests   {rests}",
        f'Next    undercut sql "select * from quarantine{where}"' if held else f"Next    undercut explain {case.slug}",
    ]
    last_lines = [
        f"Answer  undercut feedback {name(held)} release | reject (the platform team)"
        if held
        else "Answer  none is asked of you; the platform team has this message too",
        _stop(kind),
        f"Why now {why}",
    ]
    return payload(f"🟡 {case.slug}: {head}", lines, _small(d, case), last=last_lines)


def _trusted(rates: Sequence[Rate]) -> str:
    """The plain prices of an endpoint, with their source."""
    plain = [r for r in rates if r.usd_per_mtok is not None and r.context_min_tokens is None and r.time_window is None]
    if not plain:
        return ""
    newest = {r.meter: r for r in sorted(plain, key=lambda r: (r.tier == "standard", r.known_from))}
    ordered = sorted(newest.values(), key=lambda r: (r.meter != "input", r.meter != "output", r.meter))[:3]
    said = ", ".join(f"{r.meter} ${exact(r.usd_per_mtok)}" for r in ordered if r.usd_per_mtok is not None)
    return f"{said} per 1M tokens ({', '.join(dict.fromkeys(name(r.source_id, 30) for r in ordered))})"


def better_message(
    d: Decision, case: UseCase, best: Candidate, *, now: datetime, trigger: str | None = None
) -> Payload:
    """A model that is likely better by 0.02 or more and costs no more; what the gain is worth is the owner's to say.
    `trigger`: what moved, in plain words."""
    told, q, mine = sums(d, case), best.quality, d.current.quality
    bill = f"{usd(told.now_usd_per_month)}/mo"
    there = usd(best.cost.usd_per_month if best.cost else None)
    ours = mine.beside(q) if q and mine else None
    gain = f"{q.mean - ours:+.2f}" if q and ours is not None else "unknown"
    mean = f"{q.mean:.2f} [{q.low:.2f}–{q.high:.2f}, 80 %]" if q else "unknown"
    yours = f"{ours:.2f}" if ours is not None else "unknown"
    setting = f" with {name(best.variant)}" if best.variant else ""
    effort = "unknown" if best.effort_days is None else f"~{best.effort_days:g} days ({best.move})"
    proof = "measured" if q and mine and q.measured and mine.measured else "likely, some boards are estimated"
    spread = f"   range {usd(best.cost.low_usd_per_month)}–{usd(best.cost.high_usd_per_month)[1:]}" if best.cost else ""
    lines = [
        _who(d, case),
        f"Now     {name(d.current.endpoint_id)}  {bill}",
        f"Move    {name(best.endpoint_id)}{setting}  {there}/mo{spread}",
        f"Quality {mean} vs yours {yours}: {gain} → {percent(min(best.p_gain or 0, 0.999))} likely better by 0.02 or more",
        f"Trust   {proof}, evidence {q.grade if q else 'none'} (you ask {case.quality.evidence})",
        *fits(case, best),
        f"Effort  {effort}; what the gain is worth is yours to say",
        f"Next    undercut rank {case.slug}",
    ]
    last = [
        f"Answer  undercut feedback {d.rec} approve | later | reject --why …",
        _stop("better"),
        f"Why now {f'{trigger}; ' if trigger else ''}it costs no more and is likely enough better (you ask {percent(case.quality.confidence)})",
    ]
    return payload(
        f"🟡 {case.slug}: better answers for the same bill: {name(best.model_id or best.endpoint_id)}",
        lines,
        _small(d, case),
        last=last,
    )


def newcomer_message(d: Decision, case: UseCase, new: Candidate, *, now: datetime) -> Payload:
    """A model that reached this use case's frontier: what is known of it, what is not, what would decide it."""
    told, q, mine = sums(d, case), new.quality, d.current.quality
    cost = new.cost
    spread = f"   range {usd(cost.low_usd_per_month)}–{usd(cost.high_usd_per_month)[1:]}" if cost else ""
    likely = percent(new.p_ok if new.p_ok is None else min(new.p_ok, 0.999))
    mean = f"{q.mean:.2f} [{q.low:.2f}–{q.high:.2f}, 80 %]" if q else "unknown"
    ours = mine.beside(q) if q and mine else None
    boards = f"{len(q.benchmarks)} benchmark{'' if len(q.benchmarks) == 1 else 's'}" if q else "no benchmark"
    unknown = [
        *([] if q and q.measured else ["some boards are estimated"]),
        *([] if q and q.grade else ["evidence: not enough data"]),
        *([] if new.p_ok is not None else ["whether it is good enough"]),
        "how it does on your own cases",
    ]
    lines = [
        _who(d, case),
        f"Now     {name(d.current.endpoint_id)}  {usd(told.now_usd_per_month)}/mo",
        f"New     {name(new.endpoint_id)}  {usd(cost.usd_per_month if cost else None)}/mo{spread}",
        f"Quality {mean} vs yours {f'{ours:.2f}' if ours is not None else 'unknown'} → {likely} likely good enough (you ask {percent(case.quality.confidence)})",
        f"Known   evidence {q.grade if q and q.grade else 'none'} (you ask {case.quality.evidence}), {boards}; no eligible choice is both cheaper and better",
        f"Unknown {'; '.join(unknown)}",
        f"Decide  {evaluation_needed(case.quality.max_drop)} would settle it; judged again in every check",
        f"Next    undercut rank {case.slug}",
    ]
    last = [
        "Answer  none is asked: a finding is told when it passes your bars",
        _stop("new_model"),
        f"Why now it reached your frontier and is {case.require.min_age_days} days old or more; told once",
    ]
    return payload(f"🔵 {case.slug}: new on your frontier: {name(new.model_id)}", lines, _small(d, case), last=last)


def _who(d: Decision, case: UseCase) -> str:
    owner = case.owner or (case.contacts[0] if case.contacts else "nobody named")
    return f"Who     {d.rec} · {case.channel} · {owner}"


def _stop(kind: str) -> str:
    """What only the digest tells is not stopped by asking for the digest alone."""
    return f"Stop it alerts: {{mute: [{kind}]}} or {{mode: {'never' if kind in DIGEST_ONLY else 'digest'}}} in use_cases.yaml"


def _small(d: Decision, case: UseCase) -> list[str]:
    own = f"; {CONTRACT}" if sums(d, case).hidden else ""
    return [f"{d.rec} · sums at list prices{own} · prices as of {d.data_as_of:%d %b %Y}: undercut explain {d.rec}"]


def _meters(before: Cost, after: Cost) -> str:
    """The meters that moved most, USD a month."""
    moved = {
        m: after.by_meter_usd_per_month.get(m, 0) - before.by_meter_usd_per_month.get(m, 0)
        for m in {*before.by_meter_usd_per_month, *after.by_meter_usd_per_month}
    }
    top = sorted(((m, v) for m, v in moved.items() if abs(v) >= 0.005), key=lambda x: (-abs(x[1]), x[0]))[:METERS]
    return ", ".join(f"{m} {'+' if v > 0 else '−'}{usd(abs(v))}" for m, v in top) or "unknown"


def _still(d: Decision) -> str:
    best = d.best
    if d.verdict == "switch" and best is not None:
        return f"no longer the best choice: {name(best.endpoint_id)} passes every bar ({d.rec})"
    return f"no proven better choice ({cut(d.verdict, 20)})"


def _serves(case: UseCase, c: Candidate) -> bool:
    return c.eligible and c.cost is not None and c.p_ok is not None and c.p_ok >= 0.5


def _best_by_model(found: Sequence[Candidate]) -> list[Candidate]:
    best: dict[str | None, Candidate] = {}
    for c in sorted(found, key=lambda c: (-(c.p_ok or 0) >= -0.85, c.cost.usd_per_month if c.cost else 0)):
        best.setdefault(c.model_id or c.endpoint_id, c)
    return list(best.values())


def _ranked(word: str, found: Sequence[Candidate], now_usd: float | None, most: int) -> list[str]:
    """Candidates likelier good enough than not, each with money, probability and effort; the likelier and cheaper first."""
    lines = []
    for n, c in enumerate(_best_by_model(found)[:most], 1):
        tier = "" if c.tier == "standard" else f" [{c.tier}]"
        days = (
            "effort unknown" if c.effort_days is None else f"{c.effort_days:g} day{'' if c.effort_days == 1 else 's'}"
        )
        sure = percent(c.p_ok if c.move in ("tier", "endpoint") else min(c.p_ok or 0, 0.999))
        money = usd(c.cost.usd_per_month if c.cost else None)
        lines.append(f"{word:<7} {n} {name(c.endpoint_id)}{tier}  {money}/mo  {sure} likely good enough  {days}")
    return lines


def _start(day: date, now: datetime, effort_days: float | None) -> str:
    """Last safe start = date − effort − a week of evaluation; working days count five in seven."""
    if effort_days is None:
        return "Start   unknown: the effort of the best replacement is unknown"
    latest = day - timedelta(days=round(effort_days / WORKING_WEEK) + 7)
    late = " (that is past)" if latest < now.date() else ""
    return f"Start   by {latest:%d %b %Y}{late}: ~{effort_days:g} days of work and a week of evaluation before it"


def _claim(c: Mapping[str, Any]) -> str:
    amount, unit = exact(c["amount"]), UNITS.get(c["per"], str(c["per"]).replace("_", " "))
    money = f"${amount}" if c["currency"] == "USD" else f"{amount} {name(c['currency'], 8)}"
    return f"Claim   {name(c['meter'], 30)} {c['tier']} {money} {unit} · {name(c['source'], 30)} · {c['at']:%d %b %Y} · {name(c['url'], 90)} · {name(c['why'], 90)}"
