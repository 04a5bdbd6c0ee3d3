"""The published copy: written whole under a name of its own, then the link `market.duckdb` is swapped to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data.errors import DataMissing, StoreError
from data.store.connect import STORAGE_VERSION, connect, quoted, rows

VIEWS = Path(__file__).parents[1] / "views"
KEEP_COPIES = 3


def publish(con: duckdb.DuckDBPyConnection, home: Path) -> Path:
    """Write a finished read-only copy with the views and swap the link `market.duckdb` to it."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = home / f"market-{stamp}.duckdb"
    source = rows(con, "select current_database() as name")[0]["name"]
    con.execute(f"attach {quoted(str(target))} as published (storage_version '{STORAGE_VERSION}')")
    try:
        con.execute(f'copy from database "{source}" to published')
    finally:
        con.execute("detach published")
    with connect(target) as copy:
        for name, text in view_files():
            try:
                copy.execute(text)
            except duckdb.Error as error:
                raise StoreError(f"the view {name} does not fit the tables: {error}", where=name) from error
    target.chmod(0o444)
    link, fresh = home / "market.duckdb", home / f".market-{stamp}"
    fresh.symlink_to(target.name)
    fresh.replace(link)
    others = [f for f in home.glob("market-*.duckdb") if f != target]  # a clock set back must not cost the new one
    for old in sorted(others, key=lambda f: f.stat().st_mtime_ns)[: max(0, len(others) - KEEP_COPIES + 1)]:
        old.unlink(missing_ok=True)
    return link


def view_files() -> list[tuple[str, str]]:
    """The views in the order they are made: by file name."""
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted(VIEWS.glob("*.sql"))]


@contextmanager
def published(path: Path, *, timeout_s: float = 30) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published copy, read-only, without access to files or network; a runaway query is interrupted."""
    if not path.exists():
        raise DataMissing("there is no database yet.", where=str(path), fix="run `undercut demo` or `undercut scrape`.")
    con = connect(path.resolve(), read_only=True, external=False)
    timer = threading.Timer(timeout_s, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield con
    finally:
        timer.cancel()
        con.close()
