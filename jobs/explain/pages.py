"""What `undercut explain` prints, as plain lines of at most 100 columns. Pure: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from data.records import DAYS_PER_MONTH, Candidate, Cost, Decision, UseCase
from jobs.messages.blocks import percent
from recommender.cost import share_above

WIDE = 100
KEY, VALUE, FIELD = 22, 32, 26  # columns of the table of values
UNSAID = ("no demand", "not given")


def values_page(slug: str, lines: Sequence[dict[str, Any]], notes: Sequence[str], more: str | None) -> Iterator[str]:
    """Effective values by section of the registry, what nobody wrote in one line, then what is worth knowing."""
    files = list(dict.fromkeys(f for r in lines if (f := _file(r["origin"]))))
    title = next((r["value"] for r in lines if r["key"] == "title"), slug)
    yield f"{slug}  {title}" if title != slug else slug
    yield f"from {files[0]}; 'line' is a line of it" if len(files) == 1 else f"from {', '.join(files)}"
    yield ""
    yield _row("key", "value", "field, with its unit", "from")
    section = ""
    for r in lines:
        if r["value"] in UNSAID or r["key"] == "title":
            continue
        head, _, tail = r["key"].replace("current.", "model.").partition(".")
        if tail and head != section:
            yield head
        section = head
        yield from _value(("  " + tail) if tail else head, r, len(files) == 1)
    for word, said in zip(UNSAID, ("Not demanded", "Not given"), strict=True):
        keys = [r["key"] for r in lines if r["value"] == word]
        if keys:
            yield from ["", *_wrapped(f"{said}: ", ", ".join(keys))]
    if notes:
        yield from ["", "Worth knowing"]
        for note in notes:
            yield from _wrapped("  · ", note)
    yield ""
    yield f"Next: {more or f'undercut rank {slug}'}"


def finding_page(found: dict[str, Any]) -> Iterator[str]:
    """The decision as sums a reader can check, then every rate and score behind it; one figure of it where asked."""
    d: Decision = found["decision"]
    case: UseCase | None = found["entry"]
    figure, rec = found["figure"], found["rec"]
    target = f" → {_name(d.best)}" if d.best else ""
    yield f"{rec}  {found['use_case']}: {found['verdict']}{target}"
    yield from _wrapped("Why      ", found["reason"])
    yield f"When     decided {_day(found['decided_at'])}, on prices as of {_day(found['data_as_of'])}; state: {found['state']}"
    if d.best and d.best.reopened:
        yield from _wrapped("Again    ", d.best.reopened)
    if not figure:
        yield from (line for reason in found["reasons"] for line in _wrapped("  · ", reason))
    parts = {
        "cost": _cost(d, case, found["steps"]),
        "saving": _saving(d, case),
        "payback": _payback(d, case),
        "value": _value_usd(d, case),
        "quality": _quality(d),
        "p_ok": _p_ok(d, case),
        "constraints": _constraints(d),
        "others": _others(d),
    }
    for name, lines in parts.items():
        if figure in (None, name) and lines:
            yield from ["", *lines]
    if found["rates"]:
        yield from ["", "Rates behind it, each with the text it was read from", *_rates(found["rates"])]
    if found["scores"]:
        yield from ["", "Scores behind it", *_scores(found["scores"])]
    if found["rates"] or found["scores"]:
        yield from ["", "✓ the quoted text is in the kept body of that hash"]
    yield ""
    yield f"Next: undercut explain {rec} --eval" if d.best else f"Next: undercut explain {found['use_case']}"


def _cost(d: Decision, case: UseCase | None, steps: dict[str, list[int]]) -> list[str]:
    shown = [("now", d.current), ("move", d.best), ("easier", d.easier)]
    some = [(word, c, c.cost) for word, c in shown if c is not None and c.cost is not None]
    if not some:
        return []
    lines = ["Cost, USD a month at list prices"]
    if case is not None:
        lines += _wrapped("  a month: ", _workload(case))
        lines += _wrapped("  a call:  ", _call(case))
    lines += [f"  {word:<7} {_name(c)}" for word, c, _ in some]
    lines.append(f"  {'':<18}" + "".join(f"{word:>14}" for word, _, _ in some))
    meters = list(dict.fromkeys(m for _, _, cost in some for m in cost.by_meter_usd_per_month))
    for meter in meters:
        lines.append(
            f"  {meter:<18}" + "".join(f"{cost.by_meter_usd_per_month.get(meter, 0):>14,.2f}" for *_, cost in some)
        )
    lines.append(f"  {'together':<18}" + "".join(f"{cost.usd_per_month:>14,.2f}" for *_, cost in some))
    lines.append(f"  {'80 % low':<18}" + "".join(f"{cost.low_usd_per_month:>14,.2f}" for *_, cost in some))
    lines.append(f"  {'80 % high':<18}" + "".join(f"{cost.high_usd_per_month:>14,.2f}" for *_, cost in some))
    lines.append(f"  {'per 1,000 calls':<18}" + "".join(f"{cost.usd_per_call * 1000:>14,.4g}" for *_, cost in some))
    if any(cost.usd_per_outcome is not None for *_, cost in some):
        lines.append(f"  {'an outcome':<18}" + "".join(f"{cost.usd_per_outcome or 0:>14,.4g}" for *_, cost in some))
    for word, _, cost in some:
        lines += [line for text in _tokens(word, cost) for line in _wrapped("  · ", text)]
    if case is not None:
        for word, c, cost in some:
            for step in steps.get(c.endpoint_id, ()):
                lines += _wrapped("  · ", f"{word}: {_above(case, step, cost.prompt_ratio[0])}")
    return lines


def _above(case: UseCase, step: int, ratio: float) -> str:
    """How much of the traffic pays the rates above a step of the prompt length."""
    calls, tokens = share_above(case.workload.input_tokens, step / ratio)
    share = tokens / case.workload.input_tokens.mean if case.workload.input_tokens.mean else 0.0
    return f"{calls:.1%} of the calls, with {share:.1%} of the prompt tokens, have prompts above {step:,} tokens and pay those rates"


def _tokens(word: str, cost: Cost) -> Iterator[str]:
    """What makes the range, and what was charged as something else."""
    for kind, (mean, low, high) in (("prompts", cost.prompt_ratio), ("answers", cost.answer_ratio)):
        if (mean, low, high) != (1.0, 1.0, 1.0):
            yield f"{word}: {kind} × {mean:.3g} of the tokens registered (80 %: {low:.3g} to {high:.3g})"
    yield from (f"{word}: {note}" for note in cost.notes)


def _workload(case: UseCase) -> str:
    load = case.workload
    calls = load.calls_per_month * (1 + load.retry_rate)
    retry = f" × {1 + load.retry_rate:g} with retries = {calls:,.0f}" if load.retry_rate else ""
    hours = f", at {load.hours_utc} UTC" if load.hours_utc else ""
    return f"{load.calls_per_month:,.0f} calls{retry}{hours}"


def _call(case: UseCase) -> str:
    load = case.workload
    cached = f", {percent(load.cached_share)} of them read from the cache" if load.cached_share else ""
    spread = f" (half under {load.input_tokens.p50:,.0f}, 95 % under {load.input_tokens.p95:,.0f})" if load.input_tokens.p95 and load.input_tokens.p50 else ""  # fmt: skip
    thinking = f", {load.reasoning_tokens.mean:,.0f} of reasoning" if load.reasoning_tokens.mean else ""
    images = f", {load.images_per_call:g} images" if load.images_per_call else ""
    return f"{load.input_tokens.mean:,.0f} prompt tokens{spread}{cached}, {load.output_tokens.mean:,.0f} of answer{thinking}{images}"


def _saving(d: Decision, case: UseCase | None) -> list[str]:
    best = d.best
    if best is None or best.cost is None or d.current.cost is None or best.saving_usd_per_month is None:
        return []
    now = d.current.cost.usd_per_month
    lines = [
        "Saving, USD a month",
        f"  central  {now:,.2f} − {best.cost.usd_per_month:,.2f} = {best.saving_usd_per_month:,.2f} (−{percent(best.saving_usd_per_month / now)})",
        f"  low end  {now:,.2f} − {best.cost.high_usd_per_month:,.2f} = {best.saving_low_usd_per_month or 0:,.2f}",
    ]  # fmt: skip
    if case is not None:
        terms = case.switch
        lines.append(
            f"  bars     at least {terms.min_saving_usd_per_month:,.0f}, and {percent(terms.min_saving_share)} of {now:,.2f} = {terms.min_saving_share * now:,.2f}"
        )
    return lines


def _payback(d: Decision, case: UseCase | None) -> list[str]:
    best = d.best
    if best is None or best.payback_days is None or not best.saving_low_usd_per_month or case is None:
        return []
    days, terms = best.effort_days or 0, case.switch
    once = days * terms.usd_per_day + terms.eval_cost_usd
    return [
        f"Payback  {best.payback_days:,.0f} days (you ask {terms.payback_days})",
        f"  ({days:g} days × ${terms.usd_per_day:,.0f} + ${terms.eval_cost_usd:,.0f} evaluation = {once:,.0f}) / {best.saving_low_usd_per_month:,.2f} low end × {DAYS_PER_MONTH:.4g} days{_growing(case)}",
    ]


def _value_usd(d: Decision, case: UseCase | None) -> list[str]:
    best = d.best
    if best is None or best.net_value_usd is None or not best.saving_usd_per_month or case is None:
        return []
    days, terms = best.effort_days or 0, case.switch
    back = days * terms.usd_per_day
    once, bad = back + terms.eval_cost_usd, (1 - (best.p_ok or 0)) * back
    months = (best.net_value_usd + once + bad) / best.saving_usd_per_month
    return [
        f"Net value of {months:.3g} months of today's traffic  ${best.net_value_usd:,.0f}",
        f"  {best.saving_usd_per_month:,.2f} × {months:.3g} − {once:,.0f} once − {1 - (best.p_ok or 0):.3g} × {back:,.0f} to go back{_growing(case)}",
    ]


def _growing(case: UseCase) -> str:
    growth = case.workload.growth_per_month
    return f", traffic changing by {growth:+.0%} a month" if growth else ""


def _quality(d: Decision) -> list[str]:
    lines = ["Quality on the tasks of this use case, share 0 to 1"]
    for word, c in (("now", d.current), ("move", d.best)):
        if c is None or c.quality is None:
            lines.append(f"  {word:<7} unknown")
            continue
        q = c.quality
        kind = "your own cases" if q.own else "all measured" if q.measured else "some boards estimated"
        setting = f", setting {c.variant}" if c.variant else ""
        lines.append(
            f"  {word:<7} {q.mean:.3f} (80 %: {q.low:.3f} to {q.high:.3f})  evidence {q.grade or 'none'}, {kind}{setting}"
        )
        lines += [line for note in q.notes for line in _wrapped("          ", note)]
    return lines


def _p_ok(d: Decision, case: UseCase | None) -> list[str]:
    best = d.best
    if best is None or best.p_ok is None or case is None:
        return []
    if best.move == "tier":
        return ["P(ok) 1: the same model on the same host"]
    floor = f" and the score is above {case.quality.floor:g}" if case.quality.floor else ""
    return [
        f"P(ok) {best.p_ok:.3f}, you ask {case.quality.confidence:g}",
        f"  the probability that the loss against the model in use stays within {case.quality.max_drop:g}{floor},",
        "  from both models' errors taken together",
    ]


def _constraints(d: Decision) -> list[str]:
    if not d.constraint_usd_per_month:
        return []
    lines = ["What a constraint costs: today's best eligible choice less the best if only it were dropped"]
    return lines + [f"  {key:<18} ${usd:>10,.0f} a month" for key, usd in d.constraint_usd_per_month.items()]


def _others(d: Decision) -> list[str]:
    some = [("easier", d.easier)] if d.easier else []
    some += [("", c) for c in d.others]
    if not some:
        return []
    lines = [
        "Others weighed, good ones first",
        f"  {'':<7}{'endpoint':<46}{'$/month':>10}{'saving':>10}{'P(ok)':>7}  evidence",
    ]
    for word, c in some:
        cost = f"{c.cost.usd_per_month:,.0f}" if c and c.cost else "unknown"
        saving = f"{c.saving_usd_per_month:,.0f}" if c.saving_usd_per_month is not None else "unknown"
        p_ok = f"{c.p_ok:.3f}" if c.p_ok is not None else "?"
        grade = (c.quality.grade if c.quality else None) or "none"
        lines.append(f"  {word:<7}{_cut(_name(c), 45):<46}{cost:>10}{saving:>10}{p_ok:>7}  {grade}")
    return lines


def _rates(rates: Iterable[dict[str, Any]]) -> Iterator[str]:
    endpoint = None
    for r in rates:
        if r["endpoint"] != endpoint:
            endpoint = r["endpoint"]
            yield f"  {endpoint}"
        per = "a million tokens" if r["per"] == "mtok" else f"a {r['per']}"
        what = f"{r['meter']}{'' if r['tier'] == 'standard' else ' [' + r['tier'] + ']'}"
        yield f"    {what:<22} ${r['usd']:<9.6g} {per}{_when(r)}  {r['standing']}"
        yield from _source(r)


def _scores(scores: Iterable[dict[str, Any]]) -> Iterator[str]:
    model = None
    for r in scores:
        if r["model"] != model:
            model = r["model"]
            yield f"  {model}"
        own = "  the maker's own figure" if r["self_reported"] else ""
        setting = f"  {r['variant']}" if r["variant"] else ""
        spread = f" ({r['low']:.4g} to {r['high']:.4g})" if r["low"] is not None and r["high"] is not None else ""
        yield f"    {r['benchmark']:<44} {r['score']:.5g}{spread}{setting}{own}"
        yield from _source(r)


def _source(r: dict[str, Any]) -> Iterator[str]:
    """Where a figure was read: source, day, address, place in the body, hash, and the quoted text."""
    place = f", at {r['locator']}" if r["locator"] else ""
    fetched = f"fetched {_day(r['fetched_at'])}" if r["fetched_at"] else f"seen {r['seen_at']}"
    yield from _wrapped("        ", f"{r['source']}, {fetched}, {r['url'] or 'no address'}{place}, body {r['kept']}")
    if r["quote"]:
        yield _cut(f"        “{' '.join(r['quote'].split())}”", WIDE)


def _when(r: dict[str, Any]) -> str:
    above, up_to = r["above_tokens"], r["up_to_tokens"]
    band = f", prompts above {above:,}" if above else ""
    band += f", {'' if band else 'prompts '}up to {up_to:,}" if up_to else ""
    return band + (f", {r['time_window']} UTC" if r["time_window"] else "")


def _value(key: str, r: dict[str, Any], one_file: bool) -> Iterator[str]:
    field = r["field"].rpartition(".")[2]
    field = "" if field == key.strip() or "[" in key or field in ("endpoint_id", "model_id") else field
    name = {"  model_id": "  = model", "  endpoint_id": "  = endpoint"}.get(key, key)
    origin = r["origin"] if not one_file else r["origin"].replace(f"{_file(r['origin'])}:", "line ")
    room = VALUE if field else VALUE + FIELD
    said = wrap(r["value"], room - 2, break_long_words=False, break_on_hyphens=False) or [""]
    if len(said[0]) > VALUE - 1 and field:
        yield _row(name, said[0], None, "")
        said[0] = name = ""
    yield _row(name, said[0], field or None, origin)
    yield from (" " * KEY + text for text in said[1:])


def _row(key: str, value: str, field: str | None, origin: str) -> str:
    middle = f"{value:<{VALUE}}{field:<{FIELD}}" if field is not None else f"{value:<{VALUE + FIELD}}"
    return f"{key:<{KEY}}{middle}{origin}".rstrip()


def _file(origin: str) -> str:
    """The file of `defaults FILE:LINE` or `FILE:LINE`; empty where a value came from elsewhere."""
    file, colon, line = origin.removeprefix("defaults ").rpartition(":")
    return file if colon and line.isdigit() else ""


def _name(c: Candidate) -> str:
    tier = "" if c.tier == "standard" else f" [{c.tier}]"
    return f"{c.endpoint_id}{tier}"


def _day(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M} UTC"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(head: str, text: str) -> list[str]:
    return wrap(
        text,
        WIDE,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


__all__ = ["finding_page", "values_page"]
