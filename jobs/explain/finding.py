"""The newest decision of a recommendation with every rate and score behind it, down to the quoted text of the kept body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from data.errors import DataMissing, UsageError
from data.records import Decision, UseCase
from data.store import Keep, rows
from scraper.capture import Bodies

FIGURES = {  # part of a finding -> the evidence behind it
    "cost": ("rates",),
    "saving": ("rates",),
    "payback": ("rates",),
    "value": ("rates",),
    "quality": ("scores",),
    "p_ok": ("scores",),
    "constraints": (),
    "others": (),
    "rates": ("rates",),
    "scores": ("scores",),
}
KEPT = ("use_case", "verdict", "reason", "reasons", "from_endpoint", "to_endpoint", "decided_at", "data_as_of")
RATES = """
select r.endpoint_id as endpoint, r.meter, r.tier, coalesce(r.usd_per_mtok, r.usd_per_unit)::double as usd, coalesce(r.unit, 'mtok') as per,
    r.context_min_tokens as above_tokens, r.context_max_tokens as up_to_tokens, r.time_window, r.standing, r.source_id as source,
    r.known_from as seen_at, k.url, k.fetched_at, c.quote, c.locator, c.capture as sha256, r.rate_id
from rate r left join price_claim c on c.source_id = r.source_id and list_contains(r.claim_ids, c.claim_id)
left join (select sha256, source_id, max_by(url, fetched_at) as url, min(fetched_at) as fetched_at from capture group by all) k
    on k.sha256 = c.capture and k.source_id = c.source_id
where list_contains(?::varchar[], r.rate_id) order by 1, 2, 3, 6 nulls first, 8 nulls first, 10, c.claim_id"""
SCORES = """
select s.model_id as model, s.variant, s.benchmark, s.value as score, s.low, s.high, s.self_reported, s.source_id as source,
    s.known_from as seen_at, k.url, k.fetched_at, c.quote, c.locator, c.capture as sha256, s.score_id
from score s left join score_claim c using (claim_id, source_id)
left join (select sha256, source_id, max_by(url, fetched_at) as url, min(fetched_at) as fetched_at from capture group by all) k
    on k.sha256 = c.capture and k.source_id = c.source_id
where list_contains(?::varchar[], s.score_id) order by 1, 3, 2"""


def explain_recommendation(con: Any, what: str, kept: Keep | Path) -> dict[str, Any]:
    """`rec-…`, or `rec-….FIGURE` for one figure with what is behind it (`FIGURES`).

    Money at list prices, USD. Raises DataMissing for an unknown recommendation, UsageError for an unknown figure.
    """
    rec, _, figure = what.partition(".")
    if figure and figure not in FIGURES:
        raise UsageError(f"no figure {figure!r} of a finding.", where=what, fix=f"one of {', '.join(FIGURES)}.")
    found = rows(con, "select * from recommendations where rec = ?", [rec])
    if not found:
        known = ", ".join(
            r["rec"] for r in rows(con, "select rec from recommendations order by decided_at desc limit 5")
        )
        raise DataMissing(f"no recommendation {rec!r}.", where="the database", fix=f"one of {known or 'none yet'}.")
    d = found[0]
    bodies = Bodies(kept)
    behind: dict[str, list[dict[str, Any]]] = {
        "rates": rows(con, RATES, [d["rate_ids"]]), "scores": rows(con, SCORES, [d["score_ids"]]),
    }  # fmt: skip
    for row in behind["rates"] + behind["scores"]:
        row["kept"] = _kept(bodies, row["sha256"], row["quote"])
        row["seen_at"] = row["seen_at"].date().isoformat()
    wanted = FIGURES[figure] if figure else ("rates", "scores")
    return {
        "rec": rec,
        "figure": figure or None,
        **{k: d[k] for k in KEPT},
        "state": d["state"],
        "decision": _decision(con, rec),
        "steps": _steps(behind["rates"]),
        "entry": _entry(con, d["use_case"], d["decided_at"]),
        **{name: behind[name] if name in wanted else [] for name in behind},
    }


def _steps(rates: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Prompt lengths at which the prices of an endpoint step."""
    steps: dict[str, set[int]] = {}
    for r in rates:
        if r["above_tokens"]:
            steps.setdefault(r["endpoint"], set()).add(r["above_tokens"])
    return {endpoint: sorted(some) for endpoint, some in steps.items()}


def _decision(con: Any, rec: str) -> Decision | None:
    found = rows(con, "select decision::varchar as decision from recommendation where rec = ? order by decided_at desc limit 1", [rec])  # fmt: skip
    return Decision.model_validate_json(found[0]["decision"]) if found else None


def _entry(con: Any, slug: str, decided_at: Any) -> UseCase | None:
    """The use case as it was registered when it was decided; None where it was kept in a form that is read no more."""
    query = "select entry::varchar as entry from use_case where use_case = ? and registered_at <= ? order by registered_at desc limit 1"
    found = rows(con, query, [slug, decided_at])
    try:
        return UseCase.model_validate_json(found[0]["entry"]) if found else None
    except ValidationError:
        return None


def _kept(bodies: Bodies, sha: str | None, quote: str | None) -> str:
    """Whether the kept body still holds the quoted text."""
    if sha is None or quote is None:
        return "no claim"
    return f"{sha[:8]} ✓" if quote.encode() in bodies.get(sha) else f"{sha[:8]} quote missing"
