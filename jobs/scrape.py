"""One scrape cycle: fetch, keep, read, check expectations, match, reconcile, write in one transaction, publish.

A source that fails stores nothing and stops nobody else; an unchanged page costs one request and adds no claim.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any

from data.errors import UndercutError, UsageError
from data.records import Capture, PriceClaim, ScoreClaim
from data.store import Place, Store, open_store
from jobs.boards import add_pointers, write_scores
from jobs.endpoint_facts import add_facts, add_hand_facts, believe
from jobs.expect import Came, expect
from jobs.held import add_held, earlier, rejected, settle_held
from jobs.ingest import (
    Added,
    add_capture,
    add_catalogue,
    add_package,
    add_price_claims,
    add_rates,
    add_unmatched,
)
from jobs.lists import restand
from jobs.offers import offers_of
from jobs.withdraw import believed_now, gone_keys, withdrawals
from jobs.witnesses import usd_per, waiting, witnesses
from scraper.capture import Bodies
from scraper.facts import read_facts
from scraper.fetch import Fetcher
from scraper.fx import FxRate, read_fx
from scraper.gather import fetch_source
from scraper.genai import load_package
from scraper.match import Matcher
from scraper.prices import read_prices
from scraper.reconcile import key_text, reconcile
from scraper.scores import read_scores
from scraper.seed import load_releases
from scraper.source import Source, load_sources

Progress = Callable[[str], None]
Due = Callable[[Source, datetime | None], bool]  # by the last success
ELSEWHERE = "elsewhere"  # another machine reads the source, or has just read it


@dataclass(frozen=True)
class Line:
    """What became of one source."""

    source: str
    outcome: str
    claims: int = 0
    rates: int = 0
    scores: int = 0
    held: int = 0
    unmatched: int = 0
    facts: int = 0  # about endpoints: limits, features, retirement
    seconds: float = 0.0
    error: str = ""
    notes: tuple[str, ...] = ()  # what was left out or doubted as a whole, and why


@dataclass(frozen=True)
class Report:
    lines: list[Line]

    @property
    def exit_code(self) -> int:
        failed = sum(line.outcome == "failed" for line in self.lines)
        return 0 if not failed else 21 if failed == len(self.lines) else 20


@dataclass(frozen=True)
class Read:
    """A reading ready to be written: the capture, and either claims of prices or of scores."""

    source: Source
    capture: Capture
    prices: tuple[PriceClaim, ...] = ()
    scores: tuple[ScoreClaim, ...] = ()
    missing: tuple[str, ...] = ()  # fields that the source file names and the page no longer has
    fx: tuple[FxRate, ...] = ()


def scrape_cycle(
    place: Place,
    source_ids: Sequence[str] | None,
    *,
    now: datetime,
    progress: Progress = lambda _: None,
    browser: str | None = None,
    sources: dict[str, Source] | None = None,
    fetcher: Fetcher | None = None,
    due: Due = lambda _source, _last: True,
) -> Report:
    """Run the named sources (all where none is named). Raises UsageError for an id nobody declared.

    Each is read under a lease, so that no two machines read it at once. `due`, asked under that lease: is it still due?
    """
    declared = sources if sources is not None else load_sources()
    if unknown := [s for s in source_ids or () if s not in declared]:
        raise UsageError(f"no source {unknown[0]!r}.", where="scraper/sources", fix=f"one of {', '.join(declared)}.")
    # lists before the pages they bear witness to, so that the order in which somebody names them decides nothing
    chosen = sorted(
        (declared[s] for s in source_ids or readable(declared)),
        key=lambda s: (s.kind != "fx", s.kind == "official", s.id),
    )
    fetcher = fetcher or Fetcher()
    lines: list[Line] = []
    with open_store(place) as store:
        matcher = Matcher.from_package()
        with store.transaction():  # which models and endpoints there are; rows only for what is new
            add_catalogue(store, matcher, load_releases(), now)
            add_hand_facts(store, matcher.catalogue, matcher.endpoints(), now)
            if moved := add_pointers(store, matcher, "genai-prices", now):
                lines.append(Line("names that move", "changed", notes=tuple(moved)))
        for source in chosen:
            progress(f"reading {source.id}")
            started = time.monotonic()
            with store.lease(f"scrape {source.id}") as mine:
                if mine and due(source, last_success(store, source.id)):
                    line = _one(store, source, declared, matcher, fetcher, browser, now)
                else:
                    line = Line(source.id, ELSEWHERE)
            lines.append(replace(line, seconds=round(time.monotonic() - started, 2)))
        if any(line.outcome in ("new", "changed") or line.rates for line in lines):
            progress("settling what only lists say")
            with store.transaction():
                believe(store, matcher, now)
                restand(store, declared, matcher, now)
        if any(line.outcome in ("new", "changed", "failed") or line.rates for line in lines) or not store.has_copy:
            progress("publishing the database")
            store.publish()
    return Report(lines)


def _one(
    store: Store,
    source: Source,
    declared: dict[str, Source],
    matcher: Matcher,
    fetcher: Fetcher,
    browser: str | None,
    now: datetime,
) -> Line:
    """One source, whole or not at all."""
    try:
        if source.renderer == "package":
            reading = load_package(source)
            Bodies(store.kept).put(reading.body)
            with store.transaction():
                added = add_package(store, reading)
                if added.outcome == "unchanged":
                    add_capture(store, reading.capture.model_copy(update={"outcome": "unchanged", "fetched_at": now}))
                _note_run(store, source, now, added.outcome)
                return _line(added)
        found = read_source(store, source, fetcher, browser, now)
        with store.transaction():
            line = write(store, found, declared, matcher, now)
            if source.kind == "catalogue" and found.capture.outcome != "unchanged" and found.capture.sha256:
                told = add_facts(store, source, read_facts(Bodies(store.kept).get(found.capture.sha256)), matcher, now)
                line = replace(line, facts=told)
            _note_run(store, source, now, line.outcome, "; ".join(line.notes) or None)
            return line
    except (
        Exception
    ) as error:  # a fault of ours too: what one host answers ends no cycle. A store that is gone rises below
        said = _said(error)
        failed = Capture(source_id=source.id, url=source.url, fetched_at=now, outcome="failed", error=said[:500])
        with store.transaction():
            add_capture(store, failed)
            _note_run(store, source, now, "failed", said)
        return Line(source.id, "failed", error=said)


def _said(error: Exception) -> str:
    """An error as its source's line tells it; one that is not of our tree with its type and place."""
    if isinstance(error, UndercutError):
        return str(error)
    at = extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno}). Fix: report it; nothing was stored."
    )


def read_source(store: Store, source: Source, fetcher: Fetcher, browser: str | None, now: datetime) -> Read:
    """Fetch, keep the body and read it. Raises HostFailed or PageChanged; then nothing is stored."""
    last, bodies = last_capture(store, source.id), Bodies(store.kept)
    whole = last.get("sha256") is not None and bodies.has(last["sha256"])  # a body that went missing is asked for again
    answer = fetch_source(
        source,
        fetcher,
        etag=last.get("etag") if whole else None,
        last_modified=last.get("last_modified") if whole else None,
        key=key_of(source),
        browser=browser,
    )
    sha = answer.sha256 or last.get("sha256")
    capture = Capture(
        source_id=source.id,
        url=source.url,
        fetched_at=now,
        http_status=answer.status,
        sha256=sha,
        bytes=len(answer.body or b""),
        renderer="browser" if source.renderer == "browser" else "http",
        outcome="unchanged" if sha == last.get("sha256") else "changed" if last.get("sha256") else "new",
        etag=answer.etag or (last.get("etag") if answer.body is None else None),
        last_modified=answer.last_modified or (last.get("last_modified") if answer.body is None else None),
    )
    if capture.outcome == "unchanged" and not earlier(store, source):
        if answer.body is not None:
            bodies.put(answer.body)
        return Read(source, capture)
    body = answer.body if answer.body is not None else bodies.get(str(sha))
    found = _claims(source, capture, body)
    bodies.put(body)
    return found


def _claims(source: Source, capture: Capture, body: bytes) -> Read:
    if source.kind == "benchmark":
        scored = read_scores(body, url=source.url, source=source)
        expect(source, Came([(c.model_as_written, None) for c in scored.claims], failed=scored.failed))
        return Read(source, capture, scores=scored.claims, missing=scored.missing)
    if source.kind == "fx":
        rates = read_fx(body)
        expect(source, Came([(r.currency, None) for r in rates], failed=None if rates else "no exchange rate in it."))
        return Read(source, capture, fx=rates)
    priced = read_prices(body, url=source.url, source=source)
    names = [(c.model_as_written, c.model_id_as_written) for c in priced.claims]
    usd = [c.usd_per_mtok for c in priced.claims if c.usd_per_mtok is not None]
    expect(source, Came(names, usd, [(r.text, r.why) for r in priced.refused], priced.failed))
    return Read(source, capture, prices=priced.claims)


def write(store: Store, found: Read, sources: dict[str, Source], matcher: Matcher, now: datetime) -> Line:
    """One reading into the tables, inside the caller's transaction."""
    source, capture = found.source, found.capture
    if found.fx:
        add_capture(store, capture)
        rows = ({**vars(r), "day": r.day.isoformat(), "source_id": source.id, "known_from": now} for r in found.fx)
        return Line(source.id, capture.outcome, rates=store.insert("fx_rate", rows, unique=("day", "currency")))
    if found.scores:
        added, said = write_scores(store, source, capture, found.scores, found.missing, matcher, now)
        return replace(_line(added), held=len(said), notes=tuple(said))
    if not found.prices:
        add_capture(store, capture)
        return Line(source.id, capture.outcome, rates=_withdraw(store, source, matcher, now))
    if source.provider is None:  # a list of other people's prices: it bears witness, it sells nothing
        add_capture(store, capture)
        return Line(source.id, capture.outcome, claims=add_price_claims(store, source.id, found.prices, now))
    offers, unknown, left = offers_of(source, found.prices, matcher)
    endpoints = {o.endpoint_id for o in offers}
    believed = believed_now(store, now, endpoints)
    beliefs = reconcile(
        source,
        offers,
        believed,
        now=now,
        earlier=earlier(store, source),
        rejected=rejected(store, source),
        witnesses=witnesses(store, source, sources, offers, believed, matcher, now),
        waiting=waiting(store, source, sources),
        gone=gone_keys(store, sources, now, endpoints),
        usd_per=usd_per(store, now),
    )
    add_capture(store, capture)
    claims = add_price_claims(store, source.id, found.prices, now) if capture.outcome != "unchanged" else 0
    rates = add_rates(store, beliefs.rates)
    held = add_held(store, beliefs.held)
    settle_held(store, source, dict(beliefs.released), (key_text(source.id, o) for o in offers), now)
    add_unmatched(store, capture, unknown, "price", now)
    rates += _withdraw(store, source, matcher, now)
    notes = (*beliefs.notes, *said_often(left))
    return Line(source.id, capture.outcome, claims=claims, rates=rates, held=held, unmatched=len(unknown), notes=notes)


def _withdraw(store: Store, source: Source, matcher: Matcher, now: datetime) -> int:
    """Rows for what this reading was the last to miss."""
    return add_rates(store, withdrawals(store, source, matcher, now)) if source.kind in ("official", "catalogue") else 0


def said_often(left: Sequence[str], most: int = 5) -> list[str]:
    """Why claims became no rates: each reason with how many, the commonest first."""
    counted = Counter(text.rpartition(": ")[2] for text in left).most_common()
    rest = sum(n for _, n in counted[most:])
    return [f"{n} left as claims: {why}" for why, n in counted[:most]] + (
        [f"{rest} more left as claims"] if rest else []
    )


def readable(sources: dict[str, Source]) -> list[str]:
    """The sources that can be read here: those that ask for the reader's own key only where it is set."""
    return [i for i, s in sources.items() if s.key_env is None or os.environ.get(s.key_env)]


def key_of(source: Source) -> str | None:
    """The reader's own key. Raises UsageError where the source asks for one and it is not set."""
    if source.key_env is None:
        return None
    if not (key := os.environ.get(source.key_env)):
        fix = f"set {source.key_env} to your own key and mind the terms: {source.licence}."
        raise UsageError(f"{source.name} is read with your own key only.", where=source.url, fix=fix)
    return key


def last_capture(store: Store, source_id: str) -> dict[str, Any]:
    """The newest capture of a source that was read, or an empty one."""
    query = "select * from capture where source_id = ? and outcome <> 'failed' order by fetched_at desc limit 1"
    found = store.rows(query, [source_id])
    return found[0] if found else {}


def last_success(store: Store, source_id: str) -> datetime | None:
    """When the source was last read well, by the run table."""
    query = (
        "select max(coalesce(finished_at, started_at)) as last from run "
        "where source_id = ? and outcome in ('new', 'changed', 'unchanged')"
    )
    last = store.rows(query, [source_id])[0]["last"]
    return None if last is None else last.replace(tzinfo=UTC)


def _note_run(store: Store, source: Source, now: datetime, outcome: str, detail: str | None = None) -> None:
    run = {"run_id": f"{source.id}@{now.isoformat()}", "kind": "scrape", "source_id": source.id, "started_at": now}
    store.insert("run", [{**run, "finished_at": now, "outcome": outcome, "detail": detail[:500] if detail else None}])


def _line(added: Added) -> Line:
    return Line(added.source_id, added.outcome, added.claims, added.rates, added.scores, 0, added.unmatched)
