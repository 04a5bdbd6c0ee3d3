"""The main job on what ships with the project: no network, no Slack, no browser; decided as of the day of its prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.store import Place, Store, open_store
from jobs.abundance import keep
from jobs.check import Checked, check_cycle, deciding
from jobs.evals import load_cases
from jobs.ingest import Added, add_catalogue, add_package, add_seed

if TYPE_CHECKING:
    from scraper.genai import PackageReading
    from scraper.match import Matcher

Progress = Callable[[str], None]
REHEARSAL = "demo: shown, never sent"


@dataclass(frozen=True)
class Demo:
    added: list[Added]
    checked: Checked
    package: str
    decided_at: datetime

    @property
    def changed(self) -> bool:
        return bool(self.checked.changed) or any(a.outcome != "unchanged" for a in self.added)


def run_demo(place: Place, registry_files: list[Path], progress: Progress = lambda _: None) -> Demo:
    """Fill the database, decide every use case, publish. A second run on the same facts changes nothing."""
    from scraper.genai import load_package
    from scraper.match import Matcher

    progress("reading the catalogue of names")
    matcher = Matcher.from_package()
    registry = load_cases(registry_files, matcher)
    with open_store(place) as store, deciding(store):
        progress("reading prices of the installed package genai-prices")
        package = load_package()
        as_of = package.capture.as_of or package.capture.fetched_at
        added = fill(store, package, matcher, as_of, progress)
        checked = check_cycle(store, registry, now=as_of, progress=progress, rehearsal=REHEARSAL)
        grown = keep(store, registry, as_of, progress)
        if grown or checked.changed or any(a.outcome != "unchanged" for a in added) or not store.has_copy:
            progress("publishing the database")
            store.publish()
    return Demo(added, checked, package.capture.url, as_of)


def fill(store: Store, package: PackageReading, matcher: Matcher, as_of: datetime, progress: Progress) -> list[Added]:
    """Shipped prices and scores into the tables, in one transaction; kept bodies first, so that every row has its own."""
    from scraper.capture import Bodies
    from scraper.seed import load_releases, load_seed

    progress("reading scores of the shipped benchmark tables")
    seed = load_seed()
    bodies = Bodies(store.kept)
    bodies.put(package.body)
    bodies.put(seed.body)
    with store.transaction():
        progress("writing prices")
        added = [add_package(store, package)]
        add_catalogue(store, matcher, load_releases(), as_of)
        progress("matching model names and writing scores")
        added += add_seed(store, seed, matcher)
    return added
