"""db verify, db backup, db restore, db export: the database as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, say

group = typer.Typer(help="Check, back up, restore and export the database.", no_args_is_help=True)


@group.command("verify")
def verify_database(as_json: Json = False) -> None:
    """Check every rule of the tables and every kept body; repairs nothing. Exits 0, 2 cannot be opened, 3 a rule is broken."""
    from data.errors import DataMissing
    from data.store import Store
    from jobs.integrity import RULES, verify
    from jobs.settings import settings

    home = settings().undercut_home
    if not (home / "private.duckdb").exists():
        raise DataMissing("there is no database yet.", where=str(home), fix="run `undercut scrape` first.")
    with Store(home) as store:
        broken = list(verify(store, home))
    for b in broken:
        if as_json:
            say(vars(b))
        else:
            console().print(f"[red]✗[/] {b.rule}: {b.count:,}, e.g. {b.example}\n    Fix: {b.fix}")
    if not broken and not as_json:
        console().print(f"[green]✓[/] {len(RULES)} rules hold, every kept body is what it was")
    raise typer.Exit(3 if broken else 0)


@group.command("backup")
def backup_database(target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .tar.")], as_json: Json = False) -> None:  # fmt: skip
    """Write the database and every kept body to a folder or .tar file. Never overwrites."""
    from datetime import UTC, datetime

    from jobs.backup import backup
    from jobs.settings import settings

    made = backup(settings().undercut_home, target, datetime.now(UTC))
    if as_json:
        say({"wrote": str(target), **made})
        return
    console().print(f"wrote {target}: the database and {made['bodies']} kept bodies\n[bold]Next:[/] undercut db restore {target}   (proves it first)")  # fmt: skip


@group.command("restore")
def restore_database(
    source: Annotated[Path, typer.Argument(help="What `undercut db backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Where there is a database: keep it beside.")] = False,
    as_json: Json = False,
) -> None:
    """Prove a backup and put it in place of the home; what was there is kept under another name."""
    from datetime import UTC, datetime

    from jobs.backup import restore
    from jobs.settings import settings

    before = restore(source, settings().undercut_home, datetime.now(UTC), replace=replace)
    if as_json:
        say({"restored": str(source), "before": str(before) if before else None})
        return
    console().print(f"restored {source}" + (f"; what was there is in {before}" if before else ""))


@group.command("export")
def export_views(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier export.")] = False,
    as_json: Json = False,
) -> None:
    """Write every view of the published copy as FOLDER/VIEW.parquet: the newest finished cycle, all or none."""
    from data.store import export
    from jobs.settings import settings

    views, macros = export(settings().undercut_home / "market.duckdb", folder, replace=replace)
    if as_json:
        say({"wrote": str(folder), "rows": views, "left_out": macros})
        return
    asked = ", ".join(f"{m}(…)" for m in macros)
    console().print(f"wrote {folder}: {len(views)} views, {sum(views.values()):,} rows\nleft out, they ask for a day: {asked} (ask with `undercut sql`)", markup=False)  # fmt: skip


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="db")
