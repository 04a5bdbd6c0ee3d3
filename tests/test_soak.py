"""A few cycles with sixty sources: none fails, memory does not run away. `python -m tests.soak --cycles 1000` is the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak import growth, soak


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_cycles_leave_nothing_behind(tmp_path: Path, demo: Callable[[Path], Path]) -> None:
    found = soak(demo(tmp_path), 4)
    assert found.failed == 0
    assert found.mib[-1] < found.mib[0] * 1.25
    copies = [p for p in tmp_path.glob("market-*.duckdb") if not p.is_symlink()]
    assert len(copies) <= 3  # old published copies are removed


def test_growth_is_the_line_through_the_values() -> None:
    assert growth([100.0, 100.0, 100.0]) == pytest.approx(0)
    assert growth([90.0, 100.0, 110.0]) == pytest.approx(0.2)
