"""`rank --set`: the choice of a use case as it is, and as it would be if its entry said something else. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from data.errors import DataMissing, RegistryError, UsageError
from data.records import Candidate, Decision
from data.registry import Registry
from data.registry.changes import read_change
from data.store import Copy, Place, published
from jobs.answered import with_answers
from jobs.check import decide_all, waiting
from jobs.evals import load_cases
from jobs.facts import facts_as_of
from jobs.weigh import fit
from scraper.match import Matcher


@dataclass(frozen=True)
class Weighed:
    """One use case decided; `candidates` in order, the present choice first."""

    decision: Decision
    candidates: list[Candidate]


def what_if(
    place: Place,
    files: Sequence[Path],
    slug: str,
    changes: Sequence[str],
    *,
    now: datetime,
    tell: Callable[[str], None],
) -> tuple[Weighed, Weighed]:
    """(as registered, as changed) on the facts of a published copy, a contract counted, for that team's own eyes.

    Raises UsageError for a change that an entry could not hold, DataMissing without prices or the use case.
    """
    read = [read_change(c) for c in changes]
    matcher = Matcher.from_package()
    plain = load_cases(files, matcher, today=now.date())
    if slug not in {c.slug for c in plain.use_cases}:
        known = ", ".join(c.slug for c in plain.use_cases)
        raise DataMissing(f"no use case {slug!r}.", where="the registry", fix=f"one of {known}.")
    try:
        changed = load_cases(files, matcher, today=now.date(), changes={slug: read})
    except RegistryError as error:
        first = error.problems[0]
        raise UsageError(f"{first.key}: {first.message}", where="--set", fix=first.fix) from None
    with published(place) as con:
        facts, since = facts_as_of(Copy(con), now), waiting(Copy(con))
        plain, changed = with_answers(Copy(con), plain), with_answers(Copy(con), changed)
    if facts is None:
        raise DataMissing("no prices in it.", where=str(place), fix="run `undercut demo` or `undercut scrape`.")
    tell("estimating quality")
    fitted = fit(facts)

    def weighed(registry: Registry) -> Weighed:
        only = replace(registry, use_cases=tuple(c for c in registry.use_cases if c.slug == slug))
        ((_, decision),), candidates, _ = decide_all(only, facts, now, tell, fitted=fitted, waiting_since=since)
        return Weighed(decision, candidates[slug])

    return weighed(plain), weighed(changed)
