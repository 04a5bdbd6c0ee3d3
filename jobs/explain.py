"""Where a value came from: effective values of a use case with file and line; figures of a decision with the quoted text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.errors import DataMissing
from data.records import UseCase
from data.store import rows
from jobs.evals import load_cases
from scraper.capture import Bodies

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
    "workload.images_per_call": "tokens.images",
    "workload.language": "tokens.language",
    "workload.content": "tokens.content",
    "workload.measured_on": "tokens.measured_on",
    "current.written": "model.id",
    "current.tier": "model.tier",
    "current.effort": "model.effort",
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
    "tasks": "task",
    "rulings": "decisions",
}
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
    told = [str(w) for w in registry.warnings if slug in str(w)]
    return remarks(case, package_rates().get(case.current.endpoint_id) or (), endpoints, names, told)


def values(case: UseCase) -> list[dict[str, Any]]:
    out = []
    for field, value in _flat(case):
        key = SHORT.get(field, field)
        origin = case.origins.get(key) or case.origins.get(key.partition(".")[0])
        origin = origin or next((o for k, o in case.origins.items() if k.startswith(f"{key}.")), None)
        if field in ("current.endpoint_id", "current.model_id"):
            origin = f"resolved from {case.current.written}"
        out.append({"key": key, "field": field, "value": value, "origin": origin or "default"})
    return out


def explain_recommendation(con: Any, rec: str, home: Path) -> dict[str, Any]:
    """The newest decision of a recommendation with every rate and score it used: source, day, URL, hash, quoted text."""
    found = rows(con, "select * from recommendations where rec = ?", [rec])
    if not found:
        known = ", ".join(
            r["rec"] for r in rows(con, "select rec from recommendations order by decided_at desc limit 5")
        )
        raise DataMissing(f"no recommendation {rec!r}.", where=str(home), fix=f"one of {known or 'none yet'}.")
    d = found[0]
    rates = rows(con, RATES, [d["rate_ids"]])
    scores = rows(con, SCORES, [d["score_ids"]])
    bodies = Bodies(home)
    for row in rates + scores:
        row["kept"] = _kept(bodies, row.pop("sha256"), row["quote"])
        row["quote"] = (row["quote"] or "")[:60]
        row["seen_at"] = row["seen_at"].date().isoformat()
    keep = ("use_case", "verdict", "reason", "reasons", "from_endpoint", "to_endpoint", "decided_at", "data_as_of")
    return {k: d[k] for k in keep} | {"rates": rates, "scores": scores}


RATES = """
select r.endpoint_id as endpoint, r.meter, r.tier, coalesce(r.usd_per_mtok, r.usd_per_unit)::double as usd, coalesce(r.unit, 'mtok') as per,
    r.standing, r.source_id as source, r.known_from as seen_at, c.quote, c.locator, c.capture as sha256
from rate r left join price_claim c on list_contains(r.claim_ids, c.claim_id)
where list_contains(?::varchar[], r.rate_id) order by 1, 2, 3"""
SCORES = """
select s.model_id as model, s.variant, s.benchmark, s.value as score, s.source_id as source, s.known_from as seen_at,
    c.quote, c.locator, c.capture as sha256
from score s left join score_claim c using (claim_id)
where list_contains(?::varchar[], s.score_id) order by 1, 3"""


def _kept(bodies: Bodies, sha: str | None, quote: str | None) -> str:
    """Whether the kept body still holds the quoted text."""
    if sha is None or quote is None:
        return "no claim"
    return f"{sha[:8]} ✓" if quote.encode() in bodies.get(sha) else f"{sha[:8]} quote missing"


def _flat(case: UseCase) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for field in UseCase.model_fields:
        value = getattr(case, field)
        if field in ("origins", "warnings", "slug"):
            continue
        if hasattr(value, "model_fields_set") and field in (
            "workload",
            "current",
            "quality",
            "require",
            "budget",
            "switch",
            "alerts",
        ):
            nested = [(f"{field}.{k}", getattr(value, k)) for k in type(value).model_fields]
        else:
            nested = [(field, value)]
        for key, v in nested:
            if v in (None, (), {}, ""):
                continue
            out.append((key, "set (private)" if key in PRIVATE and v else _shown(v)))
    return out


def _shown(value: Any) -> str:
    if hasattr(value, "model_dump"):
        return ", ".join(
            f"{k} {v:,.6g}" if isinstance(v, float) else f"{k} {v}"
            for k, v in value.model_dump(exclude_none=True).items()
        )
    if isinstance(value, tuple):
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
