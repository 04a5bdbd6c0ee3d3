"""Score pages: boards kept apart, names whole, ragged rows refused, nothing invented."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from scraper.scores import read_scores
from scraper.source import load_sources

PAGES = {
    "livebench-2026-01-08": ("livebench", "benchmarks/livebench/2026-01-08-table.csv"),
    "aider-2025-10-04": ("aider", "benchmarks/aider/2025-10-04-polyglot_leaderboard.yml"),
    "swebench-2025-02-26": ("swe-bench", "benchmarks/swe-bench/2025-02-26-index.html"),
}


@pytest.mark.corpus
@pytest.mark.parametrize("page", PAGES)
def test_every_labelled_score_is_read_right(corpus: Path, page: str) -> None:
    source_id, file = PAGES[page]
    body = (corpus / "pages" / file).read_bytes()
    found = read_scores(body, url=file, source=load_sources()[source_id])
    said = defaultdict(set)
    for c in found.claims:
        board = c.benchmark.removeprefix("livebench_") if source_id == "livebench" else f"{c.benchmark} {c.metric}"
        board = f"LiveBench {board}" if source_id == "livebench" else board.replace("aider_polyglot", "Aider polyglot")
        said[board, c.model_as_written].add(c.value)
    wrong = []
    with (corpus / "pages" / "benchmark_labels.csv").open(encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            if row["page_id"] == page and float(row["score"]) not in said[row["benchmark"], row["model_as_written"]]:
                wrong.append((row["benchmark"], row["model_as_written"], row["score"]))
    assert wrong == []


def test_ragged_rows_are_refused_and_zero_is_a_score() -> None:
    found = read_scores(b"model,maths,code\na-1,0.0,12\na-2,3\na-3,,-\n", url="t.csv")
    assert [(c.model_as_written, c.benchmark, c.value) for c in found.claims] == [
        ("a-1", "maths", 0.0),
        ("a-1", "code", 12.0),
    ]
    assert [r.why for r in found.refused] == ["2 values for 3 columns"]


def test_rank_and_votes_are_never_scores() -> None:
    page = b"<h2>Board</h2><table><tr><th>Rank</th><th>Model</th><th>Elo</th><th>Votes</th></tr><tr><td>1</td><td>a-1</td><td>1210 \xc2\xb17</td><td>900</td></tr></table>"
    (only,) = read_scores(page).claims
    assert (only.model_as_written, only.benchmark, only.metric, only.value, only.low, only.high) == (
        "a-1",
        "Board",
        "Elo",
        1210,
        1203,
        1217,
    )


def test_an_unknown_cost_is_not_a_free_run() -> None:
    body = b"- model: a-1\n  pass_rate_2: 12.5\n  total_cost: 0.0\n- model: a-2\n  pass_rate_2: 10\n  total_cost: 3.5\n"
    found = read_scores(body, url="x.yml").claims
    assert [(c.value, c.cost_usd) for c in found] == [(12.5, None), (10.0, 3.5)]


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"{}", b"\x00\xff", b"- a\n- b\n", b"a,b\n"])
def test_nothing_to_read_is_a_failure_that_says_so(body: bytes) -> None:
    found = read_scores(body)
    assert found.claims == ()
    assert found.failed
