"""What people answered to findings (buttons, `undercut feedback`), beside what the registry's `decisions` say: both shut out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from data.records import Ruling, UseCase
from data.registry import Registry
from data.store import Readable
from recommender.eligible import ruling_ends

NEWEST = """
select f.*, r.use_case, r.decision ->> '$.best.model_id' as model, r.decision ->> '$.best.move' as move,
    split_part(r.decision ->> '$.best.endpoint_id', ':', 1) as host from feedback f join recommendation r using (rec)
where r.decision ->> '$.best.model_id' is not null
qualify row_number() over (partition by f.rec order by f.decided_at desc, r.decided_at desc) = 1 order by f.decided_at, f.rec"""


def with_answers(store: Readable, registry: Registry) -> Registry:
    """The registry whose use cases also hold the newest answer to each of their findings, as its patch would write it.

    An entry of `decisions` wins: over the answer to the finding it names, and over answers about its model up to its day.
    """
    said: dict[str, list[Ruling]] = {}
    for row in store.rows(NEWEST):
        said.setdefault(row["use_case"], []).append(_ruling(row))
    return replace(registry, use_cases=tuple(_with(case, said.get(case.slug, [])) for case in registry.use_cases))


def _with(case: UseCase, answers: list[Ruling]) -> UseCase:
    fresh = tuple(a for a in answers if not any(_wins(r, a) for r in case.rulings))
    return case.model_copy(update={"rulings": (*case.rulings, *fresh)}) if fresh else case


def _wins(written: Ruling, answer: Ruling) -> bool:
    return written.rec == answer.rec or (written.model == answer.model and written.date >= answer.date)


def _ruling(row: Mapping[str, Any]) -> Ruling:
    kept = {k: row[k] for k in ("rec", "model", "verdict", "reopen_if", "why")}
    return Ruling(
        **kept,
        **scope_of(row["move"], row["host"]),
        date=row["decided_at"].date().isoformat(),
        until=day_of(row["until"]),
        by=row["decided_by"],
    )


def scope_of(move: Any, host: str | None) -> dict[str, Any]:
    """What an answer is about: another tier or host of a model is no word about the model itself."""
    if move == "tier":
        return {"move": "tier"}
    return {"move": "endpoint", "via": host} if move == "endpoint" else {}


def holding(store: Readable, today: date) -> tuple[set[str], dict[str, date]]:
    """(findings whose newest answer holds today, last day of those whose "no" or "later" is over)."""
    newest = store.rows(
        "select * from feedback qualify row_number() over (partition by rec order by decided_at desc) = 1"
    )
    last = {
        r["rec"]: ruling_ends(_ruling({**r, "model": "", "move": None, "host": None}))
        for r in newest
        if r["verdict"] in ("later", "rejected")
    }
    over = {rec: day for rec, day in last.items() if day < today}
    return {r["rec"] for r in newest} - over.keys(), over


def day_of(text: str | None) -> str | None:
    """The ISO day of a text; None where it is none."""
    with suppress(TypeError, ValueError):
        return date.fromisoformat(text).isoformat()  # type: ignore[arg-type]
    return None
