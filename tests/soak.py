"""Many cycles on one home: time and memory of a cycle with 60 sources, and whether either grows.

`python -m tests.soak --cycles 1000` prints the figures; the suite runs a sample. Sixty small pages on loopback, a tenth of them
moves in each cycle, a scrape, every twentieth time a check; six hours lie between two cycles. Growth is the slope of a
straight line through the later half, as a share of its mean.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from data.store import Store
from jobs.check import check_cycle
from jobs.demo import run_demo
from jobs.evals import load_cases
from jobs.scrape import scrape_cycle
from scraper.fetch import Fetcher
from scraper.source import Source

SOURCES = 60
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "o3-mini")
START = datetime(2026, 11, 20, 6, tzinfo=UTC)
STEP = timedelta(hours=6)
CHECK_EVERY = 20
REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"


@dataclass(frozen=True)
class Soak:
    """Seconds (by the clock; of this process's processors) and MiB by cycle; `failed` sources in all; `claims` and the size on disk
    at the end. Growth is read off the processor's seconds, which another program on the machine does not lengthen."""

    seconds: list[float]
    cpu_s: list[float]
    mib: list[float]
    failed: int
    claims: int
    database_mib: float

    def lines(self) -> list[str]:
        half = len(self.seconds) // 2
        return [
            f"{len(self.seconds)} cycles of {SOURCES} sources: {float(np.median(self.seconds)):.2f} s a cycle (median), "
            f"{max(self.seconds):.2f} s the longest; memory {self.mib[half]:.0f} MiB at half, {self.mib[-1]:.0f} MiB at the end",
            f"growth over the later half: memory {growth(self.mib[half:]):+.1%}, processor time {growth(self.cpu_s[half:]):+.1%}; "
            f"{float(np.median(self.cpu_s[:half])):.2f} s of processor a cycle in the first half, "
            f"{float(np.median(self.cpu_s[half:])):.2f} s in the later; "
            f"{self.failed} sources failed, {self.claims} price claims, database {self.database_mib:.0f} MiB",
        ]


def growth(values: list[float]) -> float:
    """From the first to the last on a straight line, as a share of the mean."""
    x = np.arange(len(values), dtype=float)
    slope = float(np.polyfit(x, values, 1)[0])
    return slope * (len(values) - 1) / float(np.mean(values))


def soak(home: Path, cycles: int) -> Soak:
    """Every cycle on the same home (which the demo has filled), in one process, as the service does."""
    registry, failed = load_cases([REGISTRY]), 0
    seconds, cpu_s, mib = list[float](), list[float](), list[float]()
    with pages() as (address, turn):
        sources = {f"shop{n}": source_of(n, address) for n in range(SOURCES)}
        for n in range(cycles):
            turn[0] = n
            begun, worked = time.perf_counter(), time.process_time()
            now = START + n * STEP
            fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
            report = scrape_cycle(home, None, now=now, sources=sources, fetcher=fetcher)
            failed += sum(line.outcome == "failed" for line in report.lines)
            if n % CHECK_EVERY == 0:
                with Store(home) as store:
                    check_cycle(store, registry, now=now)
                    store.publish()
            seconds.append(time.perf_counter() - begun)
            cpu_s.append(time.process_time() - worked)
            mib.append(_resident_mib())
            if n % 50 == 49:
                last = f"{float(np.median(cpu_s[-50:])):.2f} s of processor a cycle, {mib[-1]:.0f} MiB"
                sys.stderr.write(f"{n + 1} of {cycles} cycles: {last}\n")
                sys.stderr.flush()
    with Store(home) as store:
        claims = int(store.rows("select count(*) as n from price_claim")[0]["n"])
    return Soak(seconds, cpu_s, mib, failed, claims, (home / "private.duckdb").stat().st_size / 2**20)


def source_of(n: int, address: str) -> Source:
    return Source(id=f"shop{n}", kind="official", name=f"Shop {n}", url=f"{address}/shop{n}", provider="openai")


@contextmanager
def pages() -> Iterator[tuple[str, list[int]]]:
    """Sixty price pages; page n has another price whenever the cycle's number plus n is a multiple of ten."""
    turn = [0]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path == "/robots.txt":
                return self._say(b"User-agent: *\nDisallow:\n")
            moved = (turn[0] + int(self.path.removeprefix("/shop"))) // 10
            rows = "".join(
                f"| {m} | ${1 + k + (moved % 3) / 10:.2f} / 1M tokens | ${4 + k:.2f} / 1M tokens |\n"
                for k, m in enumerate(MODELS)
            )
            head = "# Prices\nAll prices are in USD.\n\n| Model | Input | Output |\n| --- | --- | --- |\n"
            return self._say((head + rows).encode())

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/markdown")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", turn
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def main(argv: Any = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        run_demo(Path(folder), [REGISTRY])
        sys.stdout.write("\n".join(soak(Path(folder), asked.cycles).lines()) + "\n")


if __name__ == "__main__":
    main()
