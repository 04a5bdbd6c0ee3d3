"""What stood beside a fall: nothing is named that is not known, and nothing is called a cause."""

from __future__ import annotations

from datetime import date, timedelta

from jobs.trends.drivers import drops, size_of
from jobs.trends.forecast import own_lines
from recommender.trends.drivers import Cut, Known, drivers

DAY = date(2026, 3, 1)


def test_nothing_known_is_nothing_said() -> None:
    assert drivers(Known("a/x", "a"), Known("b/y", "b"), DAY, []) == []
    assert drivers(Known("a/x", "a"), Known("a/x", "a"), DAY, []) == []


def test_each_driver_is_named_where_it_is_visible() -> None:
    old = Known("a/big-70b", "a", since=DAY - timedelta(400), size=70, open_weights=False, precision="bf16")
    new = Known(
        "b/small-8b", "b", since=DAY - timedelta(9), size=8, open_weights=True, hosts=5, spread=2.0, precision="fp8"
    )
    assert drivers(old, new, DAY, []) == [
        "newer model", "smaller model", "open weights", "host competition", "lower precision",
    ]  # fmt: skip
    assert drivers(new, old, DAY, []) == []


def test_the_same_model_is_never_newer_or_smaller() -> None:
    before, after = Known("a/x", "a", hosts=2), Known("a/x", "a", hosts=4)
    assert drivers(before, after, DAY, [Cut("a", DAY, 0.3)]) == ["list price cut", "more hosts"]


def test_a_price_war_is_a_rivals_deep_cut_within_thirty_days_before() -> None:
    before, after = Known("a/x", "a"), Known("b/y", "b")

    def war(maker: str, days: int, share: float) -> bool:
        return "price war" in drivers(before, after, DAY, [Cut(maker, DAY - timedelta(days), share)])

    assert war("c", 30, 0.2)
    assert not war("c", 31, 0.5)
    assert not war("c", 0, 0.5)  # the same day answers nothing
    assert not war("c", -5, 0.5)
    assert not war("c", 10, 0.1)
    assert not war("b", 10, 0.5)  # its own cut is no war


def test_sizes_are_read_from_names_and_not_from_versions() -> None:
    assert size_of("qwen/qwen3-235b-a22b-2507") == 235
    assert size_of("meta/llama-3.2-1b-instruct") == 1
    assert size_of("google/gemma-3n-e4b-it") is None  # an effective size is no size
    assert size_of("openai/gpt-4.1-mini") is None


def test_every_fall_of_every_line_is_there_once_and_none_lies_ahead() -> None:
    day = date(2026, 11, 1)
    found = drops(day)
    assert len(found) == sum(max(0, sum(o.day <= day for o in line.points) - 1) for line in own_lines())
    assert all(d.factor > 1 and d.day <= day for d in found)
    assert drops(day, []) == []
