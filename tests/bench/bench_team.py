"""What a team's store costs in latency beside the single file: `python -m tests.bench.bench_team`.

The demo's database, copied into a DuckLake on a PostgreSQL of our own on this machine; a network adds its round trips.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter

from data.store import Copy, Place, Store, open_store, published, rows, team_of
from data.store.move import copy_home
from jobs.demo import run_demo
from jobs.docs import QUESTIONS
from jobs.facts import facts_as_of
from tests.postgres import Postgres, programs

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
say = print  # a benchmark prints


def took_ms(work: Callable[[], object], times: int = 7) -> float:
    """Median after one warm-up."""
    work()
    spent = []
    for _ in range(times):
        started = perf_counter()
        work()
        spent.append((perf_counter() - started) * 1000)
    return median(spent)


def write(store: Store, n: int) -> None:
    """What one source with 200 prices writes in a cycle."""
    prices = [
        {"rate_id": f"bench-{n}-{i}", "endpoint_id": f"shop:m{i}", "meter": "input", "tier": "standard", "region": "global",
         "usd_per_mtok": Decimal(i + 1), "known_from": NOW, "standing": "official", "source_id": "shop", "claim_ids": [f"{n}-{i}"], "withdrawn": False}
        for i in range(200)
    ]  # fmt: skip
    with store.transaction():
        store.insert("run", [{"run_id": f"bench-{n}", "kind": "scrape", "started_at": NOW}])
        store.insert("capture", [{"source_id": "shop", "url": "u", "fetched_at": NOW, "bytes": 1, "renderer": "http", "outcome": "changed"}])  # fmt: skip
        store.insert("rate", prices, unique=("rate_id",))


def measured(place: Place, read: Place) -> dict[str, float]:
    found: dict[str, float] = {}

    def opened() -> None:
        with published(read) as con:
            rows(con, "select 1")

    found["open to read"] = took_ms(opened)
    with published(read, timeout_s=600) as con:
        found["facts of a decision"] = took_ms(lambda: facts_as_of(Copy(con), NOW), 3)
        for file in sorted(QUESTIONS.glob("*.sql")):
            query = file.read_text(encoding="utf-8")
            found[file.stem] = took_ms(lambda query=query: rows(con, query))  # type: ignore[misc]

    def reopened() -> None:
        with open_store(place):
            pass

    found["open to write"] = took_ms(reopened)
    with open_store(place) as store:
        number = iter(range(1000))
        found["a source's write"] = took_ms(lambda: write(store, next(number)))
        if not (isinstance(place, Path)):
            found["publish"] = 0.0
        else:
            found["publish"] = took_ms(store.publish, 3)
    return found


def main() -> None:
    if programs() is None:
        say("no PostgreSQL on this machine: nothing is measured")
        return
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name) / "home"
            run_demo(home, [ROOT / "use_cases.yaml"])
            team = team_of("ducklake:postgres:" + server.database("bench"), Path(name) / "team")
            copied = copy_home(home, team)
            say(
                f"{sum(copied.rows.values()):,} rows; median of 7 (facts, publish: 3), warm, PostgreSQL on this machine"
            )
            single, lake = measured(home, home / "market.duckdb"), measured(team, team)
    finally:
        server.remove()
    say(f"{'':28} {'file ms':>9} {'team ms':>9} {'team/file':>9}")
    for what, ms in single.items():
        ratio = f"{lake[what] / ms:9.1f}" if lake[what] else f"{'–':>9}"
        say(f"{what:28} {ms:9.1f} {lake[what]:9.1f} {ratio}")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
