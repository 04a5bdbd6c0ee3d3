"""A "no" ends when its condition comes true and not before; what is unknown opens nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from data.records import Endpoint, Ruling
from data.registry.load import REOPEN
from recommender.decide import decide
from recommender.rank import rank
from recommender.reopen import Known, holds
from tests.test_decide import PRESENT, offer, quality
from tests.test_eligible import use_case

HOST: dict[str, Any] = {"endpoint_id": "x:m", "model_id": "x/m", "provider": "x"}
TODAY = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("condition", "host", "known", "yes"),
    [
        ("region eu available", {"regions": ("eu-west-1", "us")}, {}, True),
        ("region eu available", {"region": "eu"}, {}, True),
        ("region eu available", {"regions": ("us",)}, {}, False),
        ("region eu available", {}, {}, False),
        ("feature tools available", {"features": {"tools": True}}, {}, True),
        ("feature tools available", {"features": {"tools": False}}, {}, False),
        ("param temperature accepted", {"params": {"temperature": True}}, {}, True),
        ("param temperature accepted", {}, {}, False),
        ("retention zero", {"retention": "zero"}, {}, True),
        ("retention zero", {"retention": "no-training"}, {}, False),
        ("precision=fp8", {"precision": "bf16"}, {}, True),
        ("precision=fp16", {"precision": "bf16"}, {}, True),
        ("precision=fp8", {"precision": "fp4"}, {}, False),
        ("precision=fp8", {"precision": "odd3"}, {}, False),
        ("precision=fp8", {}, {}, False),
        ("evidence=B", {}, {"grade": "A"}, True),
        ("evidence=B", {}, {"grade": "C"}, False),
        ("evidence=B", {}, {}, False),
        ("p_ok>=0.95", {}, {"p_ok": 0.95}, True),
        ("p_ok>=0.95", {}, {"p_ok": 0.94}, False),
        ("saving_month>=5000", {}, {"saving_low_usd_per_month": 5000.0}, True),
        ("saving_month>=5000", {}, {"saving_low_usd_per_month": 4999.0}, False),
        ("price_drop>=0.2", {}, {"price_drop": 0.25}, True),
        ("price_drop>=0.2", {}, {"price_drop": 0.1}, False),
        ("price_drop>=0.2", {}, {}, False),
        ("region eu available and p_ok>=0.9", {"regions": ("eu",)}, {"p_ok": 0.91}, True),
        ("region eu available and p_ok>=0.9", {"regions": ("eu",)}, {"p_ok": 0.8}, False),
    ],
)
def test_each_condition(condition: str, host: dict[str, Any], known: dict[str, Any], yes: bool) -> None:
    nothing = {"grade": None, "p_ok": None, "saving_low_usd_per_month": None, "price_drop": None}
    assert holds(condition, Known(Endpoint(**HOST | host), **nothing | known)) is yes
    assert all(REOPEN.fullmatch(part) for part in condition.split(" and "))  # what the registry takes can be asked


@pytest.mark.parametrize("said", ["when EU", "precision=q4", "p_ok=1", ""])
def test_a_condition_nobody_can_read_opens_nothing(said: str) -> None:
    assert not REOPEN.fullmatch(said)
    with pytest.raises(ValueError, match="cannot read"):
        holds(said, Known(Endpoint(**HOST), None, 1.0, 1e9, 1.0))


def test_a_no_whose_condition_came_true_is_a_candidate_again_and_says_so() -> None:
    no = Ruling(
        model="other/mini",
        verdict="rejected",
        date="2026-09-03",
        until="2027-03-01",
        why="no proof",
        reopen_if="evidence=A",
    )
    asked = use_case(rulings=(no,))
    shut = offer("other/mini", 500.0)
    proven = offer("other/mini", 500.0, quality=quality(grade="A"))
    for one, eligible in ((shut, False), (proven, True)):
        now, (found,) = rank(asked, PRESENT, [one], today=TODAY)
        assert found.eligible is eligible
    assert found.reopened == "rejected on 2026-09-03 (no proof), reopened: evidence=A"
    d = decide(asked, now, [found], now=datetime(2026, 11, 1, tzinfo=UTC), data_as_of=datetime(2026, 11, 1, tzinfo=UTC))
    assert d.best is not None
    assert d.best.reopened == found.reopened
    without = use_case(rulings=(no.model_copy(update={"reopen_if": None}),))
    assert not rank(without, PRESENT, [proven], today=TODAY)[1][0].eligible


def test_the_saving_asked_for_is_the_low_end_and_not_the_middle() -> None:
    """4,000 now; 500 in the middle, 750 at the dear end: 3,250 saved for sure."""
    wide = offer("other/mini", 500.0, spread=0.5)
    for least, eligible in ((3250, True), (3251, False)):
        no = Ruling(model="other/mini", verdict="later", date="2026-10-20", reopen_if=f"saving_month>={least}")
        assert rank(use_case(rulings=(no,)), PRESENT, [wide], today=TODAY)[1][0].eligible is eligible
