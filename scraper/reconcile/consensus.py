"""Statements of catalogues about one price -> what may be believed of it. Pure.

Two catalogues prove a price only where neither takes its figures from the other, both were read lately, and nobody who
is alive says otherwise: most errors of such lists are prices that were right once, and those come with a dissenter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from data.records import Standing
from scraper.reconcile.guards import odd_move

SAME = Decimal("0.005")  # relative difference of two writings of one price (0.7499999 and 0.75)
ALIVE = timedelta(days=30)  # since a source was last read; an older record says nothing about today
TOGETHER = timedelta(days=60)  # within which two sources must have said what a floating name costs


@dataclass(frozen=True)
class Statement:
    """One source's USD per million tokens; `stated_on` since when it says so, `read_on` when it was last read."""

    source_id: str
    usd_per_mtok: Decimal
    stated_on: date
    read_on: date
    claim_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settled:
    """What is believed, with its standing and who says so; no amount where it is disputed."""

    usd_per_mtok: Decimal | None
    standing: Standing
    why: str
    sources: tuple[str, ...] = ()
    claim_ids: tuple[str, ...] = ()  # of those that say so


def settle(
    said: Sequence[Statement], today: date, lineage: Mapping[str, str], *, floating: bool = False
) -> Settled | None:
    """The price that independent sources prove, the one that a single source states, or a dispute; nobody alive: None.

    `lineage` names for a source the one it takes its figures from (itself where it is not in it); the one read last
    speaks for its line. `floating`: a name like `-latest` that means another model from time to time (HAZARDS M4).
    """
    speakers = speaking((s for s in said if today - s.read_on <= ALIVE), lineage)
    if not speakers:
        return None
    first, *others = sorted(speakers, key=lambda s: s.source_id)
    who = tuple(s.source_id for s in (first, *others))
    dissent = [s for s in others if not same(s.usd_per_mtok, first.usd_per_mtok)]
    if dissent:
        said_so = ", ".join(f"{s.source_id} {s.usd_per_mtok.normalize():f}" for s in (first, *others))
        return Settled(None, "disputed", said_so, who)
    if not others:
        return Settled(first.usd_per_mtok, "single", f"only {first.source_id} says so", who)
    days = [s.stated_on for s in (first, *others)]
    if floating and max(days) - min(days) > TOGETHER:
        return Settled(None, "disputed", "a floating name, and its sources do not speak of the same time", who)
    claims = tuple(dict.fromkeys(i for s in (first, *others) for i in s.claim_ids))
    return Settled(first.usd_per_mtok, "witnessed", f"{', '.join(who)} agree", who, claims)


def speaking(said: Iterable[Statement], lineage: Mapping[str, str]) -> list[Statement]:
    """One statement for each line of descent: that of the source read last."""
    out: dict[str, Statement] = {}
    for s in said:
        line = lineage.get(s.source_id, s.source_id)
        old = out.get(line)
        if old is None or (s.read_on, s.stated_on) > (old.read_on, old.stated_on):
            out[line] = s
    return list(out.values())


def same(a: Decimal, b: Decimal) -> bool:
    return abs(a - b) <= SAME * max(abs(a), abs(b))


def restate(old: Settled | None, found: Settled) -> Settled:
    """What stands after `found`, where `old` stood. Another price takes two witnesses, or the one source that said it.

    A doubted price stays, marked disputed; where nothing was believed yet, nothing is.
    """
    if old is None or old.usd_per_mtok is None or found.standing == "witnessed":
        return found
    if found.usd_per_mtok is None:
        return Settled(old.usd_per_mtok, "disputed", found.why, old.sources)
    if same(found.usd_per_mtok, old.usd_per_mtok):
        return found
    alone = f"only {', '.join(found.sources)} says {found.usd_per_mtok.normalize():f}"
    why = odd_move(old.usd_per_mtok, found.usd_per_mtok) if set(found.sources) & set(old.sources) else alone
    return found if why is None else Settled(old.usd_per_mtok, "disputed", why, old.sources)
