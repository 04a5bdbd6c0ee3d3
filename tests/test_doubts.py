"""What a bad board may not do: whole cycles over HTTP. Kept out, listed, said in one line; the last good state stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from data.errors import UsageError
from data.records import ScoreClaim
from data.store import Store, published, rows
from jobs.boards import accept
from jobs.cli import app
from jobs.scrape import Line, scrape_cycle
from scraper.doubts import weigh_boards
from scraper.fetch import Fetcher
from scraper.match import Matcher
from scraper.source import Expect, load_sources

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
MODELS = [
    "openai/gpt-4o", "openai/gpt-4o-mini", "openai/gpt-4.1", "openai/gpt-5", "openai/gpt-5-mini", "openai/o3",
    "anthropic/claude-sonnet-4", "google/gemini-2.5-pro", "google/gemini-2.5-flash", "nobody/knows-this-7b",
]  # fmt: skip
GOOD = [(m, 2.0 + n, 99.0, 80 + n) for n, m in enumerate(MODELS)]


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer() as running:
        yield running


def page(table: list[tuple[str, Any, Any, Any]], head: str = "Hallucination Rate") -> str:
    lines = [f"|Model|{head}|Answer Rate|Average Summary Length (Words)|", "|---|---:|---:|---:|"]
    return "\n".join([*lines, *(f"|{m}|{a} %|{b} %|{c}|" for m, a, b, c in table)])


def cycle(server: HTTPServer, home: Path, text: str, day: int) -> Line:
    server.clear_all_handlers()
    server.expect_request("/robots.txt").respond_with_data("")
    server.expect_request("/README.md").respond_with_data(text)
    source = load_sources()["vectara"].model_copy(
        update={"url": server.url_for("/README.md"), "expect": Expect(min_rows=1)}
    )
    fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
    report = scrape_cycle(home, None, now=NOW + timedelta(days=day), sources={"vectara": source}, fetcher=fetcher)
    return report.lines[0]


def ask(home: Path, query: str) -> list[dict[str, Any]]:
    with published(home / "market.duckdb") as con:
        return rows(con, query)


def rates(home: Path) -> dict[str, float]:
    found = ask(home, "select model, score from scores where benchmark = 'vectara_hallucination_rate'")
    return {r["model"]: r["score"] for r in found}


def doubts(home: Path) -> list[tuple[str, str, int]]:
    return [
        (d["benchmark"], d["kind"], d["rows_kept_out"])
        for d in ask(home, "select * from board_doubts order by benchmark")
    ]


def test_a_good_board_is_believed_whole_and_nothing_is_listed(server: HTTPServer, tmp_path: Path) -> None:
    done = cycle(server, tmp_path, page(GOOD), 0)
    assert (done.outcome, done.scores, done.unmatched, done.notes) == ("new", 27, 1, ())
    assert doubts(tmp_path) == []
    facts = ask(tmp_path, "select distinct benchmark, higher_is_better as up from scores order by 1")
    assert {f["benchmark"]: f["up"] for f in facts} == {
        "vectara_answer_rate": True, "vectara_hallucination_rate": False, "vectara_summary_words": False,
    }  # fmt: skip


def test_an_unknown_model_is_listed_and_stops_nobody(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    assert [(u["name"], u["kind"]) for u in ask(tmp_path, "select * from unmatched")] == [
        ("nobody/knows-this-7b", "score")
    ]
    assert len(rates(tmp_path)) == 9


def test_a_board_that_lost_half_its_rows(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    before = rates(tmp_path)
    done = cycle(server, tmp_path, page([(m, 1.0, 98.0, 70) for m, *_ in GOOD[:4]]), 1)
    assert done.outcome == "changed" and done.scores == 0
    assert (
        "vectara_hallucination_rate: lost rows: 4 models, 10 before; 4 kept out, what stood before stays" in done.notes
    )
    assert rates(tmp_path) == before
    assert [k for _, k, _ in doubts(tmp_path)] == ["lost rows"] * 3
    third = cycle(server, tmp_path, page(GOOD[:9]), 2)
    assert third.notes == (), "the good board is compared with the last good one, not with the broken one"


def test_scores_over_100_percent(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    one = [(m, 240.0 if n == 0 else a, b, c) for n, (m, a, b, c) in enumerate(GOOD)]
    done = cycle(server, tmp_path, page(one), 1)
    assert done.notes == (
        "vectara_hallucination_rate: impossible: openai/gpt-4o 240 is no percentage; 1 kept out, what stood before stays",
    )
    assert rates(tmp_path)["openai/gpt-4o"] == 2.0
    all_over = [(m, a * 100, b, c) for m, a, b, c in GOOD]
    done = cycle(server, tmp_path, page(all_over), 2)
    assert "10 of 10 figures are no percentages" in done.notes[0]
    assert rates(tmp_path)["openai/gpt-4o-mini"] == 3.0


def test_shares_where_percentages_stood(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    done = cycle(server, tmp_path, page([(m, a / 100, b, c) for m, a, b, c in GOOD]), 1)
    assert "shares of one where percentages stood" in done.notes[0]
    assert rates(tmp_path)["openai/gpt-4o"] == 2.0


def test_one_model_with_two_figures_counts_with_neither(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    twice = [*GOOD, ("GPT-4o", 9.5, 99.0, 80), ("openai/gpt-5", 5.0, 99.0, 83)]
    done = cycle(server, tmp_path, page(twice), 1)
    assert len(done.notes) == 1 and "several figures: openai/gpt-4o 2, GPT-4o 9.5" in done.notes[0]
    assert rates(tmp_path)["openai/gpt-4o"] == 2.0, "the last good figure, neither of the two"
    assert rates(tmp_path)["openai/gpt-5"] == 5.0, "said twice alike"
    assert doubts(tmp_path) == [("vectara_hallucination_rate", "duplicate", 2)]


def test_a_renamed_column(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    before = rates(tmp_path)
    done = cycle(server, tmp_path, page([(m, b, a, c) for m, a, b, c in GOOD], head="Consistency Rate"), 1)
    assert "missing field: no field 'Hallucination Rate'" in " ".join(done.notes)
    assert rates(tmp_path) == before, "never read from its neighbour"
    assert (None, "missing field", 0) in doubts(tmp_path)


def test_a_mass_jump_on_one_day_is_a_new_version_until_a_person_says_more(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    before = rates(tmp_path)
    jumped = [(m, a + 6, b, c) for m, a, b, c in GOOD]
    done = cycle(server, tmp_path, page(jumped), 1)
    assert done.notes == (
        "vectara_hallucination_rate: new version: 10 of 10 models moved at once (median +6); 10 kept out, what stood before stays",
    )
    assert rates(tmp_path) == before
    with Store(tmp_path) as store:
        became, n = accept(
            store, "vectara", "vectara_hallucination_rate", by="a person", matcher=Matcher.from_package(),
            now=NOW + timedelta(days=2),
        )  # fmt: skip
        store.publish()
    assert (became, n) == ("vectara_hallucination_rate@2026-11-02", 9)
    assert rates(tmp_path) == before, "the old version keeps its figures"
    nudged = [(m, a + 0.2, b, c) for m, a, b, c in jumped]
    assert cycle(server, tmp_path, page(nudged), 3).notes == (), "the new version is read on under its own id"
    newest = ask(
        tmp_path,
        f"select score, higher_is_better as up from scores where benchmark = '{became}' and model = 'openai/gpt-4o'",
    )
    assert newest == [{"score": 8.2, "up": False}]


def test_a_shrunken_board_may_be_accepted_and_is_then_the_measure(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    cycle(server, tmp_path, page([(m, a + 0.5, b, c) for m, a, b, c in GOOD[:4]]), 1)
    with Store(tmp_path) as store:
        matcher = Matcher.from_package()
        for board in ("vectara_hallucination_rate", "vectara_answer_rate", "vectara_summary_words"):
            became, n = accept(
                store, "vectara", board, by="a person", matcher=matcher, now=NOW + timedelta(days=1, hours=1)
            )
            assert (became, n) == (board, 4)
        with pytest.raises(UsageError, match="waits for a person"):
            accept(store, "vectara", "vectara_answer_rate", by="a person", matcher=matcher, now=NOW)
        store.publish()
    assert rates(tmp_path)["openai/gpt-4o"] == 2.5
    assert cycle(server, tmp_path, page(GOOD[:4]), 2).notes == ()


def test_a_benchmark_nobody_knows(server: HTTPServer, tmp_path: Path) -> None:
    source = load_sources()["swe-bench"]
    tables = "".join(
        f'<div class="tab-pane" id="leaderboard-{pane}"><table><tr><th>Model</th><th>% Resolved</th></tr>'
        f"<tr><td>gpt-4o</td><td>{score}</td></tr></table></div>"
        for pane, score in (("Verified", 33.2), ("Cooking", 71.0))
    )
    server.expect_request("/robots.txt").respond_with_data("")
    server.expect_request("/").respond_with_data(f"<html><body>{tables}</body></html>")
    here = source.model_copy(update={"url": server.url_for("/"), "expect": Expect(min_rows=1)})
    fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
    (done,) = scrape_cycle(tmp_path, None, now=NOW, sources={"swe-bench": here}, fetcher=fetcher).lines
    assert done.scores == 1
    assert done.notes == (
        "SWE-bench Cooking: unknown benchmark: nobody has said what 'SWE-bench Cooking' measures (1 rows); 1 kept out, "
        "what stood before stays",
    )
    assert [u["name"] for u in ask(tmp_path, "select name from unmatched where kind = 'benchmark'")] == [
        "SWE-bench Cooking"
    ]


def test_the_command_lists_what_is_kept_out(server: HTTPServer, tmp_path: Path) -> None:
    cycle(server, tmp_path, page(GOOD), 0)
    cycle(server, tmp_path, page(GOOD[:2]), 1)
    result = CliRunner().invoke(app, ["boards", "--json", "--data", str(tmp_path / "market.duckdb")])
    assert result.exit_code == 0, result.output
    said = [json.loads(x) for x in result.stdout.splitlines()]
    assert {(s["kind"], s["rows_kept_out"]) for s in said} == {("lost rows", 2)}
    assert all(s["last_good_at"] for s in said)


def test_a_name_that_moves_is_kept_out_and_its_move_is_told(server: HTTPServer, tmp_path: Path) -> None:
    done = cycle(server, tmp_path, page([*GOOD, ("google/gemini-flash-latest", 4.0, 99.0, 70)]), 0)
    assert len(done.notes) == 3
    assert all("moves, which model was run is not stated" in n for n in done.notes)
    pointers = {p["name"]: p for p in ask(tmp_path, "select * from pointers")}
    now = pointers["gemini-flash-latest"]
    assert now["model"].startswith("google/gemini-") and now["before"] is None and now["until"] is None
    with Store(tmp_path) as store, store.transaction():
        old = {"name": "gemini-flash-latest", "model_id": "google/gemini-2.5-flash", "source_id": "genai-prices"}
        store.insert("pointer", [{**old, "known_from": NOW + timedelta(hours=1)}])
    server.clear_all_handlers()
    server.expect_request("/robots.txt").respond_with_data("")
    report = scrape_cycle(
        tmp_path, [], now=NOW + timedelta(days=1), sources={}, fetcher=Fetcher(allow_private=True, pause_s=0)
    )
    (told,) = [x for x in report.lines if x.source == "names that move"]
    assert told.notes == (f"gemini-flash-latest now means {now['model']}, google/gemini-2.5-flash before",)


def claim(name: str, value: float, benchmark: str = "b") -> ScoreClaim:
    return ScoreClaim(
        capture="c", model_as_written=name, benchmark=benchmark, metric="m", value=value, quote="q", locator="l"
    )


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.floats(-50, 150)), max_size=30), st.booleans())
def test_every_claim_is_believed_or_kept_out_and_never_both(table: list[tuple[str, float]], known: bool) -> None:
    claims = [claim(*row) for row in table]
    before = {"b": {(n, "m", ""): 50.0 for n in "abcdefgh"}}
    believed, kept_out = weigh_boards(
        claims, before=before, scale_of=lambda _: "percent" if known else None, identity=lambda c: c.model_as_written
    )
    out = [c for d in kept_out for c in d.claims]
    assert {id(c) for c in believed}.isdisjoint(id(c) for c in out)
    assert all(0 <= c.value <= 100 for c in believed)
    assert len({c.model_as_written for c in believed}) == len(believed)
    assert {c.model_as_written for c in believed} | {c.model_as_written for c in out} == {n for n, _ in table}


def test_a_few_models_that_move_and_a_pool_that_drifts_are_no_new_version() -> None:
    names = "abcdefghij"
    before = {"b": {(n, "m", ""): 1000.0 + i for i, n in enumerate(names)}}
    drift = [claim(n, 1009.0 + i) for i, n in enumerate(names)]
    assert weigh_boards(drift, before=before, scale_of=lambda _: "elo", identity=lambda c: c.model_as_written)[1] == []
    four = [claim(n, 1000.0 + i + (200 if i < 4 else 0)) for i, n in enumerate(names)]
    assert weigh_boards(four, before=before, scale_of=lambda _: "elo", identity=lambda c: c.model_as_written)[1] == []
    rebased = [claim(n, 800.0 + i) for i, n in enumerate(names)]
    (found,) = weigh_boards(rebased, before=before, scale_of=lambda _: "elo", identity=lambda c: c.model_as_written)[1]
    assert found.kind == "new version"
