"""The writer: opens and migrates `private.duckdb` in the home folder, reads, and writes in one transaction.

Bulk rows go in as JSON, the fastest way without pandas.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import duckdb

from data.errors import StoreError
from data.store.connect import STORAGE_VERSION, Row, connect, damaged, disk_full, explain, quoted, rows
from data.store.copies import publish
from data.store.keep import Folder, Keep

SCHEMA = Path(__file__).parents[1] / "schema"


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
        self.kept: Keep = Folder(home / "bodies")
        self._shapes: dict[str, dict[str, str]] = {}
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
        self.where = str(self.path)
        if self.path.exists():
            self.con = connect(self.path)
        else:
            self.con = self._create()
        try:
            self._migrate()
        except BaseException:
            self.con.close()
            raise

    def _create(self) -> duckdb.DuckDBPyConnection:
        con = connect(":memory:")
        con.execute(f"attach {quoted(str(self.path))} as fresh (storage_version '{STORAGE_VERSION}')")
        con.execute("detach fresh")
        con.close()
        return connect(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.con.close()

    @property
    def has_copy(self) -> bool:
        """Is there something that readers can open?"""
        return (self.home / "market.duckdb").exists()

    @contextmanager
    def lease(self, name: str, *, wait: bool = False) -> Iterator[bool]:
        """Is the work `name` ours now? Always: the file has one writer."""
        yield True

    def _migrate(self) -> None:
        self.con.execute(
            "create table if not exists schema_migration "
            "(name varchar not null, sha256 varchar not null, applied_at timestamp not null)"
        )
        done = {r["name"]: r["sha256"] for r in self.rows("select name, sha256 from schema_migration")}
        for name, text, sha in self._pending(done):
            with self.transaction():
                self.con.execute(text)
                self.con.execute("insert into schema_migration values (?, ?, now()::timestamp)", [name, sha])

    def _pending(self, done: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """(name, text, hash) of the migrations still to apply. Raises StoreError where others were applied."""
        files = {f.name: f.read_text(encoding="utf-8") for f in sorted(SCHEMA.glob("*.sql"))}
        if unknown := sorted(n for n in done if n.endswith(".sql") and n not in files):
            raise StoreError(
                f"the database was made by a newer undercut (it has {unknown[0]}).",
                where=self.where,
                fix="update undercut, or set UNDERCUT_HOME to another folder.",
            )
        pending = []
        for name, text in files.items():
            sha = hashlib.sha256(text.encode()).hexdigest()
            if name not in done:
                pending.append((name, text, sha))
            elif done[name] != sha:
                raise StoreError(
                    f"the migration {name} is not the one this database was made with.",
                    where=self.where,
                    fix="reinstall the version of undercut that made it; migrations are never edited.",
                )
        return pending

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing. Raises StoreError where the disk is full or the file damaged."""
        with self._told():
            self.con.execute("begin")
            try:
                yield
                self.con.execute("commit")
            except BaseException:
                with suppress(duckdb.Error):  # a commit that failed has rolled back already
                    self.con.execute("rollback")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What a full disk or a damaged file makes of a statement, in our words."""
        try:
            yield
        except duckdb.Error as error:
            if disk_full(error) or damaged(error):
                raise explain(error, self.where) from error
            raise

    def rows(self, query: str, parameters: object = None) -> list[Row]:
        with self._told():
            return rows(self.con, query, parameters)

    def checkpoint(self) -> None:
        """Take what was written into the file itself. Raises StoreError where the disk is full or the file damaged."""
        with self._told():
            self.con.execute("checkpoint")

    def insert(self, table: str, records: Iterable[Mapping[str, Any]], *, unique: tuple[str, ...] = ()) -> int:
        """Add rows, all columns by name. With `unique`, rows whose key is already there (or doubled) are left out.

        Returns the number of rows added.
        """
        batch = [dict(r) for r in records]
        if not batch:
            return 0
        if table not in self._shapes:
            columns = self.rows(f'select column_name, column_type from (describe "{table}")')
            self._shapes[table] = {c["column_name"]: c["column_type"] for c in columns}
        shape = self._shapes[table]
        if stray := set().union(*batch) - set(shape):
            raise ValueError(f"{table} has no column {sorted(stray)}")
        text = json.dumps(batch, default=plain, ensure_ascii=False)
        select = ", ".join(f'"{c}"' for c in shape)
        spec = json.dumps([dict(shape)])
        source = f"(select unnest(from_json(?::json, {quoted(spec)}), max_depth := 2))"
        where = ""
        if unique:
            keys = ", ".join(f'"{k}"' for k in unique)
            match = " and ".join(f'old."{k}" is not distinct from fresh."{k}"' for k in unique)
            source = f"(select * from {source} qualify row_number() over (partition by {keys}) = 1)"
            where = f'where not exists (select 1 from "{table}" old where {match})'
        with self._told():
            self.con.execute(f'insert into "{table}" ({select}) select {select} from {source} fresh {where}', [text])
        count = self.con.fetchone()
        return int(count[0]) if count else 0

    def publish(self) -> Path:
        """Write a finished read-only copy with the views and swap the link `market.duckdb` to it."""
        return publish(self.con, self.home)
