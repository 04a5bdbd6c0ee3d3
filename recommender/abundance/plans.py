"""What a bill buys when calls are cheap: each plan with its sum, its success where a pilot bears it, and what to measure.

One call is the default. Without a pilot of the team's own a plan states its sum and the published range, never a gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor

from recommender.abundance.success import Check, Items, draw_until_accepted

VOTE_FROM, VOTE_TO, VOTE_MOST = 0.50, 0.85, 5  # of one call right, on short answers (SCIENCE 5.2)
SHORT_ANSWER_TOKENS = 200
MOST_CALLS = 20  # beyond some tens coverage creeps; nobody should read a plan of 400 calls
LEVEL = 0.8
REPEATS = "published: five samples with a perfect check +10 to +20.5 points, median 14.2 (8 submissions, terminal-bench-core 0.1.1)"
VOTES = "published: a vote of five −1.1 to +1.7 points on the same runs; up to +18 on short sums (arXiv 2203.11171)"
REFINE = "published: self-refinement and votes rarely repay their tokens (arXiv 2504.13359)"


@dataclass(frozen=True)
class Ground:
    """What plans are made from. Costs in USD; `bill_usd` is what may be spent a call, `dear` what runs today."""

    calls_per_month: float
    bill_usd: float
    dear: str
    dear_usd: float
    cheap: str
    cheap_usd: float
    check_usd: float  # one judging call of the cheap model
    answer_tokens: float
    calls_per_minute: float | None = None
    max_latency_s: float | None = None
    dear_quality: tuple[float, float, float] | None = None  # mid, low, high: share of items right
    cheap_quality: tuple[float, float, float] | None = None
    pilot: tuple[Items, ...] = ()  # the fit, then resampled ones; of the cheap model
    check: Check | None = None  # measured in the pilot


@dataclass(frozen=True)
class Plan:
    """`calls` and `usd_per_month` in the mean, `at_most` the worst; success as (mid, low, high) or None with `says` why."""

    name: str
    calls: float
    at_most: int
    usd_per_month: float
    success: tuple[float, float, float] | None
    usd_per_solved: float | None
    says: str
    latency: str
    measure: str
    trial: bool


def plans(g: Ground) -> list[Plan]:
    """All plans for one bill, one call first. A plan over the bill says so in `says` and is no trial."""
    out = [
        _one(g),
        _best_of_n(g),
        _vote(g),
        _validation(g),
        _self_correction(g),
        _redundant(g),
        _cascade(g),
        _split(g),
        _every(g),
    ]
    return [_within(g, _limits(g, p)) for p in out]


def affordable(g: Ground, check_usd: float = 0.0) -> int:
    """N = floor(bill / (cheap + check)), at least 0."""
    each = g.cheap_usd + check_usd
    return min(MOST_CALLS, floor(g.bill_usd / each + 1e-9)) if each > 0 else MOST_CALLS


def _one(g: Ground) -> Plan:
    q = _spread([i.one_call for i in g.pilot]) or g.cheap_quality
    return Plan(f"one call of {g.cheap}", 1, 1, g.cheap_usd * g.calls_per_month, q, _solved(g.cheap_usd, q),
                "measured in your pilot" if g.pilot else "from your own evaluation" if q else "not enough data",
                "as today", f"{g.cheap} on your own cases", False)  # fmt: skip


def _best_of_n(g: Ground) -> Plan:
    n = affordable(g)
    name = f"up to {max(n, 2)} calls, first that passes a mechanical check"
    if n < 2:
        return _no(g, name, "the bill does not buy two calls")
    measure = "that tests, a schema or a proof can judge an answer; a pilot of two runs an item"
    if not g.pilot:
        return Plan(name, n, n, n * g.cheap_usd * g.calls_per_month, None, None, f"a sum, not a gain; {REPEATS}",
                    _after(n), measure, True)  # fmt: skip
    check = g.check or Check()
    drawn = [draw_until_accepted(i, check, n) for i in g.pilot]
    q = _spread([d.right for d in drawn])
    usd = drawn[0].calls * g.cheap_usd
    says = f"with {'your check' if g.check else 'a perfect check'}; {drawn[0].none:.0%} of items are left for a person or {g.dear}"
    gain = q is not None and q[1] > g.pilot[0].one_call
    return Plan(name, drawn[0].calls, n, usd * g.calls_per_month, q, _solved(usd, q), says, _after(n), measure, gain)


def _vote(g: Ground) -> Plan:
    n = min(VOTE_MOST, affordable(g))
    n -= 1 - n % 2  # odd
    name = f"vote of {max(n, 3)}"
    if n < 3:
        return _no(g, name, "the bill does not buy three calls")
    known = g.pilot[0].one_call if g.pilot else g.cheap_quality[0] if g.cheap_quality else None
    usd = n * g.cheap_usd
    plan = Plan(name, n, n, usd * g.calls_per_month, None, None, f"a sum, not a gain; {VOTES}", "side by side: as the slowest",
                "a pilot of two runs an item", False)  # fmt: skip
    if g.answer_tokens > SHORT_ANSWER_TOKENS:
        return replace(
            plan, says=f"answers of {g.answer_tokens:.0f} tokens do not agree word for word; votes need short ones"
        )
    if known is None or not VOTE_FROM <= known <= VOTE_TO:
        why = (
            "nobody knows how often one call is right"
            if known is None
            else f"one call is right {known:.0%} of the time"
        )
        return replace(plan, says=f"{why}; a vote helps between 50 and 85 %")
    if not g.pilot:
        return replace(plan, trial=True)
    q = _spread([i.vote(n) for i in g.pilot])
    gain = q is not None and q[1] > g.pilot[0].one_call
    return replace(
        plan,
        success=q,
        usd_per_solved=_solved(usd, q),
        says="wrong answers taken to agree: the least a vote does",
        trial=gain,
    )


def _validation(g: Ground) -> Plan:
    usd = g.cheap_usd + g.check_usd
    says, q = "a sum, not a gain: what the check lets through is not known", None
    if g.pilot and g.check:
        drawn = [draw_until_accepted(i, g.check, 1) for i in g.pilot]
        q = _spread([d.right for d in drawn])
        wrong = 1 - drawn[0].none - drawn[0].right
        says = f"{drawn[0].none:.0%} held back for a person, {wrong:.0%} wrong and let through"
    return Plan(f"draft and a checking call of {g.cheap}", 2, 2, usd * g.calls_per_month, q, _solved(usd, q), says,
                "twice one call", "how often the check accepts right and wrong answers", True)  # fmt: skip


def _self_correction(g: Ground) -> Plan:
    usd = 2 * g.cheap_usd + g.check_usd
    return Plan("draft, criticism, second draft", 3, 3, usd * g.calls_per_month, None, None,
                f"a sum, not a gain; {REFINE}", "three times one call", "the share that a criticism mends and the share it spoils", False)  # fmt: skip


def _redundant(g: Ground) -> Plan:
    n = max(0, floor((g.bill_usd - g.cheap_usd) / g.check_usd + 1e-9)) if g.check_usd > 0 else 0
    n = min(n, 5)
    if n < 2:
        return _no(g, "two checks of one answer", "the bill does not buy two checks")
    usd = g.cheap_usd + n * g.check_usd
    says = "a sum, not a gain: checks by one model err together, so the second adds less than the first"
    if g.check:
        says = f"a wrong answer passes all {n} between {g.check.wrong**n:.1%} (were they independent) and {g.check.wrong:.0%} (fully alike)"
    return Plan(f"one answer, {n} checks", 1 + n, 1 + n, usd * g.calls_per_month, None, None, says,
                "checks side by side: twice one call", "the same wrong answers judged by each check", g.check is not None)  # fmt: skip


def _cascade(g: Ground) -> Plan:
    first = g.cheap_usd + g.check_usd
    name = f"{g.cheap} first, {g.dear} where a check refuses"
    if g.cheap.split(" ")[0] == g.dear.split(" ")[0]:
        return _no(g, name, "there is no cheaper model to go first")
    if g.dear_usd <= first:
        return _no(g, name, f"{g.dear} costs no more than draft and check")
    need = first / g.dear_usd
    measure = "the share of answers the check accepts, and how good those are"
    if not (g.pilot and g.check):
        half = first + 0.5 * g.dear_usd
        return Plan(name, 2.5, 3, half * g.calls_per_month, None, None,
                    f"pays when more than {need:.0%} of answers are accepted; the sum is for one half", "up to three calls", measure, True)  # fmt: skip
    drawn = [draw_until_accepted(i, g.check, 1) for i in g.pilot]
    taken = 1 - drawn[0].none
    usd = first + drawn[0].none * g.dear_usd
    q = None
    if g.dear_quality:
        mid, low, high = g.dear_quality
        sums = _spread([d.right for d in drawn]) or (0.0, 0.0, 0.0)
        q = (sums[0] + drawn[0].none * mid, sums[1] + drawn[0].none * low, min(1.0, sums[2] + drawn[0].none * high))
    says = f"{taken:.0%} accepted, {need:.0%} needed; refused items may be harder than {g.dear}'s average"
    return Plan(
        name,
        2 + drawn[0].none,
        3,
        usd * g.calls_per_month,
        q,
        _solved(usd, q),
        says,
        "up to three calls",
        measure,
        taken > need,
    )


def _split(g: Ground) -> Plan:
    n = 4
    usd = n * g.cheap_usd + g.check_usd
    return Plan(f"split among {n} agents and one that joins", n + 1, n + 1, usd * g.calls_per_month, None, None,
                "a sum, not a gain: each part is paid as a whole call, since context is read again by each",
                "as the slowest part, and one call to join", "whether a part can be judged alone; errors at the seams", False)  # fmt: skip


def _every(g: Ground) -> Plan:
    times = g.bill_usd / g.cheap_usd if g.cheap_usd > 0 else 0.0
    return Plan("every item in place of a sample", 1, 1, g.cheap_usd * g.calls_per_month * max(times, 1.0), None, None,
                f"the bill reads {times:,.1f} items for each of today's: where you look at 1 in {max(times, 1):,.0f} or more, look at all",
                "as today", "what the items nobody reads today would tell", times >= 2)  # fmt: skip


def _no(g: Ground, name: str, why: str) -> Plan:
    return Plan(name, 1, 1, g.cheap_usd * g.calls_per_month, None, None, why, "as today", "", False)


def _within(g: Ground, plan: Plan) -> Plan:
    if plan.usd_per_month > g.bill_usd * g.calls_per_month * 1.001:
        return replace(plan, trial=False, says=f"over the bill; {plan.says}")
    return plan


def _limits(g: Ground, plan: Plan) -> Plan:
    """Latency and rate limits of the team, said where a plan touches them."""
    said = []
    if g.calls_per_minute and plan.at_most > 1:
        said.append(f"at peak {plan.at_most * g.calls_per_minute:,.0f} calls a minute: ask the host")
    if g.max_latency_s and plan.at_most > 1:
        said.append(f"you allow {g.max_latency_s:g} s: measure one call first")
    return replace(plan, latency="; ".join([plan.latency, *said])) if said else plan


def _after(n: int) -> str:
    return f"one after another: up to {n} times one call; side by side all {n} are paid"


def _spread(values: Sequence[float]) -> tuple[float, float, float] | None:
    if not values:
        return None
    rest = sorted(values[1:]) or [values[0]]
    cut = (1 - LEVEL) / 2
    return values[0], rest[floor(cut * (len(rest) - 1))], rest[-1 - floor(cut * (len(rest) - 1))]


def _solved(usd: float, q: tuple[float, float, float] | None) -> float | None:
    return usd / q[0] if q is not None and q[0] > 0 else None
