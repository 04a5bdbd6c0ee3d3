"""What a team hears of the model it uses, and what must not be news: more calls, a failed fetch, the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.records import Alert, Candidate, Decision, Endpoint, EndpointChoice, Held, Rate, UseCase
from data.records.usecase import AlertTerms, Budget, Ruling
from data.store import Store
from jobs.alerts import alerts_for
from jobs.facts import Facts
from jobs.messages import plain
from jobs.outbox import deliver, enqueue
from jobs.slack import BotSender
from jobs.watch import Watched, watch
from tests.slack_server import TOKEN, faults_of, slack_server
from tests.test_messages import BEST, cost, decision, quality, use_case

DAY0 = datetime(2026, 9, 1, 7, tzinfo=UTC)
HERE = "azure:large-2@eu"


def day(n: float) -> datetime:
    return DAY0 + timedelta(days=n)


def rate(meter: str, usd: str, known: datetime, endpoint: str = HERE, **more: Any) -> Rate:
    fields: dict[str, Any] = {"standing": "official", "source_id": "page", "claim_ids": (f"{meter}{usd}",)}
    return Rate(
        endpoint_id=endpoint, meter=meter, usd_per_mtok=Decimal(usd), known_from=known, **fields | more  # type: ignore[arg-type]
    )  # fmt: skip


BASE = [rate("input", "1", day(-9)), rate("output", "2", day(-9))]  # 608,333 calls of 3,899 in and 280 out: $2,712


def facts(rates: list[Rate], now: datetime, endpoints: list[Endpoint] | None = None) -> Facts:
    found = endpoints or [Endpoint(endpoint_id=HERE, model_id="vendor-a/large-2", provider="azure")]
    return Facts(now, now, rates, [], {}, {e.endpoint_id: e for e in found}, {}, {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A page that is read every day, and the prices behind the decisions of `tests.test_messages` on it."""
    with Store(tmp_path / "home") as opened:
        fetched(opened, *range(-9, 125))
        priced(opened, "r1", "r2")
        yield opened


def fetched(store: Store, *days: float, source: str = "page", **more: Any) -> None:
    fields = {"source_id": source, "url": "http://page/", "bytes": 1, "renderer": "http", "outcome": "unchanged"}
    store.insert("capture", [{**fields, "fetched_at": day(n), **more} for n in days])


def priced(
    store: Store, *ids: str, known: datetime = day(-9), usd: str = "1", meter: str = "input", **more: Any
) -> None:
    plain = rate(meter, usd, known, "vendor-b:mini-5", **more).model_dump(exclude={"known_to"})
    store.insert("rate", [{**plain, "rate_id": i} for i in ids])


def stated(store: Store, source: str, at: float, prices: dict[str, str], body: str = "a") -> None:
    """A body of a source that states these prices of vendor-b:mini-5, by meter."""
    fields = {
        "source_id": source, "model_as_written": "mini-5", "model_id_as_written": "vendor-b:mini-5", "tier": "standard",
        "currency": "USD", "per": "per_mtok", "list_price": False, "conditions": [], "quote": "1", "locator": "t1",
    }  # fmt: skip
    rows = [
        {**fields, "claim_id": f"{source}{body}{m}", "capture": body * 64, "meter": m, "amount": Decimal(usd),
         "usd_per_mtok": Decimal(usd), "known_from": day(at)}
        for m, usd in prices.items()
    ]  # fmt: skip
    store.insert("price_claim", rows, unique=("claim_id",))
    fetched(store, at, source=source, sha256=body * 64, outcome="changed")


def decided(store: Store, at: datetime, d: Decision | None = None, run: str | None = None) -> None:
    """A decision of an earlier cycle, as `jobs.check` writes it."""
    from jobs.check import _candidate, _recommendation

    found = (d or quiet()).model_copy(update={"decided_at": at})
    run = run or at.isoformat()
    store.insert("recommendation", [_recommendation(run, found, run)])
    store.insert("candidate", [_candidate(run, c) for c in (found.current, found.best) if c is not None])


def quiet(**more: Any) -> Decision:
    return decision(verdict="keep", best=None, easier=None, reason="within 10 %", **more)


def seen(
    store: Store,
    now: datetime,
    rates: list[Rate],
    case: UseCase | None = None,
    d: Decision | None = None,
    ranked: tuple[Candidate, ...] = (),
    endpoints: list[Endpoint] | None = None,
) -> list[Watched]:
    pair = (case or use_case(), d or quiet())
    store.insert(
        "rate", [r.model_dump(exclude={"known_to"}) | {"rate_id": r.rate_id} for r in rates], unique=("rate_id",)
    )
    weighed = {pair[0].slug: [pair[1].current, *ranked]}
    return watch(store, [pair], weighed, facts(rates, now, endpoints), now=now)


def cycle(store: Store, now: datetime, watched: list[Watched], d: Decision | None = None, **more: Any) -> list[Alert]:
    case = watched[0].case if watched else use_case()
    made = alerts_for(
        store, [(case, d or quiet())], now=now, data_as_of=now, changed=[], listed={}, watched=watched, **more
    )
    with store.transaction():
        for alert in made:
            enqueue(store, alert, run_id=now.isoformat())
    return made


def test_a_rise_is_told_once_with_the_bill_then_and_now(store: Store) -> None:
    decided(store, day(0))
    after = [*BASE, rate("input", "2", day(5))]
    found = seen(store, day(5), after)
    assert [(w.kind, w.digest, w.urgent) for w in found] == [("price_rise", False, False)]
    said = plain(found[0].message)
    assert "bill rose $2,370 a month" in said
    assert "input +$2,370" in said
    assert faults_of(found[0].message) is None
    why = "seen in one fetch: azure:large-2@eu, page; it waits for another, 6 h or more later"
    assert [a.withheld_because for a in cycle(store, day(5), found)] == [why]
    assert cycle(store, day(5.2), seen(store, day(5.2), after)) == [], "kept back as it was"
    fetched(store, 5.24)
    assert cycle(store, day(5.25), seen(store, day(5.25), after)) == [], "a second fetch too soon proves nothing"
    assert [a.withheld_because for a in cycle(store, day(6), seen(store, day(6), after))] == [None]
    assert seen(store, day(7), after) == [], "compared with what was last told"


def test_a_second_rise_to_the_same_price_is_news_again(store: Store) -> None:
    decided(store, day(0))
    up = [*BASE, rate("input", "2", day(4))]
    cycle(store, day(5), seen(store, day(5), up))
    down = [*up, rate("input", "1", day(9))]
    found = seen(store, day(9), down)
    assert [w.kind for w in found] == ["price_drop"]
    assert [a.withheld_because for a in cycle(store, day(9), found)] == ["for the digest"]
    decided(store, day(9))
    twice = [*down, rate("input", "2", day(11))]
    found = seen(store, day(12), twice)
    assert [w.kind for w in found] == ["price_rise"]
    assert [a.withheld_because for a in cycle(store, day(12), found)] == [None]


def test_more_calls_are_no_rise_and_a_private_price_is_not_the_list(store: Store) -> None:
    decided(store, day(0))
    work = use_case().workload
    busy = use_case(workload=work.model_copy(update={"calls_per_month": 9 * work.calls_per_month}))
    assert seen(store, day(5), BASE, busy) == []
    own = use_case(current=use_case().current.model_copy(update={"private_price": {"input_usd_per_mtok": Decimal(1)}}))
    assert seen(store, day(5), [*BASE, rate("input", "9", day(5))], own) == []


def test_a_small_rise_waits_for_the_digest_and_one_over_budget_does_not(store: Store) -> None:
    decided(store, day(0))
    small = [*BASE, rate("input", "1.03", day(5))]
    assert [(w.kind, w.digest) for w in seen(store, day(5), small)] == [("price_rise", True)]
    tight = use_case(budget=Budget(usd_per_month=2_750))
    found = seen(store, day(5), small, tight)
    assert [(w.kind, w.digest, w.urgent) for w in found] == [("price_rise", False, True)]
    assert "please acknowledge" in plain(found[0].message)


def test_an_announced_rise_names_its_day(store: Store) -> None:
    decided(store, day(0))
    coming = [*BASE, rate("input", "3", day(1), valid_from=day(20))]
    found = seen(store, day(2), coming)
    assert [w.kind for w in found] == ["price_rise"]
    assert f"from {day(20):%d %b %Y}" in plain(found[0].message).splitlines()[0]


def leaving(on: datetime | str, endpoint: str = HERE) -> Endpoint:
    text = on if isinstance(on, str) else on.date().isoformat()
    return Endpoint(endpoint_id=endpoint, model_id="vendor-a/large-2", provider="azure", retires_on=text)


def test_a_retirement_is_told_at_each_stage_once_and_when_the_date_moves(store: Store) -> None:
    decided(store, day(0))
    host = Endpoint(endpoint_id="other:large-2", model_id="vendor-a/large-2", provider="other")
    told: list[tuple[int, str]] = []
    moved = day(120)
    for n in range(0, 125):
        last = moved if n < 40 else day(200)
        found = [w for w in seen(store, day(n), BASE, endpoints=[leaving(last), host]) if w.kind == "retirement"]
        made = [a for a in cycle(store, day(n), found) if a.kind == "retirement"]
        told += [(n, plain(a.message).splitlines()[0]) for a in made if a.withheld_because is None]
    assert [n for n, _ in told] == [0, 30, 40, 110]
    assert told[1][1] == "🟡 ticket-summary: your model leaves in 90 days"
    found = seen(store, day(100), BASE, ranked=(BEST,), endpoints=[leaving(moved), host])
    said = plain(found[0].message)
    assert found[0].urgent
    assert "🔴" in said
    assert "other:large-2" in said
    assert "Instead 1 vendor-b:mini-5" in said
    assert "Start   by" in said


@pytest.mark.parametrize("when", ["2026-10", "soon", "2027-12-31"])
def test_a_month_or_a_far_day_counts_nothing_down(store: Store, when: str) -> None:
    assert seen(store, day(0), BASE, endpoints=[leaving(when)]) == []


def test_a_fallback_that_leaves_is_told_too(store: Store) -> None:
    spare = EndpointChoice(written="s", model_id="vendor-a/large-2", endpoint_id="aws:large-2")
    case = use_case(fallbacks=(spare,))
    ends = [Endpoint(endpoint_id=HERE, model_id="vendor-a/large-2", provider="azure"), leaving(day(20), "aws:large-2")]
    found = seen(store, day(0), BASE, case, endpoints=ends)
    assert "a fallback leaves in 20 days" in plain(found[0].message)


def test_an_unpriced_model_is_told_to_team_and_platform_once(store: Store) -> None:
    decided(store, day(0))
    gone = quiet(
        current=Candidate(use_case="ticket-summary", endpoint_id=HERE, model_id=None, move=None, eligible=True)
    )
    found = seen(store, day(5), BASE, d=gone)
    assert [w.kind for w in found] == ["unpriced"]
    made = cycle(store, day(5), found, d=gone, platform="#llm-platform")
    assert [(a.channel, a.withheld_because) for a in made] == [("#support-ai", None), ("#llm-platform", None)]
    assert cycle(store, day(6), seen(store, day(6), BASE, d=gone), d=gone, platform="#llm-platform") == []


def test_a_held_price_is_told_after_a_day_and_not_before(store: Store) -> None:
    decided(store, day(0))
    claim = {
        "claim_id": "c9", "source_id": "page", "capture": "b" * 64, "model_as_written": "<!channel>", "meter": "input",
        "tier": "standard", "amount": Decimal("9.5"), "currency": "USD", "per": "per_mtok", "list_price": False,
        "conditions": [], "quote": "9.5", "locator": "t1", "known_from": day(2),
    }  # fmt: skip
    store.insert("price_claim", [claim])
    held = Held(source_id="page", endpoint_id=HERE, name="x", meter="input", new_amount=Decimal("9.5"), why="a jump", release="twice", held_at=day(2), claim_id="c9")  # fmt: skip
    store.insert("held", [held.model_dump()])
    assert seen(store, day(2.9), BASE) == []
    found = seen(store, day(3.1), BASE)
    assert [w.kind for w in found] == ["disputed"]
    said = plain(found[0].message)
    assert "$9.50 per 1M tokens · page · 03 Sep 2026" in said
    assert "Answer  undercut feedback c9 release | reject" in said
    assert f"select * from quarantine where endpoint = '{HERE}'" in said
    assert faults_of(found[0].message) is None


def test_better_for_the_same_money_needs_confidence_evidence_and_no_higher_bill(store: Store) -> None:
    decided(store, day(0))
    now = quiet(current=decision().current)
    good = BEST.model_copy(update={"p_gain": 0.9, "quality": quality(0.93)})
    dear = good.model_copy(update={"cost": cost(4_400, 4_300, 4_500)})
    unsure = good.model_copy(update={"p_gain": 0.8})
    assert [w.kind for w in seen(store, day(1), BASE, d=now, ranked=(dear, unsure))] == []
    found = seen(store, day(1), BASE, d=now, ranked=(dear, unsure, good))
    assert [w.kind for w in found] == ["better"]
    assert "90 % likely better by 0.02 or more" in plain(found[0].message)


def test_mute_mode_and_cap_withhold_and_still_record(store: Store) -> None:
    decided(store, day(0))
    after = [*BASE, rate("input", "2", day(4))]
    for terms, why in (
        (AlertTerms(mute=("price_rise",)), "muted: price_rise"),
        (AlertTerms(mode="digest"), "alerts: {mode: digest}"),
        (AlertTerms(max_per_week=0), "0 alerts this week already; the rest goes to the digest"),
    ):
        case = use_case(alerts=terms)
        made = alerts_for(
            store, [(case, quiet())], now=day(5), data_as_of=day(5), changed=[], listed={},
            watched=seen(store, day(5), after, case),
        )  # fmt: skip
        assert [a.withheld_because for a in made] == [why]


def test_a_cooldown_and_old_prices_keep_a_saving_back_and_nothing_urgent(store: Store) -> None:
    decided(store, day(0))
    ruled = use_case(rulings=(Ruling(model="vendor-c/other", verdict="rejected", date=day(1).date().isoformat()),))
    ends = [w for w in seen(store, day(5), BASE, ruled, endpoints=[leaving(day(20))]) if w.kind == "retirement"]

    def why(case: UseCase, at: datetime) -> dict[str, str | None]:
        made = alerts_for(
            store, [(case, saves(3_478))], now=at, data_as_of=at, changed=[case.slug], listed={}, watched=ends
        )
        return {a.kind: a.withheld_because for a in made}

    assert why(ruled, day(5)) == {"cheaper": "cooldown of 30 days after a decision", "retirement": None}
    assert why(ruled, day(31))["cheaper"] is None
    old = "prices over 7 days old: vendor-b:mini-5, page"
    assert why(use_case(), day(132)) == {"cheaper": old, "retirement": None}, "page was last read on day 124"
    fetched(store, 130, outcome="failed")
    fetched(store, 131, source="another page")
    assert why(use_case(), day(132))["cheaper"] == old, "a failed fetch and another source's prices make it no fresher"
    fetched(store, 131)
    assert why(use_case(), day(132))["cheaper"] is None


def newcomer(**more: Any) -> Candidate:
    return BEST.model_copy(update={"on_frontier": True, "model_id": "vendor-b/mini-5", **more})


def test_a_new_model_on_the_frontier_is_told_once_and_only_in_the_digest(store: Store) -> None:
    decided(store, day(0))
    found = seen(store, day(5), BASE, ranked=(newcomer(),))
    assert [(w.kind, w.digest, w.urgent) for w in found] == [("new_model", True, False)]
    assert faults_of(found[0].message) is None
    assert "3,090 paired cases" in plain(found[0].message)
    assert [a.withheld_because for a in cycle(store, day(5), found)] == ["for the digest"]
    assert cycle(store, day(6), seen(store, day(6), BASE, ranked=(newcomer(),))) == []
    assert cycle(store, day(9), seen(store, day(9), BASE, ranked=(newcomer(tier="batch"),))) == [], "another tier of it"


@pytest.mark.parametrize(
    "changes",
    [
        {"on_frontier": False},
        {"eligible": False, "reasons": ("min_age_days: 3 days old, 14 needed",)},
        {"model_id": "vendor-a/large-2"},
        {"model_id": None},
    ],
    ids=["merely appears", "too young", "the model in use", "nobody knows which"],
)
def test_what_is_no_new_model_on_the_frontier(store: Store, changes: dict[str, Any]) -> None:
    decided(store, day(0))
    assert seen(store, day(5), BASE, ranked=(newcomer(**changes),)) == []


def test_what_was_on_the_frontier_before_or_has_its_own_message_or_is_muted_is_not_told(store: Store) -> None:
    assert seen(store, day(0), BASE, ranked=(newcomer(),)) == [], "on a first day everything is new"
    decided(store, day(0))
    proposed = decision(best=newcomer())
    assert seen(store, day(1), BASE, d=proposed, ranked=(newcomer(),)) == []
    found = seen(store, day(1), BASE, use_case(alerts=AlertTerms(mute=("new_model",))), ranked=(newcomer(),))
    assert [a.withheld_because for a in cycle(store, day(1), found)] == ["muted: new_model"]
    decided(store, day(2), proposed)
    decided(store, day(3))
    assert seen(store, day(4), BASE, ranked=(newcomer(model_id="vendor-b/mini-5"),)) == []


# a told finding: the same is no news, moved facts edit and thread, a second crossing fires anew
def told(store: Store, at: datetime, d: Decision, *, changed: bool = True) -> list[Alert]:
    names = ["ticket-summary"] if changed else []
    made = alerts_for(store, [(use_case(), d)], now=at, data_as_of=at, changed=names, listed={})
    decided(store, at, d, run=at.isoformat())
    with store.transaction():
        for alert in made:
            enqueue(store, alert, run_id=at.isoformat())
    return [a for a in made if a.kind == "cheaper"]


def saves(usd: float, p_ok: float = 0.874, verdict: str = "switch") -> Decision:
    best = BEST.model_copy(update={"saving_usd_per_month": usd, "p_ok": p_ok})
    return decision(best=best if verdict == "switch" else None, verdict=verdict)


def test_the_same_finding_is_told_once_and_moved_facts_join_its_thread(store: Store) -> None:
    decided(store, day(0))
    with slack_server() as slack:
        sender = BotSender(TOKEN, slack.api, sleep=lambda _: None)
        assert [a.withheld_because for a in told(store, day(1), saves(3_478))] == [None]
        assert deliver(store, sender, lambda: day(1)).sent == 1
        assert [a.withheld_because for a in told(store, day(2), saves(3_500))] == ["already told"]
        moved = told(store, day(3), saves(2_500))
        assert [a.withheld_because for a in moved] == [None]
        assert deliver(store, sender, lambda: day(3)).sent == 1
        assert [a.withheld_because for a in told(store, day(12), saves(1_500))] == [None]
        assert deliver(store, sender, lambda: day(12)).sent == 1
        first, *later = slack.posted
        assert [m["thread_ts"] for m in later] == [first["ts"]] * 2, "a reply is no thread"
        assert [e["ts"] for e in slack.edited] == [first["ts"]] * 2
        assert slack.edited[-1]["text"] == later[-1]["text"], "the first message holds the newest facts"


def test_a_second_crossing_fires_only_after_the_finding_was_cleared(store: Store) -> None:
    decided(store, day(0))
    told(store, day(1), saves(3_478))
    low = saves(3_478).model_copy(update={"best": BEST.model_copy(update={"saving_usd_per_month": 300})})
    decided(store, day(5), low)  # half of 15 % of 4,430 is 332
    assert [a.follows for a in told(store, day(9), saves(3_478))] == [None]
    assert [a.withheld_because for a in told(store, day(10), saves(3_470))] == ["already told"]


def many(n: int, flipped: int, *rate_ids: str) -> list[tuple[UseCase, Decision]]:
    """Use cases of which some switch, on these rates where named."""
    rows = []
    for i in range(n):
        slug = f"case-{i}"
        d = saves(3_478) if i < flipped else quiet()
        if rate_ids and d.best is not None:
            bill = cost(952, 850, 1_120).model_copy(update={"rate_ids": rate_ids})
            d = d.model_copy(update={"best": d.best.model_copy(update={"cost": bill})})
        rows.append((use_case(slug), d.model_copy(update={"use_case": slug, "rec": f"rec-{i:06}"})))
    return rows


def run(store: Store, rows: list[tuple[UseCase, Decision]], at: datetime, changed: list[str]) -> list[Alert]:
    """A cycle as `jobs.check` runs and writes it."""
    made = alerts_for(store, rows, now=at, data_as_of=at, changed=changed, listed={}, platform="#llm-platform")
    for case, d in rows:
        decided(store, at, d.model_copy(update={"use_case": case.slug}), run=at.isoformat())
    with store.transaction():
        for alert in made:
            enqueue(store, alert, run_id=at.isoformat())
    return made
