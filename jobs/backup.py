"""A copy of the home out, and back in: the private database and every kept body, in a folder or one .tar file.

Written under a name of its own and renamed when it is whole. Restoring proves the copy before anything is replaced, keeps every
other undercut out meanwhile, and what was there before is kept beside it. What waits in a restored outbox may have been sent
after the backup: it is looked up first, as after a lost answer.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from data.errors import DataMissing, StoreError, UsageError
from data.store import Store
from jobs.answers import ASIDE, INBOX
from jobs.integrity import verify
from jobs.lock import service_lock
from jobs.outbox import doubt_waiting

DATABASE, MANIFEST, MARKET = "private.duckdb", "backup.json", "market.duckdb"
WAL = f"{DATABASE}.wal"


def backup(home: Path, target: Path, now: datetime) -> dict[str, object]:
    """Write the home to `target`; its manifest comes back. Raises UsageError where something is there already, or it lies in
    the home itself, so that backups would hold backups."""
    if target.exists():
        raise UsageError("is there already.", where=str(target), fix="name a new file or folder, or move it away.")
    if target.resolve().is_relative_to(home.resolve()):
        raise UsageError("lies in the home that it is a backup of.", where=str(target), fix="name a place beside it, or on another disk.")  # fmt: skip
    if not (home / DATABASE).exists():
        raise DataMissing("there is no database yet.", where=str(home), fix="run `undercut scrape` first.")
    fresh = target.with_name(f".{target.name}.part")
    packed = fresh.with_name(fresh.name + ".tar")
    try:
        _remove(fresh)
        with _held(home) as database:
            _copied(home, database, fresh)
        made = {"database_sha256": _sha(fresh / DATABASE), "bodies": sum(1 for _ in fresh.glob("bodies/*/*.gz")), "made_at": now.isoformat()}  # fmt: skip
        (fresh / MANIFEST).write_text(json.dumps(made), encoding="utf-8")
        if target.suffix == ".tar":
            with tarfile.open(packed, "w") as tar:
                tar.add(fresh, arcname="undercut")
            packed.replace(target)
        else:
            fresh.replace(target)
    except OSError as error:
        raise StoreError(f"the backup cannot be written ({error.strerror or error}).", where=str(target), fix="free space or name another place; nothing was changed.") from error  # fmt: skip
    finally:
        _remove(fresh)
        packed.unlink(missing_ok=True)
    return made


def restore(source: Path, home: Path, now: datetime, *, replace: bool = False) -> Path | None:
    """Put a backup in place of `home`; where the former database is kept comes back. Raises before anything is replaced.

    The rename of one file decides: cut off at any moment it leaves the former database or the restored one, whole and with
    its bodies, and running it again finishes it.
    """
    there = (home / DATABASE).exists()
    if there and not replace:
        raise UsageError("there is a database already.", where=str(home), fix="--replace keeps it beside the restored one, or set UNDERCUT_HOME to another folder.")  # fmt: skip
    home = home.absolute()
    fresh, part = home.with_name(f".{home.name}.part"), home.with_name(f".{home.name}.before.part")
    before = home.with_name(f"{home.name}.before-{now:%Y%m%dT%H%M%S}") if there else None
    with service_lock(home):
        try:
            _remove(fresh)
            with _opened(source, fresh):
                _prove(source, fresh, now)
            with _held(home, whole=False) if before else nullcontext() as database, _locked(fresh / DATABASE):
                if before and database:
                    _remove(part)
                    _copied(home, database, part, _linked)
                    part.rename(before)
                elif (home / DATABASE).exists():
                    raise _in_use(home / DATABASE)  # made meanwhile
                _take_over(fresh, home)
        except OSError as error:
            raise StoreError(f"the backup cannot be put back ({error.strerror or error}).", where=str(home), fix="free space or set UNDERCUT_HOME to another folder; what was there stays.") from error  # fmt: skip
        finally:
            _remove(fresh)
            _remove(part)
    return before


def _take_over(fresh: Path, home: Path) -> None:
    """Bodies first, so that both databases have theirs, then the database, then its published copy."""
    for body in sorted(fresh.glob("bodies/*/*.gz")):
        to = home / body.relative_to(fresh)
        to.parent.mkdir(parents=True, exist_ok=True)
        body.replace(to)
    for name in (INBOX, ASIDE):
        _join_answers(fresh / name, home / name)
    (home / WAL).unlink(missing_ok=True)  # only one that cannot be opened still has any; it is kept beside
    (fresh / DATABASE).replace(home / DATABASE)
    copy = (fresh / MARKET).resolve()
    copy.rename(home / copy.name)
    (fresh / MARKET).replace(home / MARKET)


def _linked(source: str, target: str) -> object:
    """A body never changes in its place: the same file under two names takes no space."""
    if source.endswith(".gz"):
        with suppress(OSError):  # another file system, or one without links
            os.link(source, target)
            return target
    return shutil.copy2(source, target)


def _join_answers(restored: Path, here: Path) -> None:
    """What people pressed and no database holds yet: of the backup and of the home, each answer once; half a line is none."""
    lines = [line for f in (restored, here) if f.exists() for line in f.read_bytes().split(b"\n")[:-1]]
    if lines:
        restored.write_bytes(b"".join(line + b"\n" for line in dict.fromkeys(lines)))
        restored.replace(here)


@contextmanager
def _held(home: Path, *, whole: bool = True) -> Iterator[BinaryIO]:
    """The database's file with all that was written in it, and no other undercut in it until the block ends.

    Raises StoreError where one is; with `whole=False` a database that cannot be opened at all is held as it lies there.
    """
    try:
        with Store(home) as store:
            store.checkpoint()
        opened = True
    except StoreError as error:
        if whole or "in use" in error.what:
            raise
        opened = False
    with _locked(home / DATABASE) as file:
        if opened and (home / WAL).exists():
            raise _in_use(home / DATABASE)  # it came between the two
        yield file


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Locked as DuckDB locks it. Such a lock ends when this process closes any handle to the file: read it by this one alone."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _in_use(path) from None
        yield file


def _in_use(path: Path) -> StoreError:
    return StoreError("the database is in use by another undercut.", where=str(path), fix="stop it and run this again; nothing was changed.")  # fmt: skip


def _copied(home: Path, database: BinaryIO, to: Path, copy: Callable[[str, str], object] = shutil.copy2) -> None:
    shutil.copytree(home, to, ignore=_left_out, copy_function=copy, symlinks=True)
    with (to / DATABASE).open("wb") as file:
        shutil.copyfileobj(database, file)


@contextmanager
def _opened(source: Path, fresh: Path) -> Iterator[None]:
    if source.is_dir():
        shutil.copytree(source, fresh)
    elif source.is_file():
        try:
            with tarfile.open(source) as tar:
                tar.extractall(fresh.with_name(fresh.name + ".tar"), filter="data")
            (fresh.with_name(fresh.name + ".tar") / "undercut").rename(fresh)
        except (tarfile.TarError, FileNotFoundError, EOFError) as error:
            raise UsageError(f"is no whole backup ({error}).", where=str(source), fix="give a folder or .tar that `undercut db backup` wrote.") from None  # fmt: skip
        finally:
            _remove(fresh.with_name(fresh.name + ".tar"))
    else:
        raise UsageError("there is no such backup.", where=str(source), fix="name the folder or .tar file.")
    yield


def _prove(source: Path, fresh: Path, now: datetime) -> None:
    """Raises where the copy is not what was written or a rule does not hold in it."""
    try:
        made = json.loads((fresh / MANIFEST).read_text(encoding="utf-8"))
        same = made["database_sha256"] == _sha(fresh / DATABASE)
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError("is no backup of undercut.", where=str(source), fix="give a folder or .tar that `undercut db backup` wrote.") from None  # fmt: skip
    if not same:
        raise StoreError("the backup's database is not what was written.", where=str(source), fix="use another backup.")
    with Store(fresh) as store:
        if broken := next(verify(store, fresh), None):
            raise StoreError(f"the backup breaks a rule: {broken.rule} ({broken.count}, e.g. {broken.example}).", where=str(source), fix="use another backup.")  # fmt: skip
        with store.transaction():
            doubt_waiting(store, now)
        store.publish()
        store.checkpoint()
    (fresh / MANIFEST).unlink()


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Published copies are made again; locks and probes belong to a running process; the database is copied by its own handle."""
    return {
        n for n in names if n.startswith(("market", ".market", ".writable")) or n.endswith(".lock") or n == DATABASE
    }


def _sha(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
