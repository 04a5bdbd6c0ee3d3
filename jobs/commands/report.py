"""review and report: the quarter for a leader, and the page with charts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from data.store import Readable

FOOT = (
    "Written by undercut from its published database; every figure has its query. Sums are at list prices; a contract was "
    "counted in the decision and is not shown. Intervals are 80 %, those of trends 90 %. Scores: see data/seed/ATTRIBUTION.md."
)


def review(
    quarter: Annotated[
        str | None, typer.Argument(help="2026-Q4; without one, the quarter of the newest prices.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for QUARTER/review.md and QUARTER/index.html.")] = Path("reviews"),
    as_json: Json = False,
) -> None:
    """The quarterly cost review for a leader, as Markdown and HTML; every figure with its query. Exits 0, 2, 3."""
    from data.store import Copy, published
    from jobs.report.figures import figures
    from jobs.report.page import html, write_folder
    from jobs.report.review import quarter_of
    from jobs.report.review import review as sections_of
    from jobs.report.sections import markdown
    from jobs.settings import settings

    with progress(as_json) as tell, published(settings().published) as con:
        store = Copy(con)
        day = _newest(store)
        name, first, last = quarter_of(quarter, day)
        tell("asking the database")
        sections = sections_of(store, first, last)
        current = last == day
        drawings = [f for f in figures(store) if f.name in {s.chart for s in sections}] if current else []
        title = f"Inference cost review {name}"
        intro = f"{first:%d %b} to {last:%d %b %Y}, prices known up to {day:%d %b %Y}."
        tell("drawing")
        folder = out / name
        write_folder(folder, {"review.md": markdown(title, intro, sections), "index.html": html(title, intro, sections, drawings, foot=FOOT)}, drawings)  # fmt: skip
    if as_json:
        for s in sections:
            say({"section": s.title, "lead": s.lead, "query": s.query, "rows": list(s.rows)})
        return
    shown = console()
    shown.print(f"[bold]{title}[/]  {intro}")
    for n, s in enumerate(sections, 1):
        shown.print(
            f"{n:3} {s.title}: {s.lead} ({len(s.rows)} rows)" if s.rows else f"{n:3} {s.title}: {s.empty}",
            markup=False,
            soft_wrap=True,
        )
    shown.print(
        f"written: {folder}/review.md, {folder}/index.html\n[bold]Next:[/] undercut report   (the page with all charts)",
        markup=True,
    )


def report(
    out: Annotated[Path, typer.Option(help="Folder to write; the last report in it is replaced.")] = Path("report"),
    ical: Annotated[bool, typer.Option("--ical", help="Only the calendar of retirements, on standard output.")] = False,
    as_json: Json = False,
) -> None:
    """One folder with a page and its charts that opens from disk: costs, frontiers, price history, forecasts, sources. Exits 0, 2, 3."""
    from data.store import Copy, published
    from jobs.report.calendar import calendar
    from jobs.report.figures import figures
    from jobs.report.page import html, write_folder
    from jobs.report.review import quarter_of
    from jobs.report.review import review as sections_of
    from jobs.report.sections import dollars, markdown
    from jobs.settings import settings

    if ical:
        with published(settings().published) as con:
            typer.echo(calendar(Copy(con)), nl=False)
        return
    with progress(as_json) as tell, published(settings().published) as con:
        store = Copy(con)
        day = _newest(store)
        _, first, last = quarter_of(None, day)
        tell("asking the database")
        sections, drawings = sections_of(store, first, last), figures(store)
        head = sections[0].rows[0]
        big = [
            (dollars(head["spend_usd_per_month"] or 0), "a month at list prices"),
            (dollars(head["open_usd_per_month"] or 0), "a month proven and open"),
            (dollars(head["unproven_usd_per_month"] or 0), "a month not yet proven"),
            (dollars(head["accepted_usd_per_month"] or 0), "a month accepted"),
        ]
        tell(f"drawing {sum(bool(f.rows) for f in drawings)} charts")
        intro = f"Prices known up to {day:%d %b %Y}."
        pages = {
            "index.html": html("undercut report", intro, sections, drawings, big=big, foot=FOOT),
            "review.md": markdown("undercut report", intro, sections),
            "retirements.ics": calendar(store),
        }
        write_folder(out, pages, drawings)
    if as_json:
        say(
            {
                "folder": str(out),
                "charts": [f.name for f in drawings if f.rows],
                "empty": [f.name for f in drawings if not f.rows],
            }
        )
        return
    console().print(
        f"written: {out}/index.html, {sum(bool(f.rows) for f in drawings)} charts (SVG and PNG), review.md, retirements.ics\n"
        f"[bold]Next:[/] open {out}/index.html, or undercut review for the quarter",
    )


def _newest(store: Readable) -> date:
    """The day of the newest price that a decision rests on. Raises DataMissing where nothing was decided."""
    from data.errors import DataMissing

    if not store.rows("select 1 from duckdb_tables() where table_name = 'price_trend'"):
        raise DataMissing("this copy is of an older version.", where="the published copy", fix="run `undercut check`.")
    found = store.rows("select max(data_as_of)::date as day from use_cases")[0]["day"]
    if found is None:
        raise DataMissing("nothing was decided yet.", where="the published copy", fix="run `undercut check` first.")
    assert isinstance(found, date)
    return found


def register(app: typer.Typer) -> None:
    app.command()(review)
    app.command()(report)
