"""Why a finding comes now: the price that moved this use case's bill most, or what else did; never a price that stood still."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from data.records import Candidate, Cost, Decision
from data.store import Store
from jobs.messages import plain
from jobs.why_now import bill_moved, why_now
from tests.test_messages import BEST, cost, decision, use_case
from tests.test_watch import day, decided, fetched, priced, quiet, rate, saves, store, told

__all__ = ["store"]  # the fixture


def paid(ids: tuple[str, ...], **usd: float) -> Cost:
    return cost(sum(usd.values())).model_copy(update={"rate_ids": ids, "by_meter_usd_per_month": usd})


def found(bill: Cost, **more: Any) -> Decision:
    best = BEST.model_copy(update={"cost": bill, **more})
    return decision(best=best)


def why(store: Store, d: Decision, at: float, **more: Any) -> str:
    best = d.best
    assert best is not None
    return why_now(store, d, best, day(at), **more)


def moved(store: Store) -> Decision:
    """Of mini-5: a cache write that stood still, an input that fell a little, an output that fell much, a cached read that rose."""
    steps = {
        "cache_write": ("5", "5"),
        "input": ("0.5", "0.4"),
        "output": ("8", "1.6"),
        "cached_input": ("0.01", "0.02"),
    }
    for meter, (was, now) in steps.items():
        priced(store, f"{meter} then", known=day(1), usd=was, meter=meter, source_id="shop")
        if was != now:
            priced(store, f"{meter} now", known=day(5), usd=now, meter=meter, source_id="shop")
    fetched(store, 1, 5, 6, source="shop")
    ids = ("cache_write then", "input now", "output now", "cached_input now")
    return found(paid(ids, cache_write=300.0, input=200.0, output=400.0, cached_input=52.0))


SAID = (
    "output of vendor-b:mini-5 went $8 → $1.60 per 1M tokens on 06 Sep 2026 (shop, last fetched 07 Sep 2026), "
    "input of vendor-b:mini-5 went $0.50 → $0.40 per 1M tokens on 06 Sep 2026 (shop, last fetched 07 Sep 2026)"
)


def test_the_prices_that_moved_the_bill_are_named_the_largest_first(store: Store) -> None:
    d = moved(store)
    decided(store, day(0))
    assert why(store, d, 6.5) == SAID, (
        "not the cache write, which stood still, nor the read that rose against the finding"
    )
    made = told(store, day(6.5), d)
    assert f"Why now {SAID}; the low end of the saving" in plain(made[0].message)


def test_a_finding_that_was_told_names_what_moved_since_also_against_it(store: Store) -> None:
    d = moved(store)
    decided(store, day(0))
    assert "cached_input" not in why(store, d, 6.5)
    assert why(store, d, 6.5, told_at=day(2).replace(tzinfo=None)).endswith(", and 1 more")
    assert (
        why(store, d, 6.5, told_at=day(5.5).replace(tzinfo=None)) == "no price or score of it moved since 06 Sep 2026"
    )


def test_what_moved_before_the_last_other_decision_is_not_why_now(store: Store) -> None:
    d = moved(store)
    decided(store, day(6))
    assert why(store, d, 6.5) == "no price or score of it moved since 07 Sep 2026"
    assert why(store, d, 6.5, back=day(2) - day(0)) == "newly registered: no price had to move", (
        "it was not decided then"
    )


def test_the_price_in_use_that_rose_is_a_reason_too(store: Store) -> None:
    decided(store, day(0))
    priced(store, "was", known=day(1), usd="1", source_id="shop")
    priced(store, "is", known=day(5), usd="2", source_id="shop")
    fetched(store, 1, 5, 6, source="shop")
    d = decision(current=decision().current.model_copy(update={"cost": paid(("is",), input=4_430.0)}))
    assert why(store, d, 6.5).startswith("input of vendor-b:mini-5 went $1 → $2 per 1M tokens on 06 Sep 2026")
    same = found(paid(("is",), input=952.0))
    assert why(store, same, 6.5) == "no price or score of it moved since 01 Sep 2026", (
        "dearer is no reason to switch to it"
    )


def test_a_price_that_is_free_now_is_named_and_one_seen_for_the_first_time_is_a_new_offer(store: Store) -> None:
    decided(store, day(0))
    priced(store, "was", known=day(-3), usd="1", source_id="shop")
    priced(store, "free", known=day(5), usd="0", source_id="shop")
    fetched(store, -3, 5, 6, source="shop")
    assert "went $1 → $0 per" in why(store, found(paid(("free",), input=0.0)), 6.5)
    priced(store, "new", known=day(5), usd="3", meter="output", source_id="shop")
    assert why(store, found(paid(("new",), output=9.0)), 6.5) == "vendor-b:mini-5 is priced since 06 Sep 2026 (shop)"


def test_without_an_earlier_decision_nothing_had_to_move(store: Store) -> None:
    assert why(store, moved(store), 6.5) == "newly registered: no price had to move"


SHUT = {"eligible": False, "reasons": ("released 9 days ago, you ask 14",)}


@pytest.mark.parametrize(
    ("before", "verdict", "reasons", "said"),
    [
        (SHUT, "keep", (), "shut out until then, no longer: released 9 days ago, you ask 14"),
        ({"p_ok": 0.71}, "test", (), "likely good enough went 71 % → 87 % by scores of other models"),
        ({}, "wait", (), "it waited until now"),
        (
            {},
            "wait",
            ("no waiting: azure:large-2@eu retires on 2027-01-14",),
            "no waiting: azure:large-2@eu retires on 2027-01-14",
        ),
        ({}, "keep", (), "no price or score of it moved since 06 Sep 2026"),
    ],
    ids=["shut out", "likelier", "waited", "retirement", "nothing"],
)
def test_what_else_changed_is_said_where_no_price_moved(
    store: Store, before: dict[str, Any], verdict: str, reasons: tuple[str, ...], said: str
) -> None:
    then: Candidate = BEST.model_copy(update=before)
    decided(store, day(5), saves(3_000, verdict=verdict).model_copy(update={"best": then}))
    d = saves(3_478).model_copy(update={"reasons": reasons})
    assert why(store, d, 6.5) == said


def test_a_new_score_and_a_changed_entry_are_named(store: Store) -> None:
    decided(
        store, day(5), saves(3_000, verdict="test").model_copy(update={"best": BEST.model_copy(update={"p_ok": 0.71})})
    )
    row = {
        "model_id": "vendor-b/mini-5",
        "variant": "default",
        "metric": "accuracy",
        "value": 0.9,
        "self_reported": False,
    }
    store.insert("score", [
        {**row, "score_id": i, "benchmark": b, "source_id": "board", "known_from": day(at), "claim_id": i}
        for i, b, at in (("old", "helm", 1), ("new", "swebench", 6))
    ])  # fmt: skip
    assert BEST.quality is not None
    scored = BEST.quality.model_copy(update={"score_ids": ("old", "new")})
    d = saves(3_478)
    assert d.best is not None
    d = d.model_copy(update={"best": d.best.model_copy(update={"quality": scored, "model_id": "vendor-b/mini-5"})})
    assert why(store, d, 6.5) == "new score of it: swebench on 07 Sep 2026 (board); likely good enough went 71 % → 87 %"
    entry = {
        "title": "t",
        "channel": "#x",
        "endpoint_id": "e",
        "model_id": "m",
        "tier": "standard",
        "entry_sha": "x",
        "withdrawn": False,
    }
    store.insert(
        "use_case", [{**entry, "use_case": use_case().slug, "registered_at": day(6), "tasks": {}, "entry": {}}]
    )
    assert why(store, d, 6.5) == "the entry in use_cases.yaml changed on 07 Sep 2026"


def test_a_bill_names_the_price_that_moved_it_most(store: Store) -> None:
    rates = [
        rate("input", "1", day(0)), rate("input", "1.1", day(5)), rate("output", "2", day(0)),
        rate("output", "4", day(5), valid_from=day(9)), rate("cached_input", "1", day(0)),
    ]  # fmt: skip
    ids = [r.rate_id for r in rates]
    was = paid((ids[0], ids[2], ids[4]), input=100.0, output=100.0, cached_input=900.0)
    now = paid((ids[1], ids[3], ids[4]), input=110.0, output=200.0, cached_input=900.0)
    assert bill_moved(rates, was, now) == "output $2 → $4 per 1M tokens on 10 Sep 2026 (page), and 1 more"
    assert bill_moved(rates, was, was) is None
    assert quiet().verdict == "keep"
    assert Decimal("4") == rates[3].usd_per_mtok
