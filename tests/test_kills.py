"""A sample of `python -m tests.kills --kills 500`: what kill -9 at a random point must not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills import run
from tests.postgres import Postgres


@pytest.mark.slow
def test_kills_lose_nothing_double_nothing_and_show_no_half_cycle(tmp_path: Path) -> None:
    figures = run(8, seed=7, home=tmp_path)
    assert (figures.lost, figures.doubled, figures.broken) == (0, 0, []), figures.text()
    assert figures.kills == 8
    assert figures.messages > 0, figures.text()
    assert len(figures.struck) > 1, figures.text()


@pytest.mark.slow
@pytest.mark.postgres
def test_nor_on_a_team_s_store(postgres: Postgres, tmp_path: Path) -> None:
    figures = run(3, seed=8, home=tmp_path, store="ducklake:postgres:" + postgres.database("kills"))
    assert (figures.lost, figures.doubled, figures.broken) == (0, 0, []), figures.text()
    assert figures.kills == 3
