"""Every benchmark source reads a page of its layout: each labelled score right, boards apart, direction known, nothing more.

The pages in `fixtures/boards` are our own, in the layouts met in the wild; `labels.csv` is what a person reads on them.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import PageChanged
from data.records import ScoreClaim
from data.tasks import load_benchmarks
from scraper.boards import read_boards
from scraper.gather import gather
from scraper.scores import ScoreReading, read_scores
from scraper.source import Source, load_sources

HERE = Path(__file__).parent / "fixtures" / "boards"
SOURCES = {i: s for i, s in load_sources().items() if s.kind == "benchmark"}
DECLARED = {i: s for i, s in SOURCES.items() if s.board and s.board.boards and i != "livebench"}
WANTED = [
    "livebench", "aider", "bfcl", "tau2_bench", "swe_bench_bash", "arc_prize_1", "arc_prize_2", "arc_prize_3", "arena_text",
    "eqbench", "vectara", "mmlu_pro", "epoch_hub", "bigcodebench", "lechmazur_confabulations", "lechmazur_generalization",
    "lechmazur_nyt-connections", "lechmazur_sycophancy", "lechmazur_writing", "lechmazur_step_game", "artificial_analysis",
]  # fmt: skip


def page_of(source: Source) -> bytes:
    """The fixture of a source as its fetch would bring it."""
    folder = HERE / source.id
    if not folder.is_dir():
        (file,) = HERE.glob(f"{source.id}.*")
        return file.read_bytes()
    if source.board and source.board.files:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for file in sorted(folder.glob("*.csv")):
                archive.writestr(f"benchmark_data/{file.name}", file.read_text())
        return out.getvalue()

    def get(url: str) -> bytes:
        ends = url.rsplit("/submissions/", 1)[-1].removesuffix("/submission.json").removesuffix(".json")
        ends = ends.partition("&offset=")[2].partition("&")[0] or ends
        return (folder / f"{ends}.json").read_bytes()

    return gather(source, get)


def read(source_id: str) -> ScoreReading:
    source = SOURCES[source_id]
    return read_scores(page_of(source), url=source.url, source=source)


def labels() -> dict[str, set[tuple[str, ...]]]:
    out: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    with (HERE / "labels.csv").open(encoding="utf-8", newline="") as f:
        for source, *rest in list(csv.reader(f))[1:]:
            out[source].add(tuple(rest))
    return out


def shown(c: ScoreClaim) -> tuple[str, ...]:
    def n(value: float | None) -> str:
        return "" if value is None else f"{value:g}" if abs(value) < 1e5 else str(value)

    own = "own" if c.self_reported else ""
    return (c.benchmark, c.metric, c.model_as_written, c.variant, n(c.value), n(c.low), n(c.high), n(c.cost_usd), own)


def test_the_sources_a_ranking_needs_are_there() -> None:
    assert set(WANTED) <= set(SOURCES)
    assert len({i.partition("_")[0] for i in SOURCES}) >= 14, "makers, not files"


@pytest.mark.parametrize("source_id", DECLARED)
def test_every_labelled_score_is_read_right_and_no_other(source_id: str) -> None:
    wanted = labels()[source_id]
    assert wanted, "no labels"
    found = read(source_id)
    assert {shown(c) for c in found.claims} == wanted
    assert len(found.claims) == len(wanted)
    assert all(c.quote and c.locator for c in found.claims)


@pytest.mark.parametrize("source_id", DECLARED)
def test_direction_and_scale_agree_with_what_is_kept_by_hand(source_id: str) -> None:
    board = SOURCES[source_id].board
    assert board is not None
    known = load_benchmarks()
    for claim in read(source_id).claims:
        kept = known.get(claim.benchmark)
        if kept is None:
            continue
        matching = [
            b for b in board.boards.values() if b.metric == claim.metric and _could_be(b.benchmark, claim.benchmark)
        ]
        assert matching
        for scored in matching:
            assert scored.lower_is_better == (not kept.higher_is_better)
            assert scored.scale == kept.scale


def _could_be(template: str, benchmark: str) -> bool:
    return benchmark.startswith(template.partition("{")[0])


def test_errors_and_refusals_are_lower_is_better() -> None:
    lower = {b.benchmark for s in SOURCES.values() if s.board for b in s.board.boards.values() if b.lower_is_better}
    assert lower == {
        "vectara_hallucination_rate", "vectara_summary_words", "confabulation_rate_rag", "confabulation_nonresponse_rag",
        "confabulation_weighted_rag", "sycophancy_rate", *(b for b in lower if b.startswith("livebench_tokens_")),
    }  # fmt: skip


def test_what_may_only_be_read_live_is_not_in_the_seed() -> None:
    from data.catalogue.reader import read_yaml
    from jobs.seed import SEED

    shipped = set(read_yaml(SEED / "sources.yaml")["ship"])
    live = {i for i, s in SOURCES.items() if s.live_only}
    assert {"artificial_analysis", "swe_bench_bash", "arc_prize_1", "arc_prize_2", "arc_prize_3"} <= live
    assert not live & shipped
    assert SOURCES["artificial_analysis"].key_env, "only with the reader's own key"


def test_tokens_of_an_item_become_tokens_of_the_run() -> None:
    found = {(c.model_as_written, c.benchmark): c for c in read("livebench_tokens").claims}
    first = found["heron-2-high", "livebench_tokens_AMPS_Hard@2026-06-25"]
    assert (first.value, first.n_items, first.output_tokens) == (1000, 50, 50_000)


def test_rows_that_do_not_state_their_mode_are_refused() -> None:
    found = read("bfcl")
    assert "Plover Agent" not in {c.model_as_written for c in found.claims}
    assert {r.text for r in found.refused} == {"Plover Agent"}


def test_a_renamed_column_is_missing_and_never_read_from_its_neighbour() -> None:
    source = SOURCES["vectara"]
    body = page_of(source).replace(b"Hallucination Rate", b"Unfaithful Rate")
    found = read_scores(body, url=source.url, source=source)
    assert {c.benchmark for c in found.claims} == {"vectara_answer_rate", "vectara_summary_words"}
    assert "no field 'Hallucination Rate' (vectara_hallucination_rate)" in found.missing[0]
    assert "unfaithful rate" in found.missing[0], "says what is there instead"


def test_a_renamed_name_column_gives_nothing() -> None:
    source = SOURCES["mmlu_pro"]
    found = read_scores(page_of(source).replace(b"Models,", b"Entry,"), url=source.url, source=source)
    assert found.claims == () and found.failed


def test_a_table_that_left_the_archive_is_said() -> None:
    found = read("epoch_hub")
    assert "no table frontiermath.csv in the archive" in found.missing


def test_an_archive_that_unpacks_to_too_much_is_not_opened() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gpqa_diamond.csv", b"0" * 70_000_000)
    found = read_scores(out.getvalue(), source=SOURCES["epoch_hub"])
    assert found.claims == ()
    assert any("60 MB" in m for m in found.missing)


def test_names_of_a_list_never_leave_their_slot() -> None:
    asked = []

    def get(url: str) -> bytes:
        asked.append(url)
        names = ["../../secret", "good-1", "https://evil.example/x", "a b", 7]
        return json.dumps({"submissions": names} if url.endswith("manifest.json") else {"model_name": "x"}).encode()

    gather(SOURCES["tau2_bench"], get)
    assert [u.rsplit("/submissions/")[1] for u in asked] == ["manifest.json", "good-1/submission.json"]


@pytest.mark.parametrize("listed", [b"[]", b"{}", b'{"submissions": 3}', b"not json", b'{"submissions": []}'])
def test_a_list_that_is_none_stops_the_source(listed: bytes) -> None:
    with pytest.raises(PageChanged):
        gather(SOURCES["tau2_bench"], lambda _: listed)


@given(st.binary(max_size=300), st.sampled_from(sorted(DECLARED)))
def test_no_bytes_break_a_board(noise: bytes, source_id: str) -> None:
    board = SOURCES[source_id].board
    assert board is not None
    read_boards(noise, board)
    page = page_of(SOURCES[source_id])
    read_boards(page[: len(page) // 2] + noise + page[len(page) // 2 :], board)


def test_a_key_goes_to_its_host_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_httpserver import HTTPServer
    from werkzeug import Request, Response

    from data.errors import UsageError
    from jobs.scrape import key_of, readable
    from scraper.fetch import Fetcher
    from scraper.gather import fetch_source

    source = SOURCES["artificial_analysis"]
    monkeypatch.delenv("ARTIFICIAL_ANALYSIS_API_KEY", raising=False)
    assert "artificial_analysis" not in readable(SOURCES), "left alone without a key"
    with pytest.raises(UsageError, match="own key"):
        key_of(source)
    monkeypatch.setenv("ARTIFICIAL_ANALYSIS_API_KEY", "k-1")
    assert key_of(source) == "k-1" and "artificial_analysis" in readable(SOURCES)
    heard: list[str | None] = []

    def elsewhere(request: Request) -> Response:
        heard.append(request.headers.get("x-api-key"))
        return Response("{}")

    with HTTPServer() as own, HTTPServer() as other:
        for server in (own, other):
            server.expect_request("/robots.txt").respond_with_data("")
        other.expect_request("/gone").respond_with_handler(elsewhere)
        own.expect_request("/models").respond_with_handler(
            lambda r: (
                heard.append(r.headers.get("x-api-key"))
                or Response(status=302, headers={"Location": other.url_for("/gone")})
            )
        )
        here = source.model_copy(update={"url": own.url_for("/models")})
        fetch_source(here, Fetcher(allow_private=True, pause_s=0, tries=1), key="k-1")
    assert heard == ["k-1", None]
