"""The only door to DuckDB: open, migrate, read, write in one transaction, publish a copy.

The writer owns `private.duckdb` in `UNDERCUT_HOME`; people and tools open `market.duckdb`, a link to the newest
finished copy. Bulk rows go in as JSON, the fastest way without pandas.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb

from data.errors import DataMissing, StoreError, UsageError

HERE = Path(__file__).parent
STORAGE_VERSION = "v1.5.0"  # files that DuckDB 1.5 and 2.0 both open
KEEP_COPIES = 3
Row = dict[str, Any]


def _connect(path: Path | str, *, read_only: bool = False, external: bool = True) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"autoinstall_known_extensions": "false"}
    if not external:
        config["enable_external_access"] = "false"
    try:
        con = duckdb.connect(str(path), read_only=read_only, config=config)
        con.execute("set TimeZone = 'UTC'")
    except duckdb.Error as error:
        raise _explain(error, str(path)) from error
    if not external:
        con.execute("set lock_configuration = true")
    return con


def _explain(error: Exception, path: str) -> StoreError:
    text = str(error)
    if re.search(r"\block", text.lower()):
        return StoreError(
            "the database is in use by another undercut.",
            where=path,
            fix="wait for it to finish, or stop it (undercut run and undercut scrape write; one at a time).",
        )
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
    try:
        return rows(con, query)
    except duckdb.Error as error:
        said = str(error).strip().splitlines()
        fix = 'tables: undercut sql "show all tables"; the copy is read-only and reaches no files or network.'
        raise UsageError(said[0], where="sql", fix=fix) from error


def plain(value: object) -> object:
    """What JSON takes, with times as plain UTC text and money as exact text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} does not go into a table")


class Store:
    """One writer on one home folder. Use as a context manager; everything of a cycle goes in one `transaction()`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        try:
            (home / "bodies").mkdir(parents=True, exist_ok=True)
            probe = home / ".writable"
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"the folder cannot be written ({error.strerror}).",
                where=str(home),
                fix="make it writable or set UNDERCUT_HOME to a folder that is.",
            ) from error
        self.path = home / "private.duckdb"
        if self.path.exists():
            self.con = _connect(self.path)
        else:
            self.con = self._create()
        try:
            self._migrate()
        except BaseException:
            self.con.close()
            raise

    def _create(self) -> duckdb.DuckDBPyConnection:
        con = _connect(":memory:")
        con.execute(f"attach {_quoted(str(self.path))} as fresh (storage_version '{STORAGE_VERSION}')")
        con.execute("detach fresh")
        con.close()
        return _connect(self.path)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.con.close()

    def _migrate(self) -> None:
        self.con.execute(
            "create table if not exists schema_migration "
            "(name varchar not null, sha256 varchar not null, applied_at timestamp not null)"
        )
        done = {r["name"]: r["sha256"] for r in self.rows("select name, sha256 from schema_migration")}
        files = {f.name: f.read_text(encoding="utf-8") for f in sorted((HERE / "schema").glob("*.sql"))}
        if unknown := sorted(set(done) - set(files)):
            raise StoreError(
                f"the database was made by a newer undercut (it has {unknown[0]}).",
                where=str(self.path),
                fix="update undercut, or set UNDERCUT_HOME to another folder.",
            )
        for name, text in files.items():
            sha = hashlib.sha256(text.encode()).hexdigest()
            if name not in done:
                with self.transaction():
                    self.con.execute(text)
                    self.con.execute("insert into schema_migration values (?, ?, now()::timestamp)", [name, sha])
            elif done[name] != sha:
                raise StoreError(
                    f"the migration {name} is not the one this database was made with.",
                    where=str(self.path),
                    fix="reinstall the version of undercut that made it; migrations are never edited.",
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.con.execute("begin")
        try:
            yield
        except BaseException:
            self.con.execute("rollback")
            raise
        self.con.execute("commit")

    def rows(self, query: str, parameters: object = None) -> list[Row]:
        return rows(self.con, query, parameters)

    def insert(self, table: str, records: Iterable[Mapping[str, Any]], *, unique: tuple[str, ...] = ()) -> int:
        """Add rows, all columns by name. With `unique`, rows whose key is already there (or doubled) are left out.

        Returns the number of rows added.
        """
        batch = [dict(r) for r in records]
        if not batch:
            return 0
        columns = self.rows(
            "select column_name as name, data_type as type from duckdb_columns() where table_name = ?", [table]
        )
        shape = {c["name"]: c["type"] for c in columns}
        if stray := set().union(*batch) - set(shape):
            raise ValueError(f"{table} has no column {sorted(stray)}")
        text = json.dumps(batch, default=plain, ensure_ascii=False)
        select = ", ".join(f'"{c}"' for c in shape)
        spec = json.dumps([dict(shape)])
        source = f"(select unnest(from_json(?::json, {_quoted(spec)}), max_depth := 2))"
        where = ""
        if unique:
            keys = ", ".join(f'"{k}"' for k in unique)
            match = " and ".join(f'old."{k}" is not distinct from fresh."{k}"' for k in unique)
            source = f"(select * from {source} qualify row_number() over (partition by {keys}) = 1)"
            where = f'where not exists (select 1 from "{table}" old where {match})'
        self.con.execute(f'insert into "{table}" ({select}) select {select} from {source} fresh {where}', [text])
        count = self.con.fetchone()
        return int(count[0]) if count else 0

    def publish(self) -> Path:
        """Write a finished read-only copy with the views and swap the link `market.duckdb` to it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        target = self.home / f"market-{stamp}.duckdb"
        source = self.rows("select current_database() as name")[0]["name"]
        self.con.execute(f"attach {_quoted(str(target))} as published (storage_version '{STORAGE_VERSION}')")
        try:
            self.con.execute(f'copy from database "{source}" to published')
        finally:
            self.con.execute("detach published")
        with _connect(target) as copy:
            for name, text in view_files():
                try:
                    copy.execute(text)
                except duckdb.Error as error:
                    raise StoreError(f"the view {name} does not fit the tables: {error}", where=name) from error
        target.chmod(0o444)
        link, fresh = self.home / "market.duckdb", self.home / f".market-{stamp}"
        fresh.symlink_to(target.name)
        fresh.replace(link)
        others = [
            f for f in self.home.glob("market-*.duckdb") if f != target
        ]  # a clock set back must not cost the new one
        for old in sorted(others, key=lambda f: f.stat().st_mtime_ns)[: max(0, len(others) - KEEP_COPIES + 1)]:
            old.unlink(missing_ok=True)
        return link


def view_files() -> list[tuple[str, str]]:
    """The views in the order they are made: by file name."""
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted((HERE / "views").glob("*.sql"))]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def published(path: Path, *, timeout_s: float = 30) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published copy, read-only, without access to files or network; a runaway query is interrupted."""
    if not path.exists():
        raise DataMissing("there is no database yet.", where=str(path), fix="run `undercut demo` or `undercut scrape`.")
    con = _connect(path.resolve(), read_only=True, external=False)
    timer = threading.Timer(timeout_s, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield con
    finally:
        timer.cancel()
        con.close()


READERS = {
    ".csv": "read_csv",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
    ".json": "read_json",
    ".parquet": "read_parquet",
}


@contextmanager
def table_file(path: Path) -> Iterator[Copy]:
    """A CSV, JSON Lines, JSON or Parquet file as the table `log`. Raises UsageError where it is none of them."""
    reader = READERS.get(path.suffix.casefold())
    if reader is None:
        raise UsageError("no kind of table that is known.", where=str(path), fix=f"give one of {', '.join(READERS)}.")
    extra = ", sample_size = -1" if reader != "read_parquet" else ""
    with _connect(":memory:") as con:
        try:
            con.execute(f"create table log as select * from {reader}({_quoted(str(path))}{extra})")
        except duckdb.Error as error:
            raise UsageError(
                f"not readable: {str(error).splitlines()[0]}", where=str(path), fix="export it again."
            ) from None
        yield Copy(con)
