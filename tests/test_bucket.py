"""A team's store whose files lie in an object store: a real S3 server that proves signatures, and a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from data.errors import StoreError, UsageError
from data.store import Keep, Store, Team, keep_of, open_store, team_of
from data.store.move import copy_home, export_home
from jobs.integrity import verify
from jobs.scrape import scrape_cycle
from scraper.capture import Bodies
from scraper.fetch import Fetcher
from tests.objects import Objects
from tests.postgres import Postgres
from tests.team import run
from tests.test_integrity import home
from tests.test_scrape import SMALL, small
from tests.test_store import rate
from tests.test_team import only_read

__all__ = ["home"]  # a fixture
ROOT = Path(__file__).parents[1]
names = count()


@pytest.fixture
def bucket(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> str:
    for key, value in objects.env.items():
        monkeypatch.setenv(key, value)
    return f"s3://{objects.bucket}/{os.getpid()}-{next(names)}"


@pytest.fixture
def text(postgres: Postgres) -> str:
    return "ducklake:postgres:" + postgres.database(f"bucket{next(names)}")


@pytest.fixture
def team(text: str, bucket: str) -> Team:
    return team_of(text, bucket)


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_folder_and_a_bucket_keep_alike(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kept: Keep = keep_of(tmp_path if kind == "folder" else request.getfixturevalue("bucket") + "/bodies")
    content = bytes(range(256)) * 50_000
    assert (kept.names(), kept.has("aa/x.gz"), kept.read("aa/x.gz")) == (set(), False, None)
    kept.write("aa/x.gz", content)
    kept.write("ab/y.gz", b"second")
    assert kept.names() == {"aa/x.gz", "ab/y.gz"}
    assert kept.has("aa/x.gz")
    assert (kept.read("aa/x.gz"), kept.read("ab/y.gz"), kept.read("ab/z.gz")) == (content, b"second", None)


def test_a_body_that_is_gone_or_no_longer_what_it_was_is_found(bucket: str, objects: Objects) -> None:
    bodies = Bodies(keep_of(bucket + "/bodies"))
    sha = bodies.put(b"gpt-4o $2.50")
    assert bodies.put(b"gpt-4o $2.50") == sha
    assert bodies.get(sha) == b"gpt-4o $2.50"
    (name,) = objects.names(bucket.split("/", 3)[3])
    objects.s3.put_object(Bucket=objects.bucket, Key=name, Body=b"something else")
    with pytest.raises(StoreError, match="damaged"):
        bodies.get(sha)
    objects.s3.delete_object(Bucket=objects.bucket, Key=name)
    with pytest.raises(StoreError, match="missing"):
        bodies.get(sha)


@pytest.mark.parametrize("address", ["s3://b/x'y", "s3://Bucket/x", "http://host/x", "gs://bucket/x", "s3://", "s3://bucket/../x y"])  # fmt: skip
def test_an_address_of_another_kind_is_refused_with_the_fix(address: str) -> None:
    with pytest.raises(UsageError, match="no address of an object store") as refused:
        team_of("ducklake:postgres:dbname=d", address)
    assert "s3://bucket/folder" in refused.value.fix


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong-word"}, "refuses the keys"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "needs keys"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "does not answer"),
        ({"AWS_ENDPOINT_URL_S3": "minio:9000"}, "is no address"),
    ],
)
def test_what_an_object_store_refuses_is_told_without_its_keys_and_costs_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, objects: Objects, change: dict[str, str], said: str
) -> None:
    with open_store(team) as store:
        store.insert("rate", [rate()])
    with monkeypatch.context() as then:
        for key, value in change.items():
            then.setenv(key, value)
        with pytest.raises(StoreError, match=said) as caught, open_store(team) as store, store.transaction():
            store.insert("rate", [rate(rate_id=f"r{n}") for n in range(100)])
    assert "wrong-word" not in str(caught.value)
    assert objects.secret not in str(caught.value)
    with open_store(team) as store:
        assert store.rows("select count(*) as n from rate") == [{"n": 1}]
        assert store.insert("rate", [rate(rate_id=f"r{n}") for n in range(100)]) == 100
        assert store.rows("select count(*) as n from rate") == [{"n": 101}]


@pytest.mark.postgres
def test_readers_see_the_lake_and_neither_the_keys_nor_anything_beside_it(team: Team, objects: Objects) -> None:
    with open_store(team) as store:
        store.insert("rate", [rate(rate_id=str(n), meter=f"m{n}") for n in range(20)])
        Bodies(store.kept).put(b"a page")
    refused = [
        f"select * from read_blob('{team.data}/bodies/*/*')",
        f"select * from read_csv('{objects.url}')",
        "select * from read_csv('/etc/passwd')",
        f"copy (select 1) to '{team.data}/lake/x.csv'",
        "create secret mine (type s3, key_id 'k')",
        "set s3_endpoint = 'elsewhere.example'",
    ]
    only_read(team, refused, secret=objects.secret)


@pytest.mark.postgres
def test_a_file_is_copied_there_and_back_with_its_bodies(team: Team, home: Path, tmp_path: Path) -> None:
    done = copy_home(home, team)
    assert (done.rows["rate"], done.bodies, done.already) == (1, 1, False)
    with open_store(team) as store:
        assert list(verify(store, store.kept)) == []
    assert export_home(team, tmp_path / "back").rows == done.rows
    with Store(tmp_path / "back") as store:
        assert list(verify(store, store.kept)) == []


@pytest.mark.postgres
def test_commands_scrape_into_it_and_verify_it(team: Team, text: str, tmp_path: Path, objects: Objects, httpserver: HTTPServer) -> None:  # fmt: skip
    httpserver.expect_request("/robots.txt").respond_with_data("")
    httpserver.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    fetcher = Fetcher(allow_private=True, pause_s=0, tries=2)
    report = scrape_cycle(team, None, now=datetime.now(UTC), sources=small(httpserver), fetcher=fetcher)
    assert "new" in {line.outcome for line in report.lines}
    env = {**os.environ, "UNDERCUT_STORE": text, "UNDERCUT_STORE_DATA": str(team.data), "UNDERCUT_HOME": str(tmp_path)}

    def undercut(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from jobs.cli import main; main()", *words]
        return subprocess.run(command, check=False, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert "openai:gpt-4o" in undercut("sql", "select distinct endpoint from prices").stdout
    assert undercut("db", "verify").returncode == 0
    for name in objects.names(str(team.data).split("/", 3)[3] + "/bodies/"):
        objects.s3.delete_object(Bucket=objects.bucket, Key=name)
    gone = undercut("db", "verify")
    assert gone.returncode == 3
    assert "a kept body is missing" in gone.stdout


@pytest.mark.postgres
@pytest.mark.slow
def test_writers_killed_on_a_bucket_lose_and_double_nothing(postgres: Postgres, bucket: str, tmp_path: Path) -> None:
    figures = run(postgres, tmp_path, data=bucket, writers=2, readers=1, times=5, kills=1, restarts=0, seed=11)
    assert (figures.lost, figures.half, figures.doubled, figures.seen_half, figures.other) == (0, 0, 0, 0, [])
    assert (figures.acknowledged, figures.kills) == (10, 1), figures.text()
