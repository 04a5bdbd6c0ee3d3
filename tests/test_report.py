"""The report in a real Chromium: drawn, quiet, equal to its queries, usable by keyboard; hostile names stay text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from typer.testing import CliRunner

from data.errors import DataMissing, UsageError
from data.store import Copy, Store, published
from jobs.cli import app
from jobs.report.calendar import calendar
from jobs.report.page import html, write_folder
from jobs.report.price_history import price_png
from jobs.report.review import quarter_of, review
from jobs.report.sections import Section, dollars, markdown, shown
from scraper.browser import find_browser

REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"
HOSTILE = "<script>alert(1)</script> | [x](http://y) `*_ \"' <!channel>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo: Callable[[Path], Path]) -> Path:
    folder = tmp_path_factory.mktemp("report")
    demo(folder / "db")
    with Store(folder / "db") as store, store.transaction():
        rec = store.rows("select rec from recommendation where verdict = 'switch' order by rec limit 1")[0]["rec"]
        store.insert(
            "feedback",
            [{"rec": rec, "verdict": "rejected", "decided_at": datetime(2026, 11, 10, 6, tzinfo=UTC), "why": HOSTILE}],
        )
    with Store(folder / "db") as store:
        store.publish()
    return folder


@pytest.fixture(scope="module")
def report(home: Path) -> Path:
    patch = pytest.MonkeyPatch()
    patch.setenv("UNDERCUT_HOME", str(home / "db"))
    patch.setenv("UNDERCUT_REGISTRY", str(REGISTRY))
    try:
        for command in (["report", "--out", str(home / "report")], ["review", "--out", str(home / "reviews")]):
            done = CliRunner().invoke(app, command)
            assert done.exit_code == 0, done.output
    finally:
        patch.undo()
    return home / "report"


@pytest.fixture(scope="module")
def page(report: Path) -> Iterator[tuple[Page, list[str]]]:
    browser = find_browser()
    if browser is None:
        pytest.skip("no browser on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(browser), args=["--no-sandbox", "--disable-gpu"])
        tab, heard = running.new_page(), list[str]()
        tab.on("console", lambda m: heard.append(m.text))
        tab.on("pageerror", lambda e: heard.append(str(e)))
        tab.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else heard.append(r.url))
        tab.goto((report / "index.html").as_uri())
        tab.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
        tab.wait_for_function("[...document.images].every(i => i.complete)")
        yield tab, heard
        running.close()


@pytest.mark.browser
def test_charts_are_drawn_and_nothing_is_fetched_or_complained_of(page: tuple[Page, list[str]]) -> None:
    tab, heard = page
    drawn = tab.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt])")
    assert len(drawn) >= 10
    assert all(width > 100 and alt for width, alt in drawn)
    assert heard == []
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("[...document.images].every(i => i.complete && i.currentSrc.endsWith('-dark.svg'))")
    tab.emulate_media(color_scheme="light")
    assert heard == []


@pytest.mark.browser
def test_every_number_of_every_table_is_that_of_the_query_beside_it(page: tuple[Page, list[str]], home: Path) -> None:
    tab, _ = page
    tables: list[dict[str, Any]] = tab.evaluate(
        """[...document.querySelectorAll("section")].map(s => [s.querySelector(":scope > .wide table"), s.querySelector(":scope > details pre")])
        .filter(([t]) => t).map(([t, p]) => ({query: p.textContent, cells: [...t.tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent))}))"""
    )
    assert len(tables) >= 9
    with published(home / "db" / "market.duckdb") as con:
        for table in tables:
            rows = Copy(con).rows(table["query"])
            assert table["cells"] == [[shown(c, v) for c, v in r.items()] for r in rows], table["query"]


@pytest.mark.browser
def test_tables_sort_and_filter_by_keyboard(page: tuple[Page, list[str]]) -> None:
    tab, _ = page
    tab.focus("#t2 th:nth-child(3) button")
    tab.keyboard.press("Enter")
    values = tab.evaluate("[...document.querySelectorAll('#t2 tbody tr')].map(r => +r.cells[2].dataset.v)")
    assert values == sorted(values, reverse=True)
    assert tab.get_attribute("#t2 th:nth-child(3)", "aria-sort") == "descending"
    tab.keyboard.press("Enter")
    assert tab.get_attribute("#t2 th:nth-child(3)", "aria-sort") == "ascending"
    box = tab.locator("input.filter[aria-controls=t5]")
    box.fill("code-review")
    left = tab.evaluate(
        "[...document.querySelectorAll('#t5 tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    )
    assert set(left) == {"code-review"}
    box.fill("")


@pytest.mark.browser
def test_a_phone_does_not_scroll_sideways(page: tuple[Page, list[str]]) -> None:
    tab, _ = page
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.set_viewport_size({"width": 1200, "height": 900})


@pytest.mark.browser
def test_no_sentence_stands_in_a_column_of_single_words(page: tuple[Page, list[str]]) -> None:
    tab, _ = page
    tab.set_viewport_size({"width": 1280, "height": 900})
    heights = tab.evaluate("[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).map(r => r.offsetHeight)")
    assert 0 < max(heights) <= 190  # pixels, seven lines


def test_hostile_text_stays_text(report: Path, home: Path) -> None:
    text = (report / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert HOSTILE in unescape(text)
    written = (home / "reviews" / "2026-Q4" / "review.md").read_text(encoding="utf-8")
    row = next(line for line in written.splitlines() if "alert(1)" in line)
    assert "<script" not in row.replace("\\<script", "")
    assert "[x]" not in row and "](http" not in row.replace("\\](http", "")


def test_a_picture_for_slack_is_a_png(report: Path) -> None:
    pictures = list((report / "charts").glob("*.png"))
    assert len(pictures) >= 10
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)


def test_the_prices_of_a_use_case_or_an_endpoint_are_a_picture(home: Path) -> None:
    with published(home / "db" / "market.duckdb") as con:
        copy = Copy(con)
        case = copy.rows("select use_case, endpoint from use_cases order by use_case limit 1")[0]
        assert price_png(copy, case["use_case"]).startswith(b"\x89PNG")
        assert price_png(copy, case["endpoint"]).startswith(b"\x89PNG")
        for nobody in ("nobody:here", HOSTILE):
            with pytest.raises(DataMissing, match="no price is known"):
                price_png(copy, nobody)


def test_the_review_has_its_eleven_points_each_with_its_query(home: Path) -> None:
    with published(home / "db" / "market.duckdb") as con:
        found = review(Copy(con), date(2026, 10, 1), date(2026, 11, 12))
    assert len(found) == 11
    assert all(s.query for s in found)
    register = found[8]
    assert [r["state"] for r in register.rows] == ["rejected"]
    assert "0 of 1 answered findings were accepted" in found[0].lead
    assert len(found[10].rows) <= 5


def test_a_quarter_before_any_decision_is_refused(home: Path) -> None:
    with published(home / "db" / "market.duckdb") as con, pytest.raises(DataMissing, match="nothing was decided by"):
        review(Copy(con), date(2025, 1, 1), date(2025, 3, 31))


@pytest.mark.parametrize(
    ("text", "said"), [("2026", "no quarter"), ("2026-Q5", "no quarter"), ("2027-Q1", "has not begun")]
)
def test_a_wrong_quarter_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        quarter_of(text, date(2026, 11, 12))
    assert quarter_of("2026-Q3", date(2026, 11, 12)) == ("2026-Q3", date(2026, 7, 1), date(2026, 9, 30))
    assert quarter_of(None, date(2026, 12, 12)) == ("2026-Q4", date(2026, 10, 1), date(2026, 12, 12))


def test_a_foreign_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="no report of ours"):
        write_folder(tmp_path, {"index.html": "x"}, [])
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    mine = tmp_path / "new"
    write_folder(mine, {"index.html": "one"}, [])
    write_folder(mine, {"index.html": "two"}, [])
    assert (mine / "index.html").read_text() == "two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "thesis.txt"]


def test_unknown_is_empty_and_never_zero() -> None:
    section = Section("t", "l", "select 1", [{"cost_usd_per_month": None, "p_ok": None, "day": None}])
    assert "$0" not in html("t", "i", [section])
    assert "|  |  |  |" in markdown("t", "i", [section])
    assert [dollars(v) for v in (0.0, 0.00459, 99.94, 1234.5, -816.2)] == ["$0", "$0.00459", "$99.9", "$1,234", "−$816"]


def test_the_calendar_folds_lines_and_escapes_names(home: Path) -> None:
    with published(home / "db" / "market.duckdb") as con:
        text = calendar(Copy(con))
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = re.sub(r"\r\n ", "", text)
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") >= 3
    assert "SUMMARY:google:gemini-2.5-pro retires: docs-answers" in whole


def test_an_empty_database_is_said(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.publish()
    with published(tmp_path / "market.duckdb") as con, pytest.raises(DataMissing):
        review(Copy(con), date(2026, 10, 1), date(2026, 11, 12))
