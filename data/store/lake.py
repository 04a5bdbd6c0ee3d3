"""A DuckLake attached: extensions loaded from their installed packages, the password in a secret, errors in our words."""

from __future__ import annotations

import ctypes
import re
import time
from pathlib import Path

import duckdb

from data.errors import StoreError
from data.store.connect import connect, disk_full, explain, load, quoted
from data.store.keep import explain_bucket, open_bucket
from data.store.place import Team

EXTENSIONS = ("ducklake", "postgres_scanner")
GATE = "gate"  # PostgreSQL itself, beside the lake: the lock of writers, and leases
GATE_OPTIONS = (
    "-c lock_timeout=120s -c idle_in_transaction_session_timeout=600s "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
AWAY = re.compile(
    r"unable to connect|connection (to server|refused|timed out|reset|already closed)|server closed the connection|"
    r"terminating connection|connection has been closed|no connection to the server|could not (connect|receive|send)|"
    r"SSL connection|the database system is|could not translate host name|timeout expired|"
    r"idle-in-transaction timeout|failed to (rollback|begin|commit)",
    re.IGNORECASE,
)

OBJECT = re.compile(r"HTTP (Error|GET|PUT|POST|HEAD|DELETE)|\bs3://")  # what the object store said, or did not


def open_lake(team: Team, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection that uses the lake. `read_only`: nothing outside it can be reached, and nothing written.

    Raises StoreError where PostgreSQL is away, the folder is missing or the extensions are not installed.
    """
    files = team.part("lake")
    if isinstance(files, Path):
        _look(files, read_only=read_only)
    con = connect(":memory:")
    try:
        for name in EXTENSIONS:
            load(con, name)
        if isinstance(files, str):
            open_bucket(con, files)
        if team.password is not None:
            con.execute(f"create secret (type postgres, password {quoted(team.password)})")
        mode = ", read_only" if read_only else ""
        _attach(con, f"{quoted('ducklake:postgres:' + team.catalogue)} as lake (data_path {quoted(str(files))}{mode})")
        if not read_only:
            gate = f"{team.catalogue} options='{GATE_OPTIONS}'"
            con.execute(f"attach {quoted(gate)} as {GATE} (type postgres)")
        con.execute("use lake")
        if read_only:
            con.execute(f"set allowed_directories = [{quoted(str(files) + '/')}]")
            con.execute("set enable_external_access = false")
            con.execute("set lock_configuration = true")
    except duckdb.Error as error:
        con.close()
        raise (_known(error, team) or _unknown(error, team)) from None
    except BaseException:
        con.close()
        raise
    return con


def close_lake(con: duckdb.DuckDBPyConnection) -> None:
    """Close it, or let go of it where DuckDB gave its database up.

    Where PostgreSQL dies while the lake reads small rows from it, ducklake 1.5 takes its own missing result for an internal
    error; DuckDB then refuses every statement, ROLLBACK too, and closing would roll back in a destructor, fail, and end the
    process (std::terminate). An object that is never destroyed costs some memory until the process ends, no more.
    """
    try:
        con.execute("select 1")
    except duckdb.FatalException:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(con))
    except duckdb.Error:
        con.close()
    else:
        con.close()


def _look(files: Path, *, read_only: bool) -> None:
    if not read_only:
        try:
            files.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fix = "make it writable, or set UNDERCUT_STORE_DATA to a folder that is."
            raise StoreError(f"cannot be written ({error.strerror}).", where=str(files), fix=fix) from None
    elif not files.is_dir():
        fix = "mount the shared folder here, or run `undercut demo` or `undercut scrape` with this store first."
        raise StoreError("the folder of the data files is not there.", where=str(files), fix=fix)


def _attach(con: duckdb.DuckDBPyConnection, what: str, tries: int = 5) -> None:
    """Machines that come first at the same moment make the catalogue once; the others look again."""
    for left in reversed(range(tries)):
        try:
            con.execute(f"attach {what}")
            return
        except duckdb.Error as error:
            if not left or not re.search("already exists|duplicate key|deadlock", str(error)):
                raise
            time.sleep(0.3)


def explain_lake(error: Exception, team: Team) -> StoreError:
    """The error in our words, without any secret. What DuckDB makes of a lost connection does not always name it, so that
    PostgreSQL is asked where an error says nothing we know."""
    if said := _known(error, team):
        return said
    try:
        open_lake(team, read_only=True).close()
    except StoreError as away:
        return away
    return _unknown(error, team)


def _unknown(error: Exception, team: Team) -> StoreError:
    said = _text(error, team).partition(" Stack Trace:")[0][:300]
    return StoreError(f"the team's store says: {said}", where=str(team), fix="run it again; nothing is half written.")


def _text(error: Exception, team: Team) -> str:
    text = re.sub(r"password\s*=\s*('[^']*'|\S+)", "password=***", " ".join(str(error).split()))
    return text.replace(team.password, "***") if team.password else text


def _known(error: Exception, team: Team) -> StoreError | None:
    text, where = _text(error, team), str(team)
    if isinstance(team.data, str) and OBJECT.search(text):
        return explain_bucket(error, team.data)
    if "does not match existing data path" in text:
        return StoreError(
            "this store keeps its files in another folder.", where=where, fix="set UNDERCUT_STORE_DATA to that folder."
        )
    if re.search(r"password authentication failed|no password supplied", text):
        return StoreError(
            "PostgreSQL refused user or password.", where=where, fix="correct UNDERCUT_STORE, or set PGPASSWORD."
        )
    if found := re.search(r'database "[^"]*" does not exist', text):
        return StoreError(f"{found[0]}.", where=where, fix="createdb it, and let the user create tables in it.")
    if "lock timeout" in text:
        return StoreError(
            "another machine has been writing for two minutes.", where=where, fix="run it again; nothing was written."
        )
    if "permission denied" in text:
        return StoreError(
            f"PostgreSQL refuses it: {text[:200]}", where=where, fix="grant the user rights on this database's tables."
        )
    if disk_full(error):
        return explain(error, str(team.data))
    if AWAY.search(text):
        fix = "start it, or look at host, port and network; nothing is half written, and the next run goes on."
        return StoreError("PostgreSQL does not answer.", where=where, fix=fix)
    return None
