"""The public views of a published copy as Parquet files, for tools that do not read DuckDB."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb

from data.errors import DataMissing, StoreError, UsageError
from data.store.connect import connect, explain, quoted, rows


def export(market: Path, folder: Path, *, replace: bool = False) -> tuple[dict[str, int], list[str]]:
    """Every view as `VIEW.parquet` (zstd) in `folder`, all of one copy, all or none: rows by view, the macros left out.

    Raises DataMissing without a copy, UsageError where `folder` holds anything (with `replace`: anything but Parquet files),
    StoreError where it cannot be written.
    """
    if not market.exists():
        raise DataMissing("there is no database yet.", where=str(market), fix="run `undercut demo` or `undercut scrape`.")  # fmt: skip
    folder = folder.resolve()
    _free(folder, replace=replace)
    fresh, former = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.former")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        counts, macros = _write(market.resolve(), fresh)
        if former.exists() and folder.exists():
            shutil.rmtree(former)
        if folder.exists():
            folder.rename(former)
        fresh.rename(folder)
        shutil.rmtree(former, ignore_errors=True)
    except duckdb.Error as error:
        raise explain(error, str(folder)) from error
    except OSError as error:
        raise StoreError(f"the export cannot be written ({error.strerror}).", where=str(folder), fix="free space or name another folder; nothing was changed.") from error  # fmt: skip
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if former.exists() and not folder.exists():
            former.rename(folder)
    return counts, macros


def _free(folder: Path, *, replace: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError("is a file.", where=str(folder), fix="name a folder.")
    held = sorted(f.name for f in folder.iterdir()) if folder.exists() else []
    if held and not replace:
        raise UsageError("is not empty.", where=str(folder), fix="name a new folder, or --replace an earlier export.")
    if other := [name for name in held if not name.endswith(".parquet")]:
        raise UsageError(f"holds {other[0]}, which no export wrote.", where=str(folder), fix="name another folder; --replace takes the place of Parquet files only.")  # fmt: skip


def _write(market: Path, fresh: Path) -> tuple[dict[str, int], list[str]]:
    with connect(market, read_only=True) as con:
        named = rows(con, "select view_name as name from duckdb_views() where not internal order by name")
        views = [v["name"] for v in named if re.fullmatch("[a-z][a-z0-9_]*", v["name"])]  # a name is a file's name here
        counts = {}
        for view in views:
            done = con.execute(f"copy (from {view}) to {quoted(str(fresh / f'{view}.parquet'))} (format parquet, compression zstd)")  # fmt: skip
            counts[view] = int((done.fetchone() or [0])[0])
        macros = rows(con, "select distinct function_name as name from duckdb_functions() where function_type = 'table_macro' and not internal order by name")  # fmt: skip
    return counts, [m["name"] for m in macros]
