"""Shared fixtures: the corpus beside the project where there is one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests.objects import Objects
from tests.postgres import Postgres, programs
from tests.slack_server import SlackServer, slack_server

# No test is timed: a crowded machine must not fail one (speed is measured in tests/bench).
settings.register_profile("undercut", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("undercut")

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of captured pages and tables beside the project; the test is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("no corpus beside the project (../shared/corpus)")
    return CORPUS


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[Path], Path]:
    """Fills a folder with what `undercut demo` leaves behind. It runs once for all workers, each caller gets a copy."""
    from jobs.demo import run_demo

    shared = tmp_path_factory.getbasetemp()
    home = (shared if worker_id == "master" else shared.parent) / "demo"
    with FileLock(f"{home}.lock"):
        if not (home / "market.duckdb").exists():
            run_demo(home, [Path(__file__).parents[1] / "use_cases.yaml"], lambda _: None)

    def fill(folder: Path) -> Path:
        shutil.copytree(home, folder, symlinks=True, dirs_exist_ok=True)
        return folder

    return fill


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """A strict local Slack of the test's own."""
    with slack_server() as server:
        yield server


def pytest_report_header() -> str:
    return "corpus: " + ("../shared/corpus" if CORPUS.is_dir() else "none beside the project; corpus tests are skipped")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own for the whole run; the test is skipped where its programs are not installed."""
    if programs() is None:
        pytest.skip("no PostgreSQL (initdb, postgres) on this machine")
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def objects() -> Iterator[Objects]:
    """An S3 server of our own for the whole run, with one bucket."""
    server = Objects()
    yield server
    server.remove()
