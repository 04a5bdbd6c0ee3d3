"""`undercut backtest`: the replay of recorded prices and dated scores, as known on each day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import UsageError
from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from recommender.backtest import AlertLine, Claim, ClauseLine, FifthLine, World, YearLine

NOTES = """
[bold]How to read it[/bold]
A decision is a board, a model in use from its best quarter and a newly priced model at 0.7 of its
price or less. Good: its own later score is at most 2 points lower. Precision: share of alerts
that proved good. Recall: share of the good ones that were alerted before their score was known.
D: points above the model in use. Where 2 points are all a model in use has, any model is good,
and nothing is decided.
prototype: SCIENCE.md's factor model and residual pool. undercut: the probability of `rank` and
`check`. Whole rule: `decide` itself at a registry's defaults (confidence 0.85, low end of the
saving, payback, option to wait) on a bill of $10,000 a month; as one board is evidence D, the
entry asks `evidence: D`. At the default C each of these is a "test".
A year: cost of the first bill; captured of what the oracle saves, which knows every score at
release and pays the day's lowest price; regret to it; saved against never switching. P rules
follow SCIENCE.md 4.6, undercut follows `decide` day by day (14 days of age, cooldown of 30), at
three confidences. Short: months on a model below par. Undone: switches away from one. Effort:
working time of all switches, share of a year's bill. First: months from the first good release to
the switch. A year's use cases are those in which a good cheaper model came, and only models that
the board measured in the end take part: of the others nobody can say whether a switch was right.
What a clause costs: "measured only" and the P rules take a known score as exact, as the replay
itself does when it calls a candidate good; the product adds the sampling error of a score, so one
just over the bar is not sure. The replay can show what this doubt costs, never what it saves.
Cost is list price per token, 3:1, not per task; settings of one model share its price. Ranges: 95
%, by drawing candidates, or first models in use."""


def backtest(
    history: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) of what sources said on which day.", exists=True)],
    scores: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) of scores with release days.", exists=True)],
    source: Annotated[str, typer.Option(help="Whose scores of that table.")] = "artificial_analysis",
    lag_months: Annotated[
        list[int] | None, typer.Option(min=0, help="Months from release to a score; may be repeated. [default: 1, 3]")
    ] = None,
    before: Annotated[
        str, typer.Option(metavar="DATE", help="Decisions before this day are shown on their own, too.")
    ] = "2026-01-30",
    as_json: Json = False,
) -> None:
    """Replay history: alerts sent, how often right, saving if followed, against an oracle and never switching."""
    from dataclasses import asdict

    from jobs.backtest import load_world
    from recommender.backtest import (
        AsOf,
        Years,
        claims_of,
        foresee,
        replay_years,
        said_and_seen,
        weigh_alerts,
        weigh_clauses,
    )  # fmt: skip

    split = _day(before)
    for months in lag_months or [1, 3]:
        with progress(quiet=as_json) as tell:
            tell("reading the records")
            world = load_world(history, scores, lag_months=months, source=source)
            tell(f"foreseeing {len(world.rows)} models on their first priced days")
            asof, foreseen = AsOf(world), foresee(world)
            claims = claims_of(world, foreseen, asof)
            early = [c for c in claims if c.foreseen.day < split.toordinal()]
            tell("following each rule for a year, day by day")
            alerts, first = weigh_alerts(claims), weigh_alerts(early)
            whole = Years(world, foreseen, asof)
            years, fifths = replay_years(whole), said_and_seen(claims)
            tell("lifting one clause of the rule after the other")
            clauses = weigh_clauses(world, claims, whole)
        if as_json:
            tables = (
                ("alerts", alerts),
                ("alerts_before", first),
                ("fifths", fifths),
                ("year", years),
                ("clauses", clauses),
            )
            for kind, lines in tables:
                for line in lines:
                    say({"table": kind, "lag_months": months, **asdict(line)})
            continue
        _print(world, months, claims, alerts, fifths, years)
        _clauses(clauses)
        console().print(
            f"\nOf these, {len(early):,} decisions before {split}. The estimator's constants were chosen on releases of this\n"
            "source to January 2025 and after that day, and on other tables that share models: these decisions\n"
            "are nearly, not wholly, untouched."
        )
        _alerts([a for a in first if not a.rule.startswith(("never", "oracle"))])
        console().print()
    if not as_json:
        console().print(NOTES.strip())


def _print(
    world: World,
    months: int,
    claims: list[Claim],
    alerts: list[AlertLine],
    fifths: list[FifthLine],
    years: list[YearLine],
) -> None:
    out = console()
    out.print(
        f"[bold]Scores known {months} month{'' if months == 1 else 's'} after release[/bold], three of each model at release:\n"
        f"{len(world.rows)} settings of {len(set(world.groups))} models, {len(world.benchmarks)} boards"
    )
    days = [c.foreseen.day for c in claims]
    span = f", {date.fromordinal(min(days))} to {date.fromordinal(max(days))}" if days else ""
    out.print(f"\nAlerts: {len(claims):,} decisions on {len({c.candidate for c in claims})} candidates{span}")
    _alerts(alerts)
    if fifths:
        out.print("P said / seen good, by fifth: " + "  ".join(f"{f.said:.2f}/{f.seen:.2f}" for f in fifths))
    if not years:
        out.print("\nNo year to follow: no use case has a full year of prices and a good cheaper release in it.")
        return
    out.print(f"\nA year of switching: {years[0].use_cases} use cases, {years[0].incumbents} first models in use")
    _years(years)


def _alerts(lines: list[AlertLine]) -> None:
    heads = ["rule", "alerts", "models", "precision", "recall", "saving", "D, pts"]
    _table(
        heads,
        [
            [
                x.rule, f"{x.alerts:,}", str(x.candidates), _with_range(x.precision, x.precision_range),
                _with_range(x.recall, x.recall_range), _three(x.saving_share), _three(x.mean_gap_points, 1),
            ]
            for x in lines
        ],
    )  # fmt: skip


def _years(lines: list[YearLine]) -> None:
    _table(
        ["rule", "cost", "captured", "regret", "saved"],
        [
            [
                x.rule, _with_range(x.cost, x.cost_range), _with_range(x.captured, x.captured_range),
                _with_range(x.regret, x.regret_range), _three(x.saved),
            ]
            for x in lines
        ],
    )  # fmt: skip
    console().print()
    _table(
        ["rule", "switches", "undone", "months short", "effort", "months to first good"],
        [
            [
                x.rule, _three(x.switches, 2), _three(x.undone), _three(x.months_short), _three(x.effort),
                _with_range(x.months_to_first, x.months_to_first_range, 2),
            ]
            for x in lines
        ],
    )  # fmt: skip


def _clauses(lines: list[ClauseLine]) -> None:
    console().print("\nWhat each clause costs: the whole rule, then with one thing changed")
    _table(
        ["", "precision", "recall", "captured", "with effort", "switches", "short", "first"],
        [
            [
                x.rule, _three(x.alerts.precision) if x.alerts else "as above", _three(x.alerts.recall) if x.alerts else "",
                *(_year_cells(x.year) if x.year else ["-"] * 5),
            ]
            for x in lines
        ],
    )  # fmt: skip


def _year_cells(y: YearLine) -> list[str]:
    return [
        _with_range(y.captured, y.captured_range), _three(y.cost + (y.effort or 0.0)), _three(y.switches, 2),
        _three(y.months_short, 2), _three(y.months_to_first, 2),
    ]  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date", where="--before", fix="write it as 2026-01-30") from None


def _table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _three(value: float | None, places: int = 3) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _with_range(value: float | None, ends: tuple[float, float] | None, places: int = 3) -> str:
    if value is None or ends is None:
        return _three(value, places)
    return f"{_three(value, places)} {_three(ends[0], places)}–{_three(ends[1], places)}"


def register(app: typer.Typer) -> None:
    app.command()(backtest)
