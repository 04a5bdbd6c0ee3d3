"""Real processes on the published copy: who reads, writes into it or dies never stops the writer, nor sees half a cycle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.store import Store
from tests.test_store import rate

READER = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
while True:
    n = con.execute("select count(*) from rate").fetchone()[0]
    assert n % 10 == 0 and con.execute("select count(*) from prices").fetchone()[0] == n, n
    time.sleep(0.05)
"""
STRANGER = """
import sys, time, duckdb, os
con = duckdb.connect(os.path.realpath(sys.argv[1]))
con.execute("create table mine as select 1"); print("open", flush=True); time.sleep(60)
"""


def start(code: str, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


@pytest.mark.slow
def test_twenty_readers_one_stranger_and_one_killed_never_stop_the_writer(tmp_path: Path) -> None:
    def add(store: Store, cycle: int) -> None:
        with store.transaction():
            for n in range(10):
                store.insert("rate", [rate(rate_id=f"{cycle}-{n}", endpoint_id=f"e:{cycle}-{n}")])
        store.publish()

    market, running = tmp_path / "market.duckdb", []
    with Store(tmp_path) as store:
        add(store, 0)
        running = [start(READER, market) for _ in range(20)]
        try:
            for p in running:
                assert p.stdout is not None
                assert p.stdout.readline() == "open\n", p.stderr.read() if p.stderr else ""
            add(store, 1)
            stranger = start(STRANGER, market)
            running.append(stranger)
            assert stranger.stdout is not None
            stranger.stdout.readline()  # as root it opens; others are refused by the mode
            running[0].send_signal(signal.SIGKILL)
            for cycle in range(2, 8):
                add(store, cycle)
            assert all(p.poll() is None for p in running[1:20])
            fresh = start(READER, market)
            running.append(fresh)
            assert fresh.stdout is not None
            assert fresh.stdout.readline() == "open\n"
        finally:
            for p in running:
                p.kill()
                p.communicate()
    assert len(list(tmp_path.glob("market-*.duckdb"))) == 3
    assert not [w for w in tmp_path.glob("market-*.wal") if not w.with_suffix("").exists()]
