"""Readings -> tables, inside the caller's transaction. An unchanged body adds no row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.records import Capture, PriceClaim, Rate, Score, ScoreClaim
from data.store import Store
from scraper.genai import PackageReading, rate_of
from scraper.match import Match, Matcher
from scraper.seed import Release, SeedReading


@dataclass(frozen=True)
class Added:
    """What one source brought. `unmatched` counts names, not rows."""

    source_id: str
    outcome: str
    claims: int = 0
    rates: int = 0
    scores: int = 0
    unmatched: int = 0


def last_body(store: Store, source_id: str) -> str | None:
    """SHA-256 of the newest body of a source that was read, or nobody."""
    found = store.rows(
        "select sha256 from capture where source_id = ? and outcome <> 'failed' order by fetched_at desc limit 1",
        [source_id],
    )
    return found[0]["sha256"] if found else None


def add_capture(store: Store, capture: Capture) -> None:
    store.insert("capture", [capture.model_dump()])


def add_price_claims(store: Store, source_id: str, claims: Iterable[PriceClaim], known_from: datetime) -> int:
    return store.insert(
        "price_claim",
        (_plain(c) | {"claim_id": c.content_id(), "source_id": source_id, "known_from": known_from} for c in claims),
        unique=("claim_id", "source_id"),  # two sources may serve the same body, byte for byte
    )


def add_rates(store: Store, rates: Iterable[Rate]) -> int:
    return store.insert("rate", ({**_plain(r, "known_to"), "rate_id": r.rate_id} for r in rates))


def add_package(store: Store, reading: PackageReading) -> Added:
    """The prices of the installed package: every rate as stated, standing `single`."""
    source = reading.capture.source_id
    if last_body(store, source) == reading.capture.sha256:
        return Added(source, "unchanged")
    known_from = reading.capture.as_of or reading.capture.fetched_at
    outcome = "new" if last_body(store, source) is None else "changed"
    claims = add_price_claims(store, source, reading.claims, known_from)
    rates = add_rates(store, (rate_of(o, reading.capture) for o in reading.offers))
    add_capture(store, reading.capture.model_copy(update={"outcome": outcome}))
    return Added(source, outcome, claims=claims, rates=rates)


def add_catalogue(store: Store, matcher: Matcher, releases: Iterable[Release], known_from: datetime) -> int:
    """Models and endpoints as far as known; a changed fact is a new row."""
    dates = _release_days(matcher, releases)
    models = []
    for m in matcher.models():
        stated = dates.get(m.model_id)
        facts = {"released_on": m.released_on or (stated[0] if stated else None)}
        facts["open_weights"] = m.open_weights if m.open_weights is not None else (stated[1] if stated else None)  # type: ignore[assignment]
        models.append({**m.model_dump(), **facts, "known_from": known_from})
    endpoints = [{**e.model_dump(), "known_from": known_from} for e in matcher.endpoints()]
    facts_of_model = ("model_id", "name", "released_on", "open_weights", "tokenizer")
    facts_of_endpoint = (
        "endpoint_id",
        "model_id",
        "context_tokens",
        "deprecated",
        "retires_on",
        "retention",
        "precision",
        "regions",
        "max_output_tokens",
        "features",
        "params",
        "checked_on",
    )
    return store.insert("model", models, unique=facts_of_model) + store.insert(
        "endpoint", endpoints, unique=facts_of_endpoint
    )


def add_seed(store: Store, seed: SeedReading, matcher: Matcher) -> list[Added]:
    """The shipped scores, source by source; names that nobody knows go to the list for a person."""
    captures = {c.source_id: c for c in seed.captures}
    by_source: dict[str, list[ScoreClaim]] = {}
    for stated in seed.stated:
        by_source.setdefault(stated.source_id, []).append(stated.claim)
    first = next(iter(captures.values())).as_of
    store.insert("benchmark", ({**b.model_dump(), "known_from": first} for b in seed.benchmarks), unique=("benchmark",))
    return [add_scores(store, captures[source], claims, matcher) for source, claims in sorted(by_source.items())]


def add_scores(store: Store, capture: Capture, claims: Iterable[ScoreClaim], matcher: Matcher) -> Added:
    """Score claims of one source, matched; nothing where the body is the one already read."""
    source, known_from = capture.source_id, capture.as_of or capture.fetched_at
    previous = last_body(store, source)
    if previous == capture.sha256:
        return Added(source, "unchanged")
    rows, scores, unknown = [], [], {}
    asked: dict[str, Match] = {}  # a board names a model many times
    for claim in claims:
        claim_id = claim.content_id()
        rows.append(_plain(claim) | {"claim_id": claim_id, "source_id": source, "known_from": known_from})
        name = claim.model_as_written
        found = asked.get(name) or asked.setdefault(name, matcher.match(name, source))
        if found.model_id is None:
            unknown[claim.model_as_written] = found.proposals
            continue
        scores.append(score_of(claim, claim_id, source, found.model_id, found.variant, known_from))
    added_claims = store.insert("score_claim", rows)
    added = store.insert("score", ({**_plain(s), "score_id": s.score_id} for s in scores))
    add_unmatched(store, capture, unknown, "score", known_from)
    outcome = "new" if previous is None else "changed"
    add_capture(store, capture.model_copy(update={"outcome": outcome}))
    return Added(source, outcome, claims=added_claims, scores=added, unmatched=len(unknown))


def add_unmatched(
    store: Store, capture: Capture, names: Mapping[str, tuple[str, ...]], kind: str, known_from: datetime
) -> None:
    store.insert(
        "unmatched_name",
        (
            {
                "name": name,
                "source_id": capture.source_id,
                "url": capture.url,
                "kind": kind,
                "proposals": list(near),
                "known_from": known_from,
            }
            for name, near in sorted(names.items())
        ),
        unique=("name", "source_id"),
    )


def score_of(
    claim: ScoreClaim, claim_id: str, source: str, model_id: str, variant: Mapping[str, str], known_from: datetime
) -> Score:
    """A claim about a known model as a score; settings of the row and of the name together."""
    stated = dict(pair.split("=", 1) for pair in claim.variant.split(";") if "=" in pair)
    both = stated | dict(variant)  # what the name says is nearer than the column beside it
    return Score.model_construct(
        model_id=model_id,
        variant=";".join(f"{k}={v}" for k, v in sorted(both.items())),
        benchmark=claim.benchmark,
        metric=claim.metric,
        value=claim.value,
        low=claim.low,
        high=claim.high,
        n_items=claim.n_items,
        cost_usd=claim.cost_usd,
        output_tokens=claim.output_tokens,
        evaluated_on=claim.evaluated_on,
        self_reported=claim.self_reported,
        source_id=source,
        known_from=known_from,
        claim_id=claim_id,
    )


def _release_days(matcher: Matcher, releases: Iterable[Release]) -> dict[str, tuple[str, bool | None]]:
    """Model -> (first release day stated, open weights); names that match nobody are left out."""
    out: dict[str, tuple[str, bool | None]] = {}
    for r in releases:
        found = matcher.match(r.model_as_written)
        if found.model_id is None:
            continue
        old = out.get(found.model_id)
        openness = r.open_weights if r.open_weights is not None else (old[1] if old else None)
        out[found.model_id] = (min(r.released_on, old[0]) if old else r.released_on, openness)
    return out


def _plain(record: Any, *left_out: str) -> dict[str, Any]:
    return {k: v for k, v in vars(record).items() if k not in left_out}
