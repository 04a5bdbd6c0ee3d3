"""The only door to DuckDB: open, migrate, read, write in one transaction, publish a copy.

The writer owns `private.duckdb` in `UNDERCUT_HOME`; people and tools open `market.duckdb`, a link to the newest
finished copy. A team's store is a DuckLake instead (`place`, `lake`, `team`), and readers ask it directly.
"""

from pathlib import Path

from data.store.connect import Copy, Readable, Row, ask, identifier, rows
from data.store.copies import published, view_files
from data.store.export import export
from data.store.files import table_file
from data.store.keep import Keep, keep_of
from data.store.place import Place, Team, team_of
from data.store.writer import Store, plain


def open_store(place: Place) -> Store:
    """The writer on a home folder or a team's store; tables and views are made where they are missing."""
    if isinstance(place, Path):
        return Store(place)
    from data.store.team import TeamStore

    return TeamStore(place)


__all__ = [
    "Copy",
    "Keep",
    "Place",
    "Readable",
    "Row",
    "Store",
    "Team",
    "ask",
    "export",
    "identifier",
    "keep_of",
    "open_store",
    "plain",
    "published",
    "rows",
    "table_file",
    "team_of",
    "view_files",
]
