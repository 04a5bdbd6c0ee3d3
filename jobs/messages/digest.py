"""The weekly digest (PRODUCT 4.3) and the roll-up for leaders: open money first, then what changed, then what is quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.messages.blocks import Payload, name, payload, percent, usd

if TYPE_CHECKING:
    from jobs.digest import Digest, Open

SHOWN = 8
NOTES = 6


def digest_message(g: Digest, *, now: datetime) -> Payload:
    """Pure: the same week gives the same message. Nothing that is unknown is left out or made zero."""
    year, week = g.year_week
    money = f"{usd(g.spend_usd_per_month)}/mo at list prices" if g.spend_usd_per_month is not None else "unpriced"
    of = f"{name(g.of, 40)} and the teams below it" if g.of else "all teams"
    what = "LLM landscape" if g.channel else f"LLM spend of {of}"
    head = f"🔵 {what}, {f'{g.day:%d %b}' if g.day else f'week {week}'} · {g.use_cases} use case{'' if g.use_cases == 1 else 's'} · {money}"
    nothing = f"nothing was decided {'today' if g.day else 'this week'}"
    lines = [
        *_open_money(g),
        *(_teams(g) if g.channel is None else []),
        f"Decided   {_counts(g.decided) or nothing}",
        f"Coming    {_some(g.coming) or f'no retirement known within {90} days'}",
        f"Blocked   {_some(g.constraints) or 'no constraint costs over $100 a month'}",
        f"Landscape {g.rows_moved} price row{_s(g.rows_moved)} moved, {g.rows_touching} of models you use",
        *(f"          {name(n, 160)}" for n in g.notes[:NOTES]),
        *([f"          … {len(g.notes) - NOTES} more"] if len(g.notes) > NOTES else []),
        f"Data      {g.fresh} of {g.sources} sources fresh · {g.held} row{_s(g.held)} held · {g.unpriced} use case{_s(g.unpriced)} unpriced",
        *([f"Parked    {_some(g.parked)}: undercut feedback MSG release (or drop)"] if g.parked else []),
        f"Withheld  {_counts(g.withheld) or 'nothing'}",
        f"Quiet     {g.quiet} use case{_s(g.quiet)} with nothing to do · {g.unknown} without enough data",
    ]  # fmt: skip
    rate = f"{g.acted} of {g.sent} alerts led to a switch or an approval" if g.sent else "no alert sent yet"
    last = [
        "Next      undercut explain REC · undercut rank USE_CASE",
        "Answer    undercut feedback REC approve | later | reject --why …",
        f"Stop it   alerts: {{mode: never}} in use_cases.yaml · {rate}",
    ]
    span = "A digest a day" if g.day else f"Week {week} of {year}"
    small = [f"{span}, to {now:%d %b %Y %H:%M} UTC. Sums at list prices."]
    return payload(head, lines, small, last=last, more='undercut sql "select * from recommendations"')


def _open_money(g: Digest) -> list[str]:
    sure = [o for o in g.open if o.verdict == "switch"]
    total = sum(o.saving_usd_per_month or 0 for o in sure)
    share = f" ({percent(total / g.spend_usd_per_month)})" if g.spend_usd_per_month else ""
    waits = Counter(name(o.owner, 30) for o in sure)
    on = f"; waiting on {', '.join(f'{who} {n}' for who, n in waits.most_common(4))}" if waits else ""
    first = (
        f"Open      {usd(total)}/mo{share} in {len(sure)} use case{_s(len(sure))}{on}"
        if sure
        else f"Open      nothing {'new ' if g.silent_usd_per_month else ''}that passes every bar"
    )
    shown = g.open[:SHOWN]
    wide = max((len(o.use_case) for o in shown), default=0)
    lines = [first, *(_line(n, o, wide) for n, o in enumerate(shown, 1))]
    rest = g.open[SHOWN:]
    if rest:
        lines.append(f" … {len(rest)} more, {usd(sum(o.saving_usd_per_month or 0 for o in rest))} together")
    if g.silent:
        money = f" ({usd(g.silent_usd_per_month)}/mo proven)" if g.silent_usd_per_month else ""
        lines.append(
            f" {g.silent} open for over two weeks{money}, no longer repeated: undercut sql \"select * from recommendations where state = 'open'\""
        )
    return lines  # fmt: skip


def _line(n: int, o: Open, wide: int) -> str:
    money = f"−{usd(o.saving_usd_per_month)}" if (o.saving_usd_per_month or 0) > 0 else "contract"
    sure = "–" if o.move == "tier" else percent(o.p_ok)
    state = {
        "switch": f"open {o.days} day{_s(o.days)}{', last reminder' if o.days > 7 and not o.new_here else ''}",
        "test": "run the evaluation: not proven yet",
        "wait": "watched: only the central estimate passes",
    }[o.verdict]
    return (
        f" {n} {o.use_case:<{wide}}  {money:>8}  {o.move or '–':<8}  {sure:>9}  {o.evidence or '–'}  {state}  {o.rec}"
    )


def _teams(g: Digest) -> list[str]:
    shown = g.teams[:SHOWN]
    wide = max((len(name(t, 30)) for t, *_ in shown), default=0)
    lines = [
        f"{'Teams     ' if not n else '          '}{name(team, 30):<{wide}}  {cases:>3} use case{_s(cases)}  {usd(spend):>8}/mo  open {usd(money)}"
        for n, (team, cases, spend, money) in enumerate(shown)
    ]
    return [*lines, *([f"          … {len(g.teams) - SHOWN} more"] if len(g.teams) > SHOWN else [])]


def _counts(found: dict[str, int]) -> str:
    return " · ".join(f"{name(what, 60)} {n}" for what, n in sorted(found.items(), key=lambda x: (-x[1], x[0])))


def _some(lines: Sequence[str], most: int = 3) -> str:
    rest = f" · {len(lines) - most} more" if len(lines) > most else ""
    return " · ".join(name(line, 110) for line in lines[:most]) + rest


def _s(n: int) -> str:
    return "" if n == 1 else "s"
