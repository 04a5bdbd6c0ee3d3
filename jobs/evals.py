"""A team's own evaluation results, from the files that evaluation tools write, as results of models we know.

promptfoo (`output.json`), Inspect (`.json` logs), lm-evaluation-harness (`results_*.json`), and plain CSV or Parquet with
a column for the model and one for the score or the verdict. What a file does not say is not made up.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from data.errors import Problem, RegistryError, UsageError
from data.records import EvalResult, UseCase
from data.registry import Registry, load_registry
from data.store import table_file
from jobs.registered import expired, folder_of, problem_at, with_telemetry
from scraper.match import Matcher

Raw = tuple[str, float, int]  # model as the tool writes it, share of cases passed, cases
PASSED = frozenset(("true", "1", "1.0", "pass", "passed", "correct", "c", "yes", "success"))
MOST_BYTES = 200_000_000
HOSTS = re.compile(
    r"^(?:openai|anthropic|google|vertex|azure|bedrock|mistral|groq|together|hf|openai-api|openrouter)[:/](?:chat:|messages:|completion:)?"
)


def load_cases(files: Sequence[Path], matcher: Matcher | None = None, *, today: date | None = None) -> Registry:
    """The registry with evaluation files and telemetry read and every model of a result known by its id.

    Raises RegistryError with every problem of all files: of the registry first, then, once that can be read, of what
    it names. A model nobody knows is an error, not a guess. `today`: for what has expired.
    """
    matcher = matcher or Matcher.from_package()
    registry = load_registry(files, matcher.resolve)
    problems: list[Problem] = []
    warnings = list(registry.warnings)
    day = today or datetime.now(UTC).date()
    cases = []
    for case in registry.use_cases:
        known = with_evals(case, lambda n: known_model(matcher, n), problems)
        known, told = with_telemetry(known)
        warnings += [*told, *expired(known, day)]
        cases.append(known)
    if problems:
        raise RegistryError(problems)
    return replace(registry, use_cases=tuple(cases), warnings=tuple(warnings))


def with_evals(case: UseCase, known: Callable[[str], str | None], problems: list[Problem]) -> UseCase:
    """The use case with the results of its files; a result written in the registry wins over a file's."""
    if not case.evals.results and not case.evals.files:
        return case
    stated: dict[str, EvalResult] = {}
    places: dict[str, str] = {}
    for n, name in enumerate(case.evals.files):
        base = folder_of(case, f"evals.files[{n}]")
        for path in [base / name] if not any(c in name for c in "*?[") else sorted(base.glob(name)):
            try:
                for model, share, cases in read_results(path):
                    ident = named(model, known, str(path))
                    stated[ident] = merged(
                        stated.get(ident), EvalResult(model=ident, score=share, n=cases, note=path.name)
                    )
                    places[ident] = case.origins.get(f"evals.files[{n}]", "")
            except UsageError as error:
                problems.append(problem_at(case, f"evals.files[{n}]", "evals", f"{path}: {error.what}", error.fix))
    for n, result in enumerate(case.evals.results):
        try:
            ident = named(result.model, known, f"{case.slug}: evals.results")
            stated[ident] = result.model_copy(update={"model": ident})
            places[ident] = case.origins.get(f"evals.results[{n}]", "")
        except UsageError as error:
            problems.append(problem_at(case, f"evals.results[{n}]", "evals", error.what, error.fix))
    origins = case.origins | {f"evals.results[{n}]": places[ident] for n, ident in enumerate(stated)}
    evals = case.evals.model_copy(update={"results": tuple(stated.values())})
    return case.model_copy(update={"evals": evals, "origins": origins})


def merged(old: EvalResult | None, new: EvalResult) -> EvalResult:
    """Two files on one model are one sample."""
    if old is None:
        return new
    n = old.n + new.n
    return new.model_copy(
        update={"score": (old.score * old.n + new.score * new.n) / n, "n": n, "note": f"{old.note}, {new.note}"}
    )


def named(written: str, known: Callable[[str], str | None], where: str) -> str:
    found = known(written)
    if found is None:
        raise UsageError(
            f"{written!r} is no model that is known.", where=where, fix="write it as undercut match knows it."
        )
    return found


def known_model(matcher: Matcher, written: str) -> str | None:
    """The model a tool's name for it means: as it is, or without the tool's prefix for the host."""
    for name in dict.fromkeys((written, HOSTS.sub("", written))):
        found = matcher.match(name, "evals").model_id
        if found:
            return found
    return None


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
        rows = table.rows(f"select {', '.join(quoted(c) for c in wanted)} from log where {quoted(model)} is not null")
    if verdict is not None or score is None:
        passed: dict[str, list[bool]] = defaultdict(list)
        for r in rows:
            if verdict and r[verdict] is not None:
                passed[str(r[model])].append(str(r[verdict]).casefold() in PASSED)
        return counted(passed)
    shares: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for r in rows:
        if r[score] is not None:
            shares[str(r[model])].append((checked(r[score], str(path)), int(r[count]) if count and r[count] else 1))
    return [
        (m, sum(s * n for s, n in v) / sum(n for _, n in v), sum(n for _, n in v)) for m, v in sorted(shares.items())
    ]


def counted(passed: Mapping[str, Iterable[bool]]) -> list[Raw]:
    return [(m, sum(v) / len(v), len(v)) for m, v in sorted((m, list(v)) for m, v in passed.items()) if v]


def checked(value: Any, where: str = "") -> float:
    """A share from 0 to 1. Raises UsageError: 87 may be a percentage or a mistake."""
    share = float(value)
    if not 0 <= share <= 1:
        raise UsageError(f"{value!r} is no share from 0 to 1.", where=where, fix="write 0.87 for 87 %.")
    return share


def column(names: Sequence[str], *wanted: str) -> str | None:
    return next((n for w in wanted for n in names if n.casefold() == w), None)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
