"""Every source file is whole, reads its own capture as it expects, and a draft of one comes from a single reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from data.store import ask, published
from jobs.cli import app
from jobs.expect import Came, expect, shortfall
from jobs.live import try_sources
from jobs.scrape import scrape_cycle
from scraper.fetch import Fetcher, seconds_until
from scraper.fx import FxRate, read_fx
from scraper.prices import read_prices
from scraper.source import FOLDER, Source, load_source, load_sources, source_for_url
from tests.corpus import CORPUS, CorpusPage, corpus_pages

SOURCES = load_sources()
PAGES = list(corpus_pages()) if CORPUS.is_dir() else []
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ECB = b"""<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="x"><Cube>
<Cube time='2026-11-23'><Cube currency='USD' rate='1.0842'/><Cube currency='CNY' rate='7.8123'/></Cube>
</Cube></gesmes:Envelope>"""
PAGE = """# Prices
| Model | Input | Output |
|---|---|---|
| heron-2 | $1.10 / 1M tokens | $4.40 / 1M tokens |
| heron-mini | $0.10 / 1M tokens | $0.40 / 1M tokens |
"""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer() as running:
        running.expect_request("/robots.txt").respond_with_data("")
        yield running


def test_there_are_the_sources_a_market_needs() -> None:
    kinds = [s.kind for s in SOURCES.values()]
    assert kinds.count("official") >= 30
    assert kinds.count("catalogue") >= 5
    assert kinds.count("fx") == 1


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda s: s.id)
def test_a_source_file_says_where_when_and_what_it_expects_in_few_lines(source: Source) -> None:
    lines = (FOLDER / f"{source.id}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#")
    assert len(lines) <= 30
    assert source.url.startswith(("https://", "pkg:"))
    assert source.expect.min_rows > 0
    assert source.verified == "never" or source.verified[:2] == "20"
    assert source.kind != "official" or source.provider
    assert source.renderer != "browser" or source.wait_for
    assert all(c in SOURCES for c in source.copies)


@pytest.mark.corpus
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.page_id)
def test_a_capture_holds_what_its_source_file_expects(page: CorpusPage) -> None:
    source = source_for_url(page.url, SOURCES)
    if source is None or source.verified[:7] not in page.page_id:
        pytest.skip("no source file was checked on this capture")
    read = read_prices(page.body, url=page.url, source=source)
    usd = [c.usd_per_mtok for c in read.claims if c.usd_per_mtok is not None]
    names = [(c.model_as_written, c.model_id_as_written) for c in read.claims]
    assert shortfall(source, Came(names, usd, failed=read.failed)) is None


def test_a_broken_source_file_names_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("kind: official\nname: X\nurl: https://x.test\nexpect: {min_row: 3}\n")
    with pytest.raises(Exception, match=r"expect\.min_row") as caught:
        load_source(file)
    assert str(file) in str(caught.value)


def test_a_page_that_changed_shape_is_shown_with_what_was_expected_and_what_came() -> None:
    source = SOURCES["openai"]
    came = Came([("gpt-5.6-so1", None)], refused=[("$ 1.2.3", "no unit")])
    with pytest.raises(Exception, match="rows") as caught:
        expect(source, came)
    said = str(caught.value)
    assert "expected: at least 100 rows" in said
    assert "came:     1 rows; gpt-5.6-so1" in said
    assert "gpt-5.6-sol (near it: gpt-5.6-so1)" in said
    assert "'$ 1.2.3': no unit" in said


def test_exchange_rates_are_read_kept_once_and_asked_for(server: HTTPServer, tmp_path: Path) -> None:
    assert read_fx(ECB)[0] == FxRate(date(2026, 11, 23), "USD", Decimal("1.0842"))
    server.expect_request("/fx").respond_with_data(ECB)
    source = SOURCES["ecb"].model_copy(
        update={"url": server.url_for("/fx"), "expect": SOURCES["ecb"].expect.model_copy(update={"min_rows": 2})}
    )
    for _ in range(2):
        report = scrape_cycle(
            tmp_path, None, now=NOW, sources={"ecb": source}, fetcher=Fetcher(allow_private=True, pause_s=0)
        )
        assert report.exit_code == 0
    with published(tmp_path / "market.duckdb") as con:
        rows = ask(
            con,
            "select currency, per_eur::double as per_eur, round(per_usd::double, 4) as per_usd from fx order by currency",
        )
    assert rows == [
        {"currency": "CNY", "per_eur": 7.8123, "per_usd": 7.2056},
        {"currency": "USD", "per_eur": 1.0842, "per_usd": 1.0},
    ]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader_of_exchange_rates(noise: bytes) -> None:
    read_fx(noise)
    read_fx(ECB[:200] + noise + ECB[200:])


def test_every_source_is_tried_once_and_a_dead_one_says_why(server: HTTPServer) -> None:
    server.expect_request("/prices").respond_with_data(PAGE)
    server.expect_request("/gone").respond_with_data("gone", status=404)
    entry = {"kind": "official", "name": "X", "provider": "x"}
    sources = {
        "good": Source(id="good", url=server.url_for("/prices"), **entry),
        "gone": Source(id="gone", url=server.url_for("/gone"), **entry),
    }
    lines = list(try_sources(sources, fetcher=Fetcher(allow_private=True, pause_s=0, tries=1)))
    assert [(x.source, x.ok, x.rows) for x in lines] == [("good", True, 4), ("gone", False, 0)]
    assert "404" in lines[1].said


def test_without_a_network_doctor_says_so_for_a_source_and_exits_21() -> None:
    result = CliRunner().invoke(app, ["doctor", "--live", "--source", "ecb", "--json"])
    if result.exit_code == 0:
        pytest.skip("this machine has a network")
    assert result.exit_code == 21
    assert json.loads(result.stdout.splitlines()[-1])["ok"] is False


def test_a_draft_of_a_source_file_is_a_source_file(tmp_path: Path) -> None:
    page, out = tmp_path / "page.md", tmp_path / "acme.yaml"
    page.write_text(PAGE)
    result = CliRunner().invoke(
        app, ["init", "--source", "https://www.acme.test/docs/pricing", "--file", str(page), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert "heron-2" in result.stdout
    drafted = load_source(out)
    assert (drafted.verified, drafted.provider, drafted.expect.min_rows, drafted.expect.models) == (
        "never",
        "acme",
        2,
        ("heron-2", "heron-mini"),
    )
    again = CliRunner().invoke(
        app, ["init", "--source", "https://www.acme.test/docs/pricing", "--file", str(page), "--out", str(out)]
    )
    assert "is there already" in str(again.exception)


def test_a_first_registry_is_valid(tmp_path: Path) -> None:
    from data.registry import load_registry
    from scraper.match import Matcher

    out = tmp_path / "use_cases.yaml"
    assert CliRunner().invoke(app, ["init", "--out", str(out)]).exit_code == 0
    assert len(load_registry([out], Matcher.from_package().resolve).use_cases) == 1


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        (None, 0, 0),
        ("soon", 0, 0),
        ("²", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 1e6, 1e12),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, low: float, high: float) -> None:
    assert low <= seconds_until(header) <= high
