"""Result files of evaluation tools -> shares of cases passed, by model as the tool writes it. Nothing is made up.

promptfoo (`output.json`), Inspect (`.json` logs), lm-evaluation-harness (`results_*.json`), and plain CSV or Parquet with
a column for the model and one for the score or the verdict.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import UsageError
from data.store import identifier, table_file

Raw = tuple[str, float, int]  # model as the tool writes it, share of cases passed, cases
PASSED = frozenset(("true", "1", "1.0", "pass", "passed", "correct", "c", "yes", "success"))
FAILED = frozenset(("false", "0", "0.0", "fail", "failed", "incorrect", "i", "no", "failure", "error"))
MOST_BYTES = 200_000_000


def read_results(path: Path) -> list[Raw]:
    """(model, share passed, cases) of a result file. Raises UsageError with what is missing."""
    if not path.is_file():
        raise UsageError("no such result file.", where=str(path), fix="mend evals.results, or write the results there.")
    if path.suffix.casefold() in (".csv", ".parquet", ".jsonl", ".ndjson"):
        return of_table(path)
    if path.stat().st_size > MOST_BYTES:
        raise UsageError("larger than 200 MB.", where=str(path), fix="give the summary instead of the samples.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"not readable as JSON: {error}", where=str(path), fix="export it again.") from None
    for reader in (of_promptfoo, of_inspect, of_harness):
        try:
            found = reader(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"half a result file: {error!r} is missing.", where=str(path), fix="export it again."
            ) from None
        if found:
            return found
    raise UsageError(
        "no results of promptfoo, Inspect or lm-evaluation-harness in it.",
        where=str(path),
        fix="give one of them, or a CSV.",
    )


def of_promptfoo(data: Any) -> list[Raw]:
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("results"), dict)
        or not isinstance(data["results"].get("results"), list)
    ):
        return []
    passed: dict[str, list[bool]] = defaultdict(list)
    for r in data["results"]["results"]:
        provider = r["provider"]["id"] if isinstance(r["provider"], dict) else str(r["provider"])
        if not (r.get("error") and "success" not in r):
            passed[provider].append(bool(r["success"]))
    return counted(passed)


def of_inspect(data: Any) -> list[Raw]:
    if not isinstance(data, dict) or not isinstance(data.get("eval"), dict) or "model" not in data["eval"]:
        return []
    results = data["results"]
    metrics = results["scores"][0]["metrics"]
    share = next(metrics[k]["value"] for k in ("accuracy", "mean") if k in metrics)
    return [(data["eval"]["model"], checked(share), int(results.get("completed_samples") or results["total_samples"]))]


def of_harness(data: Any) -> list[Raw]:
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict) or "config" not in data:
        return []
    model = data.get("model_name") or data["config"].get("model_args") or data["config"]["model"]
    found = re.search(r"(?:pretrained|model)=([^,]+)", str(model))
    name = found.group(1) if found else str(model)
    total, weight = 0.0, 0
    for task, metrics in data["results"].items():
        key = next(
            (
                k
                for k in (
                    "exact_match,strict-match",
                    "exact_match,none",
                    "acc_norm,none",
                    "acc,none",
                    "acc_norm",
                    "acc",
                )
                if k in metrics
            ),
            None,
        )
        n = data.get("n-samples", {}).get(task, {}).get("effective")
        if key and n:
            total, weight = total + checked(metrics[key]) * n, weight + n
    return [(name, total / weight, weight)] if weight else []


def of_table(path: Path) -> list[Raw]:
    with table_file(path) as table:
        names = [
            r["name"] for r in table.rows("select column_name as name from duckdb_columns() where table_name = 'log'")
        ]
        model = column(names, "model", "provider", "model_id")
        verdict = column(names, "passed", "pass", "success", "correct", "verdict")
        score, count = column(names, "score", "accuracy", "share"), column(names, "n", "cases", "samples", "count")
        if model is None or (verdict is None and score is None):
            said = ", ".join(names)[:200]
            raise UsageError(
                f"no column of models, or none of scores; it has {said}.",
                where=str(path),
                fix="name them model and score, or passed.",
            )
        wanted = [c for c in (model, verdict, score, count) if c]
        rows = table.rows(
            f"select {', '.join(identifier(c) for c in wanted)} from log where {identifier(model)} is not null"
        )
    told: dict[str, list[tuple[float, int]]] = defaultdict(list)
    asked, read = (verdict, decided) if verdict else (score or "", checked)
    for r in rows:
        if r[asked] is not None:
            told[str(r[model])].append((read(r[asked], str(path)), cases_of(r[count], str(path)) if count else 1))
    return [(m, sum(s * n for s, n in v) / sum(n for _, n in v), sum(n for _, n in v)) for m, v in sorted(told.items())]


def counted(passed: Mapping[str, Iterable[bool]]) -> list[Raw]:
    return [(m, sum(v) / len(v), len(v)) for m, v in sorted((m, list(v)) for m, v in passed.items()) if v]


def checked(value: Any, where: str = "") -> float:
    """A share from 0 to 1. Raises UsageError: 87 may be a percentage or a mistake."""
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{value!r} is no share from 0 to 1.", where=where, fix="write 0.87 for 87 %.")
    return share


def decided(value: Any, where: str = "") -> float:
    """1 for a yes, 0 for a no. Raises UsageError for a word that is neither: a number of passes is no verdict."""
    word = str(value).casefold()
    if word not in PASSED | FAILED:
        raise UsageError(
            f"{value!r} is neither a pass nor a fail.", where=where, fix="write true or false, one case a row."
        )
    return float(word in PASSED)


def cases_of(value: Any, where: str = "") -> int:
    """How many cases a row stands for, one where it does not say. Raises UsageError where that is no whole number from 1."""
    try:
        cases = 1 if value is None else int(value)
    except (TypeError, ValueError):
        cases = 0
    if cases < 1 or (value is not None and cases != float(value)):
        raise UsageError(f"{value!r} is no number of cases.", where=where, fix="write a whole number from 1.")
    return cases


def column(names: Sequence[str], *wanted: str) -> str | None:
    return next((n for w in wanted for n in names if n.casefold() == w), None)
