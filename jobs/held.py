"""What is held back, kept across readings: since when a page says it without a break, what a person refused, what lets go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from data.records import Held
from data.store import Store
from scraper.source import Source

# A statement is the same words about the same model; a change of the body around it is none of its business.
WORDS = """model_as_written, model_id_as_written, tier, context_min_tokens, context_max_tokens, time_window, amount, per, currency"""
SAID = f"""
select distinct h.claim_id, h.endpoint_id, h.meter, c.meter as written_meter, r.verdict, {", ".join("c." + w for w in WORDS.split(", "))}
from held h join price_claim c using (claim_id, source_id) left join held_release r using (claim_id) where h.source_id = ?"""
STATING = f"""
select distinct s.claim_id, c.capture as sha256 from ({SAID}) s join price_claim c
    on c.source_id = ? and c.meter = s.written_meter and not c.list_price
    and {" and ".join(f"c.{w} is not distinct from s.{w}" for w in WORDS.split(", "))}"""
READINGS = "select fetched_at, sha256 from capture where source_id = ? and outcome <> 'failed' order by fetched_at desc"


def earlier(store: Store, source: Source) -> dict[str, datetime]:
    """Held statements that nobody decided and that every reading up to the last one made, with since when (UTC)."""
    said = [r for r in store.rows(SAID, [source.id]) if r["verdict"] in (None, "lapsed")]
    if not said:
        return {}
    bodies: dict[str, set[str]] = defaultdict(set)
    for r in store.rows(STATING, [source.id, source.id]):
        bodies[r["claim_id"]].add(r["sha256"])
    readings = store.rows(READINGS, [source.id])
    out: dict[str, datetime] = {}
    for r in said:
        since = None
        for reading in readings:
            if reading["sha256"] not in bodies[r["claim_id"]]:
                break  # said, taken back, said again: that is no second reading
            since = reading["fetched_at"].replace(tzinfo=UTC)
        if since is not None:
            out[text_of(source, r)] = since
    return out


def rejected(store: Store, source: Source) -> frozenset[str]:
    """Statements a person refused; they stay refused when the body around them changes."""
    return frozenset(text_of(source, r) for r in store.rows(SAID, [source.id]) if r["verdict"] == "reject")


def add_held(store: Store, rows: Iterable[Held]) -> int:
    return store.insert("held", (r.model_dump() for r in rows), unique=("claim_id", "source_id"))


def settle_held(store: Store, source: Source, released: Mapping[str, str], still: Iterable[str], now: datetime) -> None:
    """Record what was released and by what, and what lapsed since the page no longer says it.

    `released`: statement -> what released it; `still`: statements the page makes now.
    """
    made = set(still)
    out = []
    for r in store.rows(SAID, [source.id]):
        text = text_of(source, r)
        verdict = "release" if text in released else "lapsed" if text not in made else None
        if r["verdict"] is None and verdict is not None:
            by = released.get(text, "the page no longer says it")
            out.append({"claim_id": r["claim_id"], "released_at": now, "verdict": verdict, "released_by": by})
    store.insert("held_release", out, unique=("claim_id",))


def text_of(source: Source, r: Mapping[str, Any]) -> str:
    """`scraper.reconcile.key_text` of a row."""
    key = (r["endpoint_id"], r["meter"], r["tier"], r["context_min_tokens"], r["context_max_tokens"], r["time_window"])
    return "|".join(map(str, (source.id, *key, r["amount"].normalize(), r["per"], r["currency"])))
