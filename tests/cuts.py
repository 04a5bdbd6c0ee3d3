"""A team's store whose wire to PostgreSQL is cut at each message in turn: the worker must end with a clear error, never abort.

`python -m tests.cuts` cuts at all of them, before and after PostgreSQL had the message, and prints the figures; the suite cuts
at the kinds of message that have ended a process (`data.store.lake.close_lake`).
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.errors import StoreError
from data.store import Team, open_store, published, rows, team_of
from tests.postgres import Postgres
from tests.team import WHOLE

AT = datetime(2026, 1, 5, 7, tzinfo=UTC)
ROUNDS = 2
CutAt = int | tuple[bytes, ...] | None


class Wire:
    """A port before PostgreSQL's that forwards, and at one message cuts all connections and takes no more."""

    def __init__(self, to_port: int) -> None:
        self.to_port, self.lock = to_port, threading.Lock()
        self.ends: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self, cut_at: CutAt = None, *, late: bool = False) -> None:
        """Whole again until the `cut_at`-th message of a client, or the first like the last pattern after all others were seen
        in their order; `late`: PostgreSQL has that one."""
        self._hang_up()
        with self.lock:
            self.cut_at, self.late, self.seen, self.is_cut = cut_at, late, 0, False
            self.to_see = list(cut_at) if isinstance(cut_at, tuple) else []

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._hang_up()

    def _hang_up(self) -> None:
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.ends = []

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.is_cut:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.to_port))
                self.ends += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while message := source.recv(1 << 20):
                cut = asks and self._is_time(message)
                if not cut or self.late:
                    target.sendall(message)
                if cut:
                    break
        for end in self.ends if self.is_cut else (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_time(self, message: bytes) -> bool:
        with self.lock:
            self.seen += 1
            if self.to_see and re.search(self.to_see[0], message, re.DOTALL):
                del self.to_see[0]
                self.is_cut |= not self.to_see
            self.is_cut |= self.seen == self.cut_at
            return self.is_cut


@dataclass
class Figures:
    cuts: int = 0
    clear: int = 0  # ended with a StoreError
    whole: int = 0  # ended well: the cut came too late to matter
    lost: int = 0
    half: int = 0
    others: tuple[str, ...] = ()

    def text(self) -> str:
        return (
            f"{self.cuts} cuts: {self.clear} ended with a clear error, {self.whole} had done all before; "
            f"{self.lost} transactions lost, {self.half} half; others: {self.others or 'none'}"
        )


class Cuts:
    """A team's store behind a wire."""

    def __init__(self, server: Postgres, folder: Path, database: str) -> None:
        self.text, self.folder = "ducklake:postgres:" + server.database(database), folder
        self.team = team_of(self.text, folder)
        self.wire = Wire(server.port)
        self.behind = self.text.replace(f"port={server.port}", f"port={self.wire.port}")
        self.figures = Figures()
        with open_store(self.team):
            pass
        self.at(None)  # the first rows: only a table that has some is read when more come

    def at(self, cut_at: CutAt, *, late: bool = False) -> None:
        """One worker, cut off there; then what it was told is done is looked for."""
        figures, name = self.figures, f"cut-{self.figures.cuts}"
        self.wire.mend(cut_at, late=late)
        words = [sys.executable, "-m", "tests.cuts", "--work", self.behind, str(self.folder), name]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
        figures.cuts += 1
        said = done.stdout.split("\n")[:-1]
        if done.returncode or done.stderr:
            figures.others += (f"{cut_at} ended with {done.returncode}: {done.stderr[-400:]}",)
        elif said[-1] == "no PostgreSQL does not answer.":
            figures.clear += 1
        elif said[-1] == "read":
            figures.whole += 1
        else:
            figures.others += (f"{cut_at} said {said[-1]}",)
        with published(self.team) as con:
            there = {r["run_id"] for r in rows(con, "select run_id from run")}
            figures.lost += len({line.split()[1] for line in said if line.startswith("ack")} - there)
            figures.half = max(figures.half, rows(con, WHOLE)[0]["half"])


def work(team: Team, name: str) -> None:
    """Two transactions under a lease, then a reader's question; `ack KEY` for what was committed, `no WHAT` for a clear error."""
    try:
        with open_store(team) as store, store.lease("work"):
            for key in (f"{name}-{n}" for n in range(ROUNDS)):
                with store.transaction():
                    run = {"run_id": key, "kind": "cut", "started_at": AT}
                    store.insert("run", [run], unique=("run_id",))
                    pages = ({"source_id": key, "url": f"page {i}", "fetched_at": AT, "bytes": i, "renderer": "http", "outcome": "new"} for i in range(12))  # fmt: skip
                    store.insert("capture", pages, unique=("source_id", "url"))
                print(f"ack {key}", flush=True)
        with published(team) as con:
            rows(con, WHOLE)
        print("read", flush=True)
    except StoreError as error:
        print(f"no {error.what}", flush=True)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--every", type=int, default=1, help="cut at every n-th message only")
    words.add_argument("--work", nargs=3)
    asked = words.parse_args()
    if asked.work:
        work(team_of(*asked.work[:2]), asked.work[2])
        return
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            cuts = Cuts(server, Path(folder), "cuts")
            cuts.at(None)
            messages = cuts.wire.seen
            for late in (False, True):
                for at in range(1, messages + 1, asked.every):
                    cuts.at(at, late=late)
                    if at % 50 == 1:
                        print(f"{'after' if late else 'before'} message {at}: {cuts.figures.text()}", flush=True)
            print(cuts.figures.text())
    finally:
        server.remove()


if __name__ == "__main__":
    main()
