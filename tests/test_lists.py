"""Lists bear witness for the seller they name, settle among themselves, and never touch what a seller's page states."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from data.store import published, rows
from jobs.lists import seller_of
from jobs.scrape import scrape_cycle
from scraper.fetch import Fetcher
from scraper.source import Hints, Source, load_sources
from tests.test_conditions import claim_with

NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)


def entry(seller: str, usd_in: float, usd_out: float) -> dict[str, Any]:
    return {"input_cost_per_token": usd_in / 1e6, "output_cost_per_token": usd_out / 1e6, "litellm_provider": seller}


def a_list(server: HTTPServer, name: str, prices: dict[str, dict[str, Any]], copies: tuple[str, ...] = ()) -> Source:
    server.expect_request(f"/{name}").respond_with_handler(lambda _: Response(json.dumps(prices)))
    read = Hints(currency="USD", per="per_token")
    return Source(id=name, kind="catalogue", name=name, url=server.url_for(f"/{name}"), read=read, copies=copies)


def cycle(home: Path, *sources: Source, now: datetime = NOW) -> None:
    declared = {s.id: s for s in (load_sources()["genai-prices"], *sources)}
    report = scrape_cycle(
        home, None, now=now, sources=declared, fetcher=Fetcher(allow_private=True, pause_s=0, tries=1)
    )
    assert [line.error for line in report.lines if line.error] == []


def price(home: Path, endpoint: str, meter: str = "input") -> tuple[float, str]:
    query = f"select usd_per_mtok::double as usd, standing from prices where endpoint = '{endpoint}' and meter = '{meter}' and tier = 'standard'"
    with published(home / "market.duckdb") as con:
        (found,) = rows(con, query)
    return found["usd"], found["standing"]


@pytest.fixture(autouse=True)
def robots(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("")


def test_a_second_independent_list_makes_a_price_witnessed_and_a_different_one_disputed(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    prices = {"gpt-4o": entry("openai", 2.5, 11), "gpt-4o-mini": entry("openai", 0.15, 0.6)}
    cycle(tmp_path, a_list(httpserver, "one", prices))
    assert price(tmp_path, "openai:gpt-4o") == (2.5, "witnessed")
    assert price(tmp_path, "openai:gpt-4o", "output") == (10.0, "disputed"), "the old price stands"
    assert price(tmp_path, "openai:gpt-4o-mini") == (0.15, "witnessed")
    assert price(tmp_path, "openai:gpt-4.1") == (2.0, "single"), "nobody else says so"
    prices["gpt-4o"] = entry("openai", 2.5, 10)
    cycle(tmp_path, a_list(httpserver, "one", prices), now=NOW + timedelta(days=1))
    assert price(tmp_path, "openai:gpt-4o", "output") == (10.0, "witnessed"), "a dispute ends when they agree"


def test_a_list_that_copies_is_no_second_witness(httpserver: HTTPServer, tmp_path: Path) -> None:
    cycle(tmp_path, a_list(httpserver, "copy", {"gpt-4o": entry("openai", 2.5, 10)}, copies=("genai-prices",)))
    assert price(tmp_path, "openai:gpt-4o") == (2.5, "single")


def test_another_sellers_price_is_no_witness_and_no_dispute(httpserver: HTTPServer, tmp_path: Path) -> None:
    prices = {
        "azure/gpt-4o": entry("azure", 2.5, 11),
        "openrouter/openai/gpt-4o": entry("openrouter", 9, 9),
        "gpt-4o": entry("acme", 3, 9),
    }
    cycle(tmp_path, a_list(httpserver, "one", prices))
    assert price(tmp_path, "openai:gpt-4o") == (2.5, "single")
    assert price(tmp_path, "openai:gpt-4o", "output") == (10.0, "single")


def test_a_list_that_nobody_read_for_a_month_says_nothing(httpserver: HTTPServer, tmp_path: Path) -> None:
    prices = {"gpt-4o": entry("openai", 2.5, 10)}
    cycle(tmp_path, now=NOW - timedelta(days=40))
    one = a_list(httpserver, "one", prices)
    read = scrape_cycle(
        tmp_path,
        ["one"],
        now=NOW - timedelta(days=40),
        sources={"one": one},
        fetcher=Fetcher(allow_private=True, pause_s=0),
    )
    assert read.exit_code == 0
    httpserver.clear_all_handlers()
    httpserver.expect_request("/robots.txt").respond_with_data("")
    cycle(tmp_path, a_list(httpserver, "other", {"gpt-4.1": entry("openai", 2, 8)}))
    assert price(tmp_path, "openai:gpt-4o") == (2.5, "single")
    assert price(tmp_path, "openai:gpt-4.1") == (2.0, "witnessed")


@pytest.mark.parametrize(
    ("condition", "locator", "seller"),
    [("provider bedrock_converse", "x", "aws"), ("provider acme", "x", "acme"), ("x", "/openai/models/gpt-4o", "openai"),
     ("x", "/prices/0/input", None)],
)  # fmt: skip
def test_whose_price_a_list_states(condition: str, locator: str, seller: str | None) -> None:
    claim = claim_with(condition).model_copy(update={"locator": locator})
    assert seller_of(claim, {"openai", "aws"})[0] == seller


def test_a_list_of_thousands_is_settled_in_seconds(httpserver: HTTPServer, tmp_path: Path) -> None:
    with_names = {f"acme/model-{n}": entry("acme", 1 + n / 1000, 2) for n in range(3000)} | {
        "gpt-4o": entry("openai", 2.5, 10)
    }
    cycle(tmp_path)
    started = time.monotonic()
    cycle(tmp_path, a_list(httpserver, "long", with_names), now=NOW + timedelta(hours=1))
    assert time.monotonic() - started < 60
    assert price(tmp_path, "openai:gpt-4o") == (2.5, "witnessed")
