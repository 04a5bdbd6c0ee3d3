"""Ten years of 5,000 endpoints: size on disk, a cycle's write, publishing, and each of the ten questions, warm.

`python -m tests.bench.bench_history [--years 1 10] [--endpoints 5000] [--team]` prints a table and fails where a question takes more
than 100 ms warm, longer than a plain scan of the view `prices` in the same run, or grows faster than the years do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from data.store import Copy, Place, Store, open_store, published, team_of
from jobs.docs import QUESTIONS
from tests.bench.history import END, fill, pace
from tests.postgres import Postgres

MOST_MS = 100
PLAIN, SCAN = "a plain scan", "select count(*), sum(usd_per_mtok) from prices"
NOW = datetime(END.year, END.month, END.day, 6, tzinfo=UTC) + timedelta(days=1)


def cycle(store: Store, changed: int = 7) -> float:
    """Seconds of a daily cycle's writes: every page fetched, `changed` of them with all their claims and a new rate each."""
    pages = [r["source_id"] for r in store.rows("select distinct source_id from run order by source_id")]
    began = time.perf_counter()
    for n, page in enumerate(pages):
        with store.transaction():
            sha, outcome = f"{n:064x}", "changed" if n < changed else "unchanged"
            store.insert("capture", [{"source_id": page, "url": "https://host.example/pricing", "fetched_at": NOW,
                                      "http_status": 200, "sha256": sha, "bytes": 40000, "renderer": "http", "outcome": outcome}])  # fmt: skip
            store.insert("run", [{"run_id": f"{page}@{NOW}", "kind": "scrape", "source_id": page, "started_at": NOW,
                                  "finished_at": NOW, "outcome": outcome}])  # fmt: skip
            if outcome == "changed":
                again = store.rows("select * from price_claim where source_id = ? and known_from = (select max(known_from) from price_claim where source_id = ?)", [page, page])  # fmt: skip
                store.insert("price_claim", ({**r, "claim_id": f"{n:04x}{k:012x}", "capture": sha, "known_from": NOW} for k, r in enumerate(again)), unique=("claim_id",))  # fmt: skip
                rate = store.rows("select * from rate where source_id = ? order by known_from desc limit 1", [page])[0]
                store.insert("rate", [{**rate, "rate_id": f"{n:016x}", "known_from": NOW}])
    return time.perf_counter() - began


def questions_ms(market: Place, times: int = 7) -> dict[str, tuple[float, int]]:
    """Question, or the plain scan -> (median milliseconds warm, rows)."""
    queries = {PLAIN: SCAN} | {f.stem: f.read_text(encoding="utf-8") for f in sorted(QUESTIONS.glob("*.sql"))}
    took: dict[str, list[float]] = {name: [] for name in queries}
    found = {}
    with published(market, timeout_s=600) as con:
        for _ in range(times + 1):  # in turns: what else the machine does falls on all alike
            for name, query in queries.items():
                began = time.perf_counter()
                found[name] = len(Copy(con).rows(query))
                took[name].append(1000 * (time.perf_counter() - began))
    return {name: (median(ms[1:]), found[name]) for name, ms in took.items()}


def measure(home: Path, years: int, endpoints: int, server: Postgres | None = None) -> dict[str, float]:
    """Figures of a file in `home`, or of a team's store with its files there and its catalogue on `server`."""
    out: dict[str, float] = {}
    place: Place = home
    if server:
        place = team_of("ducklake:postgres:" + server.database(f"history{years}"), home)
    with open_store(place) as store:
        fill(store, years=years, endpoints=endpoints)
        if not server:
            store.con.execute("checkpoint")
        for table in ("capture", "price_claim", "rate", "candidate"):
            out[f"{table} rows"] = store.rows(f"select count(*) as n from {table}")[0]["n"]
        out["private MB"] = sum(f.stat().st_size for f in home.rglob("*") if f.is_file()) / 1e6
        out["cycle's write s"] = cycle(store)
        began = time.perf_counter()
        market = store.publish()
        if isinstance(market, Path):
            out["publish s"] = time.perf_counter() - began
            out["published MB"] = market.stat().st_size / 1e6
    for name, (ms, found) in questions_ms(market).items():
        out[f"{name} ms"], out[f"{name} rows"] = ms, found
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--endpoints", type=int, default=5000)
    parser.add_argument(
        "--team", action="store_true", help="on a team's store, with a PostgreSQL of our own; printed, not judged"
    )
    asked = parser.parse_args()
    p = pace()
    print(
        f"{asked.endpoints:,} endpoints, {p.changes_per_year:.3f} price changes an endpoint and year, {p.meters_per_change:.2f} meters a change"
    )
    columns = []
    for years in asked.years:
        server = Postgres() if asked.team else None
        try:
            with tempfile.TemporaryDirectory() as folder:
                columns.append(measure(Path(folder), years, asked.endpoints, server))
        finally:
            if server:
                server.remove()
    print(f"{'':28}" + "".join(f"{y:>11} y" for y in asked.years))
    for name in columns[0]:
        print(f"{name:28}" + "".join(f"{c[name]:>13,.0f}" if name.endswith("rows") else f"{c[name]:>13,.1f}" for c in columns))  # fmt: skip
    names = [n for n in columns[0] if n.endswith(" ms") and n != f"{PLAIN} ms"]
    print(f"\n{'as a multiple of ' + PLAIN:28}" + "".join(f"{y:>11} y" for y in asked.years) + "   growth")
    failed = []
    for name in names:
        scans = [c[name] / c[f"{PLAIN} ms"] for c in columns]
        growth = columns[-1][name] / columns[0][name]
        print(f"{name.removesuffix(' ms'):28}" + "".join(f"{s:>13,.2f}" for s in scans) + f"{growth:>9,.1f}")
        failed += [f"{name.removesuffix(' ms')} takes longer than {PLAIN}"] * (max(scans) > 1)
        failed += [f"{name.removesuffix(' ms')} grows faster than the years"] * (
            growth > max(asked.years) / min(asked.years) > 1
        )
    slow = [n for c in columns for n in names if c[n] > MOST_MS]
    print(
        f"slower than {MOST_MS} ms warm: {', '.join(slow) or 'none'}\nratios out of bounds: {', '.join(failed) or 'none'}"
    )
    return bool(slow or failed) and not asked.team


if __name__ == "__main__":
    sys.exit(main())
