"""What a person decided: recorded in the database, and as the YAML patch that makes it last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from data.errors import DataMissing, UsageError
from data.records import Standing
from data.registry.load import REOPEN
from data.store import Store
from jobs.answered import scope_of
from jobs.facts import rate_from_row
from jobs.outbox import drop, release
from jobs.withdraw import naive
from recommender.eligible import RULING_DAYS
from scraper.source import Source, load_sources

VERDICTS = {"approve": "approved", "later": "later", "reject": "rejected", "switched": "switched"}
HELD = {"release": "release", "reject": "reject"}
PLACE = ("endpoint_id", "meter", "tier", "context_min_tokens", "context_max_tokens", "time_window")
HELD_CLAIM = """
select c.* exclude (meter, tier), h.endpoint_id, h.meter, h.tier
from held h join price_claim c using (claim_id, source_id) where claim_id = ?"""


@dataclass(frozen=True)
class Said:
    """What a person said of a recommendation or a held row."""

    verdict: str
    at: datetime
    why: str | None = None
    until: str | None = None
    reopen_if: str | None = None
    by: str | None = None


def record(store: Store, what: str, said: Said, sources: Mapping[str, Source] | None = None) -> str:
    """Record a verdict on a recommendation (rec-…), a held row (claim id), the breaker or a parked message (msg-…); the patch for
    use_cases.yaml, or what happened.

    `sources`: the declared ones, by default those of scraper/sources. Raises UsageError for a verdict or condition that cannot be
    read and for a held row that has its verdict, DataMissing for an id nobody knows.
    """
    if said.reopen_if and not all(REOPEN.fullmatch(p.strip()) for p in said.reopen_if.split(" and ")):
        fix = 'e.g. "region eu available" or evidence=A.'
        raise UsageError(f"cannot read {said.reopen_if!r}.", where="--reopen-if", fix=fix)
    if what == "breaker":
        return _on_breaker(store, said)
    if what.startswith("msg-"):
        return _on_message(store, what, said)
    if what.startswith("rec-"):
        return _on_recommendation(store, what, said)
    return _on_held(store, what, said, load_sources() if sources is None else sources)


def _on_breaker(store: Store, said: Said) -> str:
    """The circuit breaker lets go: the next check sends one joint message per channel of what still holds."""
    if said.verdict != "release":
        raise UsageError(f"no verdict {said.verdict!r} for the circuit breaker.", where="breaker", fix="release.")
    if not store.rows("select 1 from alert where kind = 'breaker'"):
        raise DataMissing("the circuit breaker never tripped.", where="alerts", fix="nothing is held by it.")
    row = {"rec": "breaker", "verdict": "release", "decided_at": said.at, "decided_by": said.by, "why": said.why}
    store.insert("feedback", [row])
    return "released: the next `undercut check --send` sends one joint message per channel of what still holds."


def _on_message(store: Store, message_id: str, said: Said) -> str:
    """A parked message goes again, or never."""
    match said.verdict:
        case "release":
            release(store, message_id, said.at)
            return "released: the next `undercut check --send` sends it again."
        case "drop":
            drop(store, message_id, said.at)
            return "dropped: it is never sent."
    raise UsageError(f"no verdict {said.verdict!r} for a parked message.", where=message_id, fix="release or drop.")


def _on_recommendation(store: Store, rec: str, said: Said) -> str:
    if said.verdict not in VERDICTS:
        fix = f"one of {', '.join(VERDICTS)}."
        raise UsageError(f"no verdict {said.verdict!r} for a recommendation.", where=rec, fix=fix)
    query = "select use_case, decision from recommendation where rec = ? order by decided_at desc"
    found = store.rows(query, [rec])
    if not found:
        fix = 'undercut sql "select rec from recommendations".'
        raise DataMissing(f"no recommendation {rec!r}.", where="recommendations", fix=fix)
    if json.loads(found[0]["decision"]).get("best") is None:
        fix = f"see undercut explain {found[0]['use_case']}; what is never to be proposed stands under require.deny in use_cases.yaml."
        raise UsageError(f"{rec} proposes nothing that could be answered.", where="recommendations", fix=fix)
    word = VERDICTS[said.verdict]
    ends = _last_day(said) or _default_until(word, said.at.date())
    row = {"verdict": word, "until": ends, "why": said.why, "reopen_if": said.reopen_if}
    before = store.rows("select * from feedback where rec = ? order by decided_at desc limit 1", [rec])
    store.insert("feedback", [{**row, "rec": rec, "decided_at": said.at, "decided_by": said.by}])
    lines = [
        f"# recorded: {_told(row)}",
        *(f"# in place of: {_told(b)}, said {b['decided_at']:%Y-%m-%d}" for b in before),
    ]
    return "\n".join([*lines, _patch(found[0], {"date": said.at.date().isoformat(), "rec": rec, **row, "by": said.by})])


def _told(row: Mapping[str, Any]) -> str:
    """One line, whatever a person wrote: the reason stands in quotes, escaped."""
    until, why = f" until {row['until']}" if row["until"] else "", f", {json.dumps(row['why'])}" if row["why"] else ""
    return f"{row['verdict']}{until}{why}"


def _on_held(store: Store, claim_id: str, said: Said, sources: Mapping[str, Source]) -> str:
    if said.verdict not in HELD:
        raise UsageError(f"no verdict {said.verdict!r} for a held row.", where=claim_id, fix="release or reject.")
    found = store.rows(HELD_CLAIM, [claim_id])
    if not found:
        fix = 'undercut sql "select claim_id, why from quarantine".'
        raise DataMissing(f"nothing is held under {claim_id!r}.", where="quarantine", fix=fix)
    if before := store.rows("select * from held_release where claim_id = ?", [claim_id]):
        told = f"has its verdict: {before[0]['verdict']}, {before[0]['released_at']:%Y-%m-%d}, by {before[0]['released_by']}."
        raise UsageError(told, where=claim_id, fix="nothing was changed; what the page says next is weighed anew.")
    verdict = {
        "claim_id": claim_id,
        "released_at": said.at,
        "verdict": said.verdict,
        "released_by": said.by or "a person",
    }
    store.insert("held_release", [verdict])
    if said.verdict == "reject":
        store.insert("rate", _undisputed(store, found[0], said.at), unique=("rate_id",))
        return f"{claim_id} rejected: the old price stands."
    source = sources.get(found[0]["source_id"])
    own = source is not None and source.kind == "official"
    store.insert("rate", [_released(found[0], said.at, "official" if own else "single")], unique=("rate_id",))
    return f"{claim_id} released: believed from now on{'' if own else ', where nothing better is known than a list'}."


def _undisputed(store: Store, row: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The price that was marked disputed for this claim, with the standing it had before."""
    place = [row[k] for k in PLACE]
    same = " and ".join(f"{k} is not distinct from ?" for k in PLACE)
    old = store.rows(
        f"select * from rate where {same} and known_from <= ? order by known_from desc", [*place, naive(now)]
    )
    if not old or old[0]["standing"] != "disputed":
        return []
    before = [r for r in old if r["standing"] != "disputed" and r["usd_per_mtok"] == old[0]["usd_per_mtok"]]
    standing = before[0]["standing"] if before else "single"
    return [_named(old[0] | {"standing": standing, "known_from": now})]


def _released(row: dict[str, Any], now: datetime, standing: Standing) -> dict[str, Any]:
    plain = {k: row[k] for k in (*PLACE, "valid_from", "valid_to")} | {
        "region": "global",
        "usd_per_mtok": row["usd_per_mtok"],
        "usd_per_unit": None,
        "unit": None,
        "known_from": now,
        "standing": standing,
        "source_id": row["source_id"],
        "claim_ids": [row["claim_id"]],
        "withdrawn": False,
    }
    return _named(plain)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """With the id that its content gives, as every other rate: what rests on it is found by that."""
    return row | {"rate_id": rate_from_row(row | {"known_from": naive(row["known_from"])}).rate_id}


def _last_day(said: Said) -> str | None:
    if not said.until:
        return None
    try:
        day = date.fromisoformat(said.until)
    except ValueError:
        day = date.min
    if day < said.at.date():
        raise UsageError(f"{said.until!r} is no day to come.", where="--until", fix="write it as YYYY-MM-DD.")
    return day.isoformat()


def _default_until(verdict: str, today: date) -> str | None:
    days = RULING_DAYS.get(verdict, 0)
    return (today + timedelta(days=days)).isoformat() if days and verdict in ("rejected", "later") else None


def _patch(found: dict[str, Any], fields: dict[str, str | None]) -> str:
    """The entry for `decisions:` of the use case; strings quoted, so that no text can break the YAML."""
    decision = json.loads(found["decision"])
    about = decision.get("best") or decision["current"]
    scope = scope_of(about.get("move"), str(about["endpoint_id"]).partition(":")[0])
    stated = {"model": about.get("model_id"), **scope, **fields}
    entry = ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in stated.items() if v)
    return f"use_cases:\n  {found['use_case']}:\n    decisions:\n      - {{{entry}}}"
