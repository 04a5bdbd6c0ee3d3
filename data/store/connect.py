"""One way to open a DuckDB file, with its errors told in our words, and to ask it: rows as dicts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import duckdb

from data.errors import StoreError, UsageError

STORAGE_VERSION = "v1.5.0"  # files that DuckDB 1.5 and 2.0 both open
STRANGE_WAL = "a write-ahead file of another database lies beside it; the database itself is unchanged."
STRANGE_WAL_FIX = "move that file away and run again."
Row = dict[str, Any]


def connect(path: Path | str, *, read_only: bool = False, external: bool = True) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"autoinstall_known_extensions": "false"}
    if not external:
        config["enable_external_access"] = "false"
    _look_for_a_nameless_wal(path)
    try:
        con = duckdb.connect(str(path), read_only=read_only, config=config)
        con.execute("set TimeZone = 'UTC'")
    except duckdb.Error as error:
        raise explain(error, str(path)) from error
    if not external:
        con.execute("set lock_configuration = true")
    return con


def _look_for_a_nameless_wal(path: Path | str) -> None:
    """Raises StoreError where a write-ahead file of an older storage version lies beside the file: it does not say which
    database it belongs to, so DuckDB would replay a stranger's into ours. A WAL of our own version does, and DuckDB compares.
    """
    wal = Path(f"{path}.wal")
    try:
        with wal.open("rb") as file:
            head = file.read(8)  # fields 100 (a version entry), 101 (its number), then 102 (the database) or the end
    except OSError:
        return
    if head[:5] == b"\x64\x00\x62\x65\x00" and head[6:] == b"\xff\xff":
        raise StoreError(STRANGE_WAL, where=str(wal), fix=STRANGE_WAL_FIX)


def load(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its installed package. Raises StoreError where it is not installed."""
    con.execute(f"load {quoted(str(_extension(name)))}")


def _extension(name: str) -> Path:
    """The extension's file in its installed package, built for exactly the DuckDB that runs."""
    spec = find_spec(f"duckdb_extension_{name}")
    places = list(spec.submodule_search_locations or ()) if spec else []
    file = Path(places[0] if places else "") / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not places or not file.is_file():
        fix = f'pip install "undercut[team]" (duckdb 1.5.5 and its extensions; this is duckdb {duckdb.__version__}).'
        raise StoreError(f"a team's store needs the DuckDB extension {name}.", where="UNDERCUT_STORE", fix=fix)
    return file


def disk_full(error: Exception) -> bool:
    return bool(re.search("no space left|file too large|could not write file|quota exceeded", str(error).lower()))


def damaged(error: Exception) -> bool:
    """A file that was cut off opens as long as its first blocks are there; the rest is missed when it is read."""
    said = re.search("could not read enough bytes|not a valid duckdb|corrupt|checksum", str(error).lower())
    return isinstance(error, duckdb.IOException | duckdb.FatalException) and bool(said)


def explain(error: Exception, path: str) -> StoreError:
    text = str(error)
    if re.search(r"\block", text.lower()):
        return StoreError(
            "the database is in use by another undercut.",
            where=path,
            fix="wait for it to finish, or stop it (undercut run and undercut scrape write; one at a time).",
        )
    if disk_full(error):
        return StoreError(
            "the disk is full, nothing was changed.",
            where=path,
            fix="free space or raise the limit; the next run goes on from here.",
        )
    if "wal does not match" in text.lower():
        return StoreError(STRANGE_WAL, where=f"{path}.wal", fix=STRANGE_WAL_FIX)
    if "version" in text.lower() and "newer" in text.lower():
        return StoreError(
            "the database was written by a newer DuckDB.",
            where=path,
            fix="update undercut, or use another UNDERCUT_HOME.",
        )
    if "permission" in text.lower() or "cannot open" in text.lower():
        return StoreError(
            "the folder cannot be written.",
            where=path,
            fix="make it writable or set UNDERCUT_HOME to a folder that is.",
        )
    if damaged(error):
        return StoreError(
            "the file is damaged or cut off; it was left as it is.",
            where=path,
            fix="undercut db restore BACKUP --replace (what is there is kept beside it); a published copy: undercut scrape.",
        )
    return StoreError(f"the database cannot be opened: {text.splitlines()[0]}", where=path, fix="restore a backup.")


def rows(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> list[Row]:
    """Rows of a query as dicts, fetched whole."""
    done = con.execute(query, parameters) if parameters is not None else con.execute(query)
    names = [d[0] for d in done.description or ()]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


class Readable(Protocol):
    """What answers queries: the store, or a published copy."""

    def rows(self, query: str, parameters: object = None) -> list[Row]: ...


@dataclass(frozen=True)
class Copy:
    """A published copy that answers like the store."""

    con: duckdb.DuckDBPyConnection

    def rows(self, query: str, parameters: object = None) -> list[Row]:
        return rows(self.con, query, parameters)


def ask(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Rows of a person's query. Raises UsageError with DuckDB's own words where it is wrong or refused."""
    fix = 'tables: undercut sql "show all tables"; the copy is read-only and reaches no files or network.'
    try:
        if not (statements := con.extract_statements(query)):
            raise UsageError("there is no query in it.", where="sql", fix=fix)
        if any(not _only_reads(s) for s in statements) and _is_lake(con):
            raise UsageError("a query only reads.", where="sql", fix=fix)
        return rows(con, query)
    except duckdb.Error as error:
        if damaged(error):
            raise
        said = str(error).strip().splitlines()
        raise UsageError(said[0], where="sql", fix=fix) from error


def _only_reads(statement: duckdb.Statement) -> bool:
    kind, text = statement.type.name, statement.query.casefold()
    return kind == "SELECT" or (kind == "EXPLAIN" and "analyze" not in text)


def _is_lake(con: duckdb.DuckDBPyConnection) -> bool:
    """The folder of a lake's files is open to it, so that a COPY could write there."""
    return bool(rows(con, "select 1 from duckdb_databases() where type = 'ducklake'"))


def identifier(name: str) -> str:
    """A name of a column or table as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
