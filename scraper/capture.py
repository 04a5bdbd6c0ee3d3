"""Bodies kept compressed under their SHA-256, so that every number can be re-read. Never a name from a page in a path."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

from data.errors import StoreError
from data.store import Keep, keep_of

SHA = re.compile(r"[0-9a-f]{64}")


class Bodies:
    """What is kept in the folder `bodies` of a home, or in a team's store. Writing is atomic; reading proves the hash."""

    def __init__(self, kept: Keep | Path) -> None:
        self.kept = keep_of(kept / "bodies") if isinstance(kept, Path) else kept

    def put(self, body: bytes) -> str:
        """Keep a body; its SHA-256 comes back. A body that is there already is left alone."""
        sha = hashlib.sha256(body).hexdigest()
        if not self.kept.has(self._name(sha)):
            self.kept.write(self._name(sha), gzip.compress(body, mtime=0))
        return sha

    def has(self, sha: str) -> bool:
        return self.kept.has(self._name(sha))

    def get(self, sha: str) -> bytes:
        """The body with this hash. Raises StoreError where it is missing or no longer what it was."""
        name = self._name(sha)
        where = f"{self.kept}/{name}"
        try:
            packed = self.kept.read(name)
            if packed is None:
                raise StoreError("a kept body is missing.", where=where, fix="restore it from a backup.")
            body = gzip.decompress(packed)
        except (OSError, EOFError) as error:
            raise StoreError(f"a kept body is damaged ({error}).", where=where, fix="restore a backup.") from error
        if hashlib.sha256(body).hexdigest() != sha:
            raise StoreError("a kept body is not what it was.", where=where, fix="restore it from a backup.")
        return body

    def _name(self, sha: str) -> str:
        if not SHA.fullmatch(sha):
            raise StoreError(f"{sha[:80]!r} is no SHA-256.", where=str(self.kept), fix="ask for a hash as stored.")
        return f"{sha[:2]}/{sha}.gz"
