"""Where the database stands: a home folder, or a team's DuckLake with its catalogue in PostgreSQL and its files in a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from data.errors import UsageError

PREFIX = "ducklake:postgres:"
LEASE_S = 600
PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:\\.|[^'\\])*'|[^\s']+)\s*")
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.-]+)*/?", re.ASCII)
FIX = f"write {PREFIX}'host=db.example port=5432 dbname=undercut user=undercut', or {PREFIX}postgresql://user@host/dbname."


@dataclass(frozen=True)
class Team:
    """A team's store. `catalogue`: libpq's key=value without the password; `data`: the shared folder, which holds `lake`
    (Parquet) and `bodies`, or where both lie in an object store, `s3://bucket/…`. `str()` shows no secret."""

    catalogue: str
    data: Path | str
    password: str | None = field(default=None, repr=False)
    lease_s: int = LEASE_S

    def __str__(self) -> str:
        return PREFIX + self.catalogue

    def part(self, name: str) -> Path | str:
        """`lake` or `bodies` in it."""
        return self.data / name if isinstance(self.data, Path) else f"{self.data}/{name}"


Place = Path | Team


def team_of(text: str, data: Path | str | None) -> Team:
    """A `Team` from UNDERCUT_STORE and UNDERCUT_STORE_DATA. Raises UsageError, and never quotes what could be a secret."""
    if not text.startswith(PREFIX):
        raise UsageError("no kind of store that is known.", where="UNDERCUT_STORE", fix=FIX)
    if not data:
        fix = "set it to a folder that every machine has, e.g. /srv/undercut, or to s3://bucket/undercut."
        raise UsageError("a team's store needs a folder for its data files.", where="UNDERCUT_STORE_DATA", fix=fix)
    parts = _parts(text.removeprefix(PREFIX))
    password = parts.pop("password", None)
    if "sslpassword" in parts:
        raise UsageError("sslpassword would be shown.", where="UNDERCUT_STORE", fix="use a key without a passphrase.")
    parts = {"connect_timeout": "10", "application_name": "undercut"} | parts
    return Team(" ".join(f"{k}={_value(v)}" for k, v in parts.items()), _files(str(data)), password)


def _files(said: str) -> Path | str:
    if "://" not in said:
        return Path(said).absolute()
    if not BUCKET.fullmatch(said):
        fix = "write s3://bucket/folder (any store that speaks S3, by AWS_ENDPOINT_URL_S3), or a folder that every machine has."
        raise UsageError("no address of an object store that is known.", where="UNDERCUT_STORE_DATA", fix=fix)
    return said.rstrip("/")


def _parts(said: str) -> dict[str, str]:
    if said.startswith(("postgresql://", "postgres://")):
        try:
            url = urlsplit(said)
            found = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}
        except ValueError:
            raise UsageError("not a connection string.", where="UNDERCUT_STORE", fix=FIX) from None
        found["dbname"] = url.path.removeprefix("/") or None
        return {k: unquote(str(v)) for k, v in found.items() if v is not None} | dict(parse_qsl(url.query))
    parts, at = {}, 0
    while at < len(said):
        pair = PAIR.match(said, at)
        if pair is None:
            raise UsageError("not a connection string.", where="UNDERCUT_STORE", fix=FIX)
        value = pair[2]
        parts[pair[1]] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith("'") else value
        at = pair.end()
    if "dbname" not in parts and "service" not in parts:
        raise UsageError("it names no database.", where="UNDERCUT_STORE", fix=FIX)
    return parts


def _value(text: str) -> str:
    plain = re.fullmatch(r"[\w./@:+-]+", text)
    return text if plain else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
