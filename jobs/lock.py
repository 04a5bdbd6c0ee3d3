"""One service a home folder: `service.lock`, held by `undercut run` and by a restore while it replaces the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data.errors import UsageError

LOCK = "service.lock"


@contextmanager
def service_lock(home: Path) -> Iterator[None]:
    """The home is ours until the block ends; a process that has it may take it again. Raises UsageError where another has it."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / LOCK, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        fix = "stop it, or set UNDERCUT_HOME."
        raise UsageError("another `undercut run` has this home.", where=str(home / LOCK), fix=fix) from None
    try:
        yield
    finally:
        lock.release()
