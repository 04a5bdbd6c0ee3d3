"""Parquet by view: what the copy shows, all of it or nothing, and never over what somebody else keeps."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from data.errors import DataMissing, StoreError, UsageError
from data.store import Store, export, published, rows
from tests.test_store import rate

ROOT = Path(__file__).parents[1]


@pytest.fixture
def market(tmp_path: Path) -> Path:
    with Store(tmp_path / "home") as store:
        store.insert("rate", [rate(rate_id=f"r{n}", endpoint_id=f"openai:m{n}") for n in range(20)])
        return store.publish()


def test_every_view_is_a_file_with_the_same_rows_and_macros_are_named(market: Path, tmp_path: Path) -> None:
    counts, macros = export(market, tmp_path / "out")
    assert macros == ["price_asof", "recommendations_asof"]
    assert {f.stem for f in (tmp_path / "out").iterdir()} == set(counts) >= {"prices", "price_history", "candidates"}
    with published(market) as con:
        shown = {r["name"] for r in rows(con, "select view_name as name from duckdb_views() where not internal")}
        assert set(counts) == shown
        prices = rows(con, "from prices order by all")
    with duckdb.connect() as other:
        file = str(tmp_path / "out" / "prices.parquet")
        assert rows(other, f"from '{file}' order by all") == prices
        assert {r["compression"] for r in rows(other, f"from parquet_metadata('{file}')")} == {"ZSTD"}
    assert counts["prices"] == len(prices) == 20


def test_what_is_there_is_not_touched_unless_it_is_an_earlier_export(market: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export(market, out)
    (out / "old.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match="not empty"):
        export(market, out)
    export(market, out, replace=True)
    assert not (out / "old.parquet").exists()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        export(market, out, replace=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert not list(tmp_path.glob(".out*"))


def test_no_database_yet_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        export(tmp_path / "market.duckdb", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_view_whose_name_is_a_path_writes_no_file_elsewhere(market: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.duckdb"
    strange.write_bytes(market.read_bytes())
    with duckdb.connect(str(strange)) as con:
        con.execute('create view "../../escaped" as select 1')
    counts, _ = export(strange, tmp_path / "a" / "out")
    assert "../../escaped" not in counts
    assert not list(tmp_path.rglob("escaped*"))


def test_a_full_disk_leaves_the_earlier_export(market: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(market, out)
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(StoreError, match="nothing was changed"):
            export(market, out, replace=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before
    assert not list(tmp_path.glob(".out*"))


def test_the_command_says_what_it_wrote(market: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from jobs.cli import main; main()", "db", "export", str(tmp_path / "out"), "--json"]
    done = subprocess.run(words, cwd=ROOT, env={"UNDERCUT_HOME": str(market.parent), "PATH": ""}, capture_output=True, text=True, check=True)  # fmt: skip
    said = json.loads(done.stdout)
    assert said["rows"]["prices"] == 20
    assert said["left_out"] == ["price_asof", "recommendations_asof"]
