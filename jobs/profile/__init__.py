"""Usage logs -> the `traffic` and `tokens` block of a use case, measured. Nothing leaves the machine.

Exports of LiteLLM (spend logs), Langfuse (observations), the usage pages of OpenAI and others, or one's own log: columns
are known by what their names say, nested objects and JSON in text included (`columns.py`). A row that cannot be read
stops it: a measurement of the rest would be of something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from data.errors import DataMissing, UsageError
from data.records import DAYS_PER_MONTH
from data.store import table_file
from jobs.exports import flattened
from jobs.profile.calls import Call, calls_of, sums
from jobs.profile.columns import columns, names

LEAST_DAYS = 1.0
KNOWN = {
    "input": "prompt_tokens or input_tokens",
    "output": "completion_tokens or output_tokens",
    "time": "start_time or timestamp",
}


@dataclass(frozen=True)
class Profile:
    """One model's use. Tokens per call; `cached_share` of the prompt; None where the log does not say."""

    model: str | None
    calls: float
    days: float
    input_tokens: dict[str, float]
    output_tokens: dict[str, float]
    reasoning_tokens: dict[str, float] | None
    cached_share: float | None
    failed_share: float | None
    peak_rpm: int | None
    aggregated: bool  # rows are sums over many calls: means only
    unstated: int = 0  # rows of the log without token counts: no calls of any model


def profile(
    path: Path, model: str | None = None, *, means: Callable[[str], str | None] = lambda written: written
) -> list[Profile]:
    """Every model of a log, the most called first. Raises UsageError or DataMissing with what is missing.

    `means` may say which model a written name is: several spellings of one are then one; a name that means none stays.
    """
    with flattened(path) as file, table_file(file) as table:
        known = names(table)
        found = columns(known)
        if not table.rows("select 1 from log limit 1"):
            raise DataMissing("no rows in it.", where=str(path), fix="export usage of a time with calls.")
        for need in ("input", "output"):
            if need not in found.read:
                said = ", ".join(sorted(known))[:300]
                raise DataMissing(
                    f"no column of {need} tokens; it has {said}.",
                    where=str(path),
                    fix=f"export usage with token counts, or call a column {KNOWN[need]}.",
                )
        if "time" not in found.read:
            raise DataMissing(
                "no column of times.",
                where=str(path),
                fix=f"export usage with a time for each row, or call a column {KNOWN['time']}.",
            )
        rows = table.rows(f"select {', '.join(f'{e} as {n}' for n, e in found.read.items())} from log")
    aggregated = "calls" in found.read
    if not aggregated and sums(rows):
        raise DataMissing(
            "sums by day or hour, and no column says of how many calls: tokens per call cannot be measured.",
            where=str(path),
            fix="export single calls with their times, or add a column num_requests.",
        )
    calls, unstated = calls_of(rows, found, str(path))
    if not calls:
        raise DataMissing("no row with token counts.", where=str(path), fix="look at its columns.")
    days = max(LEAST_DAYS, length(calls, aggregated).total_seconds() / 86_400)
    ids = {m: m and (means(m) or m) for m in {c["model"] for c in calls}}
    by_model: dict[str | None, list[Call]] = {}
    for c in calls:
        by_model.setdefault(ids[c["model"]], []).append(c)
    if model is not None:
        if model not in by_model:
            said = ", ".join(sorted(str(k) for k in by_model))
            raise UsageError(f"no model {model!r} in it.", where=str(path), fix=f"one of {said}.")
        by_model = {model: by_model[model]}
    found_of = (measured(k, v, days, aggregated, unstated) for k, v in by_model.items())
    return sorted(found_of, key=lambda p: -p.calls)


def measured(model: str | None, rows: list[Call], days: float, aggregated: bool, unstated: int) -> Profile:
    """One model's rows; `days` is what the whole log covers, since a model that was called for an hour of it was not all day."""
    good = [r for r in rows if not r["failed"]] or rows
    calls = sum(r["calls"] for r in rows)
    per_minute: dict[str, float] = {}
    for r in rows:
        minute = r["time"].strftime("%Y-%m-%dT%H:%M")
        per_minute[minute] = per_minute.get(minute, 0) + r["calls"]
    known_cached = [r for r in good if r["cached"] is not None and r["input"]]
    return Profile(
        model, calls, days, spread(good, "input", aggregated), spread(good, "output", aggregated),
        spread(good, "reasoning", aggregated) if any(r["reasoning"] for r in good) else None,
        sum(r["cached"] for r in known_cached) / sum(r["input"] for r in known_cached) if known_cached else None,
        sum(r["failed"] for r in rows) / len(rows) if any(r["failed"] for r in rows) else None,
        None if aggregated else int(max(per_minute.values())), aggregated, unstated,
    )  # fmt: skip


def length(rows: list[Call], aggregated: bool) -> timedelta:
    """The time that rows cover; a row that sums up a bucket covers it whole, by its end or the shortest step of them."""
    times = sorted({r["time"] for r in rows})
    last = times[-1]
    if aggregated:
        steps = [b - a for a, b in pairwise(times)]
        last = max([r["end"] for r in rows if r["end"]] or [last + min(steps, default=timedelta(days=1))])
    covered: timedelta = last - times[0]
    return covered


def spread(rows: Iterable[Call], field: str, aggregated: bool) -> dict[str, float]:
    """Mean, and the quantiles where a row is a call."""
    stated = [(r[field] or 0.0, r["calls"]) for r in rows]
    calls = sum(n for _, n in stated)
    mean = sum(v for v, _ in stated) / calls if calls else 0.0
    if aggregated:
        return {"mean": mean}
    ordered = sorted(v for v, _ in stated)
    return {"mean": mean} | {f"p{q}": ordered[min(len(ordered) - 1, int(q / 100 * len(ordered)))] for q in (50, 95)}


def block(p: Profile) -> str:
    """The YAML to paste into a use case."""
    per_day = p.calls / p.days
    traffic = f"{shorter(per_day)}/day" if per_day >= 1 else f"{shorter(per_day * DAYS_PER_MONTH)}/month"
    lines = [
        f"# {p.calls:,.0f} calls of {p.model or 'one model'} in {p.days:.1f} days"
        + (", sums over many calls" if p.aggregated else "")
    ]
    if p.peak_rpm and p.peak_rpm > 1:
        lines.append(f"traffic: {{calls: {traffic}, peak_rpm: {p.peak_rpm}}}")
    else:
        lines.append(f"traffic: {traffic}")
    lines += ["tokens:", f"  in: {sizes(p.input_tokens)}", f"  out: {sizes(p.output_tokens)}"]
    if p.reasoning_tokens:
        lines.append(f"  reasoning: {sizes(p.reasoning_tokens)}")
    if p.cached_share:
        lines.append(f"  cached: {p.cached_share:.2f}")
    if p.failed_share:
        lines.append(f"# {p.failed_share:.1%} of the rows failed; they count as calls and not for the tokens")
    if p.unstated:
        lines.append(
            f"# {p.unstated:,} rows of the log state no tokens and count for nothing (spans, or calls that failed)"
        )
    return "\n".join(lines)


def sizes(found: dict[str, float]) -> str:
    if set(found) == {"mean"}:
        return f"{found['mean']:.0f}"
    return "{" + ", ".join(f"{k}: {v:.0f}" for k, v in found.items()) + "}"


def shorter(value: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= 10 * size:
            return f"{value / size:.0f}{unit}"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
