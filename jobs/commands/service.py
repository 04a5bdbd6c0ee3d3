"""scrape and run: one cycle, and the service."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.out import Json, console, progress, say


def scrape(
    sources: Annotated[list[str] | None, typer.Argument(help="Ids of sources; all where none is named.")] = None,
    as_json: Json = False,
) -> None:
    """One cycle: fetch, read, match, reconcile, publish. Exits 0, 2, 20 some sources failed, 21 all failed."""
    from datetime import UTC, datetime

    from jobs.scrape import scrape_cycle
    from jobs.settings import settings

    s = settings()
    with progress(as_json) as tell:
        report = scrape_cycle(
            s.place, sources or None, now=datetime.now(UTC), progress=tell, browser=s.undercut_browser
        )
    if as_json:
        for line in report.lines:
            say(vars(line))
    else:
        from jobs.show import rows_table

        out = console()
        out.print(rows_table([{k: v for k, v in vars(line).items() if k != "notes"} for line in report.lines]))
        for line in report.lines:
            for note in line.notes:
                out.print(f"{line.source}: {note}", style="dim", markup=False)
        console().print('[bold]Next:[/] undercut check   (undercut sql "select * from sources" shows what is stale)')
    raise typer.Exit(report.exit_code)


def run() -> None:
    """The service: schedules of the sources, a daily check that sends, catch-up at start. Stops cleanly on SIGTERM."""
    from jobs.schedule import serve
    from jobs.settings import settings

    serve(settings())


def register(app: typer.Typer) -> None:
    for command in (scrape, run):
        app.command()(command)
