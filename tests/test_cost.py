"""The cost evaluator: worked examples, every rate shape, and what must never be priced."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import exp, isnan, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Cost, Rate, Tokens, Workload
from recommender.cost import (
    Desk,
    RateBook,
    Ratio,
    cost_table,
    monthly_cost,
    price_line,
    price_lines,
    rates_in_force,
    share_above,
    window_share,
)
from recommender.cost.demand import demand
from recommender.cost.growth import months_until, months_worth
from recommender.cost.windows import covers, minutes

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
TOMORROW = AT + timedelta(days=1)
CALLS = 20_000 * 365 / 12


def rate(meter: str, usd: str, **changes: Any) -> Rate:
    entry = {"endpoint_id": "a:b", "meter": meter, "usd_per_mtok": Decimal(usd), "known_from": AT - timedelta(days=9)}
    return Rate(**({**entry, "standing": "single", "source_id": "x"} | changes))


def cost(rates: list[Rate], load: Workload, **changes: Any) -> Cost:
    found = monthly_cost(load, RateBook(rates, at=AT), "a:b", **changes)
    assert isinstance(found, Cost), found
    return found


def load(**changes: Any) -> Workload:
    entry = {"calls_per_month": CALLS, "input_tokens": Tokens(mean=3899), "output_tokens": Tokens(mean=280)}
    return Workload(**({**entry, "cached_share": 0.6} | changes))


BIG = [rate("input", "2.5"), rate("cached_input", "0.25"), rate("output", "10")]
MINI = [rate("input", "0.4"), rate("cached_input", "0.1"), rate("output", "1.6")]


def test_the_worked_example_of_the_product_page() -> None:
    assert round(cost(BIG, load()).usd_per_month) == 4431
    assert cost(BIG, load()).usd_per_call * 1000 == pytest.approx(7.28, abs=0.005)
    mini = cost(MINI, load(), token_ratio=Ratio(1.12, 1.0, 1.2), output_ratio=Ratio(1.35, 1.2, 1.6))
    assert round(mini.usd_per_month) == 952
    assert mini.low_usd_per_month < mini.usd_per_month < mini.high_usd_per_month
    assert sum(mini.by_meter_usd_per_month.values()) == pytest.approx(mini.usd_per_month)
    assert len(mini.rate_ids) == 3


BATCH = [
    *BIG,
    *(rate(m, usd, tier="batch") for m, usd in (("input", "1.25"), ("cached_input", "0.125"), ("output", "5"))),
]


@pytest.mark.parametrize(
    ("contract", "standard_paid", "batch_paid"),
    [
        ({"discount_share": 0.4}, 0.6, 1.0),
        ({"discount_share": -0.5}, 1.5, 1.5),
        (
            {
                "private_price": {
                    k: Decimal(v)
                    for k, v in (
                        ("input_usd_per_mtok", "1.25"),
                        ("cached_input_usd_per_mtok", "0.125"),
                        ("output_usd_per_mtok", "5"),
                    )
                }
            },
            0.5,
            1.0,
        ),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.25, 0.99, 1.0])
def test_a_contract_of_the_standard_tier_gives_nothing_off_another(
    contract: dict[str, Any], standard_paid: float, batch_paid: float, share: float
) -> None:
    """A surcharge follows; the share that moves changes the sum evenly, its last hundredth included."""
    standard, batch = cost(BIG, load()).usd_per_month, cost(BATCH, load(), tier="batch").usd_per_month
    found = cost(BATCH, load(), tier="batch", tier_share=share, tier_at_list=True, **contract)
    assert found.usd_per_month == pytest.approx((1 - share) * standard * standard_paid + share * batch * batch_paid)


def test_a_missing_cached_rate_is_full_input_and_said() -> None:
    found = cost([BIG[0], BIG[2]], load())
    assert found.notes == ("no cached_input price stated: charged as input",)
    assert found.usd_per_month == pytest.approx(cost([*BIG[::2], rate("cached_input", "2.5")], load()).usd_per_month)


@pytest.mark.parametrize("missing", [0, 2])
def test_unknown_is_never_zero(missing: int) -> None:
    rates = [r for n, r in enumerate(BIG) if n != missing]
    assert isinstance(monthly_cost(load(cached_share=0), RateBook(rates, at=AT), "a:b"), str)
    assert isinstance(monthly_cost(load(), RateBook([], at=AT), "a:b"), str)
    images = load(images_per_call=1)
    assert isinstance(monthly_cost(images, RateBook(BIG, at=AT), "a:b"), str)


def test_a_band_prices_the_whole_request() -> None:
    short, long = rate("input", "1", context_max_tokens=200_000), rate("input", "2", context_min_tokens=200_000)
    flat = load(cached_share=0, output_tokens=Tokens(mean=0))
    for tokens, usd in ((200_000, 0.2), (200_001, 0.400002)):
        found = cost([short, long], flat.model_copy(update={"input_tokens": Tokens(mean=tokens)}))
        assert found.usd_per_call == pytest.approx(usd)


def test_the_share_above_a_step_follows_the_spread() -> None:
    spread = Tokens(mean=58_800, p50=38_000, p95=180_000)
    share, tokens = share_above(spread, 200_000)
    assert share == pytest.approx(0.04, abs=0.005)
    assert tokens > share * 200_000
    assert share_above(spread, 0) == (1.0, 58_800)


def test_hours_weigh_a_time_window() -> None:
    rates = [rate("input", "1"), rate("input", "3", time_window="06:00-18:00"), rate("output", "0")]
    all_day = cost(rates, load(cached_share=0))
    nights = cost(rates, load(cached_share=0, hours_utc="18-06"))
    assert all_day.usd_per_call == pytest.approx(3899e-6 * 2)
    assert nights.usd_per_call == pytest.approx(3899e-6)


def test_only_the_batchable_share_moves_to_the_batch_tier() -> None:
    batch = [r.model_copy(update={"tier": "batch", "usd_per_mtok": (r.usd_per_mtok or 0) / 2}) for r in BIG]
    full = cost(BIG, load()).usd_per_month
    assert cost(BIG + batch, load(), tier="batch", tier_share=0.3).usd_per_month == pytest.approx(full * 0.85)


def test_private_prices_and_discounts() -> None:
    full = cost(BIG, load()).usd_per_month
    assert cost(BIG, load(), discount_share=0.1).usd_per_month == pytest.approx(full * 0.9)
    # $2 private input x 1,559.6 tokens; the rest of the list less 10 %: 2,339.4 x 0.25 and 280 x 10
    some = cost(BIG, load(), discount_share=0.1, private_price={"input_usd_per_mtok": Decimal(2)}).usd_per_call * 1e6
    assert some == pytest.approx(1559.6 * 2 + 0.9 * (2339.4 * 0.25 + 2800))
    fee = cost(BIG, load(), private_price={"call_usd": Decimal("0.001")})
    assert fee.usd_per_month == pytest.approx(full + CALLS * 0.001)
    assert cost(BIG, load(), discount_share=-0.1).usd_per_month == pytest.approx(full * 1.1)  # a surcharge
    free = dict.fromkeys(("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok"), Decimal(0))
    assert cost(BIG, load(), private_price=free).usd_per_month == 0


def test_windows_are_read_and_wrap() -> None:
    assert covers("22:00-02:00", datetime(2026, 11, 1, 1, 59, tzinfo=UTC))
    assert not covers("22:00-02:00", datetime(2026, 11, 1, 2, 0, tzinfo=UTC))
    assert int(minutes("01:00-04:00 Mon-Fri, 06:00-10:00 Mon-Fri").sum()) == 35 * 60
    assert window_share("07:00-18:00", "07-18 Mon-Fri") == 1.0
    with pytest.raises(ValueError, match="cannot read"):
        minutes("noon")


def test_what_was_not_known_or_not_begun_is_not_in_force() -> None:
    rates = [
        rate("input", "1"),
        rate("input", "2", valid_from=TOMORROW),
        rate("input", "3", known_from=TOMORROW),
        rate("output", "4", valid_to=AT),
    ]
    assert [(r.meter, r.usd_per_mtok) for r in rates_in_force(rates, AT)] == [("input", 1)]
    later = rates_in_force(rates, TOMORROW)
    assert [(r.meter, r.usd_per_mtok) for r in later] == [("input", 3)]  # seen last, and not said to end


def test_nothing_known_later_is_in_force_earlier() -> None:
    cut = rate("input", "1", known_from=AT + timedelta(days=5))
    old = rate("input", "2")
    assert rates_in_force([old, cut], AT) == [old]
    assert rates_in_force([old, cut], AT + timedelta(days=5)) == [cut]
    assert rates_in_force([old, cut], AT + timedelta(days=5), known_at=AT) == [old]


def test_no_mirror_outvotes_the_official_page() -> None:
    official = rate("input", "2", standing="official", source_id="page", known_from=AT - timedelta(days=20))
    newer = rate("input", "9", known_from=AT)
    dated = rate("input", "9", valid_from=AT - timedelta(days=2))
    assert rates_in_force([official, newer, dated], AT)[-1] == official
    held = official.model_copy(update={"standing": "disputed", "known_from": AT})
    assert rates_in_force([official, newer, held], AT) == [held]


def test_an_undated_price_seen_today_beats_a_dated_one_of_last_month() -> None:
    dated = rate("input", "3", valid_from=AT - timedelta(days=40), known_from=AT - timedelta(days=40))
    seen = rate("input", "2", known_from=AT - timedelta(days=1))
    assert rates_in_force([dated, seen], AT) == [seen]
    assert rates_in_force([dated, seen], AT - timedelta(days=30), known_at=AT) == [dated]
    promo = rate("input", "1", valid_from=AT - timedelta(days=40), valid_to=AT + timedelta(days=1))
    assert rates_in_force([promo, seen], AT) == [promo]
    assert rates_in_force([promo, seen], AT + timedelta(days=1)) == [seen]


def test_a_withdrawn_price_does_not_bring_the_one_before_back() -> None:
    first, second = rate("input", "2"), rate("input", "3", known_from=AT - timedelta(days=5))
    gone = second.model_copy(update={"withdrawn": True, "known_from": AT})
    assert rates_in_force([first, second, gone], AT) == []
    other = rate("input", "4", source_id="y")
    assert rates_in_force([first, second, gone, other], AT) == [other]


def test_bands_that_came_later_replace_the_flat_price() -> None:
    flat = rate("input", "9")
    steps = [
        rate("input", "1", context_max_tokens=1000, known_from=AT),
        rate("input", "2", context_min_tokens=1000, known_from=AT),
    ]
    at = AT.isoformat()
    for tokens, usd in ((1000, "0.001"), (1001, "0.002002")):
        assert price_line({"endpoint": "a:b", "input": tokens, "at": at}, [*steps, flat])["usd"] == usd


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"endpoint": "a:c", "input": 1, "at": "2026-11-01"}, "no endpoint"),
        ({"endpoint": "a:b", "input": -1, "at": "2026-11-01"}, "must be a count"),
        ({"endpoint": "a:b", "input": True, "at": "2026-11-01"}, "must be a count"),
        ({"endpoint": "a:b", "input": 1}, "which instant"),
        ({"endpoint": "a:b", "input": 1, "at": "noon"}, "ISO instant"),
        ({"endpoint": "a:b", "at": "2026-11-01"}, "no token counts"),
        ({"endpoint": "a:b", "input": 1, "cached_input": 2, "at": "2026-11-01"}, "add up to more"),
        ({"endpoint": "a:b", "input": 1, "at": "2026-11-01", "tier": "gold"}, "no tier"),
        ({"endpoint": "a:b", "input": 1, "at": "2026-11-01", "tier": "batch"}, "no batch price"),
        ({"endpoint": "a:b", "inputs": 1, "at": "2026-11-01"}, "unknown key"),
        ({"endpoint": "a:b", "audio_input": 1, "input": 1, "at": "2026-11-01"}, "no audio_input price"),
        ({"input": 1}, "needs an object"),
        ([1], "needs an object"),
    ],
)
def test_a_wrong_line_is_answered_with_what_to_write(entry: Any, error: str) -> None:
    answer = price_line(entry, BIG)
    assert set(answer) == {"error"}
    assert error in answer["error"]


@given(st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9) | st.floats()))
def test_no_line_crashes_or_is_free(entry: dict[str, Any]) -> None:
    answer = price_line({"endpoint": "a:b", "at": "2026-11-01", **entry}, BIG)
    assert "error" in answer or json.dumps(answer)


def test_the_easier_move_of_the_product_page() -> None:
    batch = [r.model_copy(update={"tier": "batch", "usd_per_mtok": (r.usd_per_mtok or 0) / 2}) for r in BIG]
    saving = cost(BIG, load()).usd_per_month - cost(BIG + batch, load(), tier="batch", tier_share=0.3).usd_per_month
    assert round(saving) == 665


def test_what_batch_does_not_state_is_charged_as_standard_and_said() -> None:
    batch = [rate("input", "1.25", tier="batch"), rate("output", "5", tier="batch")]
    found = cost(BIG + batch, load(), tier="batch")
    assert found.notes == ("no batch price of cached_input stated: charged as standard",)
    assert found.by_meter_usd_per_month["cached_input"] == pytest.approx(CALLS * 3899 * 0.6 * 0.25e-6)


def test_reasoning_is_billed_as_output_unless_priced_apart() -> None:
    thinking = load(reasoning_tokens=Tokens(mean=1000))
    plain = cost(BIG, thinking)
    assert plain.by_meter_usd_per_month["reasoning"] == pytest.approx(CALLS * 1000 * 10e-6)
    assert plain.notes == ()
    apart = cost([*BIG, rate("reasoning", "3")], thinking)
    assert apart.by_meter_usd_per_month["reasoning"] == pytest.approx(CALLS * 1000 * 3e-6)
    call = {"endpoint": "a:b", "output": 1500, "reasoning": 1000, "at": "2026-11-01"}
    assert price_line(call, BIG)["usd"] == "0.015"
    assert price_line(call, [*BIG, rate("reasoning", "3")])["usd"] == "0.008"


def test_a_fee_per_request_is_charged_once_a_call_and_again_for_retries() -> None:
    fee = rate("request", "1", usd_per_mtok=None, usd_per_unit=Decimal("0.005"), unit="request")
    call = {"endpoint": "a:b", "input": 1000, "at": "2026-11-01"}
    assert price_line(call, [*BIG, fee])["usd"] == "0.0075"
    assert price_line({**call, "requests": 3}, [*BIG, fee])["usd"] == "0.0175"
    found = cost([*BIG, fee], load(retry_rate=0.1))
    assert found.by_meter_usd_per_month["request"] == pytest.approx(CALLS * 1.1 * 0.005)
    assert found.usd_per_call == pytest.approx(cost([*BIG, fee], load()).usd_per_call)


def test_a_tool_is_priced_by_its_unit_and_never_as_another() -> None:
    search = rate("tool", "1", usd_per_mtok=None, usd_per_unit=Decimal("0.01"), unit="web_search")
    call = {"endpoint": "a:b", "input": 1000, "at": "2026-11-01"}
    assert price_line({**call, "web_searches": 2}, [*BIG, search])["usd"] == "0.0225"
    assert "no file_search price" in price_line({**call, "file_searches": 2}, [*BIG, search])["error"]


def test_one_price_for_both_ways_and_one_for_reading_only() -> None:
    call = {"endpoint": "a:b", "input": 1000, "output": 500, "at": "2026-11-01"}
    assert price_line(call, [rate("unified", "10")])["usd"] == "0.015"
    assert "no output price" in price_line(call, [rate("embedding", "10")])["error"]
    assert price_line({**call, "output": 0}, [rate("embedding", "10")])["usd"] == "0.01"


def test_the_hour_of_the_call_picks_the_window() -> None:
    rates = [rate("input", "1"), rate("input", "3", time_window="01:00-04:00 Mon-Fri, 06:00-10:00 Mon-Fri")]
    call = {"endpoint": "a:b", "input": 1_000_000}
    monday, sunday = "2026-11-02T03:59:59Z", "2026-11-01T03:00:00Z"
    assert price_line({**call, "at": monday}, rates)["usd"] == "3"
    assert price_line({**call, "at": "2026-11-02T04:00:00Z"}, rates)["usd"] == "1"
    assert price_line({**call, "at": "2026-11-02T11:59:00+08:00"}, rates)["usd"] == "3"
    assert price_line({**call, "at": sunday}, rates)["usd"] == "1"
    assert "no input price" in price_line({**call, "at": sunday}, rates[1:])["error"]


def test_hours_without_a_price_make_the_month_unknown() -> None:
    only_peak = [rate("input", "3", time_window="06:00-18:00"), rate("output", "0")]
    flat = load(cached_share=0)
    assert monthly_cost(flat, RateBook(only_peak, at=AT), "a:b") == "a:b: no input price is known"
    assert cost(only_peak, flat.model_copy(update={"hours_utc": "07-17"})).usd_per_call == pytest.approx(3899 * 3e-6)


def test_a_longer_prompt_crosses_the_step_sooner() -> None:
    steps = [rate("input", "1", context_max_tokens=4000), rate("input", "2", context_min_tokens=4000), BIG[2]]
    flat = load(cached_share=0)
    assert cost(steps, flat).by_meter_usd_per_month["input"] == pytest.approx(CALLS * 3899e-6)
    longer = cost(steps, flat, token_ratio=Ratio(1.1, 1.0, 1.2))
    assert longer.by_meter_usd_per_month["input"] == pytest.approx(CALLS * 3899 * 1.1 * 2e-6)
    assert longer.low_usd_per_month == pytest.approx(cost(steps, flat).usd_per_month)


@given(st.floats(100, 1e5), st.floats(1.01, 50), st.lists(st.integers(1, 10**6), unique=True, max_size=4))
def test_bands_share_out_all_tokens_and_all_calls(p50: float, spread: float, edges: list[int]) -> None:
    sigma = log(spread) / 1.645
    tokens = Tokens(mean=p50 * exp(sigma**2 / 2), p50=p50, p95=p50 * spread)
    bands = demand(load(input_tokens=tokens), sorted(edges), 1.1)
    assert sum(b["request"] for b in bands) == pytest.approx(1)
    assert sum(b["input"] + b["cached_input"] for b in bands) == pytest.approx(tokens.mean * 1.1)
    assert all(amount >= -1e-9 for b in bands for amount in b.values())


def test_a_private_output_price_covers_reasoning_too() -> None:
    found = cost(BIG, load(reasoning_tokens=Tokens(mean=1000)), private_price={"output_usd_per_mtok": Decimal(1)})
    assert found.by_meter_usd_per_month["reasoning"] == pytest.approx(CALLS * 1000e-6)


def test_the_table_says_the_same_as_one_month_at_a_time() -> None:
    from scraper.genai import load_package

    reading = load_package()
    book = RateBook(reading.rates, at=reading.capture.fetched_at)
    chance = random.Random(3)
    loads = [
        load(
            calls_per_month=chance.uniform(1e3, 1e6),
            input_tokens=Tokens(mean=p50 * 1.2, p50=p50, p95=p50 * chance.uniform(1.5, 6)),
            cached_share=chance.choice([0, 0.5]),
            retry_rate=0.05,
            hours_utc=chance.choice([None, "07-18 Mon-Fri"]),
        )
        for p50 in (800, 30_000, 150_000)
    ]
    table = cost_table(loads, book)
    assert len(table.endpoints) > 2000
    for row, one in zip(table.usd_per_month, loads, strict=True):
        for endpoint, usd in zip(table.endpoints, row, strict=True):
            found = monthly_cost(one, book, endpoint)
            assert isnan(usd) if isinstance(found, str) else usd == pytest.approx(found.usd_per_month), endpoint


def test_a_rate_keeps_its_id_through_a_table_of_nine_decimals() -> None:
    assert rate("input", "2.5").rate_id == rate("input", "2.500000000").rate_id
    assert rate("input", "2.5").rate_id != rate("input", "2.500000001").rate_id


def test_an_unknown_name_is_answered_with_what_is_known() -> None:
    call = {"input": 1, "at": "2026-11-01"}
    assert "provider:model id" in price_line({**call, "endpoint": "gpt-4o"}, BIG)["error"]
    assert "known: a" in price_line({**call, "endpoint": "z:b"}, BIG)["error"]
    assert "near it are a:b" in price_line({**call, "endpoint": "a:bb"}, BIG)["error"]


def test_every_line_has_its_answer_in_its_place_and_a_bad_one_its_number() -> None:
    good = json.dumps({"endpoint": "a:b", "input": 1000, "at": "2026-11-01"})
    lines = [good, "not json", " ", "[1]", "NaN", '{"endpoint": "z:b", "input": 1, "at": "2026-11-01"}', good]
    first, *bad, last = price_lines(lines, BIG)
    assert first == last == price_line(json.loads(good), BIG)
    assert [b["line"] for b in bad] == [2, 3, 4, 5, 6]
    assert "line 2 is no JSON" in bad[0]["error"]
    assert "line 3 is blank" in bad[1]["error"]
    assert all("usd" not in b for b in bad)


def test_a_desk_answers_as_if_each_line_stood_alone() -> None:
    rates = [
        rate("input", "1", valid_to=AT),
        rate("input", "2", valid_from=AT),
        rate("input", "3", valid_from=TOMORROW),
    ]
    desk = Desk({"a:b": rates})
    for at in (AT - timedelta(seconds=1), AT, TOMORROW - timedelta(seconds=1), TOMORROW, AT):
        call = {"endpoint": "a:b", "input": 1_000_000, "at": at.isoformat()}
        assert price_line(call, desk) == price_line(call, rates)
    assert [price_line({**call, "at": t.isoformat()}, desk)["usd"] for t in (AT, TOMORROW)] == ["2", "3"]


@pytest.mark.parametrize("window", ["25:00-26:00", "noon", "01:00-04:00 Mo-Fr", ""])
def test_an_unreadable_window_is_refused(window: str) -> None:
    with pytest.raises(ValueError, match="window"):
        minutes(window)


def test_an_unreadable_window_makes_the_price_unknown_and_stops_nothing_else() -> None:
    bad = [*BIG, rate("input", "1", time_window="at night")]
    assert (
        "cannot read the time window" in price_line({"endpoint": "a:b", "input": 1, "at": "2026-11-01"}, bad)["error"]
    )
    good = [r.model_copy(update={"endpoint_id": "a:c"}) for r in BIG]
    book = RateBook([*bad, *good], at=AT)
    assert "cannot read the time window" in str(monthly_cost(load(), book, "a:b"))
    table = cost_table([load()], book)
    assert [isnan(usd) for usd in table.usd_per_month[0]] == [True, False]


def test_a_prompt_cache_is_read_and_written_by_its_lifetime() -> None:
    """1,000 prompt tokens, 30 % read at $0.3, 45 % written at $3.75 (5 minutes) or $6 (an hour), 25 % plain at $3."""
    rates = [
        rate("input", "3"),
        rate("cached_input", "0.3"),
        rate("output", "15"),
        rate("cache_write", "3.75"),
        rate("cache_write_1h", "6"),
    ]
    five = load(
        input_tokens=Tokens(mean=1000), output_tokens=Tokens(mean=0), cached_share=0.3, cache_written_share=0.45
    )
    hour = five.model_copy(update={"cache_lifetime": "1h"})
    assert cost(rates, five).usd_per_call * 1e6 == pytest.approx(250 * 3 + 300 * 0.3 + 450 * 3.75)  # 2,527.5
    assert cost(rates, hour).usd_per_call * 1e6 == pytest.approx(250 * 3 + 300 * 0.3 + 450 * 6)  # 3,540
    assert set(cost(rates, hour).by_meter_usd_per_month) == {"input", "cached_input", "cache_write_1h"}
    own = cost(rates, five, private_price={"cache_write_usd_per_mtok": Decimal(3)})
    assert own.usd_per_call * 1e6 == pytest.approx(250 * 3 + 300 * 0.3 + 450 * 3)
    both = cost_table([five, hour], RateBook(rates, at=AT)).usd_per_month[:, 0] / CALLS * 1e6
    assert list(both) == pytest.approx([2527.5, 3540])


def test_a_host_without_any_write_price_charges_input_and_one_without_this_lifetime_is_unknown() -> None:
    hour = load(
        input_tokens=Tokens(mean=1000),
        output_tokens=Tokens(mean=0),
        cached_share=0,
        cache_written_share=0.5,
        cache_lifetime="1h",
    )
    plain = cost(BIG, hour)
    assert plain.usd_per_call * 1e6 == pytest.approx(2500)
    assert plain.notes == ()
    some = [*BIG, rate("cache_write", "3.125")]
    assert monthly_cost(hour, RateBook(some, at=AT), "a:b") == "a:b: no cache_write_1h price is known"
    assert isnan(cost_table([hour], RateBook(some, at=AT)).usd_per_month[0, 0])


def test_an_outcome_costs_its_calls_and_their_retries() -> None:
    """$0.009 a call; 1.4 calls an outcome, 3 % of them twice: 0.009 x 1.4 x 1.03."""
    plain = load(
        input_tokens=Tokens(mean=2000),
        output_tokens=Tokens(mean=400),
        cached_share=0,
        calls_per_outcome=1.4,
        retry_rate=0.03,
    )
    found = cost(BIG, plain)
    assert found.usd_per_call == pytest.approx(0.009)
    assert found.usd_per_outcome == pytest.approx(0.012978)
    assert found.usd_per_month == pytest.approx(
        CALLS * 1.03 * 0.009
    )  # outcomes are not multiplied into the month: calls are stated
    assert cost(BIG, plain, discount_share=0.08).usd_per_outcome == pytest.approx(0.012978 * 0.92)


def test_the_spread_of_prompts_is_priced_and_not_its_mean() -> None:
    """p50 38k, p95 180k: sigma 0.9455, mean 59,417. Above 200k lie 3.95 % of the calls with 20.8 % of the tokens."""
    steps = [
        rate("input", "5", context_max_tokens=200_000),
        rate("input", "10", context_min_tokens=200_000),
        rate("output", "0"),
    ]
    spread = Tokens(mean=59_417, p50=38_000, p95=180_000)
    found = cost(steps, load(cached_share=0, input_tokens=spread)).usd_per_call
    at_mean = cost(steps, load(cached_share=0, input_tokens=Tokens(mean=59_417))).usd_per_call
    assert at_mean == pytest.approx(59_417 * 5e-6)
    share, tokens = share_above(spread, 200_000)
    assert (share, tokens / 59_417) == (pytest.approx(0.0395, abs=2e-4), pytest.approx(0.2084, abs=2e-3))
    assert found == pytest.approx(at_mean + tokens * 5e-6)


def test_answers_after_a_long_prompt_are_priced_by_its_band_too() -> None:
    steps = [rate("input", "1", context_max_tokens=1000), rate("input", "2", context_min_tokens=1000),
             rate("output", "4", context_max_tokens=1000), rate("output", "8", context_min_tokens=1000)]  # fmt: skip
    short = load(cached_share=0, input_tokens=Tokens(mean=1000), output_tokens=Tokens(mean=100))
    long = short.model_copy(update={"input_tokens": Tokens(mean=1001)})
    assert cost(steps, short).usd_per_call == pytest.approx(1000e-6 + 400e-6)
    assert cost(steps, long).usd_per_call == pytest.approx(2002e-6 + 800e-6)


def test_half_of_the_calls_in_flex_pay_half_and_the_rest_standard() -> None:
    flex = [r.model_copy(update={"tier": "flex", "usd_per_mtok": (r.usd_per_mtok or 0) / 2}) for r in BIG]
    full, none = cost(BIG, load()).usd_per_month, monthly_cost(load(), RateBook(BIG, at=AT), "a:b", tier="flex")
    assert cost(BIG + flex, load(), tier="flex", tier_share=0.5).usd_per_month == pytest.approx(full * 0.75)
    assert none == "no flex price is known for a:b"


def test_weekday_hours_weigh_the_week_as_the_product_page_says() -> None:
    """Peak 01-04 and 06-10 UTC Mon-Fri is 35 of 168 hours: (35 x 1.32 + 133 x 0.66) / 168 = 0.7975."""
    peak = rate("output", "1.32", time_window="01:00-04:00 Mon-Fri, 06:00-10:00 Mon-Fri")
    rates = [rate("input", "0"), rate("output", "0.66"), peak]
    flat = load(cached_share=0, input_tokens=Tokens(mean=0), output_tokens=Tokens(mean=1_000_000))
    assert cost(rates, flat).usd_per_call == pytest.approx(0.7975)
    assert cost(rates, flat.model_copy(update={"hours_utc": "10-24"})).usd_per_call == pytest.approx(0.66)
    work = flat.model_copy(update={"hours_utc": "06-10 Mon-Fri"})
    assert cost(rates, work).usd_per_call == pytest.approx(1.32)


def test_a_region_is_an_endpoint_of_its_own_with_its_own_price() -> None:
    eu = [
        r.model_copy(update={"endpoint_id": "a:b@eu", "usd_per_mtok": (r.usd_per_mtok or 0) * Decimal("1.1")})
        for r in BIG
    ]
    book = RateBook([*BIG, *eu], at=AT)
    both = [monthly_cost(load(), book, e) for e in ("a:b", "a:b@eu")]
    assert isinstance(both[0], Cost)
    assert isinstance(both[1], Cost)
    assert both[1].usd_per_month == pytest.approx(both[0].usd_per_month * 1.1)


def test_ratios_carry_their_ends_into_the_range_and_stay_with_the_cost() -> None:
    """Prompts x1.12 (1 to 1.2), answers x1.35 (1.2 to 1.6) at $0.4, $0.1 cached and $1.6: low and high by hand."""
    found = cost(MINI, load(), token_ratio=Ratio(1.12, 1.0, 1.2), output_ratio=Ratio(1.35, 1.2, 1.6))
    prompt, answer = 3899 * (0.4 * 0.4 + 0.6 * 0.1) * 1e-6, 280 * 1.6e-6
    assert found.low_usd_per_month == pytest.approx(CALLS * (prompt + 1.2 * answer))
    assert found.usd_per_month == pytest.approx(CALLS * (1.12 * prompt + 1.35 * answer))
    assert found.high_usd_per_month == pytest.approx(CALLS * (1.2 * prompt + 1.6 * answer))
    assert (found.prompt_ratio, found.answer_ratio) == ((1.12, 1.0, 1.2), (1.35, 1.2, 1.6))


@pytest.mark.parametrize(
    ("months", "growth", "worth"), [(6, 0.0, 6), (6, 0.06, 7.1827), (6, -0.2, 3.3066), (12, 0.06, 17.3714)]
)
def test_growing_traffic_is_worth_more_months_of_todays_bill(months: float, growth: float, worth: float) -> None:
    """((1 + g)^m - 1) / ln(1 + g): (1.06^6 - 1)/0.058269 = 7.1827."""
    assert months_worth(months, growth) == pytest.approx(worth, abs=1e-3)
    assert months_until(worth, growth) == pytest.approx(months, abs=1e-3)


def test_shrinking_traffic_may_never_pay_back() -> None:
    assert months_until(4.0, -0.2) == pytest.approx(10.0, abs=0.05)  # 1/0.2231 = 4.48 months of today's bill in all
    assert months_until(4.5, -0.2) is None
