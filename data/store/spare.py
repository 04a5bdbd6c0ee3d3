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

FOLDER = ".spare"
KEPT_S = 3600
SLACK_S = 60  # between the clock that names files and ours
MADE = re.compile(r"ducklake-([0-9a-f]{8})-([0-9a-f]{4})-7")  # UUID version 7: 48 bits of milliseconds


def begun() -> float:
    """Seconds of the epoch, by the clock that names this process's files."""
    return time.time()


@contextmanager
def spared(lake: Path, since_s: float) -> Iterator[None]:
    """Files made since it had `begun` keep a second name through the block, and beyond it where it fails."""
    names = [_second(lake, file) for file in _made(lake, since_s)]
    yield
    for name in names:
        name.unlink(missing_ok=True)


def give_back(lake: Path) -> int:
    """Missing files get their name back, and second names older than an hour go. How many files were missing."""
    missing = 0
    for name in (lake / FOLDER).glob("*/*/*"):
        with suppress(FileNotFoundError):  # its own writer was quicker
            file = lake / name.relative_to(lake / FOLDER)
            if not file.exists():
                _link(name, file)
                missing += 1
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


def _second(lake: Path, file: Path) -> Path:
    name = lake / FOLDER / file.relative_to(lake)
    name.parent.mkdir(parents=True, exist_ok=True)
    _link(file, name)
    return name


def _link(file: Path, name: Path) -> None:
    with suppress(FileExistsError):
        try:
            os.link(file, name)
        except OSError as error:  # a file system without links
            if isinstance(error, FileExistsError | FileNotFoundError):
                raise
            shutil.copyfile(file, name)
