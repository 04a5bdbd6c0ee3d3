"""When too much changes at once, teams hear nothing; what was held goes out once, when somebody or a second source says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.store import Store
from jobs.alerts import alerts_for
from jobs.breaker import look, misbehaving
from jobs.messages import plain
from tests.test_messages import use_case
from tests.test_watch import day, decided, fetched, many, priced, quiet, run, saves, stated, store

__all__ = ["store"]  # the fixture


@pytest.mark.parametrize(("flipped", "trips"), [(1, False), (2, False), (3, True), (6, True)])
def test_the_breaker_silences_teams_and_tells_the_platform(store: Store, flipped: int, trips: bool) -> None:
    rows = many(7, flipped)  # 2 of 7 is 29 %, 3 of 7 is 43 %
    for case, _ in rows:
        decided(store, day(0), quiet(use_case=case.slug, rec="rec-none"), run="first")
    changed = [c.slug for c, d in rows if d.verdict == "switch"]
    made = alerts_for(store, rows, now=day(1), data_as_of=day(1), changed=changed, listed={}, platform="#llm-platform")
    sent = [a for a in made if a.withheld_because is None]
    assert [a.kind for a in sent] == (["breaker"] if trips else ["cheaper"] * flipped)
    assert {a.channel for a in sent} == ({"#llm-platform"} if trips else {"#support-ai"})


def test_what_the_breaker_held_goes_out_as_one_message_once_a_person_releases_it(store: Store) -> None:
    from jobs.feedback import Said, record

    rows = many(7, 4)
    for case, _ in rows:
        decided(store, day(0), quiet(use_case=case.slug, rec="rec-none"), run="first")

    run(store, rows, day(1), [c.slug for c, d in rows if d.verdict == "switch"])
    assert look(store, rows, day(2)).open == "what it held of 4 use cases is not released yet"
    assert run(store, rows, day(2), []) == [], "two sources do not state the prices, and nobody released it"
    record(store, "breaker", Said("release", day(2.5), by="@dana"))
    assert look(store, rows, day(3)).open is None
    made = run(store, rows, day(3), [])
    assert [(a.kind, a.channel, a.withheld_because) for a in made] == [("joint", "#support-ai", None)]
    assert plain(made[0].message).count("rec-00000") == 4
    assert run(store, rows, day(4), []) == []


@pytest.mark.parametrize(
    ("source", "output", "hours", "goes"),
    [("litellm", "3", 7, True), ("litellm", "3", 5, False), ("litellm", "2", 7, False), ("openai", "3", 7, False)],
    ids=["a second source", "too soon", "it says otherwise", "the same source again"],
)
def test_what_the_breaker_held_goes_out_by_itself_once_a_second_source_says_the_same(
    store: Store, source: str, output: str, hours: int, goes: bool
) -> None:
    rows = many(7, 3, "in", "out")
    for case, _ in rows:
        decided(store, day(0), quiet(use_case=case.slug, rec="rec-none"), run="first")
    stated(store, "openai", -5, {"input": "1", "output": "3"})
    fetched(store, 0, 1, source="openai", sha256="a" * 64)
    priced(store, "in", source_id="openai", claim_ids=("openaiainput",))
    priced(store, "out", source_id="openai", claim_ids=("openaiaoutput",), usd="3", meter="output")
    flips = [c.slug for c, d in rows if d.verdict == "switch"]
    assert [a.kind for a in run(store, rows, day(1), flips) if a.withheld_because is None] == ["breaker"]
    stated(store, source, 1.1, {"input": "1", "output": output}, "b")
    made = run(store, rows, day(1 + hours / 24), [])
    assert [(a.kind, a.channel, a.withheld_because) for a in made] == ([("joint", "#support-ai", None)] if goes else [])
    if goes:
        assert plain(made[0].message).count("rec-00000") == 3
        assert "two sources now state the prices" in plain(made[0].message)
        assert [a.withheld_because for a in run(store, rows, day(2), flips)] == ["already told"] * 3
    else:
        assert {a.withheld_because for a in run(store, rows, day(1 + (hours + 0.5) / 24), flips)} == {
            "circuit breaker: not released yet"
        }


def test_a_use_case_that_the_breaker_does_not_hold_goes_on(store: Store) -> None:
    rows = many(7, 3)
    for case, _ in rows:
        decided(store, day(0), quiet(use_case=case.slug, rec="rec-none"), run="first")
    run(store, rows, day(1), [c.slug for c, d in rows if d.verdict == "switch"])
    new = saves(9_000).model_copy(update={"use_case": "case-6", "rec": "rec-new000"})
    later = [*rows[:6], (rows[6][0], new)]
    assert [(a.kind, a.rec) for a in run(store, later, day(2), ["case-6"])] == [("cheaper", "rec-new000")]


@pytest.mark.parametrize(
    ("after", "trips"),
    [
        ({"a": "1", "b": "2", "c": "3", "d": "4.4", "e": "5.5"}, False),
        ({"a": "1", "b": "2", "c": "3.3", "d": "4.4", "e": "5.5"}, True),
        ({"a": "1", "b": "2"}, True),
        ({"a": "1", "b": "2", "c": "3", "f": "1", "g": "1", "h": "1"}, False),
    ],
    ids=["two of five moved", "three moved", "three vanished", "two vanished and new ones came"],
)
def test_a_source_whose_rows_move_or_vanish_silences_teams_once(
    store: Store, after: dict[str, str], trips: bool
) -> None:
    decided(store, day(0))
    before = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
    stated(store, "shop", 0.5, before)
    found = saves(3_478)
    decided(store, day(1))
    stated(store, "shop", 1.5, after, "b")
    pairs = [(use_case(), found)]
    made = run(store, pairs, day(2), ["ticket-summary"])
    assert [a.kind for a in made if a.withheld_because is None] == (["breaker"] if trips else ["cheaper"])
    if trips:
        assert "shop: of 5 rows" in plain(made[-1].message)
        assert made[-1].channel == "#llm-platform"
        assert [a.kind for a in run(store, pairs, day(3), ["ticket-summary"]) if a.withheld_because is None] == []


def test_the_first_body_of_a_source_and_one_read_before_the_last_decision_trip_nothing(store: Store) -> None:
    stated(store, "shop", 0.2, dict.fromkeys("abcde", "1"))
    stated(store, "shop", 0.3, dict.fromkeys("abcde", "2"), "b")
    decided(store, day(1))
    stated(store, "new", 1.5, dict.fromkeys("abcde", "1"), "c")
    assert misbehaving(store, day(2)) == []
    stated(store, "shop", 1.6, dict.fromkeys("abcde", "3"), "d")
    assert [mark for _, mark in misbehaving(store, day(2))] == ["shop|" + "d" * 64]
    assert misbehaving(store, day(1.55)) == [], "what is fetched later is not known yet"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_exits_21_while_the_breaker_is_open_and_0_once_it_is_released(
    tmp_path: Path, demo: Callable[[Path], Path]
) -> None:
    def undercut(*words: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERCUT_", "SLACK_"))}
        env = clean | {"UNDERCUT_HOME": str(tmp_path), "UNDERCUT_PLATFORM_CHANNEL": "#llm-platform"}
        command = [sys.executable, "-c", "from jobs.cli import main; main()", *words]
        return subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=600)

    demo(tmp_path)
    with Store(tmp_path) as opened:  # as if most use cases had another best choice an hour ago
        last = opened.rows(
            "select * from recommendation qualify row_number() over (partition by use_case order by decided_at desc) = 1"
        )
        at = datetime.now(UTC) - timedelta(hours=1)
        changed = [
            r | {"run_id": "an hour ago", "decided_at": at, "to_endpoint": "was:another", "decision_sha": "x"}
            for r in last
        ]
        opened.insert("recommendation", changed)
    tripped = undercut("check")
    assert tripped.returncode == 21, tripped.stderr
    assert (
        "changed their best choice in one run. Fix: look at the sources and `undercut feedback breaker release`"
        in tripped.stderr
    )
    assert "Slack #llm-platform" in tripped.stdout
    assert undercut("feedback", "breaker", "release").returncode == 0
    done = undercut("check")
    assert done.returncode == 0, done.stderr
    assert "held and now released" in done.stdout
