"""Where whole files are kept under a name and never changed: a folder, or an address in an object store."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import duckdb

from data.errors import StoreError
from data.store.connect import connect, load, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN where there is one), AWS_REGION, "
    "and AWS_ENDPOINT_URL_S3 where it is not Amazon's."
)

TAKEN = (
    "access_key_id",
    "secret_access_key",
    "session_token",
    "endpoint",
)  # settings that httpfs reads from the environment
NOT_THERE = re.compile(r"\b(HTTP|code) 404\b")


class Keep(Protocol):
    """Files by name, `a/b.gz`. Writing is atomic: a name is there whole or not at all."""

    def names(self) -> set[str]: ...
    def has(self, name: str) -> bool: ...
    def read(self, name: str) -> bytes | None: ...  # None: it is not there
    def write(self, name: str, content: bytes) -> None: ...


class Folder:
    """A folder of this machine, or one that all machines have mounted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> set[str]:
        return {f.relative_to(self.path).as_posix() for f in self.path.glob("*/*") if not f.name.startswith(".")}

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            fresh.write_bytes(content)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)


class Bucket:
    """What lies under `s3://bucket/…`, by DuckDB's own client. Raises StoreError where it refuses or does not answer."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._con: duckdb.DuckDBPyConnection | None = None

    def __str__(self) -> str:
        return self.address

    def names(self) -> set[str]:
        found = self._ask("select file from glob(?)", f"{self.address}/*/*")
        return {str(f).removeprefix(f"{self.address}/") for (f,) in found}

    def has(self, name: str) -> bool:
        return self._read("size", name) is not None

    def read(self, name: str) -> bytes | None:
        found = self._read("content", name)
        return bytes(found) if isinstance(found, bytes | bytearray) else None

    def write(self, name: str, content: bytes) -> None:
        to = quoted(f"{self.address}/{name}")
        self._ask(f"copy (select ?::blob as content) to {to} (format blob, compression none)", content)

    def _read(self, what: str, name: str) -> object:
        try:
            return self._ask(f"select {what} from read_blob(?)", f"{self.address}/{name}")[0][0]
        except StoreError as error:
            if NOT_THERE.search(str(error.__cause__)) and "NoSuchBucket" not in str(error.__cause__):
                return None
            raise

    def _ask(self, statement: str, value: str | bytes) -> list[tuple[object, ...]]:
        try:
            if self._con is None:
                self._con = connect(":memory:")
                open_bucket(self._con, self.address)
                self._con.execute("set enable_external_file_cache = false")  # a body is proven as it lies there
            return self._con.cursor().execute(statement, [value]).fetchall()
        except duckdb.Error as error:
            raise explain_bucket(error, self.address) from error


def keep_of(place: Path | str) -> Keep:
    """A folder, or an address that begins with `s3://`."""
    return Folder(place) if isinstance(place, Path) else Bucket(place)


def open_bucket(con: duckdb.DuckDBPyConnection, address: str, given: Mapping[str, str] = os.environ) -> None:
    """Let a connection reach one bucket with the keys of the environment, which stand in no setting that a query could read."""
    load(con, "httpfs")
    for name in TAKEN:
        con.execute(f"reset s3_{name}")
    said = {
        "key_id": given.get("AWS_ACCESS_KEY_ID"),
        "secret": given.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": given.get("AWS_SESSION_TOKEN"),
        "region": given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION"),
    }
    if not (said["key_id"] and said["secret"]):
        raise StoreError("the object store needs keys.", where=address, fix=KEYS)
    if at := given.get("AWS_ENDPOINT_URL_S3") or given.get("AWS_ENDPOINT_URL"):
        url = urlsplit(at)
        if url.scheme not in ("http", "https") or not url.netloc:
            fix = "write it as https://minio.example:9000."
            raise StoreError("is no address.", where="AWS_ENDPOINT_URL_S3", fix=fix)
        said |= {"endpoint": url.netloc, "url_style": "path"}
    plain = bool(at) and urlsplit(str(at)).scheme == "http"
    options = ", ".join(f"{k} {quoted(v)}" for k, v in said.items() if v)
    bucket = "/".join(address.split("/")[:3])
    con.execute(f"create secret (type s3, {options}, use_ssl {not plain}, scope {quoted(bucket + '/')})")


def explain_bucket(error: Exception, address: str) -> StoreError:
    """The error in our words; DuckDB's names the address and never the keys."""
    text = " ".join(str(error).split())
    if re.search(r"\b(HTTP|code) 40[013]\b|Forbidden|Authentication Failure", text):
        return StoreError("the object store refuses the keys.", where=address, fix=KEYS)
    if NOT_THERE.search(text):
        fix = "make the bucket, or correct UNDERCUT_STORE_DATA; undercut makes none."
        return StoreError("the object store has no such place.", where=address, fix=fix)
    fix = "look at AWS_ENDPOINT_URL_S3, AWS_REGION and the network; nothing is half written, and the next run goes on."
    return StoreError(f"the object store does not answer ({text[:160]}).", where=address, fix=fix)
