"""What a person decided: recorded in the database, and as the YAML patch that makes it last."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from data.errors import DataMissing, UsageError
from data.registry.load import REOPEN
from data.store import Store
from recommender.eligible import RULING_DAYS

VERDICTS = {"approve": "approved", "later": "later", "reject": "rejected", "switched": "switched"}
HELD = {"release": "release", "reject": "reject"}


def record(
    store: Store,
    what: str,
    verdict: str,
    *,
    now: datetime,
    why: str | None,
    until: str | None,
    reopen_if: str | None,
    by: str | None,
) -> str:
    """Record a verdict on a recommendation (rec-…) or a held row (claim id); the patch for use_cases.yaml, or what happened.

    Raises UsageError for a verdict or condition that cannot be read, DataMissing for an id nobody knows.
    """
    if reopen_if and not all(REOPEN.fullmatch(p.strip()) for p in reopen_if.split(" and ")):
        raise UsageError(
            f"cannot read {reopen_if!r}.", where="--reopen-if", fix='e.g. "region eu available" or evidence=A.'
        )
    if what.startswith("rec-"):
        return _on_recommendation(store, what, verdict, now, why, until, reopen_if, by)
    return _on_held(store, what, verdict, now, by)


def _on_recommendation(
    store: Store,
    rec: str,
    verdict: str,
    now: datetime,
    why: str | None,
    until: str | None,
    reopen_if: str | None,
    by: str | None,
) -> str:
    if verdict not in VERDICTS:
        raise UsageError(
            f"no verdict {verdict!r} for a recommendation.", where=rec, fix=f"one of {', '.join(VERDICTS)}."
        )
    found = store.rows(
        "select use_case, to_endpoint, decision from recommendation where rec = ? order by decided_at desc", [rec]
    )
    if not found:
        raise DataMissing(
            f"no recommendation {rec!r}.",
            where="recommendations",
            fix='undercut sql "select rec from recommendations".',
        )
    word = VERDICTS[verdict]
    ends = until or _default_until(word, now.date())
    row = {
        "rec": rec,
        "verdict": word,
        "decided_at": now,
        "decided_by": by,
        "why": why,
        "until": ends,
        "reopen_if": reopen_if,
    }
    store.insert("feedback", [row])
    return _patch(found[0], rec, word, now, why, ends, reopen_if, by)


def _on_held(store: Store, claim_id: str, verdict: str, now: datetime, by: str | None) -> str:
    if verdict not in HELD:
        raise UsageError(f"no verdict {verdict!r} for a held row.", where=claim_id, fix="release or reject.")
    found = store.rows("select h.*, c.* from held h join price_claim c using (claim_id) where claim_id = ?", [claim_id])
    if not found:
        fix = 'undercut sql "select claim_id, why from quarantine".'
        raise DataMissing(f"nothing is held under {claim_id!r}.", where="quarantine", fix=fix)
    store.insert(
        "held_release",
        [{"claim_id": claim_id, "released_at": now, "verdict": verdict, "released_by": by or "a person"}],
        unique=("claim_id",),
    )
    if verdict == "reject":
        return f"{claim_id} rejected: the old price stands."
    store.insert("rate", [_released(found[0], now)])
    return f"{claim_id} released: believed from now on."


def _released(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    keys = (
        "endpoint_id",
        "meter",
        "tier",
        "context_min_tokens",
        "context_max_tokens",
        "time_window",
        "valid_from",
        "valid_to",
    )
    return {k: row[k] for k in keys} | {
        "rate_id": f"by-hand-{row['claim_id']}",
        "region": "global",
        "usd_per_mtok": row["usd_per_mtok"],
        "known_from": now,
        "standing": "official",
        "source_id": row["source_id"],
        "claim_ids": [row["claim_id"]],
        "withdrawn": False,
    }


def _default_until(verdict: str, today: date) -> str | None:
    days = RULING_DAYS.get(verdict, 0)
    return (today + timedelta(days=days)).isoformat() if days and verdict in ("rejected", "later") else None


def _patch(
    found: dict[str, Any],
    rec: str,
    verdict: str,
    now: datetime,
    why: str | None,
    until: str | None,
    reopen_if: str | None,
    by: str | None,
) -> str:
    """The entry for `decisions:` of the use case; strings quoted, so that no text can break the YAML."""
    import json

    decision = json.loads(found["decision"])
    target = decision.get("best") or decision["current"]
    fields = {
        "model": target.get("model_id"),
        "verdict": verdict,
        "date": now.date().isoformat(),
        "rec": rec,
        "until": until,
        "why": why,
        "reopen_if": reopen_if,
        "by": by,
    }
    entry = ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in fields.items() if v)
    return f"use_cases:\n  {found['use_case']}:\n    decisions:\n      - {{{entry}}}"
