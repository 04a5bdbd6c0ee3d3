"""A merged entry -> a UseCase: every short key becomes a field with its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data.records import (
    AlertTerms,
    Budget,
    Cache,
    Compromise,
    Designed,
    EndpointChoice,
    EvalResult,
    Evals,
    QualityDemand,
    Requirements,
    Ruling,
    SwitchTerms,
    Tokens,
    UseCase,
    Workload,
)
from data.registry.expand import calls_per_month, size, tokens

RENAMED = {
    "growth_per_month": "growth_per_month", "batchable": "batchable_share", "peak_rpm": "peak_calls_per_minute",
    "hours_utc": "hours_utc", "calls_per_outcome": "calls_per_outcome", "retry_rate": "retry_rate",
}  # fmt: skip
REQUIRE = {
    "context": "context_tokens",
    "max_output": "max_output_tokens",
    "min_tps": "min_tokens_per_s",
    "rpm": "calls_per_minute",
}
SWITCH = {"day_rate": "usd_per_day", "eval_cost": "eval_cost_usd", "min_saving_month": "min_saving_usd_per_month", "min_saving_pct": "min_saving_share"}  # fmt: skip
BUDGET = {"month": "usd_per_month", "call": "usd_per_call", "outcome": "usd_per_outcome"}
MONTHLY = {"costs_month": "costs_usd_per_month", "saves_month": "saves_usd_per_month", "hours_month": "hours_per_month"}


def build(
    slug: str,
    entry: Mapping[str, Any],
    current: EndpointChoice,
    fallbacks: tuple[EndpointChoice, ...],
    channel: str,
    team: Mapping[str, Any] | None,
    origins: dict[str, str],
) -> UseCase:
    """The record with effective values; defaults that nobody wrote are those of the records (PRODUCT 2.5)."""
    plain = {k: entry[k] for k in ("description", "owner", "team", "repo", "criticality") if k in entry}
    return UseCase(
        slug=slug,
        title=entry.get("title", slug),
        tasks={str(k): float(v) for k, v in entry["task"].items()},
        channel=channel,
        contacts=tuple((team or {}).get("contacts", ())),
        tags=tuple(entry.get("tags", ())),
        current=current,
        fallbacks=fallbacks,
        workload=_workload(entry["traffic"], entry["tokens"], entry.get("caches", ())),
        telemetry=entry["tokens"].get("from"),
        quality=QualityDemand(**entry.get("quality", {})),
        require=_require(entry.get("require", {})),
        budget=Budget(**_renamed(entry.get("budget", {}), BUDGET)),
        switch=SwitchTerms(**_tuples(_renamed(entry.get("switch", {}), SWITCH))),
        alerts=AlertTerms(**_tuples(entry.get("alerts", {}))),
        designed=_designed(entry.get("designed")),
        caches=tuple(Cache(**_renamed(c, MONTHLY)) for c in entry.get("caches", ())),
        evals=_evals(entry.get("evals", {})),
        rulings=tuple(Ruling(**d) for d in entry.get("decisions", ())),
        origins=origins | _apart(origins, entry.get("evals", {}).get("results", ())),
        **plain,
    )


def _workload(traffic: Mapping[str, Any], counts: Mapping[str, Any], caches: Sequence[Mapping[str, Any]]) -> Workload:
    """A declared prompt cache is also written: with hits h of what can be cached, (1 - h)/h of what is read (PRODUCT 6.5)."""
    read = counts.get("cached", 0)
    prompt = next((c for c in caches if c.get("kind", "prompt") == "prompt" and c["hit_rate"] > 0), None)
    written = min(1 - read, read * (1 - prompt["hit_rate"]) / prompt["hit_rate"]) if prompt else 0.0
    hour = prompt is not None and prompt.get("ttl") in ("1h", "60m", "3600s")
    return Workload(
        calls_per_month=calls_per_month(traffic["calls"]),
        **{new: traffic[old] for old, new in RENAMED.items() if old in traffic},
        input_tokens=tokens(counts["in"]),
        output_tokens=tokens(counts["out"]),
        reasoning_tokens=tokens(counts["reasoning"]) if "reasoning" in counts else Tokens(mean=0),
        cached_share=read,
        cache_written_share=written,
        cache_lifetime="1h" if hour else "5m",
        images_per_call=counts.get("images", 0),
        **{k: counts[k] for k in ("language", "content", "measured_on") if k in counts},
    )


def _require(entry: Mapping[str, Any]) -> Requirements:
    sizes = {k: int(size(entry[k])) for k in ("context", "max_output") if k in entry}
    return Requirements(**_tuples(_renamed({**entry, **sizes}, REQUIRE)))


def _designed(entry: Mapping[str, Any] | None) -> Designed | None:
    if entry is None:
        return None
    compromises = tuple(
        Compromise(what=c) if isinstance(c, str) else Compromise(**_renamed(c, MONTHLY))
        for c in entry.get("compromises", ())
    )
    return Designed(
        date=entry["date"], model=entry.get("model"), usd_per_call=entry.get("cost_per_call"), compromises=compromises
    )


def _evals(entry: Mapping[str, Any]) -> Evals:
    results = entry.get("results", ())
    return Evals(
        results=tuple(
            EvalResult(**{("output_tokens" if k == "out_tokens" else k): v for k, v in r.items()})
            for r in results
            if isinstance(r, Mapping)
        ),
        files=tuple(r for r in results if isinstance(r, str)),
        run=entry.get("run"),
        pass_score=entry.get("pass"),
    )


def _apart(origins: Mapping[str, str], results: Sequence[Any]) -> dict[str, str]:
    """Where each result and each result file of `evals.results` stands, counted as the record keeps them."""
    lists: dict[str, list[int]] = {"results": [], "files": []}
    for n, r in enumerate(results):
        lists["files" if isinstance(r, str) else "results"].append(n)
    return {
        f"evals.{name}[{k}]": origins[f"evals.results[{n}]"]
        for name, places in lists.items()
        for k, n in enumerate(places)
    }


def _renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(k, k): v for k, v in entry.items()}


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
