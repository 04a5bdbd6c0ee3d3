"""What a published copy and the registry say together: every use case decided, ready for audits, plans and reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from data.errors import DataMissing
from data.records import Candidate, Decision, UseCase
from data.registry import Registry
from data.store import Place, Readable
from jobs.answered import with_answers
from jobs.check import decide_all, waiting
from jobs.evals import load_cases
from jobs.facts import Facts, facts_as_of
from jobs.tokens import verbosities
from jobs.weigh import fit, weigh
from recommender.cost import RateBook
from recommender.quality import Fitted
from recommender.verbosity import Subject, Verbosity
from scraper.match import Matcher

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Standing:
    """Facts as known at `now`, and every use case weighed on them; costs are the team's own, contracts counted."""

    now: datetime
    registry: Registry
    facts: Facts
    matcher: Matcher
    decisions: Mapping[str, Decision]
    candidates: Mapping[str, list[Candidate]]  # the present one first

    @cached_property
    def book(self) -> RateBook:
        return RateBook(self.facts.rates, at=self.now)

    @cached_property
    def fitted(self) -> Fitted | None:
        return fit(self.facts)

    @cached_property
    def lengths(self) -> Mapping[Subject, Mapping[str, Verbosity]]:
        return verbosities(self.facts.scores, self.facts.rates, self.facts.endpoints.values(), self.matcher)

    def case(self, slug: str) -> UseCase:
        """Raises DataMissing for a slug that no registry file has."""
        for case in self.registry.use_cases:
            if case.slug == slug:
                return case
        known = ", ".join(c.slug for c in self.registry.use_cases) or "none"
        raise DataMissing(f"no use case {slug!r}.", where="the registry", fix=f"one of {known}.")

    def weighed(self, case: UseCase) -> tuple[Candidate, list[Candidate]]:
        """A use case as it might be, e.g. with another model in use."""
        return weigh(case, self.facts, self.book, self.fitted, self.lengths)


def named(c: Candidate) -> str:
    """The endpoint, with its tier where that is not standard."""
    return c.endpoint_id if c.tier == "standard" else f"{c.endpoint_id} [{c.tier}]"


def look(published_copy: Place, files: list[Path], now: datetime, tell: Progress) -> Standing:
    """Decide everything on a published copy, a team's contract included, for that team's own eyes; writes nothing.

    Raises DataMissing where it has no prices.
    """
    from data.store import Copy, published

    matcher = Matcher.from_package()
    registry = load_cases(files, matcher)
    with published(published_copy) as con:
        found = standing(Copy(con), registry, matcher, now, tell)
    if found is None:
        raise DataMissing(
            "no prices in it.", where=str(published_copy), fix="run `undercut demo` or `undercut scrape`."
        )
    return found


def standing(store: Readable, registry: Registry, matcher: Matcher, now: datetime, tell: Progress) -> Standing | None:
    """Decided as `check` would, people's answers and waits counted; None where no price is known."""
    facts = facts_as_of(store, now)
    if facts is None:
        return None
    answered = with_answers(store, registry)
    decided, candidates, _ = decide_all(answered, facts, now, tell, waiting_since=waiting(store))
    return Standing(now, answered, facts, matcher, {c.slug: d for c, d in decided}, candidates)


def at_list(registry: Registry) -> Registry:
    """The registry without contract prices and discounts."""
    bare = {"private_price": {}, "discount_share": 0.0}

    def listed(case: UseCase) -> UseCase:
        spare = tuple(f.model_copy(update=bare) for f in case.fallbacks)
        return case.model_copy(update={"current": case.current.model_copy(update=bare), "fallbacks": spare})

    return replace(registry, use_cases=tuple(map(listed, registry.use_cases)))
