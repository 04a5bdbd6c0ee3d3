"""`undercut backtest`: the replay of recorded prices and dated scores, as known on each day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from recommender.backtest import AlertLine, YearLine


def backtest(
    history: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) of what sources said on which day.", exists=True)],
    scores: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) of scores with release days.", exists=True)],
    source: Annotated[str, typer.Option(help="Whose scores of that table.")] = "artificial_analysis",
    lag_months: Annotated[
        list[int] | None, typer.Option(min=0, help="Months from release to a score; may be repeated. [default: 1, 3]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay history: alerts sent, how often right, saving if followed, against an oracle and never switching."""
    from dataclasses import asdict

    from jobs.backtest import load_world
    from recommender.backtest import claims_of, foresee, replay_years, weigh_alerts

    for months in lag_months or [1, 3]:
        with progress(quiet=as_json) as tell:
            tell("reading the records")
            world = load_world(history, scores, lag_months=months, source=source)
            tell(f"foreseeing {len(world.rows)} models on their first priced days")
            foreseen = foresee(world)
            claims = claims_of(world, foreseen)
            tell("following each rule for a year, day by day")
            alerts, years = weigh_alerts(claims), replay_years(world, foreseen)
        if as_json:
            for kind, lines in (("alerts", alerts), ("year", years)):
                for line in lines:
                    say({"table": kind, "lag_months": months, **asdict(line)})
            continue
        out = console()
        out.print(
            f"Scores known {months} month{'' if months == 1 else 's'} after release, three of each model at release. "
            f"{len(world.rows)} settings of {len(set(world.groups))} priced models, {len(world.benchmarks)} benchmarks."
        )
        out.print(f"\nAlerts: {len(claims):,} decisions on {len({c.candidate for c in claims})} candidates")
        _alerts(alerts)
        if not years:
            out.print("\nNo year to follow: no use case has a full year of prices and a good cheaper release in it.")
            continue
        out.print(f"\nA year of switching: {years[0].use_cases} use cases, {years[0].incumbents} first models")
        _years(years)
    if not as_json:
        console().print(
            "\nCost is list price per token, 3:1, not per task; settings of one model share its price. "
            "Ranges: 95 %, by drawing candidates or first models."
        )


def _alerts(lines: list[AlertLine]) -> None:
    heads = ["rule", "alerts", "candidates", "precision", "range", "recall", "range", "saving", "mean D, pts"]
    _table(
        heads,
        [
            [
                x.rule, f"{x.alerts:,}", str(x.candidates), _three(x.precision), _range(x.precision_range),
                _three(x.recall), _range(x.recall_range), _three(x.saving_share), _three(x.mean_gap_points),
            ]
            for x in lines
        ],
    )  # fmt: skip


def _years(lines: list[YearLine]) -> None:
    heads = ["rule", "cost", "captured", "range", "regret", "months short", "undone", "months to first good"]
    _table(
        heads,
        [
            [
                x.rule, _three(x.cost), _three(x.captured), _range(x.captured_range), _three(x.regret),
                _three(x.months_short), _three(x.undone), _three(x.months_to_first),
            ]
            for x in lines
        ],
    )  # fmt: skip


def _table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def register(app: typer.Typer) -> None:
    app.command()(backtest)
