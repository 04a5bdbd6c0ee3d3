"""The replay of a recorded price history: how often would what is published have been wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, progress, say

STANDINGS = ("witnessed", "single", "disputed")


def reconcile(
    history: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) of what sources said on which day.", exists=True)],
    truth: Annotated[
        str, typer.Option(help="The source whose timeline is left out and compared with.")
    ] = "model-prices",
    without: Annotated[list[str] | None, typer.Option(help="A further source to leave out; may be repeated.")] = None,
    day: Annotated[
        list[datetime] | None, typer.Option(formats=["%Y-%m-%d"], help="Only this day; may be repeated.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="List the witnessed prices that differ.")] = False,
    as_json: Json = False,
) -> None:
    """Settle a recorded history day by day and count the published prices that differ from a timeline."""
    from rich.table import Table

    from jobs.replay import read_history, replay, sample_days

    with progress(quiet=as_json) as tell:
        tell("reading the history")
        rows = read_history(history)
        days = [d.date() for d in day] if day else sample_days(rows, truth)
        tell(f"settling {len(days)} days")
        reports = replay(rows, truth, without or (), days)
    if as_json:
        for r in reports:
            say({**vars(r), "differing": list(r.differing.values())})
        return
    table = Table(box=None, pad_edge=False)
    heads = ["day", "timeline"]
    for standing in STANDINGS:
        heads += [standing, "compared", "differ", "%"]
    for head in (*heads, "held back"):
        table.add_column(head, justify="left" if head == "day" else "right")
    for r in reports:
        cells = [str(r.day), str(r.stated)]
        for s in STANDINGS:
            cells += [str(r.published[s]), str(r.compared[s]), str(r.wrong[s]), share(r.wrong[s], r.compared[s])]
        table.add_row(*cells, str(r.published["held back"]))
    out = console()
    out.print(table)
    out.print("")
    for words, standings in (
        ("witnessed", STANDINGS[:1]),
        ("witnessed or single", STANDINGS[:2]),
        ("with a standing of any kind", STANDINGS),
    ):
        wrong, compared = (
            sum(c[s] for c in x for s in standings) for x in ([r.wrong for r in reports], [r.compared for r in reports])
        )
        out.print(f"{words}: {wrong} of {compared} cells on all days differ from {truth} ({share(wrong, compared)} %)")
    if show:
        for r in reports:
            for example in r.differing.values():
                out.print(f"  {r.day} {example}")


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"


def register(app: typer.Typer) -> None:
    app.command()(reconcile)
