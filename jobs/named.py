"""Names that a registry entry holds beside the model in use -> the ids that the rest works with; one nobody knows is said."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache

from data.errors import Problem
from data.records import Ruling, UseCase
from jobs.registered import problem_at
from scraper.match import Matcher
from scraper.match.entries import HOSTS

Known = Callable[[str], str | None]


def with_ids(
    case: UseCase, matcher: Matcher, known: Known, problems: list[Problem], warnings: list[Problem]
) -> UseCase:
    """The use case with ids for the models of its decisions and its counts and for every host it names.

    A "no" to a model nobody knows would shut out nothing, a host nobody knows everything: both are problems. The model of a
    design may be older than the catalogue: a warning.
    """

    def model(written: str, key: str) -> str:
        found = known(written)
        if found is None:
            problems.append(_unknown_model(case, written, key, matcher))
        return found or written

    def host(written: str, key: str) -> str:
        name = HOSTS.get(written.casefold(), written.casefold())
        if name not in selling(matcher) and name not in read_from():
            every = sorted(selling(matcher) | read_from())
            near = difflib.get_close_matches(name, every, n=3)
            fix = f"{' or '.join(near)}." if near else f"one of {', '.join(every)}."
            problems.append(problem_at(case, key, "host", f"no host {written!r} sells anything that is known.", fix))
        return name

    def ruling(r: Ruling, key: str) -> Ruling:
        return r.model_copy(update={"model": model(r.model, key), "via": r.via and host(r.via, key)})

    load, need = case.workload, case.require
    if load.measured_on:
        load = load.model_copy(update={"measured_on": model(load.measured_on, "tokens.measured_on")})
    if need.providers:
        named = (host(p, f"require.providers[{n}]") for n, p in enumerate(need.providers))
        need = need.model_copy(update={"providers": tuple(dict.fromkeys(named))})
    if case.designed and case.designed.model and known(case.designed.model) is None:
        warnings.append(_unknown_model(case, case.designed.model, "designed.model", matcher))
    rulings = tuple(ruling(r, f"decisions[{n}]") for n, r in enumerate(case.rulings))
    return case.model_copy(update={"workload": load, "require": need, "rulings": rulings})


def selling(matcher: Matcher) -> frozenset[str]:
    """The hosts that price something in the catalogue."""
    return frozenset(e.provider for e in matcher.endpoints())


@cache
def read_from() -> frozenset[str]:
    """The hosts whose own pages are read; asked only about a name that the catalogue does not have."""
    from scraper.source import load_sources

    return frozenset(s.provider for s in load_sources().values() if s.provider)


def _unknown_model(case: UseCase, written: str, key: str, matcher: Matcher) -> Problem:
    near = ", ".join(matcher.match(written).proposals[:3])
    fix = f"nearest names are {near}." if near else "write it as undercut match knows it."
    return problem_at(case, key, "model", f"{written} is not in the catalogue.", fix)
