"""What data/README.md says is so: every view and column is in it, and its queries run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.store import Copy, published, view_files
from jobs.docs import QUESTIONS, README, document, table, without_results

REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"
FILES = sorted(QUESTIONS.glob("*.sql"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, demo: Callable[[Path], Path]) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    demo(folder)
    return folder / "market.duckdb"


def test_the_file_is_what_make_docs_writes(copy: Path) -> None:
    with published(copy) as con:
        made = document(Copy(con))
    kept = README.read_text(encoding="utf-8")
    assert without_results(kept) == without_results(made), "run `make docs`"
    assert all(
        f"### {name.split('_', 1)[1].removesuffix('.sql')}\n" in kept
        for name, _ in view_files()
        if "periods" not in name and "asof" not in name
    )


@pytest.mark.parametrize("stale", ["Open it at", "faster (figures", "Ways to spend today", "## As of a day", "Rows and columns as in", "| `usd_per_mtok`", "limit 1;"])  # fmt: skip
def test_no_word_of_the_file_can_go_stale_unseen(stale: str) -> None:
    kept = README.read_text(encoding="utf-8")
    assert without_results(kept) != without_results(kept.replace(stale, stale[:-1], 1))


def test_what_the_demo_answered_may_differ() -> None:
    kept = README.read_text(encoding="utf-8")
    result = next(line for line in kept.splitlines() if line.startswith("| code-review"))
    assert without_results(kept) == without_results(kept.replace(result, "| another | answer |", 1))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_question_is_answered_in_under_ten_lines(copy: Path, file: Path) -> None:
    lines = file.read_text(encoding="utf-8").strip().splitlines()
    assert lines[0].startswith("-- ")
    assert lines[0].endswith("?")
    assert len(lines) - 1 < 10
    with published(copy) as con:
        rows = Copy(con).rows("\n".join(lines))
    if file.stem[:2] in ("01", "03", "04", "05", "07", "08", "09", "10"):
        assert rows


def test_there_are_ten_questions() -> None:
    assert len(FILES) == 10


def test_what_each_question_must_not_say(copy: Path) -> None:
    with published(copy) as con:
        asked = {f.stem[:2]: Copy(con).rows(f.read_text(encoding="utf-8")) for f in FILES}
        total = Copy(con).rows("select sum(cost_usd_per_month) as usd from use_cases")[0]["usd"]
    assert sum(r["cost_usd_per_month"] for r in asked["09"]) == pytest.approx(total)
    assert [r["cost_usd_per_month"] for r in asked["04"]] == sorted(r["cost_usd_per_month"] for r in asked["04"])
    assert all(r["quality_low"] >= 0.6 for r in asked["04"])
    assert all(len(r["sources"]) > 1 for r in asked["06"])
    assert all(r["days_behind"] > 7 or r["outcome"] == "failed" for r in asked["05"])


def test_a_bar_in_a_name_does_not_break_a_table() -> None:
    assert "a\\|b" in table([{"name": "a|b"}])
    assert table([]) == "*No row in the demo.*\n"
