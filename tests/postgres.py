"""A real PostgreSQL of our own: started in a folder and on a port of its own, as a user that is not root."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

USER, PASSWORD = "undercut", "hush-7f3a"  # of this server only


def programs() -> Path | None:
    """The folder of initdb and postgres: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((p for p in places if (p / "postgres").exists() and (p / "initdb").exists()), None)


class Postgres:
    """One server. `stop(hard=True)` is a crash: no checkpoint, connections cut."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, "no PostgreSQL here"
        self.bin, self.folder = found, Path(tempfile.mkdtemp(prefix="undercut-pg-"))
        self.as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres")
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.port = _free_port()
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", USER, "--pwfile", str(secret), "-A", "scram-sha-256", "--no-sync")  # fmt: skip
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "300", "-l", str(self.folder / "log"), "-o", options, "start")  # fmt: skip

    def stop(self, *, hard: bool = False) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate" if hard else "fast", "stop")

    def database(self, name: str, template: str = "template1") -> str:
        """A new database, empty or like another; what stands behind `ducklake:postgres:` for it."""
        self.sql("postgres", f'create database "{name}" template "{template}"')
        return f"host=127.0.0.1 port={self.port} user={USER} dbname={name} password={PASSWORD}"

    def sql(self, database: str, statement: str) -> str:
        words = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-Atc", statement]
        return self._run("psql", *words)

    def dump(self, database: str) -> str:
        """What `pg_dump` writes of a database: statements that make it again."""
        return self._run("pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database)

    def load(self, database: str, dump: str) -> None:
        """What `psql -f` makes of it."""
        file = self.folder / "dump.sql"
        file.write_text(dump)
        file.chmod(0o644)
        self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-v", "ON_ERROR_STOP=1", "-qf", str(file))  # fmt: skip

    def remove(self) -> None:
        self.stop(hard=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> str:
        quiet = {"stdout": subprocess.DEVNULL} if program == "pg_ctl" else {"stdout": subprocess.PIPE}
        done = subprocess.run(
            [*self.as_user, str(self.bin / program), *words], cwd=self.folder, check=False, text=True, stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL, env={**os.environ, "PGPASSWORD": PASSWORD}, **quiet,  # type: ignore[call-overload]
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return str(done.stdout or "")


def _free_port() -> int:
    """Below the ports that the system gives to clients: one that calls a stopped server again and again may be given its port."""
    for port in random.sample(range(15_000, 30_000), 50):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 15000 and 30000")
