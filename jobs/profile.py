"""Usage logs -> the `traffic` and `tokens` block of a use case, measured. Nothing leaves the machine.

Exports of LiteLLM (spend logs), Langfuse (observations), the usage pages of OpenAI and others, or one's own log: columns
are known by what their names say, nested objects and JSON in text included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from data.errors import DataMissing, UsageError
from data.store import Readable, table_file
from jobs.exports import flattened

FIELDS: dict[str, str] = {
    "time": r"(?:start_?time|starting_at|timestamp|created(?:_at)?|time|date|ts|start_time_iso|usage_date_utc|bucket_start)$",
    "end": r"(?:end_?time|ending_at|bucket_end)$",
    "model": r"(?:provided_?)?model(?:_?(?:id|name|version|group))?$",
    "cached": r"(?:cached?_(?:read_)?(?:input_)?tokens|input_cached_tokens|cached_input_tokens|cache_read_input_tokens|cache_read|input_tokens_cache_read|input_cached)$",
    "written": r"(?:cache_creation_input_tokens|cache_write_(?:input_)?tokens|input_cache_creation|input_tokens_cache_write_5m|ephemeral_5m_input_tokens)$",
    "written_1h": r"(?:input_tokens_cache_write_1h|ephemeral_1h_input_tokens)$",
    "reasoning": r"(?:reasoning_tokens|output_reasoning(?:_tokens)?|thinking_tokens)$",
    "input": r"(?:prompt_?tokens|input_?tokens|input_tokens_no_cache|tokens_in|n_context_tokens_total|usage(?:_details)?_(?:input|prompt))$",
    "output": r"(?:completion_?tokens|output_?tokens|tokens_out|n_generated_tokens_total|usage(?:_details)?_(?:output|completion))$",
    "calls": r"(?:num_model_requests|n_requests|num_requests|requests?_count|requests|calls)$",
    "status": r"(?:status|level|outcome)$",
}
APART = re.compile(
    r"cache_read_input_tokens|input_no_cache|input_tokens_no_cache|uncached_input_tokens"
)  # makers that count cached tokens beside the input, not in it
FAILED = ("failure", "failed", "error", "ERROR", "FAILED")
DEEPEST = 3
LEAST_DAYS = 1.0


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


def profile(path: Path, model: str | None = None) -> list[Profile]:
    """Every model of a log, the most called first. Raises UsageError or DataMissing with what is missing."""
    with flattened(path) as file, table_file(file) as table:
        found = fields(table)
        if not table.rows("select 1 from log limit 1"):
            raise DataMissing("no rows in it.", where=str(path), fix="export usage of a time with calls.")
        for need in ("input", "output"):
            if need not in found:
                said = ", ".join(sorted(names(table)))[:300]
                raise DataMissing(
                    f"no column of {need} tokens; it has {said}.",
                    where=str(path),
                    fix="export usage with token counts.",
                )
        if "time" not in found:
            raise DataMissing("no column of times.", where=str(path), fix="export usage with a time for each row.")
        rows = table.rows(f"select {', '.join(f'{e} as {n}' for n, e in found.items())} from log")
    if "calls" not in found and sums_by_day(rows):
        raise DataMissing(
            "sums by day, and no column says of how many calls: tokens per call cannot be measured.",
            where=str(path),
            fix="export single calls, or add a column num_requests.",
        )
    calls = [c for r in rows if (c := call_of(r, found)) is not None]
    if not calls:
        raise DataMissing("no row with a time and token counts.", where=str(path), fix="look at its columns.")
    by_model: dict[str | None, list[dict[str, Any]]] = {}
    for c in calls:
        by_model.setdefault(c["model"], []).append(c)
    if model is not None:
        if model not in by_model:
            known = ", ".join(sorted(str(k) for k in by_model))
            raise UsageError(f"no model {model!r} in it.", where=str(path), fix=f"one of {known}.")
        by_model = {model: by_model[model]}
    return sorted((measured(k, v, "calls" in found) for k, v in by_model.items()), key=lambda p: -p.calls)


def names(table: Readable) -> dict[str, str]:
    """Every column and nested key by a flat name, with the expression that reads it."""
    out: dict[str, str] = {}

    def add(name: str, expression: str, depth: int) -> None:
        (kind,) = table.rows(f"select typeof({expression}) as t from log limit 1") or [{"t": ""}]
        if str(kind["t"]).startswith("STRUCT") and depth < DEEPEST:
            for key in object_in(table, f"to_json({expression})") or ():
                add(f"{name}_{key}", f"{expression}.{quoted(key)}", depth + 1)
        elif str(kind["t"]) in ("VARCHAR", "JSON") and depth < DEEPEST and (inner := object_in(table, expression)):
            for key, value in inner.items():
                path = json.dumps(f"$.{json.dumps(key)}").replace("'", "''")[1:-1].replace('\\"', '"')
                read = f"json_extract_string({expression}, '{path}')"
                if isinstance(value, dict):
                    add(f"{name}_{key}", read, depth + 1)
                else:
                    out[flat(f"{name}_{key}")] = read
        else:
            out[flat(name)] = expression

    for column in table.rows(
        "select column_name as name from duckdb_columns() where table_name = 'log' order by column_index"
    ):
        add(column["name"], quoted(column["name"]), 0)
    return out


def object_in(table: Readable, expression: str) -> dict[str, Any] | None:
    """The first JSON object a text column holds, or none."""
    found = table.rows(f"select {expression}::varchar as v from log where {expression}::varchar like '{{%' limit 1")
    try:
        value = json.loads(found[0]["v"]) if found else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def fields(table: Readable) -> dict[str, str]:
    """For every field that a column's name says, the expression that reads it; the shortest name wins."""
    known = names(table)
    out: dict[str, str] = {}
    apart = False
    for field, pattern in FIELDS.items():
        fitting = sorted((n for n in known if re.search(rf"(?:^|_){pattern}", n)), key=lambda n: (len(n), n))
        taken = set(out.values())
        chosen = next((n for n in fitting if known[n] not in taken), None)
        if chosen:
            out[field] = known[chosen]
            apart = apart or (field in ("cached", "input") and bool(APART.search(chosen)))
    if apart:
        out["apart"] = "true"
    return out


def call_of(row: dict[str, Any], found: dict[str, str]) -> dict[str, Any] | None:
    """One row as numbers; None where time or tokens are missing."""
    when = moment(row["time"])
    tokens = {
        k: number(row.get(k)) for k in ("input", "output", "cached", "written", "written_1h", "reasoning", "calls")
    }
    if when is None or tokens["input"] is None or tokens["output"] is None:
        return None
    whole = tokens["input"] + (
        sum(tokens[k] or 0 for k in ("cached", "written", "written_1h")) if "apart" in found else 0
    )
    return {
        "time": when, "end": moment(row["end"]) if row.get("end") else None, "model": str(row["model"]) if row.get("model") else None, "input": whole, "cached": tokens["cached"],
        "output": max(0.0, tokens["output"] - (tokens["reasoning"] or 0)), "reasoning": tokens["reasoning"],
        "calls": tokens["calls"] if tokens["calls"] is not None else 1.0, "failed": row.get("status") in FAILED,
    }  # fmt: skip


def measured(model: str | None, rows: list[dict[str, Any]], aggregated: bool) -> Profile:
    good = [r for r in rows if not r["failed"]] or rows
    calls = sum(r["calls"] for r in rows)
    days = max(LEAST_DAYS, length(rows, aggregated).total_seconds() / 86_400)
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
        None if aggregated else int(max(per_minute.values())), aggregated,
    )  # fmt: skip


def length(rows: list[dict[str, Any]], aggregated: bool) -> timedelta:
    """The time that rows cover; a row that sums up a bucket covers it whole, by its end or the shortest step of them."""
    times = sorted({r["time"] for r in rows})
    last = times[-1]
    if aggregated:
        steps = [b - a for a, b in pairwise(times)]
        last = max([r["end"] for r in rows if r["end"]] or [last + min(steps, default=timedelta(days=1))])
    covered: timedelta = last - times[0]
    return covered


def sums_by_day(rows: list[dict[str, Any]]) -> bool:
    """Whether rows are sums: every one at midnight, and no two alike of one model."""
    seen = [(str(r.get("model")), moment(r["time"])) for r in rows]
    midnight = all(t is not None and (t.hour, t.minute, t.second) == (0, 0, 0) for _, t in seen)
    return bool(seen) and midnight and len(set(seen)) == len(seen)


def spread(rows: Iterable[dict[str, Any]], field: str, aggregated: bool) -> dict[str, float]:
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
    traffic = f"{shorter(per_day)}/day" if per_day >= 1 else f"{shorter(per_day * 365 / 12)}/month"
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


def flat(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()).strip("_")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if 0 <= found < 1e15 else None


def moment(value: Any) -> datetime | None:
    """UTC without a zone, from a timestamp, ISO text, or seconds or milliseconds since 1970; no zone is taken as UTC."""
    if not isinstance(value, datetime) and hasattr(value, "year"):
        return datetime(value.year, value.month, value.day)
    seconds = number(value)
    try:
        if isinstance(value, datetime):
            found = value
        elif seconds is not None and seconds > 1e8:
            found = datetime.fromtimestamp(seconds / (1000 if seconds > 1e11 else 1), UTC)
        else:
            found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
