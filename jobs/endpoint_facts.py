"""What catalogues state of endpoints into the tables, and from it what is believed of each endpoint.

What a person took from a host's page wins, then what a seller says of its own endpoints. Other lists together: of two limits
the smaller one, of yes and no neither; a contradiction is unknown, and a hard requirement says so. A retirement needs two
lists that name the same day: it alarms people.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from data.catalogue import Catalogue
from data.records import Endpoint
from data.store import Store
from scraper.facts import CatalogueFact, FactReading
from scraper.match import Matcher
from scraper.source import Source

HAND = "catalogue"
LIMITS = ("context_tokens", "max_output_tokens")


def add_facts(store: Store, source: Source, reading: FactReading, matcher: Matcher, now: datetime) -> int:
    """Facts of one reading about endpoints that are priced, inside the caller's transaction; only what is new or changed."""
    found = resolved(reading.facts, matcher)
    newest = _newest(store, source.id)
    rows = [
        _row(
            endpoint,
            fact.field,
            fact.value,
            source.id,
            now,
            capture=reading.sha256,
            locator=fact.locator,
            link=source.url,
        )
        for (endpoint, field), fact in found.items()
        if newest.get((endpoint, field)) != _text(fact.value)
    ]
    return store.insert("endpoint_fact", rows)


def resolved(facts: Iterable[CatalogueFact], matcher: Matcher) -> dict[tuple[str, str], CatalogueFact]:
    """(price id, field) -> fact, where exactly one offer of that host is meant; two facts that differ leave none."""
    ids: dict[tuple[str, str], str | None] = {}
    out: dict[tuple[str, str], CatalogueFact] = {}
    shut: set[tuple[str, str]] = set()
    for fact in facts:
        pair = (fact.provider, fact.model)
        if pair not in ids:
            ids[pair] = _endpoint(matcher, *pair)
        endpoint = ids[pair]
        if endpoint is None:
            continue
        key = (endpoint, fact.field)
        exact = endpoint == f"{fact.provider}:{fact.model}"
        old = out.get(key)
        if old is None or (exact and endpoint != f"{old.provider}:{old.model}"):
            out[key] = fact
            shut.discard(key)
        elif old.value != fact.value and endpoint != f"{old.provider}:{old.model}":
            shut.add(key)
    return {k: f for k, f in out.items() if k not in shut}


def _endpoint(matcher: Matcher, provider: str, model: str) -> str | None:
    price_id = f"{provider}:{model}"
    if matcher.has(price_id):
        return price_id
    ids = matcher.resolve(model, via=provider).endpoint_ids if len(model) < 200 else ()
    return ids[0] if len(ids) == 1 else None


def add_hand_facts(store: Store, catalogue: Catalogue, endpoints: Iterable[Endpoint], now: datetime) -> int:
    """What pages state, as rows with link and day; only what is new or changed."""
    newest = _newest(store, HAND)
    rows = []
    ids = [e.endpoint_id for e in endpoints]
    for f in catalogue.facts:
        named = [f.endpoint] if "*" not in f.endpoint else [i for i in ids if _fits(i, f.endpoint)]
        rows += [
            _row(i, f.field, f.value, HAND, now, link=f.link, checked_on=f.checked_on)
            for i in named
            if newest.get((i, f.field)) != _text(f.value)
        ]
    return store.insert("endpoint_fact", rows)


def believe(store: Store, matcher: Matcher, now: datetime) -> int:
    """New rows of `endpoint` where what is believed has changed. Inside the caller's transaction."""
    told: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    query = (
        "select endpoint_id, field, value, source_id from endpoint_fact where source_id <> ? "
        "qualify row_number() over (partition by endpoint_id, field, source_id order by known_from desc) = 1"
    )
    for r in store.rows(query, [HAND]):
        told[r["endpoint_id"]][r["field"]][r["source_id"]] = r["value"]
    before = {
        r["endpoint_id"]: r
        for r in store.rows(
            "select * from endpoint qualify row_number() over (partition by endpoint_id order by known_from desc) = 1"
        )
    }
    rows = []
    for endpoint in matcher.endpoints():
        if endpoint.endpoint_id not in told:
            continue
        by_hand = matcher.by_hand(endpoint.endpoint_id)
        merged = merge(endpoint, told[endpoint.endpoint_id], by_hand).model_dump()
        old = before.get(endpoint.endpoint_id)
        if old is None or _differs(old, merged):
            rows.append({**merged, "known_from": now + timedelta(microseconds=1)})  # after the row of this very cycle
    return store.insert("endpoint", rows)


def merge(endpoint: Endpoint, told: Mapping[str, Mapping[str, str]], by_hand: frozenset[str]) -> Endpoint:
    """`told`: field -> source -> value as text; `by_hand`: the fields that a person took from a page."""
    changes: dict[str, Any] = {"features": dict(endpoint.features), "params": dict(endpoint.params)}
    for field, said in told.items():
        if field in by_hand:
            continue
        head, _, name = field.partition(".")
        own = said.get(endpoint.provider)
        if field in LIMITS:
            stated = [int(v) for v in said.values()]
            listed = getattr(endpoint, field)
            least = min([*stated, listed] if listed and own is None else stated)
            changes[field] = int(own) if own else least
        elif name:
            words = {own} if own else set(said.values())
            if len(words) == 1:
                changes[head][name] = words.pop() == "true"
        elif field == "retires_on" and (own or (len(said) > 1 and len(set(said.values())) == 1)):
            changes[field] = own or next(
                iter(said.values())
            )  # one list alone may copy the earliest day a host may choose
        elif field == "precision" and len(set(said.values())) == 1:
            changes[field] = next(iter(said.values()))
    return endpoint.model_copy(update=changes)


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    plain = ("context_tokens", "max_output_tokens", "precision", "retires_on", "retention", "model_id")
    return any(old[f] != new[f] for f in plain) or any(
        (json.loads(old[f]) if old[f] else {}) != new[f] for f in ("features", "params")
    )


def _newest(store: Store, source_id: str) -> dict[tuple[str, str], str]:
    query = (
        "select endpoint_id, field, value from endpoint_fact where source_id = ? "
        "qualify row_number() over (partition by endpoint_id, field order by known_from desc) = 1"
    )
    return {(r["endpoint_id"], r["field"]): r["value"] for r in store.rows(query, [source_id])}


def _row(endpoint: str, field: str, value: object, source_id: str, now: datetime, **more: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"capture": None, "locator": None, "link": None, "checked_on": None}
    return empty | {
        "endpoint_id": endpoint, "field": field, "value": _text(value), "source_id": source_id, "known_from": now,
    } | more  # fmt: skip


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(endpoint: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(endpoint, pattern)
