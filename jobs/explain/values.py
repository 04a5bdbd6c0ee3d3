"""Every effective value of a registered use case: its key, its field with the unit, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import DataMissing
from data.records import EndpointChoice, Tokens, UseCase
from data.records.core import Record
from jobs.evals import load_cases

SHORT = {  # field of the record -> key of the registry, where they differ
    "workload.calls_per_month": "traffic.calls",
    "workload.batchable_share": "traffic.batchable",
    "workload.growth_per_month": "traffic.growth_per_month",
    "workload.peak_calls_per_minute": "traffic.peak_rpm",
    "workload.hours_utc": "traffic.hours_utc",
    "workload.calls_per_outcome": "traffic.calls_per_outcome",
    "workload.retry_rate": "traffic.retry_rate",
    "workload.input_tokens": "tokens.in",
    "workload.output_tokens": "tokens.out",
    "workload.reasoning_tokens": "tokens.reasoning",
    "workload.cached_share": "tokens.cached",
    "workload.cache_written_share": "tokens.(written)",
    "workload.cache_lifetime": "tokens.(lifetime)",
    "workload.images_per_call": "tokens.images",
    "workload.language": "tokens.language",
    "workload.content": "tokens.content",
    "workload.measured_on": "tokens.measured_on",
    "telemetry": "tokens.from",
    "current.written": "model.id",
    "current.via": "model.via",
    "current.region": "model.region",
    "current.tier": "model.tier",
    "current.effort": "model.effort",
    "current.private_price": "model.price",
    "current.discount_share": "model.discount",
    "require.context_tokens": "require.context",
    "require.max_output_tokens": "require.max_output",
    "require.calls_per_minute": "require.rpm",
    "require.min_tokens_per_s": "require.min_tps",
    "budget.usd_per_month": "budget.month",
    "budget.usd_per_call": "budget.call",
    "budget.usd_per_outcome": "budget.outcome",
    "switch.usd_per_day": "switch.day_rate",
    "switch.eval_cost_usd": "switch.eval_cost",
    "switch.min_saving_usd_per_month": "switch.min_saving_month",
    "switch.min_saving_share": "switch.min_saving_pct",
    "designed.usd_per_call": "designed.cost_per_call",
    "evals.pass_score": "evals.pass",
    "evals.files": "evals.results",
    "tasks": "task",
    "rulings": "decisions",
}
UNSET = {  # what a value nobody wrote means, where it is not a plain default of the record
    "model.via": "the maker's own API",
    "model.region": "global",
    "model.effort": "the model's own",
    "traffic.hours_utc": "all hours",
    "tokens.measured_on": "the model in use",
    "switch.days": "by move: tier 0.5, endpoint 1, sibling 2, vendor 4",
    "evals.pass": "quality.floor",
}
PLAIN = ("slug", "origins", "warnings")
PRIVATE = ("current.private_price", "current.discount_share")


def explain_use_case(files: list[Path], slug: str) -> list[dict[str, Any]]:
    """Every effective value: key of the registry, field with its unit, value, origin. Raises DataMissing."""
    registry = load_cases(files)
    case = next((c for c in registry.use_cases if c.slug == slug), None)
    if case is None:
        known = ", ".join(c.slug for c in registry.use_cases)
        raise DataMissing(f"no use case {slug!r}.", where=", ".join(map(str, files)), fix=f"one of {known}.")
    return values(case)


def remarks_on(files: list[Path], slug: str) -> list[str]:
    """What the entry does that its author may not see, from the installed prices and the catalogue of names."""
    from jobs.remarks import remarks
    from scraper.genai import package_rates
    from scraper.match import Matcher

    matcher = Matcher.from_package()
    registry = load_cases(files, matcher)
    case = next(c for c in registry.use_cases if c.slug == slug)
    names = {r.model: matcher.match(r.model).price_ids for r in case.evals.results}
    endpoints = {e.endpoint_id: e for e in matcher.endpoints()}
    rates = package_rates()
    here = rates.get(case.current.endpoint_id) or ()
    twins = [
        r for e in endpoints.values() if e.model_id == case.current.model_id for r in rates.get(e.endpoint_id) or ()
    ]
    told = [f"{w.message} Fix: {w.fix}" for w in registry.warnings if w.key.partition(".")[0] == slug]
    return remarks(case, [*here, *twins], endpoints, names, told)


def values(case: UseCase) -> list[dict[str, Any]]:
    """One row a value, in the order of the records; items of a list each have their own."""
    out = []
    for field, value in _flat(case):
        plain, at, item = field.partition("[")
        key = SHORT.get(plain, plain) + at + item
        shown = "set (private)" if plain in PRIVATE and value else _shown(value)
        if value in (None, (), {}, ""):
            if plain.startswith("designed") or key == "evals.results":
                continue  # a part of what is not there
            shown = UNSET.get(key) or ("no demand" if at_head(key) in ("require", "budget") else "not given")
        elif field.endswith("_tokens") and f"{key}.p50" in case.origins and f"{key}.mean" not in case.origins:
            shown += "; mean by the lognormal through p50 and p95"
        out.append({"key": key, "field": field, "value": shown, "origin": _origin(case, key, field)})
    return out


def at_head(key: str) -> str:
    """The first part of a dotted key."""
    return key.partition(".")[0].partition("[")[0]


def _origin(case: UseCase, key: str, field: str) -> str:
    if field == "current.model_id":
        return "from id"
    if field == "current.endpoint_id":
        return "from id, via, region"
    if field.startswith("workload.cache_"):
        return "from caches" if case.workload.cache_written_share else "default"
    if field == "evals.files":
        return case.origins.get("evals.files[0]", "default")
    found = case.origins.get(key) or case.origins.get(key.partition("[")[0]) or case.origins.get(key.partition(".")[0])
    return found or next((o for k, o in case.origins.items() if k.startswith((f"{key}.", f"{key}["))), "default")


def _flat(value: Record, at: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(value).model_fields:
        inner, field = getattr(value, name), f"{at}.{name}".removeprefix(".")
        if field in PLAIN:
            continue
        if isinstance(inner, tuple) and inner and isinstance(inner[0], Record):
            yield from ((f"{field}[{n}]", item) for n, item in enumerate(inner))
        elif isinstance(inner, Record) and field not in ("workload.input_tokens", "workload.output_tokens", "workload.reasoning_tokens"):  # fmt: skip
            yield from _flat(inner, field)
        else:
            yield field, inner


def _shown(value: Any) -> str:
    if isinstance(value, EndpointChoice):
        return value.written if value.endpoint_id.replace(":", "/") == value.written else f"{value.written} = {value.endpoint_id}"  # fmt: skip
    if isinstance(value, Tokens):
        return ", ".join(f"{k} {v:,.0f}" for k, v in value.model_dump(exclude_none=True).items())
    if isinstance(value, Record):
        return ", ".join(f"{k} {_shown(v)}" for k, v in value.model_dump(exclude_none=True).items() if v != "")
    if isinstance(value, list | tuple):
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_shown(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,.6g}" if isinstance(value, float) and abs(value) < 1e6 else f"{value:,}" if isinstance(value, int | float) else str(value)  # fmt: skip
