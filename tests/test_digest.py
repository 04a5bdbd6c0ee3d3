"""The weekly digest: once a week and channel, nothing lost that a rule withheld, nothing told to who asked for silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import SecretStr

from data.errors import UsageError
from data.records import Rate, UseCase
from data.records.usecase import AlertTerms
from data.registry import Registry, Team
from data.store import Store, published, rows
from jobs.alerts import make_alert
from jobs.digest import editions, gather, gather_edition, write_digests
from jobs.ingest import add_rates
from jobs.messages import plain
from jobs.metrics import Metrics
from jobs.outbox import enqueue, waiting_messages
from jobs.rules import FOR_DIGEST
from jobs.settings import Settings
from jobs.work import write_due
from tests.slack_server import TOKEN, SlackServer
from tests.test_messages import BEST, cost, decision, use_case
from tests.test_watch import BASE, cycle, day, decided, fetched, leaving, newcomer, quiet, rate, saves, seen


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "home") as opened:
        fetched(opened, *range(-9, 20))
        yield opened


def registry(*cases: UseCase) -> Registry:
    return Registry(use_cases=list(cases), warnings=[])


def said(schedule: str) -> AlertTerms:
    return AlertTerms(schedule=schedule)


def test_each_channel_hears_once_a_week_and_the_platform_gets_one_roll_up(store: Store) -> None:
    here, there = use_case(), use_case("reply-draft", channel="#legal", alerts=AlertTerms(mode="digest"))
    silent = use_case("faq", channel="#faq", alerts=AlertTerms(mode="never"))
    for case in (here, there, silent):
        decided(store, day(0), saves(3_478).model_copy(update={"use_case": case.slug}), run=case.slug)
    known = registry(here, there, silent)
    made = write_digests(store, known, now=day(6), platform="#llm-platform")
    assert [(a.kind, a.channel) for a in made] == [
        ("digest", "#support-ai"),
        ("digest", "#legal"),
        ("rollup", "#llm-platform"),
    ]
    assert len(waiting_messages(store)) == 3
    assert write_digests(store, known, now=day(6.2), platform="#llm-platform") == []
    assert len(write_digests(store, known, now=day(13), platform=None)) == 2


def test_each_schedule_of_a_channel_is_written_when_it_is_due_and_once(store: Store) -> None:
    usual, friday, early = (
        use_case(),
        use_case("reply", alerts=said("Fri 16:00 Europe/Berlin")),
        use_case("faq", alerts=said("daily 07:00 UTC")),
    )
    known = registry(usual, friday, early)
    for case in known.use_cases:
        decided(store, day(0), saves(3_478).model_copy(update={"use_case": case.slug}), run=case.slug)
    wrote: dict[str, list[str]] = {}
    for quarter in range(4 * 24 * 8):
        now = day(0) + timedelta(minutes=15 * quarter)
        for alert in write_digests(store, known, now=now, platform="#llm-platform", due_only=True):
            about = next((s for s in ("ticket-summary", "reply", "faq") if f" {s} " in plain(alert.message)), "")
            wrote.setdefault(alert.kind if alert.kind == "rollup" else about, []).append(f"{now:%a %H:%M}")
    assert wrote == {
        "faq": [f"{d} 07:00" for d in ("Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue")],
        "reply": ["Fri 14:00"],  # in summer time
        "ticket-summary": ["Mon 09:00"],
        "rollup": ["Mon 09:00"],
    }, "each at its own time; the Monday before is older than the first decision"


def test_what_is_new_in_the_registry_waits_for_its_time(store: Store) -> None:
    """Monday's digest went out; on Tuesday a schedule, a channel, a parent and the platform channel are new: nothing goes out twice."""
    case = use_case(team="ops")
    decided(store, day(0))

    def write(n: float, known: Registry, platform: str | None = None) -> list[tuple[str, str]]:
        made = write_digests(
            store, known, now=day(0).replace(hour=9) + timedelta(days=n), platform=platform, due_only=True
        )
        return [(a.kind, a.channel) for a in made]

    monday = next(n for n in range(1, 8) if (day(0) + timedelta(days=n)).weekday() == 0)
    assert write(monday, registry(case)) == [("digest", "#support-ai")]
    parents = (Team("ops", "#support-ai", "all"), Team("all", "#all"))
    for changed in (
        registry(use_case(alerts=said("Fri 16:00 UTC"))), registry(use_case(alerts=said("daily 16:00 UTC"))), registry(use_case(channel="#new")),
        replace(registry(case), teams=parents),
    ):  # fmt: skip
        assert write(monday + 1, changed, "#llm-platform") == []
    assert write(monday + 7, replace(registry(case), teams=parents), "#llm-platform") == [
        ("digest", "#support-ai"), ("rollup", "#all"), ("rollup", "#llm-platform"),
    ]  # fmt: skip
    assert write(monday + 16, registry(case)) == [("digest", "#support-ai")], "the service was down on its Monday"


def test_week_and_day_are_those_of_the_schedules_own_zone(store: Store) -> None:
    early, often = use_case(alerts=said("Mon 07:00 Asia/Tokyo")), use_case("faq", alerts=said("daily 07:00 Asia/Tokyo"))
    for case in (early, often):
        decided(store, day(0), saves(3_478).model_copy(update={"use_case": case.slug}), run=case.slug)
    sunday = next(d for n in range(1, 8) if (d := day(0).replace(hour=22, minute=1) + timedelta(days=n)).weekday() == 6)
    weekly, daily = write_digests(store, registry(early, often), now=sunday, platform=None, due_only=True)
    tomorrow = sunday + timedelta(days=1)
    assert f"week {tomorrow.isocalendar()[1]} ·" in plain(weekly.message)
    assert f"landscape, {tomorrow:%d %b} ·" in plain(daily.message)


@pytest.mark.slow
def test_the_service_sends_what_is_due_and_nothing_else(
    tmp_path: Path, slack: SlackServer, demo: Callable[[Path], Path]
) -> None:
    settings = Settings(
        undercut_home=demo(tmp_path / "home"), undercut_registry=str(Path(__file__).parents[1] / "use_cases.yaml"),
        slack_bot_token=SecretStr(TOKEN), undercut_slack_url=slack.api, undercut_platform_channel="#llm-platform",
    )  # fmt: skip
    slack.channels |= {"#legal-ai-costs": "C0LEGAL"}
    heard = []
    for at in ("23 08:45", "23 09:00", "23 09:15", "25 09:00", "30 09:00"):
        with time_machine.travel(datetime.fromisoformat(f"2026-11-{at}:00+00:00"), tick=False):
            write_due(settings, Metrics())
        heard.append(len(slack.posted))
    assert heard[0] == 0 and heard[1] > 1, "the Mondays before were nobody's; the first one is"
    assert heard[1] == heard[2] == heard[3] and heard[4] == 2 * heard[1]


def test_a_digest_that_did_not_go_out_is_made_up_for_by_the_next_one_that_does(store: Store) -> None:
    case = use_case()
    decided(store, day(0))
    edition = editions(registry(case), None)[0]
    assert write_digests(store, registry(case), now=day(1), platform=None)
    with store.transaction():
        kept = make_alert("price_rise", "#support-ai", {"text": "bill rose"}, day(2), d=saves(1), why=FOR_DIGEST)
        enqueue(store, kept, run_id="r")
    assert gather(store, [case.slug], now=day(16), channel="#support-ai").notes == ()
    assert gather_edition(store, edition, now=day(16)).notes == ("bill rose",), (
        "the one of a week ago was never written"
    )


def test_a_parent_gets_the_figures_of_the_teams_below_it_alone(store: Store) -> None:
    cases = [
        use_case(slug, team=team, channel=f"#{team}")
        for slug, team in (("a", "ops"), ("b", "platform"), ("c", "legal"))
    ]
    for case in cases:
        decided(store, day(0), saves(3_478).model_copy(update={"use_case": case.slug}), run=case.slug)
    teams = (Team("ops", "#ops", "platform"), Team("platform", "#p"), Team("legal", "#l", "nobody"))
    known = replace(registry(*cases), teams=teams)
    rollups = [a for a in write_digests(store, known, now=day(6), platform="#all") if a.kind == "rollup"]
    assert [a.channel for a in rollups] == ["#p", "#all"]
    ours, everybody = (plain(a.message) for a in rollups)
    assert "LLM spend of platform and the teams below it" in ours and "2 use cases" in ours
    assert " a " in ours and " b " in ours and " c " not in ours
    assert "LLM spend of all teams" in everybody and "3 use cases" in everybody


def test_what_is_parked_is_named_in_the_roll_up_alone(store: Store) -> None:
    decided(store, day(0))
    store.insert("outbox", [{"message_id": "msg-1", "alert_id": "al-1", "channel": "#x", "payload": {}, "created_at": day(0)}])  # fmt: skip
    store.insert("outbox_event", [{"message_id": "msg-1", "happened_at": day(1), "outcome": "parked", "error": "x"}])
    digest, rollup = write_digests(store, registry(use_case()), now=day(6), platform="#llm-platform")
    assert "Parked    msg-1: undercut feedback MSG release" in plain(rollup.message)
    assert "Parked" not in plain(digest.message)


def test_what_a_rule_withheld_is_in_it(store: Store) -> None:
    decided(store, day(0))
    case = use_case(alerts=AlertTerms(max_per_week=0))
    small = [rate("input", "1", day(-9)), rate("output", "2", day(-9)), rate("input", "1.03", day(5))]
    cycle(store, day(5), seen(store, day(5), small))
    cycle(store, day(6), seen(store, day(6), [*small, rate("input", "3", day(5.5))], case))
    fetched(store, 6.4)
    cycle(store, day(6.5), seen(store, day(6.5), [*small, rate("input", "3", day(5.5))], case))
    found = gather(store, [case.slug], now=day(6.6), channel="#support-ai")
    assert found.withheld == {"weekly cap": 1}
    assert [n.partition(" a month")[0] for n in found.notes] == [
        "ticket-summary: bill rose $71.2",
        "ticket-summary: bill rose $4,670",
    ], "what the cap kept back is told here, not only counted"
    assert gather(store, [case.slug], now=day(13.9), channel="#support-ai").notes == ()


@pytest.mark.parametrize(("age", "shown", "silent", "last"), [(3, 1, 0, False), (10, 1, 0, True), (15, 0, 1, False)])
def test_an_open_finding_is_repeated_in_two_digests_then_only_counted(
    store: Store, age: int, shown: int, silent: int, last: bool
) -> None:
    decided(store, day(0), saves(3_478))
    unheard = gather(store, ["ticket-summary"], now=day(age), channel="#support-ai")
    assert (len(unheard.open), unheard.silent) == (1, 0), "what a channel never heard of is told"
    write_digests(store, registry(use_case()), now=day(0), platform=None)
    found = gather(store, ["ticket-summary"], now=day(age), channel="#support-ai")
    assert (len(found.open), found.silent, found.silent_usd_per_month > 0) == (shown, silent, bool(silent))
    from jobs.messages.digest import digest_message

    assert ("last reminder" in plain(digest_message(found, now=day(age)))) is last


def test_a_finding_that_proposes_nothing_has_no_answer(store: Store) -> None:
    from jobs.feedback import Said, record

    keeps = decision().model_copy(update={"verdict": "keep", "best": None})
    decided(store, day(0), keeps)
    with pytest.raises(UsageError, match="proposes nothing"):
        record(store, keeps.rec, Said("approve", day(1)))
    assert store.rows("from feedback") == []


def test_a_decided_finding_is_no_open_money(store: Store) -> None:
    from jobs.feedback import Said, record

    decided(store, day(0), saves(3_478))
    record(store, decision().rec, Said("reject", day(1), why="tone"))
    found = gather(store, ["ticket-summary"], now=day(2), channel="#support-ai")
    assert found.open == ()
    assert found.decided == {"rejected": 1}


def test_what_was_put_off_is_open_again_when_its_time_is_over(store: Store) -> None:
    from jobs.feedback import Said, record

    decided(store, day(0), saves(3_478))
    record(store, decision().rec, Said("later", day(1), until=day(40).date().isoformat()))
    write_digests(store, registry(use_case()), now=day(2), platform=None)
    store.publish()
    for at, shown, silent in ((40, 0, 0), (42, 1, 0), (70, 0, 1)):
        found = gather(store, ["ticket-summary"], now=day(at), channel="#support-ai")
        assert (len(found.open), found.silent) == (shown, silent), at
    with published(store.home / "market.duckdb") as con:
        states = [
            rows(con, "select state from recommendations_asof(?)", [day(at).date()])[0]["state"] for at in (2, 40, 41)
        ]
    assert states == ["later", "later", "open"]
    for bad in ("someday", "2026-13-01", day(0).date().isoformat()):
        with pytest.raises(UsageError, match="no day to come"):
            record(store, decision().rec, Said("later", day(1), until=bad))


def test_a_new_model_on_the_frontier_is_a_line_of_the_digest(store: Store) -> None:
    decided(store, day(0))
    cycle(store, day(1), seen(store, day(1), BASE, ranked=(newcomer(),)))
    assert gather(store, ["ticket-summary"], now=day(2), channel="#support-ai").notes == (
        "ticket-summary: new on your frontier: vendor-b/mini-5",
    )
    assert gather(store, ["ticket-summary"], now=day(9), channel="#support-ai").notes == (), "told once"


def test_what_a_first_run_withheld_and_its_summary_does_not_say_is_named(store: Store) -> None:
    better = BEST.model_copy(update={"p_gain": 0.9})
    found = seen(store, day(0), BASE, ranked=(better,), endpoints=[leaving(day(40))])
    assert sorted(w.kind for w in found) == ["better", "retirement"]
    made = cycle(store, day(0), found)
    assert {a.withheld_because for a in made if a.use_case} == {"first run: the onboarding summary only"}
    decided(store, day(0))
    week = gather(store, ["ticket-summary"], now=day(2), channel="#support-ai")
    assert week.notes == ("ticket-summary: better answers for the same bill: vendor-b:mini-5",), (
        "not the retirement: the summary had it"
    )
    assert gather(store, ["ticket-summary"], now=day(9), channel="#support-ai").notes == ()


def test_who_asks_for_the_digest_alone_is_told_there_and_who_mutes_is_not(store: Store) -> None:
    decided(store, day(0))
    muted = ("retirement",)
    for days, terms in (
        (21, AlertTerms(mode="digest")),
        (22, AlertTerms(mode="digest", mute=muted)),
        (23, AlertTerms(mute=muted)),
    ):
        case = use_case(alerts=terms)
        cycle(
            store,
            day(1),
            [w for w in seen(store, day(1), BASE, case, endpoints=[leaving(day(days))]) if w.kind == "retirement"],
        )
    notes = gather(store, ["ticket-summary"], now=day(2), channel="#support-ai").notes
    assert notes == ("ticket-summary: your model leaves in 20 days",)


def test_a_new_model_is_stopped_by_mute_or_never_and_says_so(store: Store) -> None:
    """Asking for the digest alone cannot stop what only the digest tells."""
    decided(store, day(0))
    silent, muted = AlertTerms(mode="never"), AlertTerms(mute=("new_model",))
    for terms, told in ((AlertTerms(mode="digest"), 1), (muted, 0), (silent, 0)):
        case = use_case(alerts=terms)
        found = seen(store, day(1), BASE, case, ranked=(newcomer(model_id=f"vendor-b/{terms.mode}{len(terms.mute)}"),))
        assert "Stop it alerts: {mute: [new_model]} or {mode: never}" in plain(found[0].message)
        before = len(gather(store, [case.slug], now=day(2), channel="#support-ai").notes)
        cycle(store, day(1), found)
        listening = [case.slug] if terms.mode != "never" else []
        after = gather(store, listening, now=day(2), channel="#support-ai").notes
        assert len(after) - before == (told if listening else -before)


def test_a_price_row_moved_only_where_one_source_changed_its_price_this_week(store: Store) -> None:
    def moved() -> tuple[int, int]:
        found = gather(store, ["ticket-summary"], now=day(7), channel=None)
        return found.rows_moved, found.rows_touching

    def told(*rates: Rate) -> None:
        add_rates(store, list(rates))

    decided(store, day(1), saves(3_478))
    told(rate("input", "5", day(-600)), rate("input", "2", day(-450)), rate("output", "8", day(-30)))
    assert moved() == (0, 0)
    told(rate("input", "2", day(3), standing="disputed"), rate("input", "1.9", day(3), source_id="list"))
    assert moved() == (0, 0), "another standing, another source's first word"
    told(rate("output", "8", day(3), withdrawn=True), rate("input", "9", day(3), endpoint="x:new"))
    assert moved() == (0, 0), "no longer listed, and new"
    told(rate("input", "3", day(4), valid_from=day(9)))
    assert moved() == (0, 0), "announced, not yet in force"
    told(rate("input", "2.5", day(5)))
    assert moved() == (1, 1)
    told(rate("input", "7", day(-60), endpoint="x:old"), rate("input", "6", day(6), endpoint="x:old"))
    assert moved() == (2, 1)
    told(
        rate("input", "4", day(-60), endpoint="x:due"), rate("input", "3", day(-9), endpoint="x:due", valid_from=day(2))
    )
    assert moved() == (3, 1), "announced earlier, in force since this week"


def test_unknown_is_not_zero(store: Store) -> None:
    from jobs.messages.digest import digest_message

    blank = quiet(current=decision().current.model_copy(update={"cost": None}))
    decided(store, day(0), blank.model_copy(update={"verdict": "unknown"}))
    found = gather(store, ["ticket-summary"], now=day(1), channel="#support-ai")
    assert found.spend_usd_per_month is None
    said = plain(digest_message(found, now=day(1)))
    assert "1 use case · unpriced" in said
    assert "$0" not in said
    decided(store, day(0.5), decision(current=decision().current.model_copy(update={"cost": cost(10)})))
