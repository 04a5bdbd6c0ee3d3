"""What data/README.md says is so: every view and column is in it, and its queries run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.store import Copy, published, view_files
from jobs.docs import QUESTIONS, README, described, document, table, without_results

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
        for name, text in view_files()
        if "create view" in text and "periods" not in name
    )


ROWS = {  # view: what its comment says a row is, and the columns that say so
    "prices": ("endpoint x meter x unit x tier x band x time_window", "endpoint, meter, unit, tier, band, time_window"),
    "price_history": (
        "endpoint x meter x unit x tier x band x time_window x period",
        "endpoint, meter, unit, tier, context_min_tokens, context_max_tokens, time_window, valid_from",
    ),
    "stated_prices": (
        "endpoint x meter x unit x tier x band x time_window x source",
        "endpoint, meter, unit, tier, context_min_tokens, context_max_tokens, time_window, source",
    ),
    "scores": ("model x variant x benchmark x source", "model, variant, benchmark, source"),
    "use_cases": ("use case", "use_case"),
    "recommendations": ("recommendation", "rec"),
    "decisions": ("recommendation x verdict, and per entry of `decisions` that names none", "use_case, rec, verdict, decided_on"),
    "candidates": ("use case x endpoint x tier x variant", "use_case, endpoint, tier, variant"),
    "frontier": ("use case x endpoint x tier x variant", "use_case, endpoint, tier, variant"),
    "constraint_cost": ("use case x constraint, or pair that shuts a choice out together", "use_case, constraint_key"),
    "use_case_cost_daily": ("use case x day", "use_case, day"),
    "sources": ("source", "source"),
    "unmatched": ("name x source", "name, source"),
    "quarantine": ("held claim", "claim_id"),
    "board_doubts": ("source x benchmark x reason", "source, benchmark, why"),
    "fx": ("currency x day", "currency, day"),
    "endpoint_facts": ("endpoint x field x source", "endpoint, field, source"),
    "pointers": ("name and meaning", "name, since"),
    "alerts": ("alert", "alert_id"),
    "price_trends": ("definition and benchmark, by level where it has one", "definition, benchmark, level"),
    "bands": ("benchmark, level and month", "benchmark, level, month"),
    "compromises": ("use case and compromise", "use_case, what"),
    "caches": ("use case and cache", "use_case, name"),
    "forecasts": ("use case and horizon", "use_case, days"),
    "plans": ("use case and plan", "use_case, plan"),
    "retirements": ("endpoint x use case", "endpoint, use_case"),
    "price_drops": ("benchmark, level and day", "benchmark, level, day"),
}  # fmt: skip


def test_a_row_is_what_its_view_says_and_none_is_there_twice(copy: Path) -> None:
    with published(copy) as con:
        said = described(Copy(con))
        assert set(said) == set(ROWS), "a new view says here what a row of it is"
        assert [v for v, (row, _) in ROWS.items() if f"ne row per {row}." not in said[v]] == []
        twice = "select {0} from {1} group by all having count(*) > 1"
        assert {v: found for v, (_, key) in ROWS.items() if (found := Copy(con).rows(twice.format(key, v)))} == {}


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
