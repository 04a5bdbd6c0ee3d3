"""The writer on a team's DuckLake: many machines, one at a time inside a transaction, work shared out by leases.

Before a transaction takes its snapshot it takes an advisory lock in PostgreSQL, so that it sees all that was written before
and no key is added twice; a writer that dies lets go of it with its connection. A lease is a row in the same PostgreSQL that
expires by PostgreSQL's own clock. It is renewed by every transaction of its holder, and a transaction of somebody who lost
one is refused.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from os import getpid
from pathlib import Path
from typing import Any

import duckdb

from data.errors import StoreError
from data.store.connect import Row, quoted, rows
from data.store.copies import view_files
from data.store.keep import keep_of
from data.store.lake import GATE, close_lake, explain_lake, open_lake
from data.store.place import Team
from data.store.spare import begun, give_back, spared
from data.store.writer import Store

LOCK = 5_881_377  # of this database; any number, the same on all machines
VIEWS = "views"
OUTLAST_S = 60
COMMENT = re.compile(r"comment on column .+? is '(?:[^']|'')*';\s*", re.DOTALL)  # which a DuckLake refuses for views
CREATE = re.compile(r"^create (?=(?:view|macro) (\w+))", re.MULTILINE)
LEASES = "create table if not exists undercut_lease (name text primary key, holder text not null, expires_at timestamptz not null)"


class TeamStore(Store):
    """A `Store` whose tables and views lie in a DuckLake, and its bodies beside them."""

    def __init__(self, team: Team) -> None:
        self.team, self.where, self.kept = team, str(team), keep_of(team.part("bodies"))
        self.con, self.files = open_lake(team), team.part("lake")
        self.gate = self.con.cursor()
        self.holder = f"{socket.gethostname()}:{getpid()}:{secrets.token_hex(4)}"
        self._shapes: dict[str, dict[str, str]] = {}
        self._held: dict[str, int] = {}
        self._within = False
        try:
            self._give_back()
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _give_back(self) -> None:
        if isinstance(self.files, Path):  # in an object store the keys have no right to delete (data/team.md)
            give_back(self.files)

    @property
    def has_copy(self) -> bool:
        return True

    def close(self) -> None:
        close_lake(self.gate)
        close_lake(self.con)

    def insert(self, table: str, records: Iterable[Mapping[str, Any]], *, unique: tuple[str, ...] = ()) -> int:
        if self._within:
            with self._told():
                return super().insert(table, records, unique=unique)
        with self.transaction():
            return super().insert(table, records, unique=unique)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, after all others. Raises StoreError where PostgreSQL went away or a lease was lost."""
        with self._told():
            since_s = begun()
            self.gate.execute("begin")
            try:
                self._ask_gate(f"select 1 as locked from pg_advisory_xact_lock({LOCK})")
                self.con.execute("begin")
                self._within = True
                yield
                self._prove()
                with spared(self.files, since_s) if isinstance(self.files, Path) else nullcontext():
                    self.con.execute("commit")
            except BaseException:
                with suppress(duckdb.Error):
                    self.con.execute("rollback")
                with suppress(duckdb.Error):
                    self.gate.execute("rollback")
                self._give_back()
                raise
            finally:
                self._within = False
            with suppress(duckdb.Error):  # it is written; the lock goes with its connection too
                self.gate.execute("commit")

    @contextmanager
    def lease(self, name: str, *, wait: bool = False) -> Iterator[bool]:
        """Is the work `name` ours now? It stays so until the end of the block, or `lease_s` after this machine died.
        With `wait`: a machine that has it may finish, and one that died with it is outlasted."""
        until = time.monotonic() + (self.team.lease_s + OUTLAST_S if wait else 0)
        while not (mine := self._take(name)) and time.monotonic() < until:
            time.sleep(0.25)
        try:
            yield mine
        finally:
            if mine:
                self._drop(name)

    def publish(self) -> Any:
        """Nothing to do: readers ask the lake itself, and see each transaction whole."""
        return self.team

    def _take(self, name: str) -> bool:
        if name not in self._held:
            claim = (
                f"insert into undercut_lease values ({quoted(name)}, {quoted(self.holder)}, {self._expiry()}) "
                "on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at "
                "where undercut_lease.expires_at < clock_timestamp()"
            )
            with self._told():
                try:
                    self._gate_do(claim)
                except duckdb.Error as error:
                    if "could not serialize" in str(error):  # another machine took it in this very moment
                        return False
                    raise
                if self._holders([name]).get(name) != self.holder:
                    return False
        self._held[name] = self._held.get(name, 0) + 1
        return True

    def _drop(self, name: str) -> None:
        self._held[name] = self._held.get(name, 1) - 1
        if not self._held[name]:
            del self._held[name]
            with suppress(duckdb.Error):  # it expires by itself
                self._gate_do(
                    f"delete from undercut_lease where name = {quoted(name)} and holder = {quoted(self.holder)}"
                )

    def _prove(self) -> None:
        """The lock and all leases are still ours; renewing them locks their rows until the commit."""
        if not self._held:
            self._ask_gate("select 1 as alive")
            return
        names = ", ".join(map(quoted, self._held))
        self._gate_do(
            f"update undercut_lease set expires_at = {self._expiry()} "
            f"where name in ({names}) and holder = {quoted(self.holder)}"
        )
        holders = self._holders(list(self._held))
        if lost := [n for n in self._held if holders.get(n) != self.holder]:
            self._held = {n: times for n, times in self._held.items() if n not in lost}
            fix = "nothing was written; run it again."
            raise StoreError(
                f"{lost[0]} took so long that another machine took it over.", where=str(self.team), fix=fix
            )

    def _holders(self, names: list[str]) -> dict[str, str]:
        found = self._ask_gate(
            f"select name, holder from undercut_lease where name in ({', '.join(map(quoted, names))})"
        )
        return {r["name"]: r["holder"] for r in found}

    def _expiry(self) -> str:
        return f"clock_timestamp() + interval '{int(self.team.lease_s)} seconds'"

    def _ask_gate(self, query: str) -> list[Row]:
        return rows(self.gate, f"select * from postgres_query('{GATE}', {quoted(query)})")

    def _gate_do(self, statement: str) -> None:
        self.gate.execute(f"call postgres_execute('{GATE}', {quoted(statement)})")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise explain_lake(error, self.team) from None

    def _migrate(self) -> None:
        """Tables and views as this version has them, made or replaced in one transaction after a look."""
        views = [(name, CREATE.sub("create or replace ", COMMENT.sub("", text))) for name, text in view_files()]
        sha = hashlib.sha256("".join(text for _, text in views).encode()).hexdigest()
        if not self._pending(self._done()) and self._done().get(VIEWS) == sha:
            return
        with self.transaction():
            self._gate_do(LEASES)
            self.con.execute(
                "create table if not exists schema_migration "
                "(name varchar not null, sha256 varchar not null, applied_at timestamp not null)"
            )
            done = self._done()
            for name, text, text_sha in self._pending(done):
                self.con.execute(text)
                self.con.execute("insert into schema_migration values (?, ?, now()::timestamp)", [name, text_sha])
            if done.get(VIEWS) != sha:
                for _, text in views:
                    self.con.execute(text)
                made = {name for _, text in view_files() for name in CREATE.findall(text)}
                there = "select view_name as name from duckdb_views() where database_name = 'lake' and not internal"
                for old in [r["name"] for r in rows(self.con, there) if r["name"] not in made]:
                    self.con.execute(f'drop view "{old}"')
                self.con.execute("insert into schema_migration values (?, ?, now()::timestamp)", [VIEWS, sha])

    def _done(self) -> dict[str, str]:
        if not self.rows(
            "select 1 from duckdb_tables() where database_name = 'lake' and table_name = 'schema_migration'"
        ):
            return {}
        found = self.rows("select name, sha256 from schema_migration order by applied_at, rowid")
        return {r["name"]: r["sha256"] for r in found}
