"""Shared fixtures: the corpus beside the project where there is one."""

from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of captured pages and tables beside the project; the test is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("no corpus beside the project (../shared/corpus)")
    return CORPUS


def pytest_report_header() -> str:
    return "corpus: " + ("../shared/corpus" if CORPUS.is_dir() else "none beside the project; corpus tests are skipped")
