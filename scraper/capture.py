"""Bodies kept compressed under their SHA-256, so that every number can be re-read. Never a name from a page in a path."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path

from data.errors import StoreError

SHA = re.compile(r"[0-9a-f]{64}")


class Bodies:
    """The folder `bodies` of a home. Writing is atomic; reading proves the hash."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "bodies"

    def put(self, body: bytes) -> str:
        """Keep a body; its SHA-256 comes back. A body that is there already is left alone."""
        sha = hashlib.sha256(body).hexdigest()
        target = self._path(sha)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{sha}.{os.getpid()}")
            fresh.write_bytes(gzip.compress(body, mtime=0))
            fresh.replace(target)
        return sha

    def get(self, sha: str) -> bytes:
        """The body with this hash. Raises StoreError where it is missing or no longer what it was."""
        target = self._path(sha)
        try:
            body = gzip.decompress(target.read_bytes())
        except FileNotFoundError:
            raise StoreError("a kept body is missing.", where=str(target), fix="restore it from a backup.") from None
        except (OSError, EOFError) as error:
            raise StoreError(
                f"a kept body is damaged ({error}).", where=str(target), fix="restore a backup."
            ) from error
        if hashlib.sha256(body).hexdigest() != sha:
            raise StoreError("a kept body is not what it was.", where=str(target), fix="restore it from a backup.")
        return body

    def _path(self, sha: str) -> Path:
        if not SHA.fullmatch(sha):
            raise StoreError(f"{sha[:80]!r} is no SHA-256.", where=str(self.folder), fix="ask for a hash as stored.")
        return self.folder / sha[:2] / f"{sha}.gz"
