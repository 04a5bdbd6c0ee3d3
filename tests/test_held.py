"""Prices that are held, let go or withdrawn, over whole cycles against a real server and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from data.errors import DataMissing, UsageError
from data.store import Store, published, rows
from jobs.facts import facts_as_of
from jobs.feedback import Said, record
from jobs.scrape import Line, scrape_cycle
from jobs.sightings import seen_once, sightings
from scraper.fetch import Fetcher
from scraper.source import Hints, Source

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
HEAD = "# Prices\nAll prices are in USD, per 1M tokens.\n\n| Model | Input | Output |\n| --- | --- | --- |\n"
USUAL = {"gpt-4o": ("2.50", "10"), "gpt-4o-mini": ("0.15", "0.60"), "gpt-4.1": ("2", "8"), "o3": ("2", "8")}
PRICE = "select usd_per_mtok::double as usd, standing from prices where endpoint = 'openai:{}' and meter = 'input'"


def page(prices: dict[str, tuple[str, str]], foot: str = "") -> str:
    return HEAD + "".join(f"| {m} | ${i} | ${o} |\n" for m, (i, o) in prices.items()) + foot


def listed(model: str, usd_in: float, usd_out: float) -> str:
    return f'{{"prices": [{{"id": "{model}", "name": "{model}", "input": {usd_in}, "output": {usd_out}}}]}}'


class Shop:
    """A seller's page on a local server whose text a test may change, a list beside it, and the cycles that read them."""

    def __init__(self, server: HTTPServer, home: Path) -> None:
        self.home, self.text, self.listed, self.status = home, page(USUAL), "", 200
        server.expect_request("/robots.txt").respond_with_data("")
        server.expect_request("/prices").respond_with_handler(self.answer)
        server.expect_request("/list").respond_with_handler(lambda _: Response(self.listed))
        self.sources = {
            "shop": Source(id="shop", kind="official", name="Shop", url=server.url_for("/prices"), provider="openai")
        }
        hints = Hints(currency="USD", per="per_mtok")
        self.list = Source(
            id="list", kind="catalogue", name="List", url=server.url_for("/list"), provider="openai", read=hints
        )

    def answer(self, _: Request) -> Response:
        return Response(self.text, self.status)

    def read(self, hours: float, *ids: str) -> dict[str, Line]:
        sources = self.sources | ({"list": self.list} if self.listed else {})
        fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
        report = scrape_cycle(
            self.home, ids or None, now=NOW + timedelta(hours=hours), sources=sources, fetcher=fetcher
        )
        return {line.source: line for line in report.lines}

    def price(self, model: str = "gpt-4o") -> tuple[float, str] | None:
        found = self.ask(PRICE.format(model))
        return (found[0]["usd"], found[0]["standing"]) if found else None

    def ask(self, query: str) -> list[dict[str, Any]]:
        with published(self.home / "market.duckdb") as con:
            return rows(con, query)

    def say(self, verdict: str, hours: float) -> str:
        sources = self.sources | {"list": self.list}
        with Store(self.home) as store:
            claim = store.rows("select claim_id from held order by held_at desc limit 1")[0]["claim_id"]
            told = record(store, claim, Said(verdict, NOW + timedelta(hours=hours), by="@dana"), sources)
            store.publish()
        return told


@pytest.fixture
def shop(httpserver: HTTPServer, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(httpserver, tmp_path)
    made.read(0)
    assert made.price() == (2.5, "official")
    yield made


def test_a_slip_that_was_taken_back_is_not_confirmed_when_it_comes_again_days_later(shop: Shop) -> None:
    slip = page(USUAL | {"gpt-4o": ("25", "100")})
    shop.text = slip
    assert shop.read(24)["shop"].held == 2
    shop.text = page(USUAL)
    shop.read(48)
    assert shop.price() == (2.5, "official")
    assert {r["released"] for r in shop.ask("select released from quarantine")} == {"lapsed"}
    shop.text = slip
    shop.read(96)
    assert shop.price() == (2.5, "disputed")
    shop.read(103)
    assert shop.price() == (25.0, "official")


def test_what_let_a_held_price_go_is_recorded_and_the_page_is_not_read_again_for_it(shop: Shop) -> None:
    shop.text = page(USUAL | {"gpt-4o": ("0.50", "2")})
    shop.read(24)
    shop.read(31)
    assert shop.price() == (0.5, "official")
    said = shop.ask("select released, released_by from quarantine")
    assert {(r["released"], r["released_by"]) for r in said} == {("release", "the page seen twice")}
    line = shop.read(40)["shop"]
    assert (line.outcome, line.rates, line.held, line.notes) == ("unchanged", 0, 0, ())


def test_a_failed_reading_in_between_neither_confirms_nor_breaks_a_second_reading(shop: Shop) -> None:
    shop.text = page(USUAL | {"gpt-4o": ("0.50", "2")})
    shop.read(24)
    shop.status = 503
    assert shop.read(31)["shop"].outcome == "failed"
    assert shop.price() == (2.5, "disputed")
    shop.status = 200
    shop.read(32)
    assert shop.price() == (0.5, "official")


def test_a_person_lets_a_price_go_at_once(shop: Shop) -> None:
    shop.text = page(USUAL | {"gpt-4o": ("0.50", "10")})
    shop.read(24)
    assert "released" in shop.say("release", 25)
    assert shop.price() == (0.5, "official")
    assert shop.read(26)["shop"].rates == 0


@pytest.mark.parametrize(
    ("verdict", "at", "read", "waits"), [(None, 31, 31, False), ("release", 25, 26, True), ("release", 25, 31, False)]
)
def test_a_held_price_that_is_let_go_was_fetched_when_it_was_held(
    shop: Shop, verdict: str | None, at: int, read: int, waits: bool
) -> None:
    """What a message rests on is found by its id, and both fetches of it count."""
    shop.text = page(USUAL | {"gpt-4o": ("0.50", "10")})
    shop.read(24)
    if verdict:
        shop.say(verdict, at)
    shop.read(read)
    with Store(shop.home) as store:
        facts = facts_as_of(store, NOW + timedelta(hours=read))
        assert facts is not None
        kept = {r["rate_id"] for r in store.rows("select rate_id from rate")}
        assert {r.rate_id for r in facts.rates} == kept
        new = [r.rate_id for r in facts.rates if r.endpoint_id == "openai:gpt-4o" and r.usd_per_mtok == Decimal("0.5")]
        assert (seen_once(sightings(store, new, NOW + timedelta(hours=read))) is not None) is waits


def test_what_a_person_refused_stays_refused_however_often_the_page_says_it(shop: Shop) -> None:
    wrong = USUAL | {"gpt-4o": ("0.50", "10")}
    shop.text = page(wrong)
    shop.read(24)
    shop.say("reject", 25)
    assert shop.price() == (2.5, "official")
    for n, foot in enumerate(("\nnew words\n", "\nother words\n", "\nmore words\n")):
        shop.text = page(wrong, foot)
        shop.read(48 + 24 * n)
    assert shop.price() == (2.5, "official")
    assert len(shop.ask("select * from quarantine")) == 1


@pytest.mark.parametrize("first", ["release", "reject"])
@pytest.mark.parametrize("second", ["release", "reject"])
def test_a_held_price_has_one_verdict_and_a_second_changes_nothing(shop: Shop, first: str, second: str) -> None:
    shop.text = page(USUAL | {"gpt-4o": ("0.50", "10")})
    shop.read(24)
    shop.say(first, 25)
    with Store(shop.home) as store:
        before = store.rows("from rate order by all"), store.rows("from held_release")
    with pytest.raises(UsageError, match=f"has its verdict: {first}, .* by @dana"):
        shop.say(second, 26)
    with Store(shop.home) as store:
        assert (store.rows("from rate order by all"), store.rows("from held_release")) == before


def test_what_a_person_lets_go_of_a_list_is_no_word_of_the_maker(shop: Shop) -> None:
    shop.listed = listed("gpt-4-turbo", 10, 30)
    shop.read(1)
    assert shop.price("gpt-4-turbo") == (10, "single")
    shop.listed = listed("gpt-4-turbo", 1, 30)
    assert shop.read(24)["list"].held == 1
    assert "list" in shop.say("release", 25)
    assert shop.price("gpt-4-turbo") == (1, "single")


def test_a_claim_nobody_holds_is_refused(shop: Shop) -> None:
    with Store(shop.home) as store, pytest.raises(DataMissing, match="nothing is held"):
        record(store, "no-such-claim", Said("release", NOW))


def test_a_price_no_longer_listed_is_withdrawn_after_three_good_readings_over_72_hours(shop: Shop) -> None:
    shop.text = page({m: p for m, p in USUAL.items() if m != "o3"})
    shop.read(24)
    shop.read(60)
    assert shop.price("o3") == (2.0, "official"), "two readings"
    shop.status = 500
    shop.read(90)
    shop.read(97)
    assert shop.price("o3") == (2.0, "official"), "a failed reading is not a reading without it"
    shop.status = 200
    shop.read(98)
    assert shop.price("o3") is None
    assert shop.price("gpt-4o") == (2.5, "official")
    then = "select count(*) as n from price_asof(date '2026-11-03', known_at := timestamp '2026-11-03 00:00:00') where endpoint = 'openai:o3'"
    assert shop.ask(then) == [{"n": 2}], "what was known then is not rewritten"
    shop.text = page(USUAL)
    shop.read(120)
    assert shop.price("o3") == (2.0, "official")


def test_two_readings_a_week_apart_withdraw_nothing(shop: Shop) -> None:
    shop.text = page({m: p for m, p in USUAL.items() if m != "o3"})
    shop.read(24)
    shop.read(24 * 8)
    assert shop.price("o3") == (2.0, "official")


def test_three_readings_within_a_day_withdraw_nothing(shop: Shop) -> None:
    shop.text = page({m: p for m, p in USUAL.items() if m != "o3"})
    for hour in (24, 30, 36, 42, 48):
        shop.read(hour)
    assert shop.price("o3") == (2.0, "official")


def test_most_of_a_page_gone_at_once_takes_a_week(shop: Shop) -> None:
    shop.text = page({"gpt-4o": USUAL["gpt-4o"]})
    for hour in (24, 60, 98):
        shop.read(hour)
    assert shop.price("o3") == (2.0, "official")
    shop.read(24 + 7 * 24)
    assert shop.price("o3") is None


def test_a_list_does_not_bring_back_what_the_sellers_page_withdrew(shop: Shop) -> None:
    shop.text = page({m: p for m, p in USUAL.items() if m != "o3"})
    for hour in (24, 60, 98):
        shop.read(hour)
    shop.listed = listed("o3", 2, 8)
    assert shop.read(120)["list"].rates == 2
    assert shop.price("o3") == (2.0, "disputed")


def test_what_a_list_states_beside_a_withdrawn_price_is_disputed(shop: Shop) -> None:
    shop.text = page({m: p for m, p in USUAL.items() if m != "o3"})
    with Store(shop.home) as store:
        kept = store.rows("select * from rate where endpoint_id = 'openai:o3' and meter = 'input'")[0]
        store.insert("rate", [kept | {"rate_id": "other", "source_id": "elsewhere", "standing": "single"}])
    for hour in (24, 60, 98):
        shop.read(hour)
    assert shop.price("o3") == (2.0, "disputed")


def test_the_order_in_which_sources_are_named_decides_nothing(httpserver: HTTPServer, tmp_path: Path) -> None:
    told = []
    for n, ids in enumerate((("shop", "list"), ("list", "shop"))):
        httpserver.clear_all_handlers()
        shop = Shop(httpserver, tmp_path / str(n))
        shop.listed = listed("gpt-4o", 2.5, 10)
        shop.read(0, *ids)
        shop.listed = listed("gpt-4o", 0.5, 10)
        shop.text = page(USUAL | {"gpt-4o": ("0.50", "10"), "o3": ("20", "8")})
        shop.read(24, *ids)
        told.append(
            (
                shop.ask("select endpoint, meter, usd_per_mtok, standing from prices order by all"),
                shop.ask("select endpoint, why from quarantine order by all"),
            )
        )
    assert told[0] == told[1]
    assert {"endpoint": "openai:o3", "why": "off by 10: looks like a unit slip"} in told[0][1]


def test_why_a_claim_became_no_rate_is_said(shop: Shop) -> None:
    shop.text = (
        page(USUAL).replace("| o3 |", "| o3 (education discount) |")
        + "\n## Fine-tuned models\n"
        + page({"gpt-4o": ("3.75", "15")}).partition("tokens.\n")[2]
    )
    line = shop.read(24)["shop"]
    assert any("left as claims" in note for note in line.notes), line
    assert shop.price() == (2.5, "official")
