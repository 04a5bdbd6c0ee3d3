"""The cost evaluator: worked examples, every rate shape, and what must never be priced."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Cost, Rate, Tokens, Workload
from recommender.cost import RateBook, Ratio, monthly_cost, price_line, rates_in_force, share_above, window_share
from recommender.cost.windows import covers, minutes

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
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
    tomorrow = AT + timedelta(days=1)
    rates = [
        rate("input", "1"),
        rate("input", "2", valid_from=tomorrow),
        rate("input", "3", known_from=tomorrow),
        rate("output", "4", valid_to=AT),
    ]
    assert [(r.meter, r.usd_per_mtok) for r in rates_in_force(rates, AT)] == [("input", 1)]
    later = rates_in_force(rates, tomorrow)
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


# Where an answer of ours differs from the package's, it is for one of these reasons, each checked where it is counted.
NO_PRICE = "ours refuses: a meter of the call has no price there, the package counts it as 0 or as plain input"
NOT_YET = "ours refuses: the tier has no price on that day, the package charges standard"
CONTEXTS = {
    "standard": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority", "speed": "fast"},
}
PRICE_KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_input": "input_audio_mtok",
}


def parity(cases: int) -> Counter[str]:
    """Random calls priced by both; every difference has a name. Half of the calls go where prices have a shape."""
    from genai_prices import Usage
    from genai_prices.data import providers

    from scraper.genai import package_rates

    chance = random.Random(7)
    rates = package_rates()
    every = [(p, m) for p in providers for m in p.models]
    strata = [every] + [
        [(p, m) for p, m in every if word in repr(m.prices) + repr(m.price_variants)]
        for word in ("PriceVariant(", "TieredPrices(", "StartDateConstraint(", "TimeOfDateConstraint(")
    ]
    counts: Counter[str] = Counter()
    for _ in range(cases):
        provider, model = chance.choice(chance.choices(strata, (5, 2, 1, 1, 1))[0])
        tier = chance.choice(["standard", *CONTEXTS]) if model.price_variants else "standard"
        context = CONTEXTS[tier]
        first = chance.choice([datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 10, 10, tzinfo=UTC)])
        at = first + timedelta(minutes=chance.randrange(60 * 24 * 150))
        prices = vars(model.get_prices(at, context))
        call = {"input": chance.choice([10, 900, 40_000, 128_000, 200_000, 200_001, 272_001, 900_000])}
        call["output"] = chance.randrange(5000)
        room = call["input"]
        for part in ("cached_input", "cache_write", "cache_write_1h", "audio_input"):
            priced = PRICE_KEYS.get(part) is None or prices.get(PRICE_KEYS[part]) is not None
            if chance.random() < (0.25 if priced else 0.02) and (priced or part != "audio_input"):
                call[part] = chance.randrange(room // 3)
                room -= call[part]
        if chance.random() < 0.25:
            call["reasoning"] = chance.randrange(call["output"] + 1)
        usage = Usage(
            input_tokens=call["input"],
            output_tokens=call["output"],
            cache_read_tokens=call.get("cached_input", 0),
            cache_write_tokens=call.get("cache_write", 0) + call.get("cache_write_1h", 0),
            cache_write_1h_tokens=call.get("cache_write_1h", 0),
            input_audio_tokens=call.get("audio_input", 0),
            cache_audio_read_tokens=0,
            output_reasoning_tokens=call.get("reasoning", 0),
        )
        theirs = model.calc_price(usage, provider, genai_request_timestamp=at, price_context=context).total_price
        entry = {"endpoint": f"{provider.id}:{model.id}", **call, "at": at.isoformat(), "tier": tier}
        ours = price_line(entry, rates)
        if "usd" in ours:
            same = abs(Decimal(ours["usd"]) - theirs) <= Decimal("1e-6") * max(Decimal(1), theirs)
            assert same, (entry, ours, theirs, prices)
            counts["agree"] += 1
            counts[f"agree, {tier}"] += 1
            counts["agree, stepped"] += any(r["above_tokens"] or r["up_to_tokens"] for r in ours["rates"])
            counts["agree, by the hour"] += any(r["time_window"] for r in ours["rates"])
        elif "has no" in ours["error"] and tier != "standard":
            assert prices == vars(model.get_prices(at)), (entry, ours)
            counts[NOT_YET] += 1
        else:
            lacking = [k for k in call if call[k] and k in PRICE_KEYS and prices.get(PRICE_KEYS[k]) is None]
            assert lacking, (entry, ours, prices)
            counts[NO_PRICE] += 1
    return counts


def test_a_sample_agrees_with_the_package_to_a_millionth() -> None:
    counts = parity(700)
    assert counts["agree"] > 450
    assert counts["agree, stepped"] > 10
    assert counts["agree, batch"] > 5


@pytest.mark.slow
def test_thousands_agree_with_the_package_to_a_millionth(capsys: pytest.CaptureFixture[str]) -> None:
    counts = parity(8000)
    with capsys.disabled():
        print("\nparity with genai-prices, 8,000 calls:")  # noqa: T201
        for what, n in sorted(counts.items()):
            print(f"{n:6} {what}")  # noqa: T201
    assert counts["agree"] >= 5000
    assert counts["agree, by the hour"] > 5
