"""What a registry entry names outside itself: telemetry as counts, and warnings that need a clock. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DataMissing, Problem, UsageError
from data.records import Tokens, UseCase
from data.tasks import load_benchmarks
from jobs.profile import Profile, profile
from recommender.eligible import in_region, ruling_ends
from scraper.facts import PARAMS

if TYPE_CHECKING:
    from jobs.check import Checked

GAP = 0.25  # between the numbers written and the ones measured: above it a person is told (PRODUCT 2.1, rule 11)
LOGS = (".csv", ".json", ".jsonl", ".ndjson", ".parquet")


def problem_at(case: UseCase, key: str, code: str, message: str, fix: str) -> Problem:
    """A fault at the place where a key of the entry stands; where nothing is written, at the nearest part that is."""
    near = case.origins.get(key) or case.origins.get(key.partition("[")[0]) or case.origins.get("task", "")
    file, _, line = near.removeprefix("defaults ").rpartition(":")
    shown = f"{case.slug}.{key}".replace("evals.files", "evals.results")
    return Problem(file, int(line) if line.isdigit() else 1, 1, shown, code, message, fix)


def folder_of(case: UseCase, key: str) -> Path:
    """The folder of the registry file that a key stands in: what it names lies beside it."""
    return Path(problem_at(case, key, "", "", "").file).parent


def expired(case: UseCase, today: date) -> list[Problem]:
    """Decisions that hold no more and silence that is over."""
    out = []
    for n, ruling in enumerate(case.rulings):
        if ruling.verdict in ("rejected", "later") and ruling_ends(ruling) < today:
            said = f"{ruling.verdict} {ruling.model} ended on {ruling_ends(ruling)}."
            out.append(problem_at(case, f"decisions[{n}]", "expired", said, "decide again, or drop it."))
    until = case.alerts.snooze_until
    if until and until < today.isoformat():
        said = f"{until} is over: alerts are sent again."
        out.append(problem_at(case, "alerts.snooze_until", "expired", said, "drop it, or name a later day."))
    return out


def unknown_boards(case: UseCase) -> list[Problem]:
    """Benchmarks of `quality.benchmarks` that no catalogue, shipped table or source holds: they count for nothing."""
    out = []
    for name in case.quality.benchmarks:
        if name in load_benchmarks():
            continue
        named, made = _boards()
        if name not in named and not any(pattern.fullmatch(name) for pattern in made):
            near = get_close_matches(name, named, n=1)
            fix = f'write "{near[0]}".' if near else 'undercut sql "select distinct benchmark from scores" names them.'
            said = f'no benchmark "{name}" is known: it counts for nothing.'
            out.append(problem_at(case, f"quality.benchmarks.{name}", "benchmark", said, fix))
    return out


def unknown_demands(case: UseCase, regions: Sequence[str]) -> list[Problem]:
    """Parameters and regions of `require` that no catalogue knows: as what is unknown does not pass, they shut out all.

    `regions`: those in which an endpoint of the catalogue processes.
    """
    out = []
    for n, name in enumerate(case.require.params):
        if name not in PARAMS:
            near = get_close_matches(name, PARAMS, n=1)
            fix = f'write "{near[0]}".' if near else f"drop it, or demand one of {', '.join(sorted(PARAMS))}."
            said = f'no catalogue says who accepts "{name}": it shuts out every other choice.'
            out.append(problem_at(case, f"require.params[{n}]", "param", said, fix))
    for n, wanted in enumerate(case.require.regions):
        if not any(in_region(region, wanted) for region in regions):
            near = get_close_matches(wanted.casefold(), regions, n=1)
            fix = f'write "{near[0]}".' if near else f"the catalogue knows {', '.join(regions)}."
            said = f'no endpoint of the catalogue is in a region "{wanted}": only one that a page names so would fit.'
            out.append(problem_at(case, f"require.regions[{n}]", "region", said, fix))
    return out


@cache
def _boards() -> tuple[list[str], list[re.Pattern[str]]]:
    """Every benchmark id that can hold a score, and what ids look like that a page's rows make (`name@{mode}`).

    Read only where an entry names one that the catalogue does not.
    """
    from scraper.seed import load_seed
    from scraper.source import load_sources

    read = {s.benchmark for source in load_sources().values() if source.board for s in source.board.boards.values()}
    named = {*load_benchmarks(), *(b.benchmark for b in load_seed().benchmarks), *(b for b in read if "{" not in b)}
    made = (re.split(r"\{\w+\}", b) for b in sorted(read) if "{" in b)
    return sorted(named), [re.compile("[^@]+".join(map(re.escape, parts))) for parts in made]


def nothing_left(done: Checked) -> list[Problem]:
    """Use cases whose demands no other choice meets."""
    return [
        problem_at(
            case,
            "require",
            "no_candidate",
            "leaves no candidate.",
            f"see the reasons in undercut rank {case.slug} --json.",
        )
        for case, _ in done.decisions
        if not any(c.eligible for c in done.candidates[case.slug][1:])
    ]


def in_use_though(done: Checked) -> list[Problem]:
    """Models in use that do not meet what every other choice is held to."""
    return [
        problem_at(
            case,
            "require",
            "unmet",
            f"{d.current.endpoint_id} is {why}.",
            "drop the demand if it is none; as it stands, only what meets it is proposed.",
        )
        for case, d in done.decisions
        for why in d.current.reasons
        if why.startswith("in use though")
    ]


def with_telemetry(case: UseCase, known: Callable[[str], str | None]) -> tuple[UseCase, list[Problem]]:
    """The use case with the token counts of its log (`tokens.from`); what is written stays as fallback.

    Only the calls of the model in use count, or of the one that `tokens.measured_on` names; a log without a column of models
    is taken for what the entry says it is. Calls a day are not taken from it: an export may be a sample.
    """
    if case.telemetry is None:
        return case, []

    def told(message: str, fix: str) -> list[Problem]:
        return [problem_at(case, "tokens.from", "telemetry", message, fix)]

    path = folder_of(case, "tokens.from") / case.telemetry
    if path.suffix.casefold() not in LOGS:
        what = f"{case.telemetry} is no file, and nothing is fetched from here: the numbers written stand."
        return case, told(what, "export it, and name the file (CSV, JSON Lines, JSON or Parquet).")
    if not path.is_file():
        return case, told(f"no file {path}: the numbers written stand.", "export it again, or name the file.")
    try:
        found = profile(path, means=known)
    except (UsageError, DataMissing) as error:
        return case, told(f"{error.what} The numbers written stand.", error.fix)
    by_model = {p.model: p for p in found}
    ours = next((m for m in (case.current.model_id, case.workload.measured_on, None) if m in by_model), "")
    if ours == "":
        names = ", ".join(str(p.model) for p in found[:4]) + (", …" if len(found) > 4 else "")
        what = f"{path.name} holds calls of {names} and none of {case.current.model_id}: the numbers written stand."
        return case, told(
            what, f"export the calls of {case.current.model_id}, or say in tokens.measured_on whose they are."
        )
    measured = _measured(by_model[ours])
    load, gaps = case.workload, []
    if ours == case.current.model_id and load.measured_on:
        measured["measured_on"] = ours
    for field, key in (
        ("input_tokens", "tokens.in"),
        ("output_tokens", "tokens.out"),
    ):
        was, is_now = getattr(load, field).mean, measured[field].mean
        if was and abs(is_now / was - 1) > GAP:
            gaps.append(f"{key} is {is_now:,.0f} there and {was:,.0f} here")
    origins = dict.fromkeys(("tokens.in", "tokens.out"), f"measured in {path.name}")
    origins |= {"tokens.reasoning": origins["tokens.in"]} if "reasoning_tokens" in measured else {}
    origins |= {"tokens.cached": origins["tokens.in"]} if "cached_share" in measured else {}
    plain = {k: v for k, v in case.origins.items() if not k.startswith(tuple(f"{o}." for o in origins))}
    new = case.model_copy(update={"workload": load.model_copy(update=measured), "origins": plain | origins})
    return new, told(f"{path.name} differs: {'; '.join(gaps)}.", "update the numbers; the measured ones are used.") if gaps else []  # fmt: skip


def _measured(p: Profile) -> dict[str, Any]:
    out: dict[str, Any] = {
        "input_tokens": Tokens(**p.input_tokens),
        "output_tokens": Tokens(**p.output_tokens),
    }  # fmt: skip
    if p.reasoning_tokens is not None:
        out["reasoning_tokens"] = Tokens(**p.reasoning_tokens)
    if p.cached_share is not None:
        out["cached_share"] = p.cached_share  # at most 1: no row has more cached than its prompt
    return out
