"""The database: created, migrated, written in one piece, published, and never half of any of these."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from data.errors import DataMissing, StoreError, UsageError
from data.store import Store, ask, published, rows, view_files

NOON = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def rate(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "rate_id": "a",
        "endpoint_id": "openai:gpt-4o",
        "meter": "input",
        "tier": "standard",
        "region": "global",
        "usd_per_mtok": Decimal("2.5"),
        "known_from": NOON,
        "standing": "single",
        "source_id": "x",
        "claim_ids": ["q"],
        "withdrawn": False,
    }
    return row | changes


def test_a_row_comes_back_as_it_went_in(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert store.insert("rate", [rate(usd_per_mtok=Decimal("0.000000001"))]) == 1
        (row,) = store.rows("select * from rate")
    assert row["usd_per_mtok"] == Decimal("0.000000001")
    assert row["known_from"] == NOON.replace(tzinfo=None)
    assert row["unit"] is None
    assert row["claim_ids"] == ["q"]


def test_a_time_with_another_zone_is_kept_as_utc(tmp_path: Path) -> None:
    berlin = timezone(timedelta(hours=2))
    with Store(tmp_path) as store:
        store.insert("rate", [rate(known_from=datetime(2026, 7, 1, 2, 30, tzinfo=berlin))])
        assert store.rows("select known_from from rate")[0]["known_from"] == datetime(2026, 7, 1, 0, 30)


def test_equal_keys_are_added_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert store.insert("rate", [rate(), rate(), rate(rate_id="b")], unique=("rate_id",)) == 2
        assert store.insert("rate", [rate(), rate(rate_id="c")], unique=("rate_id",)) == 1


def test_a_stray_column_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store, pytest.raises(ValueError, match="price"):
        store.insert("rate", [rate(price=1)])


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    name = "x'); drop table rate; --\u202e\x01\"{}"
    with Store(tmp_path) as store:
        store.insert("rate", [rate(endpoint_id=name)])
        assert store.rows("select endpoint_id from rate")[0]["endpoint_id"] == name


def test_a_broken_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with pytest.raises(RuntimeError), store.transaction():
            store.insert("rate", [rate()])
            raise RuntimeError
        assert store.rows("select count(*) as n from rate") == [{"n": 0}]


def test_readers_see_the_published_copy_while_the_writer_writes(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.insert("rate", [rate()])
        store.publish()
        with published(tmp_path / "market.duckdb") as reader:
            store.insert("rate", [rate(rate_id="b", meter="output")])
            store.publish()
            assert rows(reader, "select count(*) as n from prices") == [{"n": 1}]
        with published(tmp_path / "market.duckdb") as reader:
            assert rows(reader, "select count(*) as n from prices") == [{"n": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "create table t (a int)",
        "insert into rate select * from rate",
        "select * from read_csv('/etc/passwd')",
        "attach 'x.duckdb'",
        "set enable_external_access = true",
    ],
)
def test_a_published_copy_is_read_only_and_reaches_nothing_else(tmp_path: Path, query: str) -> None:
    with Store(tmp_path) as store:
        store.publish()
    with published(tmp_path / "market.duckdb") as reader, pytest.raises(Exception, match=r"read-only|disabled|locked"):
        rows(reader, query)


def test_old_copies_go_and_the_link_always_leads_somewhere(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for _ in range(5):
            store.publish()
            assert (tmp_path / "market.duckdb").resolve().exists()
    assert len(list(tmp_path.glob("market-*.duckdb"))) == 3


def test_a_second_writer_is_refused_with_the_fix(tmp_path: Path) -> None:
    other = (
        "import sys; from pathlib import Path; from data.store import Store\n"
        "with Store(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    held = subprocess.Popen([sys.executable, "-c", other, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert held.stdout is not None
    held.stdout.readline()
    try:
        with pytest.raises(StoreError, match="in use by another undercut"):
            Store(tmp_path)
    finally:
        held.communicate()


def test_a_database_of_a_newer_undercut_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.con.execute("insert into schema_migration values ('999_future.sql', 'x', now()::timestamp)")
    with pytest.raises(StoreError, match="newer undercut"):
        Store(tmp_path)


def test_a_damaged_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "private.duckdb").write_bytes(b"not a database at all")
    with pytest.raises(StoreError):
        Store(tmp_path)
    assert (tmp_path / "private.duckdb").read_bytes() == b"not a database at all"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="UNDERCUT_HOME"):
        Store(tmp_path / "file" / "home")


def test_no_database_yet_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="undercut demo"), published(tmp_path / "market.duckdb"):
        pass


UNIT = re.compile(
    r"US dollars|tokens|[Dd]ays|share|0 to 1|times|[Cc]ount|[Uu]nits? of|same unit|in the unit|Place among"
)
NUMBER = re.compile(r"DECIMAL|DOUBLE|FLOAT|.*INT")


def faults_of_comments(reader: duckdb.DuckDBPyConnection) -> list[str]:
    """Views and columns whose comment lacks meaning, source (of a view) or unit (of a number)."""
    public = "not internal and view_name <> 'price_periods'"
    views = rows(reader, f"select view_name as name, comment from duckdb_views() where {public}")
    columns = rows(
        reader,
        "select table_name || '.' || column_name as name, data_type, comment from duckdb_columns() "
        f"where not internal and table_name in (select view_name from duckdb_views() where {public})",
    )
    assert len(columns) > 5 * len(views) > 100
    found = [
        f"{v['name']}: no row, or no source" for v in views if not re.search(r"\. From: .{10}", v["comment"] or "")
    ]
    found += [f"{c['name']}: no meaning" for c in columns if len(c["comment"] or "") < 5]
    numbers = [c for c in columns if NUMBER.match(c["data_type"])]
    return found + [f"{c['name']}: no unit" for c in numbers if not UNIT.search(c["comment"] or "")]


def test_every_view_says_its_source_every_column_its_meaning_and_every_number_its_unit(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.publish()
    with published(tmp_path / "market.duckdb") as reader:
        assert faults_of_comments(reader) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("comment on column prices.meter is null", "prices.meter: no meaning"),
        ("comment on column prices.usd_per_mtok is 'A price'", "prices.usd_per_mtok: no unit"),
        ("comment on view prices is 'Prices in force today.'", "prices: no row, or no source"),
    ],
)
def test_a_comment_that_says_less_is_found(tmp_path: Path, change: str, fault: str) -> None:
    with Store(tmp_path) as store:
        for _, text in view_files():
            store.con.execute(text)
        store.con.execute(change)
        assert faults_of_comments(store.con) == [fault]


def test_no_view_uses_what_a_copy_written_by_duckdb_2_cannot_show_to_1_5() -> None:
    """2.0 stores `if(…)` as a call of a function that 1.5 does not have; run on 2.0, the command line's test finds the rest."""
    assert [name for name, text in view_files() if re.search(r"\bif\s*\(", text)] == []


@pytest.mark.parametrize("query", ["", ";", " -- nothing", "\n;\n;"])
def test_no_query_is_said_and_no_fault_of_ours(tmp_path: Path, query: str) -> None:
    with Store(tmp_path) as store:
        store.publish()
    with published(tmp_path / "market.duckdb") as reader, pytest.raises(UsageError, match="no query"):
        ask(reader, query)


def test_a_correction_does_not_rewrite_what_was_believed(tmp_path: Path) -> None:
    later = NOON + timedelta(days=10)
    with Store(tmp_path) as store:
        store.insert("rate", [rate(), rate(rate_id="b", usd_per_mtok=Decimal(5), known_from=later)])
        store.publish()
    asof = "select usd_per_mtok from price_asof(date '2026-11-20'{})"
    with published(tmp_path / "market.duckdb") as reader:
        assert rows(reader, asof.format(", known_at := timestamp '2026-11-05 00:00:00'"))[0]["usd_per_mtok"] == Decimal(
            "2.5"
        )
        assert rows(reader, asof.format(""))[0]["usd_per_mtok"] == 5
        spans = rows(reader, "select usd_per_mtok, valid_from, valid_to from price_history order by seen_at")
    assert [(r["usd_per_mtok"], r["valid_from"], r["valid_to"]) for r in spans] == [
        (Decimal("2.5"), None, later.replace(tzinfo=None)),
        (Decimal(5), later.replace(tzinfo=None), None),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_what_was_known_and_what_is_today_do_not_depend_on_the_readers_time_zone(tmp_path: Path, zone: str) -> None:
    """BI tools and the command line open the copy in the machine's zone; every other test has UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = rate(rate_id="b", endpoint_id="x:ends", valid_from=today - timedelta(days=9), valid_to=today)
    begins = rate(rate_id="c", endpoint_id="x:begins", valid_from=today + timedelta(days=1))
    with Store(tmp_path) as store:
        store.insert("rate", [rate(), ends, begins])
        store.publish()
    before, day = NOON - timedelta(minutes=1), NOON.date()
    asked = {
        f"known_at := timestamptz '{before}'": 0,
        f"known_at := timestamptz '{NOON}'": 1,
        f"known_at := '{before.replace(tzinfo=None)}'": 0,
        f"known_at := timestamp '{NOON.replace(tzinfo=None)}'": 1,
        f"known_at := date '{day}'": 0,
    }
    with duckdb.connect(str((tmp_path / "market.duckdb").resolve()), read_only=True) as reader:
        reader.execute(f"set TimeZone = '{zone}'")
        for known, count in asked.items():
            found = rows(
                reader, f"select * from price_asof(date '2026-11-20', {known}) where endpoint = 'openai:gpt-4o'"
            )
            assert len(found) == count, known
        late = "select endpoint from price_asof(timestamptz '{}') where endpoint <> 'openai:gpt-4o'"
        assert rows(reader, late.format(today - timedelta(minutes=1))) == [{"endpoint": "x:ends"}]
        assert rows(reader, late.format(today + timedelta(hours=23, minutes=59))) == []
        for view in ("prices", "stated_prices"):
            assert rows(reader, f"select endpoint from {view} where endpoint like 'x:%'") == []


def test_a_corrected_date_or_amount_replaces_the_period_it_corrects(tmp_path: Path) -> None:
    began, later = NOON - timedelta(days=5), NOON + timedelta(days=10)
    wrong = rate(valid_from=began)
    right = rate(rate_id="b", usd_per_mtok=Decimal(5), valid_from=began, known_from=later)
    with Store(tmp_path) as store:
        store.insert("rate", [wrong, right])
        store.publish()
    with published(tmp_path / "market.duckdb") as reader:
        assert rows(reader, "select usd_per_mtok, valid_to from price_history") == [
            {"usd_per_mtok": Decimal(5), "valid_to": None}
        ]


def test_a_price_that_starts_tomorrow_is_not_in_force_today(tmp_path: Path) -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)
    with Store(tmp_path) as store:
        store.insert("rate", [rate(), rate(rate_id="b", usd_per_mtok=Decimal(1), valid_from=start)])
        store.publish()
    with published(tmp_path / "market.duckdb") as reader:
        day = "select usd_per_mtok from price_asof(date '{}')"
        assert rows(reader, day.format("2026-11-30")) == [{"usd_per_mtok": Decimal("2.5")}]
        assert rows(reader, day.format("2026-12-01")) == [{"usd_per_mtok": Decimal(1)}]
        history = rows(reader, "select valid_from, valid_to from price_history order by valid_from nulls first")
    assert history[0]["valid_to"] == history[1]["valid_from"] == start.replace(tzinfo=None)


def test_a_clock_set_back_never_costs_the_copy_that_was_just_published(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for year in ("2097", "2098", "2099"):
            (tmp_path / f"market-{year}0101T000000000000.duckdb").write_bytes(b"later by its name")
        store.insert("rate", [rate()])
        link = store.publish()
    assert link.resolve().exists()
    with published(link) as con:
        assert rows(con, "select count(*) as n from rate") == [{"n": 1}]
