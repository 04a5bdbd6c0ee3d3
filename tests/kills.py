"""kill -9 at random points of scrape, check and send, against a Slack that drops answers and fails: nothing lost or doubled.

`python -m tests.kills --kills 500 [--team]` prints the figures; the suite runs a sample. One home is killed again and again, each
child takes it up where the last one died: a page whose prices climb and fall with the cycles, fetched twice seven hours apart, a
check, a send, a month later the next; every climb is news to every use case. Between the kills the database is opened and every
rule of a whole cycle is asked for.
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
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data.store import Place, Team, open_store, published, rows, team_of
from tests.postgres import Postgres
from tests.slack_server import TOKEN, SlackServer, slack_server

FAULTS = ["", "", "", "drop", "cut", "500", "503", "429:0", "internal_error"]
START = datetime(2026, 1, 5, 7, tzinfo=UTC)
STEP = timedelta(days=30)
TWICE = timedelta(hours=7)
PAGE = """# Prices
All prices are in USD.

| Model | Input | Cached input | Output |
| --- | --- | --- | --- |
| gpt-4o | ${a} / 1M tokens | $1.25 / 1M tokens | ${b} / 1M tokens |
| gpt-4o-mini | $0.15 / 1M tokens | $0.075 / 1M tokens | $0.60 / 1M tokens |
"""
REGISTRY = """version: 1
defaults: {quality: keep, switch: {min_saving_month: 50}, alerts: {max_per_week: 50}}
use_cases:
"""
CASE = """  case-{n}:
    task: classification
    model: openai/gpt-4o
    traffic: {calls}k/day
    tokens: {{in: 900, out: 40}}
    channel: "{channel}"
"""
HALF = {  # rows of half a cycle; each must find nothing
    "an alert to be sent without its message": "select alert_id from alert a where withheld_because is null and not exists "
    "(select 1 from outbox o where o.alert_id = a.alert_id)",
    "a message without its alert": "select message_id from outbox o where not exists (select 1 from alert a where a.alert_id = o.alert_id)",
    "a finding without the use case it is about": "select rec from recommendation r where not exists "
    "(select 1 from use_case u where u.use_case = r.use_case)",
    "a decision without what it weighed": "select rec from recommendation r where not exists "
    "(select 1 from candidate c where c.run_id = r.run_id and c.use_case = r.use_case)",
    "a rate without its claim": "select rate_id from rate r where not exists "
    "(select 1 from price_claim c where list_contains(r.claim_ids, c.claim_id))",
    "a claim without its fetch": "select claim_id from price_claim c where not exists "
    "(select 1 from capture k where k.sha256 = c.capture)",
    "a fetch without its run": "select sha256 from capture k where not exists "
    "(select 1 from run r where r.source_id = k.source_id and r.started_at = k.fetched_at)",
    "an event of no message": "select message_id from outbox_event e where not exists "
    "(select 1 from outbox o where o.message_id = e.message_id)",
}  # fmt: skip

HALF_SHOWN = HALF | {  # the published copy holds what the newest decision of each use case weighed
    "a decision without what it weighed": "select rec from "
    "(from recommendation qualify row_number() over (partition by use_case order by decided_at desc) = 1) r where not exists "
    "(select 1 from candidate c where c.run_id = r.run_id and c.use_case = r.use_case)",
}


@dataclass
class Figures:
    kills: int = 0
    cycles: int = 0
    messages: int = 0
    posted: int = 0
    lost: int = 0
    doubled: int = 0
    parked: int = 0
    broken: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    stuck: Counter[str] = field(default_factory=Counter)  # why what was not sent still waits

    def text(self) -> str:
        where = ", ".join(f"{k} {n}" for k, n in self.struck.most_common())
        return (
            f"{self.kills} kills (in {where}), {self.cycles} decision cycles, {self.messages} messages decided, "
            f"{self.posted} posted: {self.lost} lost, {self.doubled} doubled, {self.parked} parked for a person; "
            f"{len(self.broken)} half cycles seen"
        )


def place_of(folder: Path, store: str) -> Place:
    """A home in the folder, or a team's store with its files there; a dead machine's leases end after seconds."""
    return replace(team_of(store, folder / "shared"), lease_s=3) if store else folder / "db"


def child(place: Place, page: str, slack: str, registry: Path) -> None:
    """Cycle after cycle until killed; says on stdout what it is at."""
    from jobs.check import check_cycle
    from jobs.evals import load_cases
    from jobs.outbox import deliver
    from jobs.scrape import scrape_cycle
    from jobs.slack import BotSender
    from scraper.fetch import Fetcher
    from scraper.source import Source

    known = load_cases([registry])
    sender = BotSender(TOKEN, slack, timeout_s=5, sleep=lambda _: None)
    while True:
        with open_store(place) as store:
            last = store.rows("select max(last_at) as last_at from (select max(decided_at) as last_at from recommendation union all "
                              "select max(fetched_at) from capture)")[0]["last_at"]  # fmt: skip
        begin = last.replace(tzinfo=UTC) + STEP if last else START
        now = begin + TWICE
        url = f"{page}?cycle={(begin - START) // STEP}"
        source = Source(id="shop", kind="official", name="Shop", url=url, provider="openai")
        print("scrape", flush=True)
        for at in (begin, now):  # a price that was fetched once is no news
            fetcher = Fetcher(allow_private=True, pause_s=0, tries=2)
            scrape_cycle(place, None, now=at, sources={"shop": source}, fetcher=fetcher)
        with open_store(place) as store:
            print("check", flush=True)
            check_cycle(store, known, now=now, platform="#llm-platform")
            print("send", flush=True)
            deliver(store, sender, lambda now=now: now)  # type: ignore[misc]
            print("publish", flush=True)
            store.publish()


def half_cycles(place: Place) -> list[str]:
    """What the database and the published copy show of half a cycle; both must open."""
    found: list[str] = []
    with open_store(place) as store:
        for what, query in HALF.items():
            if store.rows(query):
                found.append(what)
    market = place if isinstance(place, Team) else place / "market.duckdb"
    if isinstance(market, Team) or market.exists():
        with published(market) as con:
            found += [f"published: {what}" for what, query in HALF_SHOWN.items() if rows(con, query)]
    return found


def run(kills: int, *, seed: int, home: Path, quiet: bool = True, store: str = "") -> Figures:
    """Kill `kills` children at random points, then let the rest be sent and count. `store`: a team's, in place of a file."""
    import logging

    from pytest_httpserver import HTTPServer
    from werkzeug import Request, Response

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    rng, out = random.Random(seed), Figures()
    registry = home / "use_cases.yaml"
    channels = ["#support-ai", "#llm-platform"]
    registry.write_text(REGISTRY + "".join(CASE.format(n=n, calls=9 + n, channel=channels[n % 2]) for n in range(4)))

    def page(request: Request) -> Response:
        n = int(request.args["cycle"])
        height = 1.25 ** (8 - abs(n % 16 - 8))
        return Response(PAGE.replace("{a}", f"{2.5 * height:.2f}").replace("{b}", f"{10 * height:.2f}"))

    place = place_of(home, store)
    _fill(place)
    with HTTPServer() as web, slack_server() as slack:
        web.expect_request("/robots.txt").respond_with_data("")
        web.expect_request("/prices.md").respond_with_handler(page)
        stop, slack.page = threading.Event(), 200
        threading.Thread(target=_trouble, args=(slack, random.Random(seed + 1), stop), daemon=True).start()
        words = [sys.executable, "-m", "tests.kills", "--child", str(home), store, web.url_for("/prices.md"), slack.api, str(registry)]  # fmt: skip
        span_s = _one_cycle_s(words)
        for n in range(kills):
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"the child died by itself: {process.communicate()[1][-2000:]}")
            seen = [line.strip()]
            reader = threading.Thread(
                target=lambda p=process, s=seen: s.extend(x.strip() for x in p.stdout), daemon=True
            )  # type: ignore[misc]
            reader.start()
            time.sleep(rng.uniform(0, span_s))
            if process.poll() is not None:
                raise AssertionError(
                    f"the child died by itself: {process.stderr.read()[-2000:] if process.stderr else ''}"
                )
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            reader.join()
            for pipe in (process.stdout, process.stderr):
                pipe.close()  # type: ignore[union-attr]
            out.kills += 1
            out.struck[seen[-1]] += 1
            span_s *= 0.9 if seen.count("scrape") > 1 else 1.03  # a fifth of the children reach their second cycle
            out.broken += half_cycles(place)
            if not quiet and (n + 1) % 25 == 0:
                print(f"{n + 1} kills, {len(slack.posted)} posted, {len(out.broken)} half cycles", flush=True)
        stop.set()
        slack.faults.clear()
        _drain(place, slack, out)
    return out


def _one_cycle_s(words: list[str]) -> float:
    """How long a cycle takes here and now, to begin with: kills spread over all of it also on a slow or crowded machine."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        while (line := process.stdout.readline()) and line.strip() != "scrape":
            pass
        took = time.monotonic() - began
        process.kill()
    return took


def _fill(place: Place) -> None:
    from jobs.ingest import add_catalogue
    from scraper.match import Matcher
    from scraper.seed import load_releases

    with open_store(place) as store, store.transaction():
        add_catalogue(store, Matcher.from_package(), load_releases(), START)


def _trouble(slack: SlackServer, rng: random.Random, stop: threading.Event) -> None:
    while not stop.wait(0.01):
        if not slack.faults:
            slack.faults.append(rng.choice(FAULTS))


def _drain(place: Place, slack: SlackServer, out: Figures) -> None:
    """What still waits goes out with a Slack that answers; what was parked is released by a person."""
    from jobs.outbox import deliver, parked_messages, release, waiting_messages
    from jobs.slack import BotSender

    sender, at = BotSender(TOKEN, slack.api, sleep=lambda _: None), datetime(2099, 1, 1, tzinfo=UTC)
    with open_store(place) as store:
        parked = parked_messages(store)
        out.parked = len(parked)
        for m in parked:
            release(store, m["message_id"], at)
        for n in range(5):
            if not waiting_messages(store):
                break
            done = deliver(store, sender, lambda n=n: at + timedelta(hours=n + 1))  # type: ignore[misc]
        out.stuck = Counter(error.partition(": ")[2] for error in done.errors) if waiting_messages(store) else Counter()
        decided = {r["message_id"] for r in store.rows("select message_id from outbox")}
        out.cycles = store.rows("select count(distinct run_id) as n from recommendation")[0]["n"]
    ids = Counter(m["metadata"]["event_payload"]["message_id"] for m in slack.posted)
    out.messages, out.posted = len(decided), len(slack.posted)
    out.lost = len(decided - set(ids))
    out.doubled = sum(n - 1 for n in ids.values()) + len(set(ids) - decided)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--team", action="store_true", help="on a team's store, with a PostgreSQL of our own")
    parser.add_argument("--child", nargs=5, metavar=("HOME", "STORE", "PAGE", "SLACK", "REGISTRY"))
    told = parser.parse_args()
    if told.child:
        home, store, page, slack, registry = told.child
        return child(place_of(Path(home), store), page, slack, Path(registry))
    server = Postgres() if told.team else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            store = "ducklake:postgres:" + server.database("kills") if server else ""
            figures = run(told.kills, seed=told.seed, home=Path(folder), quiet=False, store=store)
    finally:
        if server:
            server.remove()
    print(figures.text())
    for what, n in Counter(figures.broken).most_common():
        print(f"  {n} x {what}")
    for what, n in figures.stuck.most_common():
        print(f"  {n} x still waits, {what}")
    if figures.lost or figures.doubled or figures.broken:
        raise SystemExit(1)
    return None


if __name__ == "__main__":
    main()
