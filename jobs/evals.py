"""Registry files as the jobs use them: own results read, telemetry counted, and every name it holds known by its id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from data.errors import Problem, RegistryError, UsageError
from data.records import EvalResult, UseCase
from data.registry import Registry, read_registry
from data.registry.changes import Change
from jobs.named import with_ids
from jobs.registered import expired, folder_of, problem_at, unknown_boards, unknown_demands, with_telemetry
from jobs.results import read_results
from scraper.match import Matcher

HOSTS = re.compile(
    r"^(?:openai|anthropic|google|vertex|azure|bedrock|mistral|groq|together|hf|openai-api|openrouter)[:/](?:chat:|messages:|completion:)?"
)


def load_cases(
    files: Sequence[Path],
    matcher: Matcher | None = None,
    *,
    today: date | None = None,
    changes: Mapping[str, Sequence[Change]] | None = None,
) -> Registry:
    """The registry with evaluation files and telemetry read and every model and host in it known by its id.

    Raises RegistryError with every problem of all files, and of what each use case names that has none. A model nobody
    knows is an error, not a guess. `today`: for what has expired. `changes`: as `load_registry`.
    """
    matcher = matcher or Matcher.from_package()
    registry, problems = read_registry(files, matcher.resolve, changes=changes)
    warnings = list(registry.warnings)
    day = today or datetime.now(UTC).date()
    cases = []

    def ident(written: str) -> str | None:
        return known_model(matcher, written)

    regions = sorted({r for e in matcher.endpoints() for r in e.regions or ()})
    for case in registry.use_cases:
        known = with_evals(with_ids(case, matcher, ident, problems, warnings), ident, problems)
        known, told = with_telemetry(known, ident)
        warnings += [*told, *unknown_boards(known), *unknown_demands(known, regions), *expired(known, day)]
        cases.append(known)
    if problems:
        order = [str(f) for f in files]
        raise RegistryError(
            sorted(problems, key=lambda p: (order.index(p.file) if p.file in order else -1, p.line, p.column))
        )
    return replace(registry, use_cases=tuple(cases), warnings=tuple(warnings))


def with_evals(case: UseCase, known: Callable[[str], str | None], problems: list[Problem]) -> UseCase:
    """The use case with the results of its files; of a model the newest one written in the registry wins over a file's."""
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
    lines: dict[str, list[int]] = {}
    for n, result in enumerate(case.evals.results):
        try:
            lines.setdefault(named(result.model, known, f"{case.slug}: evals.results"), []).append(n)
        except UsageError as error:
            problems.append(problem_at(case, f"evals.results[{n}]", "evals", error.what, error.fix))
    for ident, several in lines.items():
        last = newest(case, ident, several, problems)
        stated[ident] = case.evals.results[last].model_copy(update={"model": ident})
        places[ident] = case.origins.get(f"evals.results[{last}]", "")
    origins = case.origins | {f"evals.results[{n}]": places[ident] for n, ident in enumerate(stated)}
    evals = case.evals.model_copy(update={"results": tuple(stated.values())})
    return case.model_copy(update={"evals": evals, "origins": origins})


def newest(case: UseCase, ident: str, several: list[int], problems: list[Problem]) -> int:
    """Of several written results of a model the one with the latest date; a problem where no date decides."""
    dated = sorted(several, key=lambda n: case.evals.results[n].date or "")
    days = [case.evals.results[n].date for n in dated]
    if len(dated) > 1 and (None in days or days[-1] == days[-2]):
        first, last = (problem_at(case, f"evals.results[{n}]", "", "", "").line for n in (several[0], several[-1]))
        said = f"{ident} has results on lines {first} and {last}, and no date says which is newer."
        problems.append(problem_at(case, f"evals.results[{several[-1]}]", "evals", said, "date each, or keep one."))
    return dated[-1]


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
