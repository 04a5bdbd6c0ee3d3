"""What happens to a database: other tools on the copy, a stranger's write-ahead file, a full disk, a clock set back."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from data.errors import StoreError, UsageError
from data.store import Store, ask, published, rows
from jobs.integrity import verify
from tests.test_scrape import SMALL, cycle, small
from tests.test_store import rate

CLI = Path(sys.executable).with_name("duckdb")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Store(tmp_path / "home") as store:
        store.insert("rate", [rate()])
        store.publish()
    return tmp_path / "home"


STORAGE = ["v1.0.0", "v1.2.0", "v1.4.0", "v1.5.0"]  # the first two name no database in their write-ahead files


def strange_wal(folder: Path, storage: str) -> bytes:
    """The write-ahead file of another database."""
    other = folder / "other.duckdb"
    with duckdb.connect() as con:
        con.execute(f"attach '{other}' as o (storage_version '{storage}')")
    with duckdb.connect(str(other)) as con:
        con.execute("pragma disable_checkpoint_on_shutdown")
        con.execute("create table strange as select 1")
    return other.with_name("other.duckdb.wal").read_bytes()


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def counted(home: Path) -> int:
    with Store(home) as store:
        assert store.rows("select * from duckdb_tables() where table_name = 'strange'") == []
        return int(store.rows("select count(*) as n from rate")[0]["n"])


def test_the_duckdb_command_line_reads_every_view_while_the_writer_is_in_a_transaction(home: Path) -> None:
    with Store(home) as store, store.transaction():
        store.insert("rate", [rate(rate_id="b", meter="output")])
        with published(home / "market.duckdb") as con:
            views = [r["name"] for r in rows(con, "select view_name as name from duckdb_views() where not internal")]
        assert len(views) >= 20
        words = [w for v in views for w in ("-c", f"select '{v}' as view, count(*) as n from (from {v} limit 1);")]
        done = subprocess.run([str(CLI), "-readonly", "-json", str(home / "market.duckdb"), *words], check=False, capture_output=True, text=True, timeout=60)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    read = [r for found in done.stdout.replace("]\n[", "]\0[").split("\0") for r in json.loads(found)]
    assert [r["view"] for r in read] == views
    assert {r["view"]: r["n"] for r in read}["prices"] == 1


@pytest.mark.parametrize("storage", STORAGE)
def test_a_strange_wal_beside_the_private_file_is_refused_with_the_fix_and_costs_nothing(
    home: Path, tmp_path: Path, storage: str
) -> None:
    wal = home / "private.duckdb.wal"
    wal.write_bytes(strange_wal(tmp_path, storage))
    with pytest.raises(StoreError, match="another database") as refused:
        Store(home)
    assert str(wal) in str(refused.value)
    assert wal.exists(), "a person's file is not ours to delete"
    wal.unlink()
    assert counted(home) == 1


@pytest.mark.parametrize("storage", STORAGE)
def test_a_strange_wal_beside_the_copy_is_said_and_gone_with_the_next_publish(
    home: Path, tmp_path: Path, storage: str
) -> None:
    copy = (home / "market.duckdb").resolve()
    copy.with_name(copy.name + ".wal").write_bytes(strange_wal(tmp_path, storage))
    with pytest.raises(StoreError, match="another database"), published(home / "market.duckdb"):
        pass
    with Store(home) as store:
        store.publish()
    with published(home / "market.duckdb") as con:
        assert rows(con, "select count(*) as n from prices") == [{"n": 1}]


def test_a_write_ahead_file_of_our_own_is_taken_up_after_a_kill(home: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from data.store import Store; from tests.test_store import rate\n"
        "store = Store(Path(sys.argv[1])); store.insert('rate', [rate(rate_id='after')]); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(home)], check=False, cwd=Path(__file__).parents[1])
    assert (home / "private.duckdb.wal").exists()
    assert counted(home) == 2


def test_a_disk_that_is_full_in_a_transaction_leaves_the_last_state_and_the_next_one_goes_on(home: Path) -> None:
    many = [rate(rate_id=f"r{n}", endpoint_id=f"openai:m{n}") for n in range(5000)]
    with Store(home) as store:
        with disk_of(20_000), pytest.raises(StoreError, match="disk is full") as full, store.transaction():
            store.insert("rate", many)
        assert "Fix: free space" in str(full.value)
        assert store.rows("select count(*) as n from rate") == [{"n": 1}]
    assert counted(home) == 1
    with Store(home) as store:
        with store.transaction():
            store.insert("rate", many)
        store.publish()
    assert counted(home) == 5001


def test_a_disk_that_is_full_while_publishing_leaves_the_last_copy_and_nothing_beside_it(home: Path) -> None:
    before = sorted(f.name for f in home.iterdir())
    with Store(home) as store:
        store.insert("rate", [rate(rate_id=f"r{n}", endpoint_id=f"openai:m{n}") for n in range(5000)])
        with disk_of(200_000), pytest.raises(StoreError, match="disk is full"):
            store.publish()
        with published(home / "market.duckdb") as con:
            assert rows(con, "select count(*) as n from prices") == [{"n": 1}]
        assert sorted(f.name for f in home.iterdir() if f.suffix != ".wal") == before
        store.publish()
    with published(home / "market.duckdb") as con:
        assert rows(con, "select count(*) as n from prices") == [{"n": 5001}]


@pytest.mark.parametrize("share", [0, 0.01, 0.4])
def test_a_copy_that_was_cut_off_says_so_and_the_next_publish_replaces_it(home: Path, share: float) -> None:
    file, query = (home / "market.duckdb").resolve(), "select sum(hash(r)) from rate r"
    with Store(home) as store:
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        file.chmod(0o444)
        for how in (rows, ask):
            with pytest.raises(StoreError, match="cut off"), published(home / "market.duckdb") as con:
                how(con, query)
        store.publish()
    with published(home / "market.duckdb") as con:
        assert rows(con, "select count(*) as n from prices") == [{"n": 1}]


def test_a_query_about_something_corrupt_is_a_query(home: Path) -> None:
    with published(home / "market.duckdb") as con, pytest.raises(UsageError, match="corrupt_checksum"):
        ask(con, "from corrupt_checksum")


def test_a_body_that_went_missing_is_found_and_kept_again_by_the_next_cycle_that_reads_the_page(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Also where the host would say "not modified" to what we no longer have."""
    httpserver.expect_request("/robots.txt").respond_with_data("")

    def page(request: Request) -> Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return Response(status=304)
        return Response(SMALL.replace("{input}", "2.50"), headers={"ETag": '"v1"'})

    httpserver.expect_request("/prices").respond_with_handler(page)
    home, sources = tmp_path / "home", small(httpserver)
    cycle(home, sources)
    (body,) = home.glob("bodies/*/*.gz")
    kept = body.read_bytes()
    body.unlink()
    with Store(home) as store:
        before = store.rows("from rate order by all")
        assert [b.rule for b in verify(store, home)] == ["a kept body is missing or damaged"]
    assert cycle(home, sources, datetime(2026, 11, 2, 9, tzinfo=UTC)).lines[0].outcome == "unchanged"
    assert body.read_bytes() == kept
    with Store(home) as store:
        assert store.rows("from rate order by all") == before
        assert list(verify(store, home)) == []


def test_a_disk_that_is_full_in_a_cycle_says_so_and_the_next_cycle_reads_the_page(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("")
    httpserver.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    home, sources = tmp_path / "home", small(httpserver)
    assert cycle(home, sources).lines[0].rates == 6
    httpserver.clear()
    httpserver.expect_request("/robots.txt").respond_with_data("")
    httpserver.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.40"))
    later = datetime(2026, 11, 2, 9, tzinfo=UTC)
    with Store(home) as store:
        before = store.rows("from rate order by all")
    with disk_of(1_500):
        try:
            lines = cycle(home, sources, later).lines
        except StoreError as error:
            assert "disk is full" in str(error)
        else:
            assert lines[0].outcome == "failed", lines
    with Store(home) as store:
        assert store.rows("from rate order by all") == before
        assert list(verify(store, home)) == []
    assert cycle(home, sources, later + timedelta(hours=1)).lines[0].rates >= 1
    with published(home / "market.duckdb") as con:
        (now,) = rows(con, "select usd_per_mtok from prices where endpoint = 'openai:gpt-4o' and meter = 'input'")
    assert float(now["usd_per_mtok"]) == 2.4


def test_a_clock_set_back_loses_nothing(tmp_path: Path, httpserver: HTTPServer) -> None:
    home, sources, start = tmp_path / "home", small(httpserver), datetime(2026, 11, 10, 9, tzinfo=UTC)
    kept = 0
    for hours, amount in ((0, "2.50"), (-30, "2.40"), (24, "2.30")):
        at = start + timedelta(hours=hours)
        httpserver.clear()
        httpserver.expect_request("/robots.txt").respond_with_data("")
        httpserver.expect_request("/prices").respond_with_data(SMALL.replace("{input}", amount))
        with time_machine.travel(at, tick=True):
            cycle(home, sources, at)
        with Store(home) as store:
            assert list(verify(store, home)) == []
            claims = store.rows("select count(*) as n from price_claim")[0]["n"]
            assert claims > kept, "each reading is kept, whatever the clock said"
            kept = claims
    with Store(home) as store:
        assert len(store.rows("from capture")) == 3
    with time_machine.travel(start + timedelta(hours=25)), published(home / "market.duckdb") as con:
        query = "select usd_per_mtok from price_asof(date '2026-11-12') where endpoint = 'openai:gpt-4o' and meter = 'input'"
        assert [float(r["usd_per_mtok"]) for r in rows(con, query)] == [2.3]
