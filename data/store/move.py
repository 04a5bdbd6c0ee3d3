"""A single-file database copied into a team's store, or back: bodies and all rows in one transaction, compared before it commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data.errors import DataMissing, StoreError
from data.store.connect import quoted
from data.store.keep import Folder, Keep
from data.store.lake import explain_lake
from data.store.place import Team
from data.store.team import TeamStore
from data.store.writer import Store

Progress = Callable[[str], None]
LEFT = ("schema_migration",)  # each database has its own


@dataclass(frozen=True)
class Copied:
    """Rows by table and bodies that are in the team's store; `already`: they were there, equal, and nothing was written."""

    rows: dict[str, int]
    bodies: int
    already: bool


def copy_home(home: Path, team: Team, tell: Progress = lambda _: None) -> Copied:
    """Copy `private.duckdb` and `bodies` of a home folder. The file is left as it is.

    Raises DataMissing where there is none, StoreError where the team's store has other rows or a table came out unequal.
    """
    file = home / "private.duckdb"
    if not file.exists():
        raise DataMissing(
            "there is no database here.", where=str(file), fix="set UNDERCUT_HOME to the folder that has it."
        )
    with Store(home):  # brought to this version's tables, and nobody else writes
        pass
    with TeamStore(team) as store:
        tell("copying bodies")
        bodies = _bodies(Folder(home / "bodies"), store.kept)
        try:
            store.con.execute(f"attach {quoted(str(file))} as single (read_only)")
        except duckdb.Error as error:
            raise StoreError(f"cannot be read: {error}", where=str(file), fix="stop what writes to it.") from None
        try:
            with store.transaction():
                rows, already = _rows(store, tell, source="single", target="lake")
        except duckdb.Error as error:
            raise explain_lake(error, team) from None
        finally:
            store.con.execute("detach single")
    return Copied(rows, bodies, already)


def export_home(team: Team, home: Path, tell: Progress = lambda _: None) -> Copied:
    """Copy a team's store into a new home folder as a single-file database, and publish it. The store is left as it is.

    Raises StoreError where the folder's database holds anything else, or a table came out unequal.
    """
    with Store(home) as single:
        file = single.path
    with TeamStore(team) as store:
        store.con.execute(f"attach {quoted(str(file))} as single")
        try:
            store.con.execute("begin")
            rows, already = _rows(store, tell, source="lake", target="single")
            store.con.execute("commit")
        except duckdb.Error as error:
            raise explain_lake(error, team) from None
        bodies = _bodies(store.kept, Folder(home / "bodies"))
    with Store(home) as single:
        tell("publishing the database")
        single.publish()
    return Copied(rows, bodies, already)


def _rows(store: TeamStore, tell: Progress, *, source: str, target: str) -> tuple[dict[str, int], bool]:
    tables = _columns(store, source)
    wanted, there = _prints(store, source, tables), _prints(store, target, tables)
    counts = {t: n for t, (n, _) in wanted.items()}
    if there == wanted:
        return counts, True
    if full := [t for t, (n, _) in there.items() if n]:
        fix = "name an empty one; nothing was written."
        raise StoreError(
            f"there are rows already, and others ({full[0]}: {there[full[0]][0]:,}).", where=f"the {target}", fix=fix
        )
    for t in [t for t, n in counts.items() if n]:
        tell(f"copying {t}")
        columns = ", ".join(tables[t])
        store.con.execute(f'insert into {target}."{t}" ({columns}) select {columns} from {source}."{t}" order by rowid')
    tell("comparing")
    came = _prints(store, target, tables)
    if unequal := [t for t in tables if came[t] != wanted[t]]:
        fix = "nothing was written; run it again, and report it if it happens twice."
        raise StoreError(f"{unequal[0]} came out unequal.", where=f"the {target}", fix=fix)
    return counts, False


def _prints(store: TeamStore, database: str, tables: dict[str, list[str]]) -> dict[str, tuple[int, int | None]]:
    """By table: how many rows, and a sum over all their values that does not depend on their order."""
    each = (
        f'select {quoted(t)} as name, count(*) as n, sum(hash(row({", ".join(columns)}))) as print from {database}."{t}"'
        for t, columns in tables.items()
    )
    found = {r["name"]: (r["n"], r["print"]) for r in store.rows(" union all ".join(each))}
    return {t: found[t] for t in tables}


def _columns(store: TeamStore, database: str) -> dict[str, list[str]]:
    """Tables and their columns, quoted; in alphabetical order and that of the table."""
    query = (
        "select table_name as name, list('\"' || column_name || '\"' order by column_index) as columns from duckdb_columns() "
        "where database_name = ? and table_name in (select table_name from duckdb_tables() where database_name = ?) "
        "group by name order by name"
    )
    return {r["name"]: r["columns"] for r in store.rows(query, [database, database]) if r["name"] not in LEFT}


def _bodies(source: Keep, target: Keep) -> int:
    """How many are there in the end; one that was there already, or is half written, is never taken for another."""
    wanted = {name for name in source.names() if name.endswith(".gz")}
    for name in sorted(wanted - target.names()):
        content = source.read(name)
        if content is not None:
            target.write(name, content)
    return len(wanted)
