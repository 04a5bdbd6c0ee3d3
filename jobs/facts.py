"""Tables -> values for the recommender: rates, scores, endpoints and models as known at an instant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from data.records import Benchmark, Endpoint, Model, Rate, Score
from data.store import Readable
from jobs.unsteady import moving
from scraper.seed import load_first_seen


@dataclass(frozen=True)
class Facts:
    """Everything a decision may rest on, as known at `as_of`."""

    as_of: datetime
    data_as_of: datetime
    rates: list[Rate]
    scores: list[Score]
    benchmarks: dict[str, Benchmark]
    endpoints: dict[str, Endpoint]
    models: dict[str, Model]
    first_seen: dict[str, date]

    @cached_property
    def moving(self) -> dict[str, list[datetime]]:
        """Endpoints whose price moves all the time, with the instants of the last 30 days."""
        return moving(self.rates, self.as_of)

    @cached_property
    def rates_of(self) -> dict[str, list[Rate]]:
        """The rates of each endpoint that `moving` names."""
        found: dict[str, list[Rate]] = {e: [] for e in self.moving}
        for r in self.rates:
            if r.endpoint_id in found:
                found[r.endpoint_id].append(r)
        return found

    @cached_property
    def least_context(self) -> dict[str, int]:
        """Model -> the least context, in tokens, that any of its hosts states."""
        found: dict[str, int] = {}
        for e in self.endpoints.values():
            if e.model_id and e.context_tokens:
                found[e.model_id] = min(found.get(e.model_id, e.context_tokens), e.context_tokens)
        return found


def facts_as_of(store: Readable, as_of: datetime) -> Facts | None:
    """What was known at `as_of` (UTC); None where no price was."""
    at = as_of.astimezone(UTC).replace(tzinfo=None)
    rates = [rate_from_row(r) for r in store.rows("select * from rate where known_from <= ?", [at])]
    if not rates:
        return None
    newest = "select * from {0} where known_from <= ? qualify row_number() over (partition by {1} order by known_from desc) = 1"
    benchmarks = {r["benchmark"]: Benchmark.model_construct(**r) for r in store.rows("select * from benchmark")}
    models = {r["model_id"]: Model.model_construct(**r) for r in store.rows(newest.format("model", "model_id"), [at])}
    endpoints = {r["endpoint_id"]: _endpoint(r) for r in store.rows(newest.format("endpoint", "endpoint_id"), [at])}
    scores = [_score(r) for r in store.rows("select * from score where known_from <= ?", [at])]
    listed = load_first_seen()
    first: dict[str, date] = {}
    for r in rates:
        begun = min(r.known_from, r.valid_from or r.known_from).date()
        begun = min(begun, listed.get(r.endpoint_id, begun))
        first[r.endpoint_id] = min(first.get(r.endpoint_id, begun), begun)
    return Facts(as_of, max(r.known_from for r in rates), rates, scores, benchmarks, endpoints, models, first)


def _score(row: dict[str, Any]) -> Score:
    fields = row | {"known_from": _aware(row["known_from"])}
    fields.pop("score_id")
    return Score.model_construct(**fields)


def rate_from_row(row: dict[str, Any]) -> Rate:
    """A row of the table `rate` as a record, times aware."""
    times = {k: _aware(row[k]) for k in ("valid_from", "valid_to", "known_from")}
    fields = {k: v for k, v in row.items() if k != "rate_id"} | times
    return Rate.model_construct(**fields | {"claim_ids": tuple(row["claim_ids"])})


def _endpoint(row: dict[str, Any]) -> Endpoint:
    fields = dict(row)
    fields.pop("known_from", None)
    fields |= {k: json.loads(row[k]) if row[k] else {} for k in ("features", "params")}
    fields["regions"] = tuple(row["regions"]) if row["regions"] else None
    return Endpoint.model_construct(**fields)


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value else None
