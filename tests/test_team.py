"""A team's store on a real PostgreSQL: the same answers as the file, and nothing lost, doubled or read twice by several machines."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from data.errors import StoreError, UsageError
from data.store import Store, Team, ask, open_store, published, rows, team_of
from data.store.move import copy_home, export_home
from data.store.spare import give_back, spared
from data.store.team import TeamStore
from data.store.writer import SCHEMA
from jobs.integrity import verify
from jobs.outbox import deliver, enqueue, waiting_messages
from jobs.schedule import still_due
from jobs.scrape import Line, scrape_cycle
from scraper.capture import Bodies
from scraper.fetch import Fetcher
from tests.cuts import Cuts
from tests.postgres import PASSWORD, Postgres
from tests.slack_server import SlackServer
from tests.team import WHOLE, Child, run
from tests.test_outbox import alert, bot
from tests.test_scrape import SMALL, small
from tests.test_store import NOON, rate
from tests.test_store_trouble import disk_of

ROOT = Path(__file__).parents[1]
SECRET = "s3cret-word"  # of no server
names = count()


@pytest.fixture(scope="module")
def made(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with all its tables and views, in the database `made`: tests begin with a copy of it."""
    folder = tmp_path_factory.mktemp("made")
    with open_store(team_of("ducklake:postgres:" + postgres.database("made"), folder)):
        pass
    return folder


@pytest.fixture
def text(postgres: Postgres, made: Path) -> str:
    return "ducklake:postgres:" + postgres.database(f"test{next(names)}", "made")


@pytest.fixture
def team(text: str, postgres: Postgres, made: Path, tmp_path: Path) -> Team:
    found = team_of(text, tmp_path / "shared")
    moved(postgres, text.partition("dbname=")[2].split()[0], made, tmp_path / "shared")
    return found


def moved(postgres: Postgres, database: str, source: Path, target: Path) -> None:
    """A copy of the folder, and the catalogue told where it is, as data/README.md says for a backup."""
    shutil.copytree(source, target)
    postgres.sql(database, f"update ducklake_metadata set value = '{target}/lake/' where key = 'data_path'")


@pytest.mark.parametrize(
    "said",
    [
        f"host=db port=5433 user=u dbname=d password={SECRET}",
        f"host = db port='5433' password='{SECRET}' user=u dbname=d",
        f"postgresql://u:{SECRET}@db:5433/d",
        f"postgres://u:{SECRET}@db:5433/d?sslmode=require",
    ],
)
def test_a_connection_string_is_read_and_its_password_is_never_shown(said: str) -> None:
    found = team_of("ducklake:postgres:" + said, "/srv/undercut")
    assert found.password == SECRET
    assert {"host=db", "port=5433", "user=u", "dbname=d"} <= set(found.catalogue.split())
    assert SECRET not in f"{found} {found!r}"


@pytest.mark.parametrize(
    ("said", "data"),
    [
        (f"ducklake:sqlite:{SECRET}", "/srv"),
        (f"ducklake:postgres:host=db {SECRET} '", "/srv"),
        (f"ducklake:postgres:postgresql://u:{SECRET}@db:port/d", "/srv"),
        (f"ducklake:postgres:host=db password={SECRET}", "/srv"),
        (f"ducklake:postgres:dbname=d sslpassword={SECRET}", "/srv"),
        (f"ducklake:postgres:dbname=d password={SECRET}", None),
        (f"ducklake:postgres:dbname=d password={SECRET}", "gs://bucket/undercut"),
    ],
)
def test_what_cannot_be_read_is_refused_without_quoting_it(said: str, data: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        team_of(said, data)
    assert caught.value.fix
    assert SECRET not in str(caught.value)


def test_nobody_answers_and_the_fix_is_told(tmp_path: Path) -> None:
    gone = team_of(f"ducklake:postgres:host=127.0.0.1 port=1 dbname=d password={SECRET}", tmp_path)
    with pytest.raises(StoreError, match="PostgreSQL does not answer") as caught:
        open_store(gone)
    assert SECRET not in str(caught.value)


def test_extensions_that_are_not_installed_are_named(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.store.lake.EXTENSIONS", ("not_there",))
    with pytest.raises(StoreError, match="undercut\\[team\\]"):
        open_store(team)


@pytest.mark.postgres
def test_tables_views_and_macros_answer_as_the_file_does(team: Team, tmp_path: Path) -> None:
    later = NOON + timedelta(days=10)
    mine = [rate(), rate(rate_id="b", usd_per_mtok=Decimal(5), known_from=later), rate(rate_id="c", meter="output")]
    with Store(tmp_path / "home") as file, open_store(team) as store:
        for s in (file, store):
            assert s.insert("rate", [*mine, rate()], unique=("rate_id",)) == 3
            s.publish()
    questions = [
        "select table_name, column_name, data_type from duckdb_columns() where not internal and database_name = current_database() "
        "and table_name <> 'schema_migration' order by all",
        "select view_name, comment from duckdb_views() where not internal and database_name = current_database() "
        "and view_name <> 'price_periods' order by 1",
        "select * from prices order by all",
        "select * from price_history order by all",
        "select usd_per_mtok from price_asof(date '2026-11-20', known_at := timestamp '2026-11-05 00:00:00') order by all",
    ]
    with published(tmp_path / "home" / "market.duckdb") as copy, published(team) as lake:
        for q in questions:
            assert rows(lake, q) == rows(copy, q) != []


@pytest.mark.postgres
def test_a_row_comes_back_as_it_went_in_and_half_a_transaction_does_not(team: Team) -> None:
    name = "x'); drop table rate; --\u202e\"{}"
    with open_store(team) as store:
        store.insert("rate", [rate(usd_per_mtok=Decimal("0.000000001"), endpoint_id=name)])
        with pytest.raises(RuntimeError), store.transaction():
            store.insert("rate", [rate(rate_id="half")])
            raise RuntimeError
        with pytest.raises(ValueError, match="price"):
            store.insert("rate", [rate(price=1)])
        (row,) = store.rows("select * from rate")
    assert (row["usd_per_mtok"], row["endpoint_id"]) == (Decimal("0.000000001"), name)
    assert (row["known_from"], row["claim_ids"]) == (NOON.replace(tzinfo=None), ["q"])


def only_read(team: Team, refused: list[str], *, secret: str) -> None:
    """A reader is refused each of these queries, sees the secret nowhere, and counts the twenty prices there are."""
    with published(team) as con:
        for q in refused:
            with pytest.raises((UsageError, StoreError)):
                ask(con, q)
        seen = [*ask(con, "select * from duckdb_databases()"), *ask(con, "select * from duckdb_secrets()")]
        assert secret not in str([*seen, *ask(con, "select name, value from duckdb_settings()")])
        assert ask(con, "select count(*) as n from prices") == [{"n": 20}]


@pytest.mark.postgres
def test_readers_only_read_and_see_no_secret(team: Team) -> None:
    with open_store(team) as store:
        store.insert("rate", [rate(rate_id=str(n), meter=f"m{n}") for n in range(20)])
    refused = [
        "create table t (a int)",
        "insert into rate select * from rate",
        "select * from read_csv('/etc/passwd')",
        "attach 'x.duckdb'",
        "set enable_external_access = true",
        f"copy (select 1) to '{team.data}/lake/x.csv'",
        f"explain analyze copy (select 1) to '{team.data}/lake/x.csv'",
        "call postgres_execute('__ducklake_metadata_lake', 'create table t (a int)')",
        "select * from postgres_query('__ducklake_metadata_lake', 'insert into undercut_lease values (1, 2, now()) returning 1')",
    ]
    only_read(team, refused, secret=PASSWORD)
    assert not list(team.data.rglob("x.csv"))


@pytest.mark.postgres
def test_a_database_of_a_newer_undercut_is_refused(team: Team) -> None:
    with open_store(team) as store:
        store.con.execute("insert into schema_migration values ('999_future.sql', 'x', now()::timestamp)")
    with pytest.raises(StoreError, match="newer undercut"):
        open_store(team)


@pytest.mark.postgres
@pytest.mark.parametrize("last", [1, 5])
def test_a_store_of_an_earlier_version_opens_and_keeps_its_facts(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    team, earlier = (
        team_of("ducklake:postgres:" + postgres.database(f"earlier{last}"), tmp_path / "data"),
        tmp_path / "schema",
    )
    earlier.mkdir()
    files = sorted(SCHEMA.glob("*.sql"))
    for file in files[:last]:
        shutil.copy(file, earlier)
    with monkeypatch.context() as then:
        then.setattr("data.store.writer.SCHEMA", earlier)
        then.setattr("data.store.team.view_files", list)
        with open_store(team) as store:
            store.insert("rate", [rate(rate_id=str(n), meter=f"m{n}") for n in range(20)])
            before = store.rows("from rate order by all")
    with open_store(team) as store:
        assert store.rows("from rate order by all") == before
        assert store.rows("select count(*) as n from prices") == [{"n": 20}]
        done = store.rows("select name from schema_migration where name like '%.sql' order by name")
    assert [d["name"] for d in done] == [f.name for f in files]


@pytest.mark.postgres
def test_a_disk_that_is_full_in_a_transaction_writes_nothing_and_the_next_one_goes_on(team: Team) -> None:
    many = [rate(rate_id=f"r{n}", endpoint_id=f"openai:m{n}") for n in range(20_000)]
    with open_store(team) as store:
        store.insert("rate", [rate()])
        with disk_of(20_000), pytest.raises(StoreError, match="disk is full") as full, store.transaction():
            store.insert("rate", many)
        assert str(team.data) in str(full.value)
        assert store.rows("select count(*) as n from rate") == [{"n": 1}]
        assert store.insert("rate", many) == 20_000
    with published(team) as con:
        assert rows(con, "select count(*) as n from rate") == [{"n": 20_001}]


@pytest.mark.postgres
def test_machines_that_come_first_at_once_make_it_once(postgres: Postgres, tmp_path: Path) -> None:
    team = team_of("ducklake:postgres:" + postgres.database("first"), tmp_path / "first")

    def come(_: int) -> int:
        with open_store(team) as store:
            return store.insert("pointer", [{"name": "a", "model_id": "b", "source_id": "c", "known_from": NOON}], unique=("name",))  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(come, range(4)))
    with published(team) as con:
        assert sum(added) == rows(con, "select count(*) as n from pointer")[0]["n"] == 1
        assert not rows(con, "select name from schema_migration group by all having count(*) > 1")


@pytest.mark.postgres
def test_two_schedulers_never_read_one_source_twice(team: Team) -> None:
    asked: list[str] = []

    def page(_: Request) -> Response:
        asked.append("page")
        time.sleep(1.5)
        return Response(SMALL.replace("{input}", "2.50"))

    with HTTPServer() as web:
        web.expect_request("/robots.txt").respond_with_data("")
        web.expect_request("/prices").respond_with_handler(page)
        start = threading.Barrier(2)

        def machine(_: int) -> Line:
            fetcher = Fetcher(allow_private=True, pause_s=0, tries=2)
            start.wait()
            (line,) = (x for x in scrape_cycle(team, None, now=datetime.now(UTC), sources=small(web), fetcher=fetcher, due=still_due).lines if x.source == "shop")  # fmt: skip
            return line

        with ThreadPoolExecutor(2) as pool:
            first = sorted(line.outcome for line in pool.map(machine, range(2)))
            later = sorted(line.outcome for line in pool.map(machine, range(2)))
    assert (first, later, len(asked)) == (["elsewhere", "new"], ["elsewhere", "elsewhere"], 1)
    with published(team) as con:
        assert rows(con, "select count(*) as n from capture where source_id = 'shop'") == [{"n": 1}]
        assert rows(con, "select count(*) as n from price_claim") == [{"n": 8}]


@pytest.mark.postgres
def test_a_lease_ends_by_the_clock_of_the_database_alone(team: Team) -> None:
    with open_store(team) as first, open_store(team) as second:
        with first.lease("scrape a") as mine, second.lease("scrape a") as other, second.lease("scrape b") as free:
            assert (mine, other, free) == (True, False, True)
            with (
                time_machine.travel(datetime(2099, 1, 1, tzinfo=UTC), tick=False),
                second.lease("scrape a") as much_later,
            ):
                assert not much_later
        with second.lease("scrape a") as given_back:
            assert given_back


HOLDS = """
import sys, time
from data.store import open_store, team_of
from contextlib import suppress
from dataclasses import replace
with open_store(replace(team_of(sys.argv[1], sys.argv[2]), lease_s=6)) as store, store.lease("scrape a") as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


@pytest.mark.postgres
def test_the_lease_of_a_killed_machine_ends(team: Team, text: str) -> None:
    with open_store(team):
        pass
    held = subprocess.Popen([sys.executable, "-c", HOLDS, text, str(team.data)], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert held.stdout is not None
    with held, open_store(team) as store:
        assert held.stdout.readline() == "True\n"
        held.send_signal(signal.SIGKILL)
        with store.lease("scrape a") as at_once:
            assert not at_once
        with store.lease("scrape a", wait=True) as after:
            assert after


@pytest.mark.postgres
def test_who_lost_a_lease_writes_nothing(team: Team) -> None:
    slow = TeamStore(replace(team, lease_s=1))
    with slow, open_store(team) as quick, slow.lease("scrape a") as mine:
        assert mine
        time.sleep(1.2)
        with quick.lease("scrape a") as taken:
            assert taken
            with pytest.raises(StoreError, match="took it over"), slow.transaction():
                slow.insert("rate", [rate()])
        assert quick.rows("select * from rate") == []


@pytest.mark.postgres
def test_a_connection_cut_in_a_transaction_writes_nothing_and_the_next_run_goes_on(
    team: Team, postgres: Postgres
) -> None:
    with open_store(team) as store:
        with pytest.raises(StoreError, match="PostgreSQL does not answer") as caught, store.transaction():
            store.insert("rate", [rate()])
            postgres.sql(
                "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'undercut'"
            )
        assert PASSWORD not in str(caught.value)
    with open_store(team) as store:
        assert store.rows("select * from rate") == []
        store.insert("rate", [rate()])


@pytest.mark.postgres
def test_a_backup_taken_while_writers_write_is_whole_and_opens_elsewhere(
    team: Team, text: str, postgres: Postgres, tmp_path: Path
) -> None:
    """The catalogue first, then the folder: files are written before the rows that name them, and never changed."""
    writers = [Child(text, str(team.data), "--write", f"w{n}", "0", "5000") for n in range(2)]
    try:
        while sum(line.startswith("ack") for w in writers for line in w.said) < 4:
            assert any(w.process.poll() is None for w in writers), [w.end() for w in writers]
            time.sleep(0.05)
        acked = {line.split()[1] for w in writers for line in list(w.said) if line.startswith("ack")}
        dump = postgres.dump(team.catalogue.partition("dbname=")[2].split()[0])
        moved_to = tmp_path / "elsewhere"
        shutil.copytree(team.data, moved_to)
        back = export_home(team, tmp_path / "single")
        assert any(w.process.poll() is None for w in writers), "they wrote all the while"
    finally:
        for w in writers:
            w.process.kill()
        errors = [w.end() for w in writers]
    assert errors == ["", ""]
    again = "ducklake:postgres:" + postgres.database("again")
    postgres.load("again", dump)
    postgres.sql("again", f"update ducklake_metadata set value = '{moved_to}/lake/' where key = 'data_path'")
    shutil.rmtree(team.data)
    with open_store(team_of(again, moved_to)) as store, Store(tmp_path / "single") as single:
        for at in (store, single):
            assert acked <= {r["run_id"] for r in at.rows("select run_id from run")}
            assert at.rows(WHOLE)[0]["half"] == 0
            assert list(verify(at, at.kept)) == []
        assert store.insert("rate", [rate()]) == 1, "it goes on from there"
    assert back.rows["run"] >= len(acked)


@pytest.mark.postgres
@pytest.mark.slow
def test_a_wire_cut_at_any_message_ends_in_a_clear_error_and_never_in_an_abort(
    postgres: Postgres, tmp_path: Path
) -> None:
    """In the middle of the lake's small rows DuckDB gives its database up, and closing it would end the process."""
    cuts = Cuts(postgres, tmp_path / "shared", "cuts")
    for at in (
        b"COPY .*begin_snapshot.*run_id",
        b"COPY .*begin_snapshot.*source_id",
        b"COPY .*name.*sha256",
        b"INSERT INTO",
    ):
        cuts.at((at,))
    cuts.at((b"pg_advisory",), late=True)
    cuts.at((b"INSERT INTO .*ducklake_data_file", b"COMMIT"), late=True)  # it is committed, and nobody was told
    cuts.wire.close()
    figures = cuts.figures
    assert (figures.lost, figures.half, figures.others) == (0, 0, ()), figures.text()
    assert (figures.cuts, figures.clear, figures.whole) == (7, 6, 1), figures.text()


ABORTS = """
import os, sys
from data.store import open_store, team_of
from contextlib import suppress
from dataclasses import replace
from tests.postgres import Postgres
from tests.test_store import rate
with open_store(replace(team_of(sys.argv[1], sys.argv[2]), lease_s=4)) as store, store.lease("scrape a") as mine:
    with store.transaction():
        store.insert("rate", [rate()])
        print(mine, flush=True)
        sys.stdin.readline()
        os.abort()
"""


@pytest.mark.postgres
def test_a_writer_that_aborts_when_postgresql_crashes_leaves_a_lease_that_ends_and_nothing_else(
    team: Team, text: str, postgres: Postgres
) -> None:
    """What std::terminate in the postgres extension does, seen once in a crash of PostgreSQL."""
    words = [sys.executable, "-c", ABORTS, text, str(team.data)]
    writer = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "True\n"
        postgres.stop(hard=True)
        writer.communicate("go\n")
    assert writer.returncode == -signal.SIGABRT
    postgres.start()
    with open_store(team) as store:
        assert store.rows("from rate") == []
        with store.transaction():  # the lock of writers went with its connection
            store.insert("rate", [rate(rate_id="b")])
        with store.lease("scrape a", wait=True) as mine:
            assert mine
        assert store.rows("select rate_id from rate") == [{"rate_id": "b"}]


@pytest.mark.postgres
def test_machines_that_send_at_once_send_each_message_once(team: Team, slack: SlackServer) -> None:
    with open_store(team) as store, store.transaction():
        for n in range(6):
            enqueue(store, alert(n), run_id="r")

    def machine(_: int) -> int:
        with open_store(team) as store:
            return deliver(store, bot(slack), lambda: datetime.now(UTC)).sent

    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(machine, range(3)))
    assert (sum(sent), len(slack.posted)) == (6, 6)
    with open_store(team) as store:
        assert not waiting_messages(store)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from contextlib import suppress
from dataclasses import replace
from data.store import open_store, team_of
from jobs.integrity import verify
from jobs.outbox import deliver, enqueue
from tests.test_outbox import alert, bot
from tests.slack_server import SlackServer
slack = SlackServer()
slack.url = sys.argv[3]
store = open_store(replace(team_of(sys.argv[1], sys.argv[2]), lease_s=2))
with store.transaction():
    enqueue(store, alert(), run_id="r")
sender = bot(slack)
post = sender.send
sender.send = lambda *a: (post(*a), os.kill(os.getpid(), signal.SIGKILL))
deliver(store, sender, lambda: datetime.now(UTC))
"""


@pytest.mark.postgres
def test_a_sender_killed_after_slack_took_it_sends_it_once(team: Team, text: str, slack: SlackServer) -> None:
    words = [sys.executable, "-c", KILLED, text, str(team.data), slack.url]
    done = subprocess.run(words, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with open_store(team) as store:
        deliver(store, bot(slack), lambda: datetime.now(UTC))
        assert not waiting_messages(store)
    assert len(slack.posted) == 1


@pytest.mark.postgres
def test_a_file_is_copied_whole_once_and_never_over_other_rows(team: Team, text: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Store(home) as store:
        store.insert(
            "rate", [rate(rate_id=str(n), usd_per_mtok=None if n % 7 == 0 else Decimal(n)) for n in range(500)]
        )
        sha = Bodies(home).put(b"a page")
    done = copy_home(home, team)
    assert (done.rows["rate"], done.bodies, done.already) == (500, 1, False)
    assert Bodies(team.data).get(sha) == b"a page"
    assert copy_home(home, team).already
    with open_store(team) as there:
        assert there.rows("select count(*) as n, count(usd_per_mtok) as priced from rate") == [
            {"n": 500, "priced": 428}
        ]
        there.insert("rate", [rate(rate_id="of another")])
    with pytest.raises(StoreError, match="rows already"):
        copy_home(home, team)
    assert export_home(team, tmp_path / "out").rows["rate"] == 501
    with published(tmp_path / "out" / "market.duckdb") as con:
        assert rows(con, "select count(*) as n from rate") == [{"n": 501}]
    with pytest.raises(StoreError, match="rows already"):
        export_home(team, home)
    with open_store(team) as there:
        assert there.rows("select count(*) as n from rate") == [{"n": 501}]


@pytest.mark.postgres
def test_a_command_reads_the_lake_and_says_what_is_wrong_without_the_password(
    text: str, team: Team, tmp_path: Path
) -> None:
    with open_store(team) as store:
        store.insert("rate", [rate()])
    env = {**os.environ, "UNDERCUT_STORE": text, "UNDERCUT_STORE_DATA": str(team.data), "UNDERCUT_HOME": str(tmp_path)}

    def undercut(**changes: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", "from jobs.cli import main; main()", "sql", "select endpoint from prices"]
        return subprocess.run(words, check=False, env=env | changes, cwd=ROOT, capture_output=True, text=True, timeout=60)  # fmt: skip

    assert "openai:gpt-4o" in undercut().stdout
    wrong = undercut(UNDERCUT_STORE=text.replace(PASSWORD, SECRET))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "refused user or password" in wrong.stderr
    assert SECRET not in wrong.stderr


@pytest.mark.postgres
@pytest.mark.slow
def test_under_load_with_kills_and_a_crash_nothing_is_lost_half_or_doubled(postgres: Postgres, tmp_path: Path) -> None:
    figures = run(postgres, tmp_path, writers=2, readers=2, times=12, kills=2, restarts=1)
    assert (figures.lost, figures.half, figures.doubled) == (0, 0, 0), figures.text()
    assert (figures.seen_half, figures.seen_shrink, figures.other) == (0, 0, []), figures.text()
    assert (figures.acknowledged, figures.kills) == (24, 2), figures.text()
    assert figures.reads > 10


def test_a_file_that_a_failed_commit_deleted_gets_its_name_back(tmp_path: Path) -> None:
    folder, now = tmp_path / "main" / "capture", datetime.now(UTC).timestamp()
    folder.mkdir(parents=True)
    old, new = (folder / f"ducklake-{uuid7(now + at)}.parquet" for at in (-7200, 0))
    for file in (old, new):
        file.write_text(file.name)
    with suppress(RuntimeError), spared(tmp_path, now):
        old.unlink()
        new.unlink()
        raise RuntimeError
    assert (give_back(tmp_path), new.read_text(), old.exists()) == (1, new.name, False)
    assert give_back(tmp_path) == 0
    left_by_the_first = tmp_path / ".spare" / "main" / "capture" / new.name
    left_by_the_first.unlink()
    with spared(tmp_path, now):
        assert left_by_the_first.exists()
    assert not left_by_the_first.exists(), "the answer came: no second name is left"
    with suppress(RuntimeError), spared(tmp_path, now):
        raise RuntimeError
    with spared(tmp_path, now):
        pass
    (left,) = (tmp_path / ".spare").glob("*/*/*")
    assert left.name == new.name, "what another machine still waits for stays"
    shutil.rmtree(tmp_path / ".spare")
    (tmp_path / ".spare").touch()
    with pytest.raises(StoreError, match="cannot be written"), spared(tmp_path, now):
        raise AssertionError


def uuid7(at_s: float) -> str:
    """As ducklake names its files: 48 bits of milliseconds in front."""
    digits = f"{int(at_s * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7b4d-a00b-708d59df2859"
