"""Rows of a usage log -> calls with whole prompts and answers. What cannot be read is said, and never left out unseen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from math import isnan
from typing import Any

from data.errors import DataMissing
from jobs.profile.columns import Columns

FAILED = ("failure", "failed", "error")
BUCKET = timedelta(hours=1)  # a row that says it lasted that long is a sum over calls
Call = dict[str, Any]


def calls_of(rows: Sequence[dict[str, Any]], columns: Columns, where: str) -> tuple[list[Call], int]:
    """Rows as numbers, and how many state no tokens (spans, calls that failed). Raises DataMissing: one that cannot be read."""
    calls, wrong = [], []
    for n, row in enumerate(rows, 1):
        try:
            calls.append(call_of(row, columns))
        except ValueError as error:
            wrong.append(f"row {n}: {error}")
    if wrong:
        more = f" ({len(wrong):,} of {len(rows):,} rows)" if len(wrong) > 1 else ""
        raise DataMissing(
            f"{wrong[0]}{more}.",
            where=where,
            fix="export plain numbers of tokens and a time in every row; what is left out would not be measured.",
        )
    found = [c for c in calls if c is not None]
    return found, len(rows) - len(found)


def call_of(row: dict[str, Any], columns: Columns) -> Call | None:
    """One row as numbers; None where it states no tokens. Raises ValueError with what is wrong."""
    tokens = {k: count(row[k], k) for k in columns.read if k not in ("time", "end", "model", "status")}
    if tokens["input"] is None or tokens["output"] is None:
        return None
    if row["time"] in (None, ""):
        raise ValueError("no time")
    when = moment(row["time"])
    if when is None:
        raise ValueError(f"{row['time']!r} is no time")
    prompt, answer = whole(tokens, columns)
    calls = tokens.get("calls")
    return {
        "time": when, "end": moment(row["end"]) if row.get("end") else None, "model": str(row["model"]) if row.get("model") else None,
        "input": prompt, "cached": tokens.get("cached"), "output": answer - (tokens.get("reasoning") or 0), "reasoning": tokens.get("reasoning"),
        "calls": 1.0 if calls is None else calls, "failed": str(row.get("status")).casefold() in FAILED,
    }  # fmt: skip


def whole(tokens: dict[str, float | None], columns: Columns) -> tuple[float, float]:
    """The whole prompt and the whole answer of a row, cached and reasoning tokens in them.

    Names say what is counted beside the rest; where the row states a total and only another reading adds up to it, that
    one holds. Raises ValueError where more is cached than the prompt has, or more reasoned than the answer.
    """
    prompt, answer, total = tokens["input"] or 0.0, tokens["output"] or 0.0, tokens.get("total")
    cached, reasoning = tokens.get("cached") or 0.0, tokens.get("reasoning") or 0.0
    beside = [sum(tokens[f] or 0.0 for f in side) for side in (columns.beside_input, columns.beside_output)]

    def read(apart: tuple[bool, ...]) -> tuple[float, float]:
        return prompt + beside[0] * apart[0], answer + beside[1] * apart[1]

    by_name = read((columns.input_apart, columns.output_apart))
    fitting = {
        r
        for r in map(read, product((False, True), repeat=2))
        if sum(r) == total and r[0] >= cached and r[1] >= reasoning
    }
    found = fitting.pop() if len(fitting) == 1 and by_name not in fitting else by_name
    if found[0] < cached:
        raise ValueError(f"{cached:,.0f} cached tokens in a prompt of {found[0]:,.0f}")
    if found[1] < reasoning:
        raise ValueError(f"{reasoning:,.0f} reasoning tokens in an answer of {found[1]:,.0f}")
    return found


def sums(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether rows are sums over many calls: every one at midnight, or every one an hour or longer."""
    times = [(moment(r["time"]), moment(r["end"]) if r.get("end") else None) for r in rows]
    known = [(start, end) for start, end in times if start is not None]
    midnight = all((t.hour, t.minute, t.second) == (0, 0, 0) for t, _ in known)
    return bool(known) and (midnight or all(end is not None and end - start >= BUCKET for start, end in known))


def count(value: Any, field: str) -> float | None:
    """Tokens or calls; None where nothing is stated. Raises ValueError: "1,234" may be one and a bit."""
    if value is None or (isinstance(value, str) and value.strip().casefold() in ("", "null", "none", "nan")):
        return None
    try:
        found = float("x" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        found = -1.0
    if isnan(found):
        return None
    if not 0 <= found < 1e15:
        named = field.removeprefix("bucket_")
        raise ValueError(f"{value!r} is no number of {named if named == 'calls' else f'{named} tokens'}")
    return found


def moment(value: Any) -> datetime | None:
    """UTC without a zone, from a timestamp, ISO text, or seconds or milliseconds since 1970; no zone is taken as UTC."""
    if not isinstance(value, datetime) and hasattr(value, "year"):
        return datetime(value.year, value.month, value.day)
    try:
        if isinstance(value, datetime):
            found = value
        elif (seconds := _number(value)) is not None and 1e8 < seconds < 1e15:
            found = datetime.fromtimestamp(seconds / (1000 if seconds > 1e11 else 1), UTC)
        else:
            found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
