"""A file of a person as a table: CSV, JSON Lines, JSON or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data.errors import UsageError
from data.store.connect import Copy, connect, quoted

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
    with connect(":memory:") as con:
        try:
            con.execute(f"create table log as select * from {reader}({quoted(str(path))}{extra})")
        except duckdb.Error as error:
            raise UsageError(
                f"not readable: {str(error).splitlines()[0]}", where=str(path), fix="export it again."
            ) from None
        yield Copy(con)
