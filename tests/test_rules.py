"""Which messages wait, which are told by an onboarding summary, and which no cooldown or cap keeps back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from data.records import Candidate, UseCase
from data.records.usecase import AlertTerms, Budget, Ruling
from data.store import Store
from jobs.alerts import alerts_for
from jobs.messages import plain
from jobs.outbox import enqueue
from jobs.sightings import seen_once, sightings
from jobs.watch import Watched
from tests.test_messages import cost, decision, use_case
from tests.test_watch import (
    BASE,
    HERE,
    cycle,
    day,
    decided,
    fetched,
    leaving,
    priced,
    quiet,
    rate,
    run,
    saves,
    seen,
    store,
    told,
)

__all__ = ["store"]  # the fixture


@pytest.mark.parametrize("hours", [0, 1, 5.9])
def test_a_saving_on_a_price_seen_once_waits_and_goes_out_once(store: Store, hours: float) -> None:
    decided(store, day(0))
    priced(store, "r3", known=day(5), usd="0.4")
    cheap = saves(3_478)
    assert cheap.best is not None
    assert cheap.best.cost is not None
    found = cheap.model_copy(
        update={
            "best": cheap.best.model_copy(
                update={"cost": cheap.best.cost.model_copy(update={"rate_ids": ("r1", "r3")})}
            )
        }
    )
    fetched(store, 5 + hours / 24)
    first = told(store, day(5 + hours / 24), found)
    assert ["seen in one fetch" in (a.withheld_because or "") for a in first] == [True]
    assert told(store, day(5.5), found, changed=False) == [], "the same reason is recorded once"
    fetched(store, 5.6, outcome="failed")
    assert told(store, day(5.7), found, changed=False) == [], "a failed fetch has seen nothing"
    assert [a.withheld_because for a in told(store, day(6), found, changed=False)] == [None]
    assert told(store, day(7), found, changed=False) == []


def test_a_price_that_left_the_page_after_one_fetch_was_not_seen_twice(store: Store) -> None:
    decided(store, day(0))
    claim = {
        "source_id": "shop", "model_as_written": "mini-5", "meter": "input", "tier": "standard", "amount": Decimal(1),
        "currency": "USD", "per": "per_mtok", "list_price": False, "conditions": [], "quote": "1", "locator": "t1",
    }  # fmt: skip
    store.insert("price_claim", [{**claim, "claim_id": "c1", "capture": "a" * 64, "known_from": day(5)}])
    priced(store, "r4", known=day(5), source_id="shop", claim_ids=("c1",))
    fetched(store, 5, source="shop", sha256="a" * 64, outcome="new")
    fetched(store, 6, source="shop", sha256="b" * 64, outcome="changed")

    def why(at: float) -> str | None:
        return seen_once(sightings(store, ["r4"], day(at)))

    assert "seen in one fetch: vendor-b:mini-5, shop" in (why(6) or "")
    store.insert("price_claim", [{**claim, "claim_id": "c2", "capture": "b" * 64, "known_from": day(6)}])
    assert why(6) is None, "the second body states it too"
    assert why(5.9) is not None, "what is fetched later is not known yet"
    priced(store, "r5", known=day(7), source_id="shop", usd="2")
    fetched(store, 8, source="shop", sha256="a" * 64, outcome="changed")
    store.insert(
        "rate",
        [
            rate("input", "1", day(8), "vendor-b:mini-5", source_id="shop", claim_ids=("c1",)).model_dump(
                exclude={"known_to"}
            )
            | {"rate_id": "r6"}
        ],
    )
    assert seen_once(sightings(store, ["r6"], day(8))) is not None, "it was another price in between"


# who is told what on a first run, and which rules what is urgent does not know
def test_a_use_case_registered_later_has_its_own_silent_first_run(store: Store) -> None:
    old, new = use_case(), use_case("reply-draft")
    first = saves(3_478)
    run(store, [(old, first)], day(0), ["ticket-summary"])
    drafts = saves(5_000).model_copy(update={"use_case": "reply-draft", "rec": "rec-0d0d01"})
    rises = [w for w in seen(store, day(5), BASE, new, endpoints=[leaving(day(100))]) if w.kind == "retirement"]
    made = alerts_for(
        store, [(old, first), (new, drafts)], now=day(5), data_as_of=day(5), changed=["reply-draft"], listed={}, watched=rises
    )  # fmt: skip
    assert [(a.kind, a.use_case, a.withheld_because) for a in made] == [
        ("onboarding", None, None),
        ("cheaper", "reply-draft", "first run: the onboarding summary only"),
        ("retirement", "reply-draft", "first run: the onboarding summary only"),
    ]
    said = plain(made[0].message)
    assert "watches 1 use case for #support-ai" in said
    assert "ticket-summary" not in said
    assert "rec-0d0d01" in said
    assert f"Retiring  azure:large-2@eu on {day(100).date()} (reply-draft)" in said


def test_a_channel_hears_of_the_retirements_of_its_own_use_cases_only(store: Store) -> None:
    ours, theirs = use_case(), use_case("reply-draft", channel="#others")
    drafts = saves(5_000).model_copy(update={"use_case": "reply-draft", "rec": "rec-0d0d01"})
    leaves = [w for w in seen(store, day(5), BASE, theirs, endpoints=[leaving(day(100))]) if w.kind == "retirement"]
    made = alerts_for(
        store, [(ours, saves(3_478)), (theirs, drafts)], now=day(5), data_as_of=day(5), changed=[], listed={}, watched=leaves
    )  # fmt: skip
    said = {a.channel: plain(a.message) for a in made if a.kind == "onboarding"}
    assert "Retiring  nothing announced within 180 days" in said["#support-ai"]
    assert "reply-draft" not in said["#support-ai"]
    assert "(reply-draft)" in said["#others"]


def test_what_the_onboarding_summary_told_is_news_again_only_when_it_moves(store: Store) -> None:
    run(store, [(use_case(), saves(3_478))], day(0), ["ticket-summary"])
    assert [a.withheld_because for a in told(store, day(1), saves(3_500))] == ["already told"]
    assert [(a.withheld_because, a.follows) for a in told(store, day(2), saves(4_500))] == [(None, None)]


def test_what_a_rehearsal_showed_was_told_to_nobody(store: Store) -> None:
    made = alerts_for(
        store, [(use_case(), saves(3_478))], now=day(0), data_as_of=day(0), changed=["ticket-summary"], listed={}
    )
    with store.transaction():
        for alert in made:
            why = alert.withheld_because or "demo: shown, never sent"
            enqueue(store, alert.model_copy(update={"withheld_because": why}), run_id="demo")
    decided(store, day(0), saves(3_478), run="demo")
    assert [a.withheld_because for a in told(store, day(1), saves(3_478))] == [None]


def urgent(store: Store, at: datetime, case: UseCase) -> list[Watched]:
    """Unpriced, disputed and over budget, as `watch` finds them."""
    gone = quiet(
        current=Candidate(use_case="ticket-summary", endpoint_id=HERE, model_id=None, move=None, eligible=True)
    )
    unpriced = seen(store, at, BASE, case, d=gone)
    doubted = [*BASE, rate("input", "1", day(2), standing="disputed")]
    bill = cost(2_712).model_copy(update={"rate_ids": (doubted[-1].rate_id,)})
    disputed = seen(store, at, doubted, case, d=quiet(current=decision().current.model_copy(update={"cost": bill})))
    over = seen(store, at, [*BASE, rate("input", "1.03", day(3))], case)
    return [*unpriced, *disputed, *over]


def test_unpriced_disputed_and_over_budget_know_no_cooldown_and_no_cap(store: Store) -> None:
    decided(store, day(0))
    ruling = Ruling(model="vendor-c/other", verdict="rejected", date=day(1).date().isoformat())
    case = use_case(rulings=(ruling,), alerts=AlertTerms(max_per_week=0), budget=Budget(usd_per_month=2_750))
    found = urgent(store, day(5), case)
    assert [(w.kind, w.urgent) for w in found] == [("unpriced", True), ("disputed", True), ("price_rise", True)]
    assert [a.withheld_because for a in cycle(store, day(5), found)] == [None, None, None]
    capped = "0 alerts this week already; the rest goes to the digest"
    calm = [Watched(w.kind, w.case, f"{w.key}|calm", w.message, rate_ids=w.rate_ids) for w in found]
    assert [a.withheld_because for a in cycle(store, day(5), calm)] == [capped] * 3, "the same, were it not urgent"
