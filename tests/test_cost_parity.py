"""Single prices against the package genai-prices: the same sum to a millionth, and every difference has a name."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from recommender.cost import price_line

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
