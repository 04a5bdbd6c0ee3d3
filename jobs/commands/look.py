"""explain, sql, schema, doctor: what is known, where it came from, what is missing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jobs.commands.out import Json, console, say


def explain(
    what: Annotated[str, typer.Argument(help="A use case, or a recommendation (rec-…).")], as_json: Json = False
) -> None:
    """Effective values and their origin for a use case; for a recommendation, every figure down to the source text."""
    from data.store import published
    from jobs.explain import explain_recommendation, explain_use_case
    from jobs.settings import settings

    out = console()
    if what.startswith("rec-"):
        with published(settings().published) as con:
            found = explain_recommendation(con, what, settings().undercut_home)
        if as_json:
            say(found)
            return
        from jobs.show import rows_table

        out.print(f"[bold]{what}[/]  {found['use_case']}: {found['verdict']}  {found['reason']}")
        out.print(f"[dim]decided {found['decided_at']}, prices as of {found['data_as_of']}[/]")
        for line in found["reasons"]:
            out.print(f"  · {line}", markup=False)
        for title in ("rates", "scores"):
            out.print(f"\n[bold]{title}[/]")
            out.print(rows_table(found[title]))
        return
    lines = explain_use_case(settings().registry_files(), what)
    if as_json:
        for line in lines:
            say(line)
        return
    from jobs.show import rows_table

    out.print(rows_table(lines))
    out.print(f"[bold]Next:[/] undercut rank {what}")


def sql(query: str, as_json: Json = False) -> None:
    """Run a query on the published copy, read-only. Views and columns: `undercut sql "show all tables"`."""
    from data.store import ask, published
    from jobs.settings import settings
    from jobs.show import rows_table

    with published(settings().published) as con:
        found = ask(con, query)
    if as_json:
        for row in found:
            say(row)
        return
    console().print(rows_table(found) if found else "no rows")


def schema() -> None:
    """Print the JSON Schema of use_cases.yaml."""
    from data.registry import schema as registry_schema

    say(registry_schema())


def doctor(as_json: Json = False) -> None:
    """What this machine lacks for a live installation, and the fix."""
    from jobs.doctor import examine
    from jobs.settings import settings

    found = examine(settings())
    if as_json:
        for f in found:
            say(vars(f))
        return
    out = console()
    for f in found:
        out.print(
            f"[{'green' if f.ok else 'yellow'}]{'✓' if f.ok else '–'}[/] {f.what}" + ("" if f.ok else f"\n    {f.fix}")
        )
    sys.stdout.flush()


def register(app: typer.Typer) -> None:
    for command in (explain, sql, schema, doctor):
        app.command()(command)
