"""A team's store under load: writers and readers at once, writers killed with -9, PostgreSQL crashed; then every rule asked for.

`python -m tests.team --writers 4 --readers 8 --kills 40 --restarts 5` prints the figures; the suite runs a sample.
Each transaction writes a run, twelve captures (a Parquet file) and a key that all writers want; a writer says on stdout what
was acknowledged, and tries again what was not, as a cycle does.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from data.errors import StoreError
from data.store import Team, open_store, published, rows, team_of
from tests.postgres import Postgres

PAGES = 12
AT = datetime(2026, 1, 5, 7, tzinfo=UTC)
WHOLE = (
    "select count(*) as runs, count(*) filter (n is distinct from 12) as half from run r "
    "full join (select source_id as run_id, count(*) as n from capture group by all) c using (run_id)"
)


@dataclass
class Figures:
    seconds: float = 0
    acknowledged: int = 0
    reads: int = 0
    kills: int = 0
    restarts: int = 0
    lost: int = 0
    half: int = 0
    doubled: int = 0
    seen_half: int = 0
    seen_shrink: int = 0
    write_ms: list[float] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)  # clear errors, by what they say
    other: list[str] = field(default_factory=list)  # anything else: a fault

    def text(self) -> str:
        w, r = sorted(self.write_ms) or [0.0], sorted(self.read_ms) or [0.0]
        return (
            f"{self.acknowledged} transactions acknowledged and {self.reads} reads in {self.seconds:.0f} s, "
            f"{self.kills} writers killed, PostgreSQL crashed {self.restarts} times: "
            f"{self.lost} lost, {self.half} half, {self.doubled} doubled; "
            f"readers saw {self.seen_half} halves and {self.seen_shrink} steps back\n"
            f"write median {median(w):.0f} ms, worst {w[-1]:.0f} ms; read median {median(r):.0f} ms, worst {r[-1]:.0f} ms\n"
            f"clear errors meanwhile: {self.refused or 'none'}; others: {self.other[:3] or 'none'}"
        )


def write(team: Team, name: str, first: int, times: int) -> None:
    """A writer: `ack KEY MS` for what was committed, `no WHAT` for a clear error."""
    n = first
    while n < first + times:
        try:
            with open_store(team) as store:
                for _ in range(10):
                    started, key = time.perf_counter(), f"{name}-{n}"
                    with store.transaction():
                        run = {"run_id": key, "kind": "load", "started_at": AT}
                        store.insert("run", [run], unique=("run_id",))
                        pages = ({"source_id": key, "url": f"page {i}", "fetched_at": AT, "bytes": i, "renderer": "http", "outcome": "new"} for i in range(PAGES))  # fmt: skip
                        store.insert("capture", pages, unique=("source_id", "url"))
                        wanted = {"name": f"shared-{n}", "model_id": name, "source_id": "x", "known_from": AT}
                        store.insert("pointer", [wanted], unique=("name",))
                    print(f"ack {key} {(time.perf_counter() - started) * 1000:.1f}", flush=True)
                    n += 1
                    if n >= first + times:
                        return
        except StoreError as error:
            print(f"no {error.what}", flush=True)
            time.sleep(0.2)


def read(team: Team, stop: Path) -> None:
    """A reader: `read MS RUNS HALF` until told to stop."""
    while not stop.exists():
        try:
            with published(team) as con:
                for _ in range(5):
                    started = time.perf_counter()
                    found = rows(con, WHOLE)[0]
                    took = (time.perf_counter() - started) * 1000
                    print(f"read {took:.1f} {found['runs']} {found['half']}", flush=True)
                    time.sleep(0.3)  # a person's pace; eight that poll without a pause only measure the processors
        except StoreError as error:
            print(f"no {error.what}", flush=True)
            time.sleep(0.2)


class Child:
    """A process and the lines it said so far."""

    def __init__(self, team: str, data: str, *words: str) -> None:
        env = {**os.environ, "UNDERCUT_STORE": team, "UNDERCUT_STORE_DATA": data}
        self.said: list[str] = []
        self.process = subprocess.Popen([sys.executable, "-m", "tests.team", *words], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        self.thread = threading.Thread(target=lambda: self.said.extend(x.strip() for x in self.process.stdout or ()), daemon=True)  # fmt: skip
        self.thread.start()

    def end(self) -> str:
        """Waits; what it said on stderr, where it did not end well by itself."""
        error = self.process.stderr.read() if self.process.stderr else ""
        self.process.wait()
        self.thread.join()
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()  # type: ignore[union-attr]
        return error if self.process.returncode not in (0, -signal.SIGKILL) else ""


def run(server: Postgres, folder: Path, *, data: str | None = None, writers: int, readers: int, times: int, kills: int, restarts: int, seed: int = 7) -> Figures:  # fmt: skip
    """`writers` that each commit `times` transactions, `readers` that look all the while, and what goes wrong meanwhile."""
    rng, out, name = random.Random(seed), Figures(kills=0), f"load{seed}"
    text = "ducklake:postgres:" + server.database(name)
    data = data or str(folder / "data")
    team, stop = team_of(text, data), folder / "stop"
    with open_store(team):
        pass
    started = time.perf_counter()
    watching = [Child(text, data, "--read", str(stop)) for _ in range(readers)]
    at_work = {n: Child(text, data, "--write", f"w{n}", "0", str(times)) for n in range(writers)}
    over: list[Child] = []
    due = ["kill"] * kills + ["restart"] * restarts
    rng.shuffle(due)
    while any(c.process.poll() is None for c in at_work.values()):
        if not due:
            time.sleep(0.05)
            continue
        time.sleep(rng.uniform(0.3, 1.5))
        if due.pop() == "restart":
            server.stop(hard=True)
            server.start()
            out.restarts += 1
            continue
        alive = [n for n, c in at_work.items() if c.process.poll() is None]
        if alive:
            n = rng.choice(alive)
            os.kill(at_work[n].process.pid, signal.SIGKILL)
            at_work[n].process.wait()
            at_work[n].thread.join()
            over.append(at_work[n])
            done = sum(line.startswith("ack") for c in over for line in c.said if f" w{n}-" in line)
            at_work[n] = Child(text, data, "--write", f"w{n}", str(done), str(times - done))
            out.kills += 1
    stop.touch()
    out.seconds = time.perf_counter() - started
    acked: set[str] = set()
    for child in (*over, *at_work.values(), *watching):
        if error := child.end():
            out.other.append(error[-600:])
        _count(out, child.said, acked)
    out.acknowledged = len(acked)
    with published(team) as con:
        there = {r["run_id"] for r in rows(con, "select run_id from run")}
        out.lost = len(acked - there)
        out.half = rows(con, WHOLE)[0]["half"]
        for table, key in (("run", "run_id"), ("capture", "source_id, url"), ("pointer", "name")):
            out.doubled += len(rows(con, f"select {key} from {table} group by all having count(*) > 1"))
        out.lost += times - rows(con, "select count(*) as n from pointer")[0]["n"]
    return out


def _count(out: Figures, said: list[str], acked: set[str]) -> None:
    most = 0
    for line in said:
        word, _, rest = line.partition(" ")
        if word == "ack":
            key, ms = rest.split()
            acked.add(key)
            out.write_ms.append(float(ms))
        elif word == "read":
            ms, runs, half = rest.split()
            out.reads += 1
            out.read_ms.append(float(ms))
            out.seen_half += int(half) > 0
            out.seen_shrink += int(runs) < most
            most = int(runs)
        else:
            out.refused[rest] = out.refused.get(rest, 0) + 1


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("writers", 4), ("readers", 8), ("times", 150), ("kills", 40), ("restarts", 5), ("seed", 7)):
        words.add_argument(f"--{name}", type=int, default=usual)
    words.add_argument("--write", nargs=3)
    words.add_argument("--read", type=Path)
    asked = words.parse_args()
    if asked.write or asked.read:
        team = team_of(os.environ["UNDERCUT_STORE"], os.environ["UNDERCUT_STORE_DATA"])
        if asked.read:
            read(team, asked.read)
        else:
            write(team, asked.write[0], int(asked.write[1]), int(asked.write[2]))
        return
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for kills, restarts in ((0, 0), (asked.kills, 0), (0, asked.restarts), (asked.kills, asked.restarts)):
                seed = asked.seed * 100 + kills + 10 * restarts
                here = Path(folder) / str(seed)
                here.mkdir()
                print(
                    f"\n{asked.writers} writers, {asked.readers} readers, {kills} kills, {restarts} crashes of PostgreSQL"
                )
                print(run(server, here, writers=asked.writers, readers=asked.readers, times=asked.times, kills=kills, restarts=restarts, seed=seed).text(), flush=True)  # fmt: skip
    finally:
        server.remove()


if __name__ == "__main__":
    main()
