"""Conditions become bands, windows and days only where the text says so whole."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Meter, PriceClaim, Tier
from jobs.offers import shape
from scraper.prices.conditions import Band, Days, band_of, days_of, region_of, window_of


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("≤ 200K input tokens", Band(None, 200_000)),
        ("> 200K", Band(200_000, None)),
        ("prompts <= 200k tokens", Band(None, 200_000)),
        ("prompts > 200k tokens", Band(200_000, None)),
        ("0<Token≤1M", Band(None, 1_000_000)),
        ("32K<Token≤128K", Band(32_000, 128_000)),
        ("256K~1M", Band(256_000, 1_000_000)),
        ("32~128K", Band(32_000, 128_000)),
        ("→ over 100K", Band(100_000, None)),
        ("min_prompt_tokens 200000", Band(200_000, None)),
        ("输入＜32k", Band(None, 32_000)),
        ("up to 128,000 tokens", Band(None, 128_000)),
        ("25张 ＜ 生成数量 ≤ 125张", None),
        ("> 5 images", None),
        ("over 1,000 requests", None),
        ("Qwen3-8B", None),
        ("128K context", None),
        ("2024-08", None),
        ("> 3", None),
    ],
)
def test_a_band_is_read_whole_or_not_at_all(text: str, band: Band | None) -> None:
    assert band_of(text) == band


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Off-peak 16:30-00:30 (UTC)", "16:30-00:30"),
        ("北京时间 00:30-08:30", "16:30-00:30"),
        ("UTC+8 08:30–00:30", "00:30-16:30"),
        ("16:30-00:30", None),
    ],
)
def test_hours_without_a_time_zone_are_no_window(text: str, window: str | None) -> None:
    assert window_of(text) == window


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Claude Sonnet 5 through August 31, 2026", Days(None, datetime(2026, 9, 1, tzinfo=UTC))),
        ("Claude Sonnet 5 starting September 1, 2026", Days(datetime(2026, 9, 1, tzinfo=UTC), None)),
        ("Hy3 preview （2026-08-31 下线）", Days(None, datetime(2026, 9, 1, tzinfo=UTC))),
        ("gpt-4o-2024-08-06", None),
        ("until February 31, 2026", None),
    ],
)
def test_days_of_validity(text: str, days: Days | None) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize(
    "text", ["US East (N. Virginia)", "华北2（北京）", "新加坡", "eu-west-1", "北京 上海 杭州 深圳", "Europe", "Global"]
)
def test_places_are_regions(text: str) -> None:
    assert region_of(text) == text


@pytest.mark.parametrize("text", ["Pricing", "Text models", "US pricing for teams", "128K", "", "1-2", "North Star 7B"])
def test_other_words_are_no_region(text: str) -> None:
    assert region_of(text) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_readers(text: str) -> None:
    band = band_of(text)
    assert band is None or band.least is None or band.most is None or band.least < band.most
    window_of(text)
    days_of(text)


def claim_with(*conditions: str, meter: Meter = "input", name: str = "Heron 2") -> PriceClaim:
    return PriceClaim(
        capture="x", model_as_written=name, meter=meter, amount=Decimal(1), currency="USD", per="per_mtok",
        conditions=conditions, quote="$1", locator="a",
    )  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    [
        "Model pricing",
        "Heron 2",
        "free",
        "Standard",
        "Text Models",
        "text / image / video",
        "Global",
        "产品定价",
    ],
)
def test_a_condition_that_narrows_nothing_or_is_in_a_field_leaves_a_price_plain(condition: str) -> None:
    assert shape(claim_with(condition)) is not None


@pytest.mark.parametrize(
    "condition",
    ["Long context pricing", "beside Training", "provider acme", "US East (N. Virginia)", "EU data residency", "Government cloud",
     "unit inferred from the size of the numbers: per_token", "starting price", "range low", "审核", "16:30-00:30", "education discount"],
)  # fmt: skip
def test_a_condition_nobody_understands_keeps_a_claim_from_becoming_a_rate(condition: str) -> None:
    assert shape(claim_with(condition)) is None


def test_an_hour_of_cache_is_its_own_meter() -> None:
    shaped = shape(claim_with("1h", meter="cache_write"))
    assert shaped is not None
    assert shaped.meter == "cache_write_1h"


@pytest.mark.parametrize(
    ("condition", "tier"),
    [("Batch", "standard"), ("Flex processing", "standard"), ("Priority", "batch"), ("Fast mode", "standard")],
)
def test_a_price_of_another_tier_is_never_the_price_of_this_one(condition: str, tier: Tier) -> None:
    assert shape(claim_with(condition).model_copy(update={"tier": tier})) is None
    own = {"Batch": "batch", "Flex processing": "flex", "Priority": "priority", "Fast mode": "priority"}[condition]
    assert shape(claim_with(condition).model_copy(update={"tier": own})) is not None


@pytest.mark.parametrize(
    "condition", ["50%", "-20 %", "10,000+", "3 models", "≥ 5", "2x", "*", "tokens > 3", "price 2025", "7"]
)
def test_a_number_or_a_sign_that_nobody_can_place_is_not_passed_over(condition: str) -> None:
    assert shape(claim_with(condition)) is None


@pytest.mark.parametrize(
    "condition", ["Heron 2", "per 1M tokens", "Prices per 1,000,000 tokens", "(¥17.50)", "Heron 2 series"]
)
def test_names_units_and_equivalents_narrow_nothing(condition: str) -> None:
    assert shape(claim_with(condition)) is not None


@given(
    st.lists(st.text(max_size=20), max_size=3),
    st.sampled_from(["enterprise only", "for students", "first month", "beta"]),
)
def test_words_around_it_never_make_an_unknown_condition_understood(around: list[str], unknown: str) -> None:
    assert shape(claim_with(*around, unknown)) is None


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ("≤ 200K", {"context_max_tokens": 200_000}),
        ("through August 31, 2026", {"valid_to": datetime(2026, 9, 1, tzinfo=UTC)}),
    ],
)
def test_a_band_or_a_day_counts_only_where_the_claim_holds_it(condition: str, field: dict[str, object]) -> None:
    assert shape(claim_with(condition)) is None
    assert shape(claim_with(condition).model_copy(update=field)) is not None
