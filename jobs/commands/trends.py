"""trends: how fast the price of a fixed quality falls, ours beside the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Annotated, Any

import typer

from jobs.commands.out import Json, console, progress, say

MOST_DROPS = 30


def trends(
    task: Annotated[
        str | None, typer.Argument(help="A task, e.g. code_generation; without one, the widest boards.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="Prices known up to this day, YYYY-MM-DD.")] = None,
    published: Annotated[
        bool, typer.Option("--published", help="The published table of 21 series, rebuilt line by line.")
    ] = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="The floor of each level in 3, 6 and 12 months.")
    ] = False,
    drivers: Annotated[
        bool, typer.Option("--drivers", help="Every fall of a floor with what stood beside it.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also the levels without a line, with the reason.")] = False,
    as_json: Json = False,
) -> None:
    """Factor a year by which prices fall, by four definitions, each with its interval; or why none is given.

    --forecast: what the lowest price of each level may do next, and how such forecasts did so far. --drivers: what stood
    beside each fall. Exits 0, 2, 3.
    """
    from datetime import UTC, datetime

    from data.errors import UsageError
    from jobs.trends.published import headlines, rebuilt
    from jobs.trends.table import boards_of, ours
    from recommender.trends import DEFINITIONS

    try:
        day = date.fromisoformat(as_of) if as_of else datetime.now(UTC).date()
    except ValueError:
        raise UsageError(f'"{as_of}" is no day.', where="--as-of", fix="write YYYY-MM-DD.") from None
    if forecast:
        _forecast(boards_of(task, day), day, every, as_json)
        return
    if drivers:
        _drivers(boards_of(task, day), day, every, as_json)
        return
    table = rebuilt()
    with progress(as_json) as tell:
        tell("reading recorded prices and scores")
        rows = [] if published else ours(task, day)
    if as_json:
        for r in table if published else ():
            say({"benchmark": r.benchmark, "level": r.level, "factor_per_year": r.ours.factor, "low": r.ours.low,
                 "high": r.ours.high, "points": r.ours.n, "span_days": r.ours.span_days, "deviation": r.deviation})  # fmt: skip
        for h in headlines(table):
            say(h)
        for t in rows:
            say(t.row())
        return
    from jobs.show import rows_table

    out = console()
    if published:
        out.print(
            "[bold]Published table, rebuilt from its own data[/]  Epoch AI, 12 March 2025; definition ii, 90 % intervals"
        )
        out.print(rows_table([_published(r) for r in table], wrap=False))
        out.print(f"largest relative deviation of a factor or bound: {max(r.deviation for r in table):.1e}")
    else:
        out.print(f"[bold]How fast the price of a fixed quality falls[/]  prices known up to {day}; 90 % intervals")
        for key, words in DEFINITIONS.items():
            out.print(f"  {key:3} {words}", markup=False)
        told = [t for t in rows if every or t.factor_per_year is not None]
        out.print(rows_table([_shown(t) for t in told], wrap=False))
        if len(told) < len(rows):
            out.print(
                f"{len(rows) - len(told)} levels have no line (too short to say, or nobody reaches them): --all shows why"
            )
        out.print(
            "[dim]ii and iii are lines through record lows: they never see the months in which nothing happened.[/]"
        )
    out.print("\n[bold]The headline figures[/]")
    out.print(rows_table(headlines(table)))
    out.print(
        "[bold]Next:[/] undercut trends --published   (the 21 series behind the headlines)"
        if not published
        else "[bold]Next:[/] undercut trends"
    )


def _forecast(boards: Sequence[str], day: date, every: bool, as_json: bool) -> None:
    from jobs.trends.forecast import HORIZONS_DAYS, floors, judged, own_cuts, shown_method

    with progress(as_json) as tell:
        tell("replaying past forecasts")
        found, cuts, verdicts = floors(day, boards), own_cuts(day), judged(day)
    if as_json:
        for f in found:
            say(f.row())
        for v in verdicts:
            say({"method": v.method, "days": v.days, "n": v.n, "mae_log10": v.mae, "covered": v.covered})
        return
    from jobs.show import rows_table

    out = console()
    out.print(f"[bold]The floor of a quality level, and what it may do next[/]  prices known up to {day}")
    out.print("[dim]lowest $ per million tokens (3 in : 1 out) that two records agree on; 80 % intervals[/]")
    told = [f for f in found if every or f.why is None]
    out.print(rows_table([_floor(f) for f in told], wrap=False))
    if len(told) < len(found):
        out.print(f"{len(found) - len(told)} levels are not foreseen: --all shows why")
    out.print(
        f"\nPace of the last year: {cuts.rate_per_year:.1f} cuts a year and level, {cuts.factor_per_year:.1f} times cheaper in the mean"
        f" ({cuts.cuts} cuts in {cuts.line_years:.0f} line-years, shrunk to 5 times a year)"
    )
    out.print("\n[bold]How such forecasts did on our own lines[/]  mean error in log10 price (0.30 is a factor of 2)")
    out.print(rows_table(_judged(verdicts)))
    chance = {o.days: f"{1 - o.p_unchanged:.0%}" for f in found for o in f.outlook}
    if chance:
        out.print(
            "Chance of a cut of a level: " + ", ".join(f"{c} within {d // 30} months" for d, c in chance.items()) + "."
        )
    best = ", ".join(f"{shown_method(day, d)} at {d // 30} months" for d in HORIZONS_DAYS)
    out.print(f"Best single guess, of steps and no change whichever erred less: {best}.")
    out.print("[bold]Next:[/] undercut trends   (how fast it fell so far)")


def _drivers(boards: Sequence[str], day: date, every: bool, as_json: bool) -> None:
    from collections import Counter

    from jobs.trends.drivers import drops

    with progress(as_json) as tell:
        tell("looking at every fall")
        found = drops(day, boards)
    if as_json:
        for d in found:
            say(d.row())
        return
    from jobs.show import rows_table

    out = console()
    shown = found if every else found[:MOST_DROPS]
    out.print(f"[bold]What stood beside each fall of a floor[/]  prices known up to {day}; newest first")
    out.print(rows_table([_drop(d) for d in shown]))
    if len(shown) < len(found):
        out.print(f"{len(found) - len(shown)} earlier falls: --all shows them")
    counts = Counter(name for d in found for name in d.drivers)
    told = ", ".join(f"{name} {n}" for name, n in counts.most_common())
    blind = sum(not d.drivers for d in found)
    out.print(f"\nOf {len(found)} falls: {told or 'nothing visible'}; nothing visible at {blind}.")
    out.print(
        "[dim]Beside a fall, not its proven cause. Precision is recorded for today only, so it is not said of the past.[/]"
    )
    out.print("[bold]Next:[/] undercut trends --forecast   (what the floors may do next)")


def _drop(d: Any) -> dict[str, Any]:
    who = "same, " + d.to_model if d.from_model == d.to_model else d.to_model
    return {"day": d.day.isoformat(), "level": f"{_short(d.benchmark)} {d.level:g}", "fall": f"{d.factor:.{1 if d.factor >= 1.1 else 2}f}× to {_usd(d.to_usd)}",
            "to": who, "beside it": ", ".join(d.drivers) or "nothing visible"}  # fmt: skip


def _floor(f: Any) -> dict[str, Any]:
    row = {"benchmark": _short(f.benchmark), "level": f"{f.level:g}", "now": _usd(f.usd), "model": f.model}
    keys = ("3 months", "6 months", "12 months")
    if f.why is not None:
        return {**row, keys[0]: f.why, keys[1]: "", keys[2]: ""}
    return {**row, **{k: _told(o, f.usd) for k, o in zip(keys, f.outlook, strict=True)}}


def _told(o: Any, now: float) -> str:
    point = "" if abs(o.usd / now - 1) < 1e-6 else f"{_usd(o.usd)} of "
    return f"{point}{_usd(o.low)}–{o.high:.3g}"


def _judged(verdicts: Sequence[Any]) -> list[dict[str, Any]]:
    rows = []
    for days in sorted({v.days for v in verdicts}):
        row = [v for v in verdicts if v.days == days]
        held = next(v.covered for v in row if v.covered is not None)
        rows.append(
            {"days": str(days), "questions": row[0].n}
            | {v.method: f"{v.mae:.3f}" for v in row}
            | {"80 % interval held": f"{held:.1%}"}
        )
    return rows


def _usd(usd: float | None) -> str:
    return "" if usd is None else f"${usd:.3g}"


def _short(benchmark: str) -> str:
    """The name people know, kept short; a dated edition keeps its date."""
    base, _, edition = benchmark.partition("@")
    known = _benchmarks()
    found = known.get(benchmark) or known.get(base)
    name = found.name if found else base
    return f"{name} {edition}".strip()


@cache
def _benchmarks() -> dict[str, Any]:
    from data.tasks import load_benchmarks

    return dict(load_benchmarks())


def _published(r: Any) -> dict[str, Any]:
    f = r.ours
    return {"benchmark": r.benchmark, "level": f"{r.level:g}", "model": r.level_model, "n": f.n, "days": f.span_days,
            "from": f.start, "to": f.end, "factor_per_year": f"{f.factor:.2f}", "interval": f"{f.low:.2f} to {f.high:.3g}",
            "R2": f"{f.r_squared:.2f}"}  # fmt: skip


def _shown(t: Any) -> dict[str, Any]:
    fall = "" if t.factor_per_year is None else f"{t.factor_per_year:.2f} ({t.factor_low:.2f} to {t.factor_high:.3g})"
    usd = f"${t.first_usd:.3g} → ${t.last_usd:.3g}" if t.first_usd else ""
    level = "" if t.level is None else f"{t.level:g}"
    return {"by": t.definition, "benchmark": _short(t.benchmark), "level": level, "times cheaper a year": fall or t.why, "n": t.points,
            "days": t.span_days, "price": usd}  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command()(trends)
