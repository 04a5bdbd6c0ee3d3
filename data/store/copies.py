"""The published copy: written whole under a name of its own, then the link `market.duckdb` is swapped to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data.errors import DataMissing, StoreError
from data.store.connect import STORAGE_VERSION, connect, damaged, explain, quoted, rows
from data.store.place import Place, Team

VIEWS = Path(__file__).parents[1] / "views"
KEEP_COPIES = 3
KEPT = ("price_periods",)  # views that every reader would compute again: tables of the same name in the copy
# What is asked together lies together; what nothing rests on any more stays in the writer's file; what is sent to Slack is for
# its channel alone, its text is in alerts.
SHOWN = {
    "rate": "* from {0} order by endpoint_id, meter, tier, known_from",
    "price_claim": "* from {0} where claim_id in (select unnest(claim_ids) from {1}.rate union select claim_id from {1}.held)",
    "candidate": "* from {0} where (use_case, run_id) in "
    "(select (use_case, max_by(run_id, decided_at)) from {1}.recommendation group by use_case)",
    "outbox": "* replace ('{{}}'::json as payload) from {0}",
}


def publish(con: duckdb.DuckDBPyConnection, home: Path) -> Path:
    """Write a finished read-only copy with the views and swap the link `market.duckdb` to it."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target, link, fresh = home / f"market-{stamp}.duckdb", home / "market.duckdb", home / f".market-{stamp}"
    try:
        _write(con, target)
        target.chmod(0o444)
        fresh.symlink_to(target.name)
        fresh.replace(link)
    except BaseException as error:  # a copy that is not whole is nobody's
        for left in (fresh, target, target.with_name(target.name + ".wal")):
            left.unlink(missing_ok=True)
        if isinstance(error, duckdb.Error | OSError):
            raise explain(error, str(home)) from error
        raise
    _tidy(home, target)
    return link


def _write(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Every table but what is nobody's business, then the views; what takes long to compute is computed here, once."""
    source = rows(con, "select current_database() as name")[0]["name"]
    con.execute(f"attach {quoted(str(target))} as published (storage_version '{STORAGE_VERSION}')")
    try:
        con.execute(f'copy from database "{source}" to published (schema)')
        for table in rows(con, "select table_name as name from duckdb_tables() where database_name = ?", [source]):
            name, schema = table["name"], f'"{source}".main'
            shown = SHOWN.get(name, "* from {0}").format(f'{schema}."{name}"', schema)
            con.execute(f'insert into published.main."{name}" select {shown}')
    finally:
        con.execute("detach published")
    with connect(target) as copy:
        for name, text in view_files():
            try:
                copy.execute(text)
            except duckdb.Error as error:
                raise StoreError(f"the view {name} does not fit the tables: {error}", where=name) from error
        for name in KEPT:
            comment = rows(copy, "select comment from duckdb_views() where view_name = ?", [name])[0]["comment"]
            copy.execute(f"create table kept as from {name}; drop view {name}; alter table kept rename to {name}")
            copy.execute(f"comment on table {name} is {quoted(comment)}")


def _tidy(home: Path, target: Path) -> None:
    """Old copies go but for the last few: who has one open keeps what is open. So does what a cut-off publish left."""
    others = [f for f in home.glob("market-*.duckdb") if f != target]  # a clock set back must not cost the new one
    done = sorted((f for f in others if not f.stat().st_mode & 0o222), key=lambda f: f.stat().st_mtime_ns)
    gone = done[: max(0, len(done) - KEEP_COPIES + 1)] + [f for f in others if f.stat().st_mode & 0o222]
    for old in gone:
        old.unlink(missing_ok=True)
    whole = {f.name for f in (target, *done)} - {f.name for f in gone}
    for wal in home.glob("market-*.duckdb.wal"):  # a stranger's, or a cut-off publish's
        if wal.name.removesuffix(".wal") not in whole:
            wal.unlink(missing_ok=True)
    for link in home.glob(".market-*"):
        link.unlink(missing_ok=True)


def view_files() -> list[tuple[str, str]]:
    """The views in the order they are made: by file name."""
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted(VIEWS.glob("*.sql"))]


@contextmanager
def published(place: Place, *, timeout_s: float = 30) -> Iterator[duckdb.DuckDBPyConnection]:
    """What people read: the published copy, or a team's lake; read-only, without access to files or network beyond it.
    A runaway query is interrupted."""
    close: Callable[[duckdb.DuckDBPyConnection], None] = duckdb.DuckDBPyConnection.close
    if isinstance(place, Team):
        from data.store.lake import close_lake, explain_lake, open_lake

        con, close = open_lake(place, read_only=True), close_lake
    elif not place.exists():
        raise DataMissing(
            "there is no database yet.", where=str(place), fix="run `undercut demo` or `undercut scrape`."
        )
    else:
        con = connect(place.resolve(), read_only=True, external=False)
    timer = threading.Timer(timeout_s, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield con
    except duckdb.Error as error:
        if isinstance(place, Team) and not isinstance(error, duckdb.InterruptException):
            raise explain_lake(error, place) from None
        if isinstance(place, Path) and damaged(error):
            raise explain(error, str(place.resolve())) from error
        raise
    finally:
        timer.cancel()
        close(con)
