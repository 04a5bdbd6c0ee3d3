"""The only door to DuckDB: open, migrate, read, write in one transaction, publish a copy.

The writer owns `private.duckdb` in `UNDERCUT_HOME`; people and tools open `market.duckdb`, a link to the newest
finished copy.
"""

from data.store.connect import Copy, Readable, Row, ask, rows
from data.store.copies import published, view_files
from data.store.export import export
from data.store.files import table_file
from data.store.writer import Store, plain

__all__ = [
    "Copy",
    "Readable",
    "Row",
    "Store",
    "ask",
    "export",
    "plain",
    "published",
    "rows",
    "table_file",
    "view_files",
]
