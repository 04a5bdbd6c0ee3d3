"""The package genai-prices as a source: every number can be found again, dates and hours hold, nothing is guessed."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from data.errors import PageChanged
from data.records import PriceClaim, Rate
from scraper.genai import PackageReading, load_package, package_rates, reread
from scraper.genai.body import _price_set, day_of
from scraper.genai.offers import METERS, UNITS, money, offers_of
from scraper.source import Source


@pytest.fixture(scope="module")
def reading() -> PackageReading:
    return load_package()


def offers(model: dict[str, Any]) -> tuple[list[tuple[str, PriceClaim]], Counter[str]]:
    skipped: Counter[str] = Counter()
    return [tuple(o) for o in offers_of("p", "m", {"name": "M", **model}, "0" * 64, skipped)], skipped


def spans(model: dict[str, Any]) -> list[tuple[Any, ...]]:
    day = "{:%Y-%m-%d}".format
    return [
        (c.meter, c.tier, str(c.amount), c.valid_from and day(c.valid_from), c.valid_to and day(c.valid_to))
        for _, c in offers(model)[0]
    ]


def test_every_claim_finds_its_number_and_its_quote_in_the_body(reading: PackageReading) -> None:
    text, whole = reading.body.decode(), json.loads(reading.body)
    assert len(reading.claims) >= 7000
    for claim in reading.claims:
        value: Any = whole
        for part in claim.locator.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            value = value[int(key)] if isinstance(value, list) else value[key]
        assert Decimal(value) == claim.amount, claim.locator
        assert claim.quote in text
    assert reread(reading.body, reading.claims[0].locator) == format(reading.claims[0].amount, "f")
    with pytest.raises(LookupError):
        reread(reading.body, "/nobody/nothing")


def test_claims_and_rates_built_without_validation_would_pass_it(reading: PackageReading) -> None:
    for claim, rate in zip(reading.claims, reading.rates, strict=True):
        assert PriceClaim.model_validate(vars(claim)) == claim
        assert Rate.model_validate(vars(rate)) == rate
        assert (rate.usd_per_mtok is None) != (rate.usd_per_unit is None)
        assert rate.claim_ids == (claim.content_id(),)
        assert claim.amount >= 0


def test_the_same_package_reads_the_same(reading: PackageReading) -> None:
    again = load_package()
    assert again.body == reading.body
    assert again.capture == reading.capture
    assert again.offers == reading.offers


def test_its_facts_are_of_the_day_looked_up_and_not_of_the_installation(reading: PackageReading) -> None:
    assert reading.capture.url == "pkg:genai-prices@0.2.3"
    assert reading.capture.as_of == datetime(2026, 11, 10, tzinfo=UTC)
    assert reading.capture.fetched_at == reading.capture.as_of
    assert reading.capture.renderer == "package"
    assert {r.known_from for r in reading.rates} == {reading.capture.as_of}
    assert {r.standing for r in reading.rates} == {"single"}


def test_a_version_nobody_looked_up_is_as_old_as_its_newest_check() -> None:
    source = Source(id="x", kind="catalogue", name="X", url="pkg:x", released={"1": "2026-05-01"})
    comments = ["Verified on 2026-04-02.", "rates checked against the page on 2026-04-09; from 2027-01-01 they rise"]
    assert day_of(source, "1", comments) == datetime(2026, 5, 1, tzinfo=UTC)
    assert day_of(source, "2", comments) == datetime(2026, 4, 9, tzinfo=UTC)
    with pytest.raises(PageChanged, match="of which day"):
        day_of(source, "2", ["from 2027-01-01 they rise"])


def test_the_older_price_ends_where_the_newer_begins() -> None:
    model = {
        "prices": [
            {"input_mtok": "3", "cache_read_mtok": "1"},
            {"from": "2026-03-01", "input_mtok": "2"},
            {"from": "2026-06-01", "input_mtok": "1"},
        ]
    }
    assert spans(model) == [
        ("input", "standard", "3", None, "2026-03-01"),
        ("cached_input", "standard", "1", None, "2026-03-01"),  # the newer set replaces the older one whole
        ("input", "standard", "2", "2026-03-01", "2026-06-01"),
        ("input", "standard", "1", "2026-06-01", None),
    ]


def test_of_variants_the_first_holds_price_by_price() -> None:
    batch = {"when": {"processing": "batch"}}
    model = {
        "prices": [{"input_mtok": "3"}],
        "variants": [
            {**batch, "from": "2027-01-01", "input_mtok": "2"},
            {**batch, "from": "2026-10-01", "input_mtok": "1", "cache_read_mtok": "0.1"},
            {**batch, "from": "2026-11-01", "cache_read_mtok": "0.2"},
        ],
    }
    assert spans(model)[1:] == [
        ("input", "batch", "2", "2027-01-01", None),
        ("input", "batch", "1", "2026-10-01", "2027-01-01"),
        ("cached_input", "batch", "0.1", "2026-10-01", None),  # the third begins later and is weaker: never in force
    ]


def test_steps_hold_above_their_start_and_up_to_the_next() -> None:
    model = {"prices": [{"input_mtok": {"base": "1", "above": [[1000, "2"], [5000, "3"]]}}]}
    bands = [(c.context_min_tokens, c.context_max_tokens, c.amount) for _, c in offers(model)[0]]
    assert bands == [(None, 1000, 1), (1000, 5000, 2), (5000, None, 3)]


def test_hours_are_kept_and_a_later_start_ends_them_too() -> None:
    model = {
        "prices": [
            {"input_mtok": "1"},
            {"hours_utc": "01:00-04:00", "input_mtok": "2"},
            {"from": "2026-06-01", "input_mtok": "3"},
        ]
    }
    found = [(c.time_window, c.amount, c.valid_to is not None) for _, c in offers(model)[0]]
    assert found == [(None, 1, True), ("01:00-04:00", 2, True), (None, 3, False)]


def test_what_has_no_word_of_ours_is_counted_and_left_out() -> None:
    variants = [
        {"when": {"search_type": "web"}, "input_mtok": "1"},
        {"when": {"processing": "batch", "speed": "fast"}, "input_mtok": "1"},
        {"when": {"service_tier": "default"}},
    ]
    found, skipped = offers({"prices": [{"input_mtok": "1", "input_mchars": "4"}], "variants": variants})
    assert len(found) == 1
    assert skipped == {"input_mchars": 1, "search_type=web": 1, "processing=batch&speed=fast": 1}


def test_two_conditions_of_one_tier_make_one_price() -> None:
    variants = [{"when": {"service_tier": word}, "input_mtok": "6"} for word in ("priority", "fast")]
    found, skipped = offers({"prices": [{"input_mtok": "3"}], "variants": variants})
    assert [(c.tier, c.amount) for _, c in found] == [("standard", 3), ("priority", 6)]
    assert skipped == {"again as priority": 1}


def test_no_two_rates_stand_in_the_same_place_at_the_same_time(reading: PackageReading) -> None:
    places = Counter(
        (
            r.endpoint_id,
            r.tier,
            r.meter,
            r.unit,
            r.context_min_tokens,
            r.context_max_tokens,
            r.time_window,
            r.valid_from,
        )
        for r in reading.rates
    )
    assert [p for p, n in places.items() if n > 1] == []


def test_an_unknown_condition_is_refused_and_not_ignored() -> None:
    with pytest.raises(PageChanged, match="nobody has taught us"):
        _price_set(SimpleNamespace(input_mtok=Decimal(1)), SimpleNamespace(weekday="Mon"))


def test_a_route_is_a_region_and_an_at_sign_in_a_name_is_not() -> None:
    model = {
        "name": "M",
        "prices": [{"input_mtok": "1"}],
        "variants": [{"when": {"route": "mistral/eu"}, "input_mtok": "2"}],
    }
    found = list(offers_of("p", "m@001", model, "0" * 64, Counter()))
    assert [o.endpoint_id for o in found] == ["p:m@001", "p:m@001@eu"]
    assert [o.claim.region for o in found] == [None, "eu"]
    assert {o.claim.model_id_as_written for o in found} == {"m@001"}


def test_money_keeps_the_unit() -> None:
    assert {per for _, per in METERS.values()} == {"per_mtok", *UNITS}
    found, _ = offers({"prices": [{"web_searches_kcount": "10", "audio_hours": "0.4", "input_mtok": "2"}]})
    assert [money(c) for _, c in found] == [
        (None, Decimal("0.01"), "web_search"),
        (None, Decimal("0.4"), "hour"),
        (Decimal(2), None, None),
    ]


def test_an_empty_package_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_prices.data.providers", [])
    with pytest.raises(PageChanged):
        load_package(Source(id="x", kind="catalogue", name="X", url="pkg:x", released={"0.2.3": "2026-11-10"}))


def test_a_package_without_an_expected_model_has_failed() -> None:
    short = Source.model_validate(
        {"id": "x", "kind": "catalogue", "name": "X", "url": "pkg:x", "released": {"0.2.3": "2026-11-10"}}
        | {"expect": {"models": ("gpt-4o", "no-such-model")}}
    )
    with pytest.raises(PageChanged, match="without no-such-model"):
        load_package(short)


def test_rates_asked_for_one_by_one_are_those_of_the_whole(reading: PackageReading) -> None:
    rates = package_rates()
    whole: dict[str, list[Rate]] = {}
    for rate in reading.rates:
        whole.setdefault(rate.endpoint_id, []).append(rate)
    assert {e: own for e, own in rates.items() if own} == whole
    assert rates.get("openai:gpt-nobody") is None


def test_known_prices_as_a_person_reads_them() -> None:
    rates = package_rates()
    plain = {(r.meter, r.tier): r.usd_per_mtok for r in rates["openai:gpt-4o"] if r.usd_per_mtok is not None}
    assert plain[("input", "standard")] == Decimal("2.5")
    assert plain[("cached_input", "standard")] == Decimal("1.25")
    assert plain[("output", "batch")] == Decimal("5")
    writes = {r.meter: r.usd_per_mtok for r in rates["anthropic:claude-3-5-haiku-latest"] if r.tier == "standard"}
    assert (writes["cache_write"], writes["cache_write_1h"]) == (Decimal("1"), Decimal("1.6"))
    peak = [r.time_window for r in rates["deepseek:deepseek-v4-pro"] if r.meter == "input"]
    assert peak == [None, None, "01:00-04:00", "06:00-10:00"]
