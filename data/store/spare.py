"""Second names for a transaction's data files, until it is known that PostgreSQL has committed it.

Where PostgreSQL commits and its answer is lost, ducklake 1.5 takes the transaction for failed and deletes the files that the
catalogue now names: no row of those tables could be read any more. So before a commit each new file of the lake's folder gets
a second name in `.spare`. It goes with the answer; where none came it stays for an hour, and a file that is missing gets its
name back, at once and whenever a writer opens. A file that the catalogue does not name is never read.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.errors import StoreError

FOLDER = ".spare"
KEPT_S = 3600
SLACK_S = 60  # between the clock that names files and ours
MADE = re.compile(r"ducklake-([0-9a-f]{8})-([0-9a-f]{4})-7")  # UUID version 7: 48 bits of milliseconds


def begun() -> float:
    """Seconds of the epoch, by the clock that names this process's files."""
    return time.time()


@contextmanager
def spared(lake: Path, since_s: float) -> Iterator[None]:
    """Files made since it had `begun` keep a second name through the block, and beyond it where it fails.

    A second name that another machine gave is left to it. Raises StoreError, before the block, where none can be given.
    """
    try:
        ours = [name for file in _made(lake, since_s) if _link(file, name := lake / FOLDER / file.relative_to(lake))]
    except OSError as error:
        fix = "make it writable for every machine that writes; nothing was written, run it again."
        raise StoreError(f"cannot be written ({error.strerror}).", where=str(lake / FOLDER), fix=fix) from None
    yield
    for name in ours:
        name.unlink(missing_ok=True)


def give_back(lake: Path) -> int:
    """Missing files get their name back, and second names older than an hour go. How many files were missing."""
    missing = 0
    for name in (lake / FOLDER).glob("*/*/*"):
        with suppress(OSError):  # its own writer was quicker, or it is another user's
            missing += _link(name, lake / name.relative_to(lake / FOLDER))
            if time.time() - name.stat().st_mtime > KEPT_S:
                name.unlink()
    return missing


def _made(lake: Path, since_s: float) -> Iterator[Path]:
    """Data files of all tables, `schema/table/ducklake-….parquet`, made since then; one whose name tells no time is one of them."""
    for folder in lake.glob("[!.]*/*/"):
        for file in folder.iterdir():
            made = MADE.match(file.name)
            if made is None or int(made[1] + made[2], 16) / 1000 >= since_s - SLACK_S:
                yield file


def _link(file: Path, name: Path) -> bool:
    """Whether `name` is new: one that is there stays, and for a file that is gone there is none."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, name)
    except (FileExistsError, FileNotFoundError):  # gone: what another machine's failed transaction took back
        return False
    except OSError:  # a file system without links, or a file of another user
        if name.exists():
            return False
        shutil.copyfile(file, name)
    return True
