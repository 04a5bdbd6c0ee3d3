"""verify finds what is broken and repairs nothing; a backup comes back whole or not at all; older databases keep their facts."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import jobs.backup
from data.errors import StoreError, UsageError
from data.store import Store, published, rows
from data.store.writer import SCHEMA
from jobs.answers import Inbox, Pressed
from jobs.backup import backup, restore
from jobs.integrity import verify
from jobs.lock import service_lock
from jobs.outbox import Answer, deliver, enqueue
from jobs.slack import BotSender, WebhookSender
from scraper.capture import Bodies
from tests.bench.history import fill
from tests.slack_server import slack_server
from tests.test_outbox import alert, bot, hook
from tests.test_store import rate

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Yes:
    """A Slack that takes everything and forgets it."""

    looks_back = True

    def send(self, channel: str, payload: dict[str, Any], message_id: str, thread_ts: str | None = None) -> Answer:
        return Answer("sent", ts="1")

    def update(self, channel: str, ts: str, payload: dict[str, Any]) -> Answer:
        return Answer("sent", ts=ts)

    def find(self, channel: str, message_id: str, since: datetime | None = None, thread_ts: str | None = None) -> None:
        return None


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    with Store(folder) as store:
        sha = Bodies(folder).put(b"gpt-4o $2.50 / 1M tokens")
        page = {"source_id": "page", "url": "https://host.example", "fetched_at": NOW, "sha256": sha, "bytes": 24, "renderer": "http", "outcome": "new"}  # fmt: skip
        claim = {"claim_id": "c", "source_id": "page", "capture": sha, "model_as_written": "gpt-4o", "meter": "input", "tier": "standard", "amount": Decimal("2.5"), "currency": "USD", "per": "1M tokens", "list_price": True, "conditions": [], "quote": "$2.50", "locator": "1", "known_from": NOW}  # fmt: skip
        rate = {"rate_id": "r", "endpoint_id": "openai:gpt-4o", "meter": "input", "tier": "standard", "region": "global", "usd_per_mtok": Decimal("2.5"), "known_from": NOW, "standing": "official", "source_id": "page", "claim_ids": ["c"], "withdrawn": False}  # fmt: skip
        store.insert("capture", [page])
        store.insert("price_claim", [claim])
        store.insert("rate", [rate])
        score = {"benchmark": "b", "metric": "m", "value": 0.5, "variant": "", "self_reported": False, "source_id": "page", "known_from": NOW, "claim_id": "s"}  # fmt: skip
        store.insert("score_claim", [{**score, "capture": sha, "model_as_written": "gpt-4o", "quote": "50 %", "locator": "2"}])  # fmt: skip
        store.insert("score", [{**score, "score_id": "s", "model_id": "openai/gpt-4o"}])
        store.insert("fx_rate", [{"day": NOW.date(), "currency": "USD", "per_eur": Decimal("1.1"), "source_id": "page", "known_from": NOW}])  # fmt: skip
        enqueue(store, alert(), run_id="r")
        deliver(store, Yes(), lambda: NOW)
        store.publish()
    return folder


def broken(home: Path) -> dict[str, int]:
    with Store(home) as store:
        return {b.rule: b.count for b in verify(store, home)}


def body(home: Path) -> Path:
    return next(home.glob("bodies/*/*.gz"))


def test_a_whole_database_breaks_no_rule(home: Path) -> None:
    assert broken(home) == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("delete from price_claim", "a rate whose claim is missing"),
        ("delete from capture", "a claim without the fetch it was read from"),
        ("update capture set outcome = 'failed'", "a claim without the fetch it was read from"),
        ("insert into rate from rate", "a rate kept twice"),
        ("update price_claim set amount = 999, usd_per_mtok = 999", "a rate of another price than its claims state"),
        (
            "insert into rate select r.* replace (usd as usd_per_mtok, usd::varchar as rate_id, begins as valid_from, ends as valid_to) from rate r, "
            "(values (1, timestamp '2026-01-01', timestamp '2026-06-01'), (2, timestamp '2026-03-01', timestamp '2026-09-01')) t(usd, begins, ends)",
            "two prices of one source for the same time",
        ),
        ("insert into score_claim from score_claim", "a claim kept twice"),
        ("insert into score from score", "a score kept twice"),
        ("update score_claim set value = value + 1", "a score of another value than its claim"),
        ("insert into fx_rate select * replace (2 as per_eur) from fx_rate", "an exchange rate kept twice"),
        ("insert into alert from alert", "an alert kept twice"),
        ("insert into outbox from outbox", "a message kept twice"),
        ("insert into outbox_event select * replace ('2' as slack_ts) from outbox_event", "a message sent twice"),
        (
            "insert into feedback (rec, verdict, decided_at) values ('rec-none', 'approved', now()::timestamp)",
            "an answer to a finding that was never made",
        ),
        (
            "insert into held_release values ('nobody', now()::timestamp, 'release', 'mara')",
            "an answer about a price that was never held",
        ),
        ("update rate set valid_from = '2026-02-01', valid_to = '2026-02-01'", "a rate that ends before it begins"),
        ("update rate set usd_per_mtok = -1", "a price below zero"),
        (
            "insert into recommendation by name select 'x' as run_id, 'rec-1' as rec, 'u' as use_case, now()::timestamp as decided_at, "
            "now()::timestamp as data_as_of, 'keep' as verdict, '' as reason, [] as reasons, 'e' as from_endpoint, ['gone'] as rate_ids, "
            "[] as score_ids, '{}' as decision, '' as decision_sha",
            "a decision on a rate that is missing",
        ),
    ],
)
def test_what_is_broken_is_found_and_left_as_it_is(home: Path, change: str, rule: str) -> None:
    with Store(home) as store:
        store.con.execute(change)
    assert rule in broken(home)
    assert rule in broken(home)


@pytest.mark.parametrize("damage", [b"", b"not gzip"])
def test_a_damaged_body_is_found(home: Path, damage: bytes) -> None:
    body(home).write_bytes(damage)
    assert broken(home) == {"a kept body is missing or damaged": 1}


def test_a_missing_body_is_found(home: Path) -> None:
    body(home).unlink()
    assert broken(home) == {"a kept body is missing or damaged": 1}


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_backup_comes_back_with_its_bodies(home: Path, tmp_path: Path, name: str) -> None:
    backup(home, tmp_path / name, NOW)
    with pytest.raises(UsageError, match="there already"):
        backup(home, tmp_path / name, NOW)
    restore(tmp_path / name, tmp_path / "new", NOW)
    assert broken(tmp_path / "new") == {}
    assert (tmp_path / "new" / "market.duckdb").exists()
    assert body(tmp_path / "new").read_bytes() == body(home).read_bytes()
    assert not list(tmp_path.glob(".*.part*"))


def test_restoring_over_a_database_is_refused_and_with_the_flag_keeps_it_beside(home: Path, tmp_path: Path) -> None:
    backup(home, tmp_path / "copy", NOW)
    with Store(home) as store:
        store.con.execute("delete from rate")
    with pytest.raises(UsageError, match="already"):
        restore(tmp_path / "copy", home, NOW)
    before = restore(tmp_path / "copy", home, NOW, replace=True)
    assert before is not None
    with Store(home) as new, Store(before) as old:
        assert len(new.rows("select * from rate")) == 1
        assert old.rows("select * from rate") == []


@pytest.mark.parametrize(("kind", "parked"), [(BotSender, 0), (WebhookSender, 1)])
def test_what_was_sent_after_the_backup_is_not_sent_again_by_the_restored_one(
    home: Path, tmp_path: Path, kind: type, parked: int
) -> None:
    with slack_server() as slack:
        sender = bot(slack) if kind is BotSender else hook(slack)
        with Store(home) as store:
            enqueue(store, alert(4), run_id="r")
        backup(home, tmp_path / "copy", NOW)
        with Store(home) as store:
            enqueue(store, alert(2), run_id="r")
            assert deliver(store, sender, lambda: NOW).sent == 2
        restore(tmp_path / "copy", home, NOW, replace=True)
        with Store(home) as store:
            done = deliver(store, sender, lambda: NOW)
            assert (done.waiting, done.parked) == (0, parked)
            enqueue(store, alert(3), run_id="r")
            assert deliver(store, sender, lambda: NOW).sent == 1, "what was decided since goes out by itself"
        assert len(slack.posted) == 3


OPENED = """
import sys
from pathlib import Path
from data.store import Store
with Store(Path(sys.argv[1])) as store:
    store.con.execute("delete from rate")
    sys.stdout.write("open\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


@contextmanager
def another_writer(home: Path) -> Iterator[None]:
    """A process that has the database open and wrote to it, without a checkpoint."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", OPENED, str(home)], cwd=ROOT, stdin=pipe, stdout=pipe) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"open\n"
        yield
        writer.communicate()


def test_a_writer_that_comes_while_a_backup_is_proven_keeps_its_database(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(home, tmp_path / "copy", NOW)
    with ExitStack() as meanwhile:

        def slow(*given: Any) -> Any:
            meanwhile.enter_context(another_writer(home))
            return verify(*given)

        monkeypatch.setattr("jobs.backup.verify", slow)
        with pytest.raises(StoreError, match="in use"):
            restore(tmp_path / "copy", home, NOW, replace=True)
    with Store(home) as store:
        assert store.rows("select * from rate") == [], "what the writer wrote is there"
    assert not list(tmp_path.glob("*before*"))


def test_nobody_opens_the_home_while_it_is_replaced(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(home, tmp_path / "copy", NOW)
    said: list[str] = []

    def tried() -> None:
        done = subprocess.run([sys.executable, "-c", OPENED, str(home)], check=False, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip
        said.append(done.stderr.decode().strip().splitlines()[-1] if done.returncode else "opened")

    def watched(fresh: Path, there: Path) -> None:
        tried()
        take_over(fresh, there)
        tried()

    take_over = jobs.backup._take_over
    monkeypatch.setattr("jobs.backup._take_over", watched)
    restore(tmp_path / "copy", home, NOW, replace=True)
    assert len(said) == 2 and all("in use" in line for line in said), said
    with service_lock(home), pytest.raises(UsageError, match="undercut run"):
        subprocess_restore(tmp_path / "copy", home)
    assert broken(home) == {}


def subprocess_restore(copy: Path, home: Path) -> None:
    """In a process of its own: the lock is one of processes."""
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; from jobs.backup import restore\n"
        "restore(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC), replace=True)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(copy), str(home)], check=False, cwd=ROOT, capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise UsageError(done.stderr.strip().splitlines()[-1])


def test_answers_that_wait_come_back_and_those_of_the_home_stay(home: Path, tmp_path: Path) -> None:
    def pressed(n: int) -> Pressed:
        return Pressed(f"rec-00000{n}", "later", NOW.isoformat(), "mara", "C1", "1.0")

    for n in (1, 2):
        Inbox(home).put(pressed(n))
    backup(home, tmp_path / "copy", NOW)
    Inbox(home).taken(1)
    Inbox(home).put(pressed(3))
    restore(tmp_path / "copy", home, NOW, replace=True)
    assert Inbox(home).waiting() == [pressed(1), pressed(2), pressed(3)]
    restore(tmp_path / "copy", tmp_path / "new", NOW)
    assert Inbox(tmp_path / "new").waiting() == [pressed(1), pressed(2)]


@pytest.mark.parametrize("name", ["b", "b.tar", "backups/b"])
def test_a_backup_in_the_home_itself_is_refused(home: Path, name: str) -> None:
    before = sorted(home.rglob("*"))
    with pytest.raises(UsageError, match="lies in the home"):
        backup(home, home / name, NOW)
    assert sorted(home.rglob("*")) == before


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from jobs.backup import restore
left = int(sys.argv[3])
def watch(event, _):
    global left
    if event == "os.rename":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
restore(Path(sys.argv[1]), Path(sys.argv[2]), datetime(2026, 11, 24, 13, tzinfo=UTC), replace=True)
"""


@pytest.mark.slow
def test_a_restore_killed_before_any_of_its_renames_leaves_the_old_or_the_new_and_goes_on(
    home: Path, tmp_path: Path
) -> None:
    backup(home, tmp_path / "copy", NOW)
    with Store(home) as store:
        store.con.execute("delete from rate")
        store.publish()
    seen = []
    for n in range(1, 20):
        at = tmp_path / f"{n}" / "home"
        shutil.copytree(home, at, symlinks=True)
        done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "copy"), str(at), str(n)], check=False, cwd=ROOT, timeout=120)  # fmt: skip
        with Store(at) as store:
            seen.append(store.rows("select count(*) as n from rate")[0]["n"])
        assert broken(at) == {}
        with published(at / "market.duckdb") as con:
            assert rows(con, "select count(*) as n from rate")[0]["n"] in (0, seen[-1])
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        restore(tmp_path / "copy", at, NOW, replace=True)
        with published(at / "market.duckdb") as con:
            assert rows(con, "select count(*) as n from rate") == [{"n": 1}]
        assert not [f.name for f in at.parent.iterdir() if f.name.startswith(".")], "what the killed one left is gone"
    assert len(seen) > 4
    assert seen == sorted(seen), "old until one rename, new from there on"
    assert (seen[0], seen[-1]) == (0, 1)


@pytest.mark.parametrize("spoil", ["body", "database", "manifest", "tar"])
def test_a_spoilt_backup_changes_nothing(home: Path, tmp_path: Path, spoil: str) -> None:
    copy = tmp_path / ("copy.tar" if spoil == "tar" else "copy")
    backup(home, copy, NOW)
    if spoil == "body":
        body(copy).unlink()
    elif spoil == "tar":
        copy.write_bytes(copy.read_bytes()[:3000])
    else:
        (copy / {"database": "private.duckdb", "manifest": "backup.json"}[spoil]).write_bytes(b"{")
    with pytest.raises((UsageError, StoreError)):
        restore(copy, home, NOW, replace=True)
    assert broken(home) == {}
    assert not list(tmp_path.glob("home.before-*"))


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9])
def test_a_truncated_database_is_refused_with_the_fix_left_alone_and_a_backup_replaces_it(
    home: Path, tmp_path: Path, share: float
) -> None:
    with Store(home) as store:
        store.insert("rate", [rate(rate_id=f"r{n}", endpoint_id=f"openai:m{n}", claim_ids=["c"]) for n in range(9000)])
    backup(home, tmp_path / "copy", NOW)
    file = home / "private.duckdb"
    rest = file.read_bytes()[: int(share * file.stat().st_size)]
    file.write_bytes(rest)
    with (
        pytest.raises(StoreError, match="cut off") as refused,
        Store(home) as store,
    ):  # the head is whole: read to the end
        for (name,) in store.con.execute("select table_name from duckdb_tables()").fetchall():
            store.rows(f'select sum(hash(t)) from "{name}" t')
    assert "undercut db restore" in str(refused.value)
    assert file.read_bytes() == rest
    restore(tmp_path / "copy", home, NOW, replace=True)
    assert broken(home) == {}


MIGRATIONS = sorted(f.name for f in SCHEMA.glob("*.sql"))


@pytest.mark.parametrize("last", range(1, len(MIGRATIONS)))
def test_a_database_of_every_earlier_version_opens_and_keeps_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    earlier = tmp_path / "schema"
    earlier.mkdir()
    for name in MIGRATIONS[:last]:
        (earlier / name).write_bytes((SCHEMA / name).read_bytes())
    facts = (
        "select (select count(*) from rate), (select count(*) from price_claim), (select sum(usd_per_mtok) from rate)"
    )
    with monkeypatch.context() as then:
        then.setattr("data.store.writer.SCHEMA", earlier)
        with Store(tmp_path / "home") as store:
            if last > 1:
                fill(store, years=1, endpoints=10, providers=2)
            else:  # the tables of decisions came second
                store.insert("rate", [rate(), rate(rate_id="b", usd_per_mtok=None)])
            before = store.rows(facts)
    with Store(tmp_path / "home") as store:
        assert store.rows(facts) == before
        done = store.rows("select name, sha256 from schema_migration order by name")
        store.publish()
    assert [d["name"] for d in done] == MIGRATIONS
    assert all(len(d["sha256"]) == 64 for d in done)
