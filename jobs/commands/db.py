"""db verify, backup, restore, export, copy, copy-back: the database as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, progress, say

group = typer.Typer(help="Check, back up, restore and move the database.", no_args_is_help=True)


@group.command("verify")
def verify_database(as_json: Json = False) -> None:
    """Check every rule of the tables and every kept body; repairs nothing. Exits 0, 2 cannot be opened, 3 a rule is broken."""
    from data.errors import DataMissing
    from data.store import Team, open_store
    from jobs.integrity import RULES, verify
    from jobs.settings import settings

    place = settings().place
    if not isinstance(place, Team) and not (place / "private.duckdb").exists():
        raise DataMissing("there is no database yet.", where=str(place), fix="run `undercut scrape` first.")
    with open_store(place) as store:
        broken = list(verify(store, store.kept))
    for b in broken:
        if as_json:
            say(vars(b))
        else:
            console().print(f"[red]✗[/] {b.rule}: {b.count:,}, e.g. {b.example}\n    Fix: {b.fix}")
    if not broken and not as_json:
        console().print(f"[green]✓[/] {len(RULES)} rules hold, every kept body is what it was")
    raise typer.Exit(3 if broken else 0)


def _single() -> Path:
    """The home folder. Raises UsageError where the database is not in it but in a team's store."""
    from data.errors import UsageError
    from jobs.settings import settings

    if settings().undercut_store is not None:
        fix = "pg_dump and a copy of its folder, or `undercut db copy-back FOLDER`, and then that folder."
        raise UsageError("the database is a team's store, not a file.", where="UNDERCUT_STORE", fix=fix)
    return settings().undercut_home


@group.command("backup")
def backup_database(target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .tar.")], as_json: Json = False) -> None:  # fmt: skip
    """Write the database and every kept body to a folder or .tar file. Never overwrites."""
    from datetime import UTC, datetime

    from jobs.backup import backup

    made = backup(_single(), target, datetime.now(UTC))
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

    before = restore(source, _single(), datetime.now(UTC), replace=replace)
    if as_json:
        say({"restored": str(source), "before": str(before) if before else None})
        return
    console().print(f"restored {source}" + (f"; what was there is in {before}" if before else ""), markup=False)
    console().print("[bold]Next:[/] undercut scrape   (what changed since the backup)")


@group.command("export")
def export_views(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier export.")] = False,
    as_json: Json = False,
) -> None:
    """Write every view of the published copy as FOLDER/VIEW.parquet: the newest finished cycle, all or none."""
    from data.store import export

    views, macros = export(_single() / "market.duckdb", folder, replace=replace)
    if as_json:
        say({"wrote": str(folder), "rows": views, "left_out": macros})
        return
    asked = ", ".join(f"{m}(…)" for m in macros)
    console().print(f"wrote {folder}: {len(views)} views, {sum(views.values()):,} rows\nleft out, they ask for a day: {asked} (ask with `undercut sql`)", markup=False)  # fmt: skip


@group.command()
def copy(
    to: Annotated[
        str | None, typer.Option(help="ducklake:postgres:… without a password; by default UNDERCUT_STORE.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="The shared folder or s3:// address of its files; by default UNDERCUT_STORE_DATA."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the single-file database of UNDERCUT_HOME into a team's store and compare them. Twice changes nothing.

    Exits 0, 2 where the store holds anything else, 3 where there is no database.
    """
    from data.store import team_of
    from data.store.move import copy_home
    from jobs.settings import settings

    s = settings()
    said = to or (s.undercut_store.get_secret_value() if s.undercut_store else "")
    team = team_of(said, data or s.undercut_store_data)
    with progress(as_json) as tell:
        done = copy_home(s.undercut_home, team, tell)
    if as_json:
        say(vars(done))
        return
    from jobs.show import rows_table

    out = console()
    out.print(rows_table([{"table": t, "rows": n} for t, n in done.rows.items() if n]))
    total = f"{sum(done.rows.values()):,} rows and {done.bodies:,} bodies"
    out.print(f"is there already, equal: {total}" if done.already else f"copied and compared: {total}", markup=False)
    out.print("[bold]Next:[/] set UNDERCUT_STORE and UNDERCUT_STORE_DATA on every machine, then undercut doctor")


@group.command("copy-back")
def copy_back(folder: Annotated[Path, typer.Argument(help="A new home folder.")], as_json: Json = False) -> None:
    """Copy the team's store into a folder as a single-file database with its published copy `market.duckdb`; compared."""
    from data.errors import UsageError
    from data.store import Team
    from data.store.move import export_home
    from jobs.settings import settings

    team = settings().place
    if not isinstance(team, Team):
        raise UsageError("this is no team's store.", where="UNDERCUT_STORE", fix="open market.duckdb in UNDERCUT_HOME.")
    with progress(as_json) as tell:
        done = export_home(team, folder, tell)
    if as_json:
        say(vars(done))
        return
    console().print(f"copied and compared: {sum(done.rows.values()):,} rows and {done.bodies:,} bodies", markup=False)
    console().print(f"[bold]Next:[/] duckdb -readonly {folder}/market.duckdb")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="db")
