"""Real processes on the published copy: who reads, writes into it or dies never stops the writer, nor sees half a cycle.

`python -m tests.test_readers` prints the figures.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pytest

from data.store import Store
from tests.test_store import rate

READER = """
import signal, sys, time, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
going = True
def end(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, end)
print("open", flush=True)
while going:
    began = time.perf_counter()
    n = con.execute("select count(*) from rate").fetchone()[0]
    assert n % 10 == 0 and con.execute("select count(*) from prices").fetchone()[0] == n, n
    print(1000 * (time.perf_counter() - began), flush=True)
    time.sleep(0.05)
"""
ASKING = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
con.execute("select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 1").fetchall()
print("done", flush=True)
"""
STRANGER = """
import sys, time, duckdb, os
con = duckdb.connect(os.path.realpath(sys.argv[1]))
con.execute("create table mine as select 1"); print("open", flush=True); time.sleep(60)
"""


def start(code: str, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def used_s(process: subprocess.Popen[str]) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(code: str, file: Path) -> subprocess.Popen[str]:
    process = start(code, file)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n", process.stderr.read() if process.stderr else ""
    return process


def run(home: Path, *, readers: int, cycles: int) -> tuple[list[float], list[float]]:
    """(Publish times, times of the readers' queries), milliseconds; raises where a reader saw half a cycle or had to stop."""

    def add(store: Store, cycle: int) -> float:
        with store.transaction():
            for n in range(10):
                store.insert("rate", [rate(rate_id=f"{cycle}-{n}", endpoint_id=f"e:{cycle}-{n}")])
        began = time.perf_counter()
        store.publish()
        return 1000 * (time.perf_counter() - began)

    others: list[subprocess.Popen[str]] = []
    queries_ms: list[float] = []
    market = home / "market.duckdb"
    with Store(home) as store:
        add(store, 0)
        staying = [start(READER, market) for _ in range(readers)]
        try:
            for p in staying:
                assert p.stdout is not None
                assert p.stdout.readline() == "open\n", p.stderr.read() if p.stderr else ""
            others.append(start(STRANGER, market))
            assert others[0].stdout is not None
            others[0].stdout.readline()  # as root it opens; others are refused by the mode
            others.append(opened(ASKING, market))
            before, until = used_s(others[1]), time.monotonic() + 30
            while used_s(others[1]) < before + 0.3 and time.monotonic() < until:
                time.sleep(0.05)
            assert used_s(others[1]) >= before + 0.3, "it was not in its query"
            assert others[1].poll() is None
            others[1].send_signal(signal.SIGKILL)
            assert others[1].communicate()[0] == "", "its query had ended"
            published_ms = [add(store, cycle) for cycle in range(1, cycles + 1)]
            others.append(opened(READER, market))
            for p in staying:
                p.terminate()
            for p in staying:
                said, errors = p.communicate(timeout=60)
                assert p.returncode == 0, errors
                queries_ms += [float(line) for line in said.split()]
        finally:
            for p in staying + others:
                p.kill()
                p.communicate()
    return published_ms, queries_ms


@pytest.mark.slow
def test_twenty_readers_one_stranger_and_one_killed_never_stop_the_writer(tmp_path: Path) -> None:
    published_ms, queries_ms = run(tmp_path, readers=20, cycles=7)
    assert len(published_ms) == 7
    assert len(queries_ms) >= 20
    assert len(list(tmp_path.glob("market-*.duckdb"))) == 3
    assert not [w for w in tmp_path.glob("market-*.wal") if not w.with_suffix("").exists()]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        published_ms, queries_ms = run(Path(folder), readers=20, cycles=20)
    sys.stdout.write(
        f"20 readers, one read-write, one killed in a query; {len(published_ms)} cycles, 0 half cycles seen\n"
    )
    for what, ms in (("publish", published_ms), (f"{len(queries_ms)} queries of the readers", queries_ms)):
        sys.stdout.write(f"{what}: median {median(ms):,.0f} ms, worst {max(ms):,.0f} ms\n")


if __name__ == "__main__":
    main()
