"""What must not happen: a message lost, a message doubled, a failure kept quiet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataMissing, NotDelivered, UsageError
from data.records import Alert
from data.store import Store
from jobs.doctor import examine
from jobs.feedback import Said, record
from jobs.messages import platform_message
from jobs.metrics import Metrics
from jobs.outbox import MOST_TRIES, Delivered, deliver, enqueue, parked_messages, release, shown_at, waiting_messages
from jobs.settings import Settings
from jobs.slack import BotSender, WebhookSender
from tests.slack_server import TAKEN, TOKEN, SlackServer

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def alert(number: int = 1, **changes: Any) -> Alert:
    told = platform_message(f"note {number}", ["fine"])
    fields = {"alert_id": f"al-{number}", "kind": "cheaper", "use_case": "x", "rec": "rec-1", "channel": "#support-ai"}
    return Alert(**{**fields, "created_at": AT + timedelta(seconds=number), "message": told, **changes})


class Ticking:
    """A clock that goes on by a second a look."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def bot(slack: SlackServer) -> BotSender:
    return BotSender(TOKEN, slack.api, timeout_s=3, sleep=lambda _: None)


def hook(slack: SlackServer) -> WebhookSender:
    return WebhookSender(slack.hook, timeout_s=3, sleep=lambda _: None)


def test_one_alert_is_one_message_however_often_it_is_put_in(store: Store, slack: SlackServer) -> None:
    assert [enqueue(store, alert(), run_id="r") for _ in range(3)] == ["msg-1", None, None]
    clock = Ticking()
    assert deliver(store, bot(slack), clock) == Delivered(sent=1)
    assert deliver(store, bot(slack), clock) == Delivered()
    assert len(slack.posted) == 1
    events = store.rows("select outcome, slack_ts from outbox_event order by happened_at")
    assert [e["outcome"] for e in events] == ["sending", "sent"]
    assert events[-1]["slack_ts"] == slack.posted[0]["ts"]


def test_a_withheld_alert_is_recorded_and_not_sent(store: Store, slack: SlackServer) -> None:
    assert enqueue(store, alert(withheld_because="first run"), run_id="r") is None
    assert deliver(store, bot(slack), Ticking()) == Delivered()
    assert store.rows("select withheld_because from alert") == [{"withheld_because": "first run"}]


def test_a_decision_rolled_back_leaves_no_message(store: Store, slack: SlackServer) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        enqueue(store, alert(), run_id="r")
        raise RuntimeError
    assert deliver(store, bot(slack), Ticking()) == Delivered()
    assert not slack.posted


@pytest.mark.parametrize("fault", [*TAKEN, "cut", "500", "fatal_error"])
def test_a_lost_answer_is_exactly_one_message(store: Store, slack: SlackServer, fault: str) -> None:
    enqueue(store, alert(), run_id="r")
    clock = Ticking()
    slack.faults = [fault]
    first = deliver(store, bot(slack), clock)
    assert first == Delivered(sent=1) if fault in TAKEN else first.waiting == 1
    deliver(store, bot(slack), clock)
    assert len(slack.posted) == 1
    assert not waiting_messages(store)


def test_where_nobody_can_look_nothing_is_sent_again(store: Store, slack: SlackServer) -> None:
    enqueue(store, alert(), run_id="r")
    clock = Ticking()
    slack.faults, slack.history_error = ["drop"], "missing_scope"
    for _ in range(MOST_TRIES + 2):
        assert deliver(store, bot(slack), clock).waiting == 1
    assert len(slack.posted) == 1
    slack.history_error = None
    assert deliver(store, bot(slack), clock) == Delivered(sent=1)
    assert len(slack.posted) == 1


@pytest.mark.parametrize("fault", TAKEN)
def test_a_webhook_sends_at_most_once_and_says_so(store: Store, slack: SlackServer, fault: str) -> None:
    for number in (1, 2):
        enqueue(store, alert(number), run_id="r")
    clock = Ticking()
    slack.faults = [fault, "invalid_blocks"]
    said = deliver(store, hook(slack), clock)
    assert said.parked == 2, "the next message had its turn"
    assert "it may have arrived" in said.errors[0]
    assert deliver(store, hook(slack), clock) == Delivered()
    assert [m["text"] for m in slack.posted] == ["⚙️ note 1"]
    release(store, "msg-1", clock())
    assert deliver(store, hook(slack), clock) == Delivered(sent=1)


@pytest.mark.parametrize("fault", ["", "429:3600"])
def test_a_clock_set_back_neither_doubles_nor_parks_a_message(store: Store, slack: SlackServer, fault: str) -> None:
    enqueue(store, alert(), run_id="r")
    slack.faults = [fault] * bool(fault)
    looks = iter([AT, AT - timedelta(hours=1)])  # between the try and its answer
    first = deliver(store, hook(slack), lambda: next(looks))
    assert (first.sent, first.waiting, first.parked) == ((0, 1, 0) if fault else (1, 0, 0))
    for minutes in (-50, -40, 60):
        deliver(store, hook(slack), lambda m=minutes: AT + timedelta(minutes=m))  # type: ignore[misc]
    assert len(slack.posted) == 1
    assert not waiting_messages(store) and not parked_messages(store)
    events = store.rows("select outcome, happened_at from outbox_event order by happened_at")
    assert [e["outcome"] for e in events] == [*["sending", "retry"] * bool(fault), "sending", "sent"]
    assert len({e["happened_at"] for e in events}) == len(events)
    last = store.rows("select max_by(outcome, happened_at) as last from outbox_event")
    assert last == [{"last": "sent"}], "the view `alerts` and the metrics read it so"


def test_a_broken_token_holds_messages_until_it_is_mended(store: Store, slack: SlackServer) -> None:
    for number in (1, 2):
        enqueue(store, alert(number), run_id="r")
    clock = Ticking()
    for _ in range(MOST_TRIES + 2):
        slack.faults = ["token_revoked"] * 2
        said = deliver(store, bot(slack), clock)
        assert said.waiting == 2
        assert "set a new SLACK_BOT_TOKEN" in said.errors[0]
    assert deliver(store, bot(slack), clock) == Delivered(sent=2)
    assert [m["text"] for m in slack.posted] == ["⚙️ note 1", "⚙️ note 2"]


def registered(store: Store, channel: str, at: datetime) -> None:
    entry = {
        "title": "t",
        "endpoint_id": "e",
        "model_id": "m",
        "tier": "standard",
        "entry_sha": channel,
        "withdrawn": False,
    }
    store.insert(
        "use_case", [{**entry, "use_case": "x", "channel": channel, "registered_at": at, "tasks": {}, "entry": {}}]
    )


@pytest.mark.parametrize(
    ("channel", "error", "fix"),
    [
        ("#support-ai", "is_archived", "the channel is archived: name another in use_cases.yaml"),
        ("#typo", "channel_not_found", "name a channel that exists in use_cases.yaml, and invite the app"),
    ],
)
def test_a_channel_that_is_archived_or_gone_holds_its_messages_until_another_is_registered(
    store: Store, slack: SlackServer, channel: str, error: str, fix: str
) -> None:
    registered(store, channel, AT)
    enqueue(store, alert(1, channel=channel), run_id="r")
    enqueue(store, alert(2, channel="#llm-platform"), run_id="r")  # to the platform channel, of the same use case
    slack.archived = {"C0SUPPORT"}
    clock = Ticking()
    said = deliver(store, bot(slack), clock)
    assert (said.sent, said.waiting, said.parked) == (1, 1, 0), "the other channel's goes out"
    assert said.errors == (f"msg-1 to {channel}: {error}: {fix}",)
    for _ in range(MOST_TRIES + 2):
        assert deliver(store, bot(slack), clock).waiting == 1, "it is neither dropped nor parked"
    with pytest.raises(NotDelivered, match=error):
        deliver(store, bot(slack), clock).check()
    slack.channels["#help"] = "C0HELP"
    registered(store, "#help", AT + timedelta(days=1))
    clock.at = AT + timedelta(days=2)
    slack.faults, slack.history_error = ["drop"], "missing_scope"  # the answer is lost: it is looked for where it went
    assert deliver(store, bot(slack), clock).waiting == 1
    slack.history_error = None
    slack.channels["#later"] = "C0LATER"
    registered(store, "#later", AT + timedelta(days=3))
    assert deliver(store, bot(slack), clock) == Delivered(sent=1)
    assert deliver(store, bot(slack), clock) == Delivered()
    assert [(m["channel"], m["text"]) for m in slack.posted] == [("C0PLATFORM", "⚙️ note 2"), ("C0HELP", "⚙️ note 1")]


def test_an_archived_channel_that_is_opened_again_gets_what_waited_and_no_more(
    store: Store, slack: SlackServer
) -> None:
    enqueue(store, alert(), run_id="r")
    slack.archived, clock = {"C0SUPPORT"}, Ticking()
    assert deliver(store, bot(slack), clock).waiting == 1
    slack.archived = set()
    assert deliver(store, bot(slack), clock) == Delivered(sent=1)
    assert deliver(store, bot(slack), clock) == Delivered()
    assert len(slack.posted) == 1


def test_a_platform_message_stays_with_the_platform_when_the_team_moves(store: Store, slack: SlackServer) -> None:
    registered(store, "#support-ai", AT)
    enqueue(store, alert(1, channel="#gone"), run_id="r")
    clock = Ticking()
    assert deliver(store, bot(slack), clock).waiting == 1
    registered(store, "#llm-platform", AT + timedelta(days=1))
    assert deliver(store, bot(slack), clock).waiting == 1, "#gone was never the channel of this use case"
    assert slack.posted == []


def test_a_message_too_long_for_slack_is_parked_whole_and_said(store: Store, slack: SlackServer) -> None:
    """By the server's own measure, not by a fault it was told to play."""
    long = {"text": "x", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "y" * 2_900}}] * 5}
    enqueue(store, alert(1, message=long), run_id="r")
    enqueue(store, alert(2), run_id="r")
    said = deliver(store, bot(slack), Ticking())
    assert (said.sent, said.parked) == (1, 1)
    assert "msg_blocks_too_long" in said.errors[0]
    assert [m["message_id"] for m in parked_messages(store)] == ["msg-1"]
    assert len(parked_messages(store)[0]["payload"]) > 14_000, "nothing of it is lost"


def test_tries_end_and_the_message_is_parked_not_dropped(store: Store, slack: SlackServer) -> None:
    enqueue(store, alert(), run_id="r")
    clock = Ticking()
    for n in range(MOST_TRIES):
        slack.faults = ["429:3600"]
        said = deliver(store, bot(slack), clock)
        assert (said.waiting, said.parked) == ((1, 0) if n < MOST_TRIES - 1 else (0, 1))
    assert "rate limited" in parked_messages(store)[0]["error"]
    release(store, "msg-1", clock())
    assert deliver(store, bot(slack), clock) == Delivered(sent=1)
    with pytest.raises(DataMissing, match="not parked"):
        release(store, "msg-1", clock())


def test_doctor_names_what_slack_did_not_take_and_a_person_sends_a_parked_message_again(
    store: Store, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNDERCUT_STORE", raising=False)

    def said() -> list[tuple[str, str]]:
        store.publish()
        found = examine(Settings(undercut_home=store.home))
        return [(f.what, f.fix) for f in found if f.what.startswith("Slack: ") and "token" not in f.what]

    assert said() == []
    for number in (1, 2):
        enqueue(store, alert(number), run_id="r")
    slack.faults = ["drop", "429:3600"]
    clock = Ticking()
    deliver(store, hook(slack), clock)
    waits = ("Slack: 1 not sent yet", "`undercut check --send` says why, and tries again.")
    parked = "Slack: 1 parked, each may have arrived or was refused: msg-1"
    assert said() == [waits, (parked, "look whether they arrived; `undercut feedback msg-1 release` sends one again.")]
    with pytest.raises(UsageError, match="no verdict 'reject' for a parked message"):
        record(store, "msg-1", Said("reject", clock()))
    with pytest.raises(DataMissing, match="msg-2 is not parked") as caught:
        record(store, "msg-2", Said("release", clock()))
    assert caught.value.fix == "parked are: msg-1."
    assert record(store, "msg-1", Said("release", clock())).startswith("released")
    assert deliver(store, hook(slack), clock) == Delivered(sent=2)
    assert said() == []


def test_what_a_person_drops_is_never_sent_and_named_no_more(
    store: Store, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNDERCUT_STORE", raising=False)
    enqueue(store, alert(), run_id="r")
    slack.faults = ["msg_too_long"]
    with pytest.raises(NotDelivered, match="undercut feedback MSG release"):
        deliver(store, bot(slack), Ticking()).check()
    assert record(store, "msg-1", Said("drop", AT)).startswith("dropped")
    with pytest.raises(DataMissing, match="msg-1 is not parked"):
        record(store, "msg-1", Said("release", AT))
    assert deliver(store, bot(slack), Ticking()) == Delivered()
    assert slack.posted == []
    store.publish()
    assert not [f for f in examine(Settings(undercut_home=store.home)) if "not sent" in f.what or "parked," in f.what]
    figures = Metrics()
    figures.after_check(store, AT, 0)
    assert figures.registry.get_sample_value("undercut_outbox_waiting") == 0


def test_one_that_slack_refuses_does_not_hold_up_the_next(store: Store, slack: SlackServer) -> None:
    for number in (1, 2):
        enqueue(store, alert(number), run_id="r")
    slack.faults = ["msg_too_long"]
    said = deliver(store, bot(slack), Ticking())
    assert (said.sent, said.parked) == (1, 1)
    with pytest.raises(NotDelivered, match="msg_too_long") as caught:
        said.check()
    assert caught.value.exit_code == 22
    Delivered(sent=1).check()


def test_news_that_was_sent_before_what_it_adds_to_is_found_where_it_stands(store: Store, slack: SlackServer) -> None:
    enqueue(store, alert(1), run_id="r")
    enqueue(store, alert(2, follows="msg-1"), run_id="r")
    clock = Ticking()
    slack.faults, slack.history_error = ["429:3600", "drop"], "missing_scope"
    assert deliver(store, bot(slack), clock).waiting == 2
    slack.history_error = None
    assert deliver(store, bot(slack), clock).sent == 2
    assert [m["text"] for m in slack.posted] == ["⚙️ note 2", "⚙️ note 1"]


def test_a_pressed_message_shows_its_own_words_and_never_another_messages(store: Store, slack: SlackServer) -> None:
    kinds = ("cheaper", "retirement", "disputed")
    for number, kind in enumerate(kinds, 1):
        enqueue(store, alert(number, kind=kind), run_id="r")
    enqueue(store, alert(4, withheld_because="muted: disputed"), run_id="r")
    deliver(store, bot(slack), Ticking())
    first, leaves, _ = [m["ts"] for m in slack.posted]

    def text(ts: str, rec: str = "rec-1") -> tuple[dict[str, str], str]:
        shown, thread = shown_at(store, rec, ts)
        return {ts: m["text"] for ts, m in shown.items()}, thread

    assert text(first) == ({first: "⚙️ note 1"}, first)
    assert text(leaves) == ({leaves: "⚙️ note 2"}, leaves)
    assert text("1.5") == ({}, "1.5")
    assert text(first, "rec-2") == ({}, first)
    enqueue(store, alert(5, follows="msg-1"), run_id="r")
    deliver(store, bot(slack), Ticking())
    assert text(first) == ({first: "⚙️ note 5"}, first), "it was edited"
    reply = slack.posted[-1]["ts"]
    both = {reply: "⚙️ note 5", first: "⚙️ note 5"}
    assert text(reply) == (both, first), "a reply's answer stands in the thread, and takes the buttons of both"
    enqueue(store, alert(6, follows="msg-5", rec="rec-9"), run_id="r")
    deliver(store, bot(slack), Ticking())
    assert text(reply) == ({reply: "⚙️ note 5"}, first), "the first shows another finding by now: its buttons stay"


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from data.store import Store
from jobs.outbox import deliver, enqueue
from tests.test_outbox import alert, bot
from tests.slack_server import SlackServer
where, at = sys.argv[2], lambda: datetime.now(UTC)
slack = SlackServer()
slack.url = sys.argv[3]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store = Store(Path(sys.argv[1]))
with store.transaction():
    enqueue(store, alert(), run_id="r")
    if where == "before commit": die()
if where == "after commit": die()
sender = bot(slack)
if where == "before send": sender.send = die
if where == "after send":
    post = sender.send
    sender.send = lambda *a: (post(*a), die())
deliver(store, sender, at)
"""


@pytest.mark.parametrize(
    ("where", "late"), [("before commit", 0), ("after commit", 1), ("before send", 1), ("after send", 0)]
)
def test_killed_anywhere_it_is_one_message_or_never_decided(
    tmp_path: Path, slack: SlackServer, where: str, late: int
) -> None:
    arguments = [sys.executable, "-c", KILLED, str(tmp_path), where, slack.url]
    done = subprocess.run(arguments, check=False, env={**os.environ, "PYTHONPATH": "."}, timeout=60)
    assert done.returncode == -signal.SIGKILL
    before = len(slack.posted)
    with Store(tmp_path) as store:
        deliver(store, bot(slack), lambda: datetime.now(UTC))
        assert not waiting_messages(store)
    assert len(slack.posted) - before == late
    assert len(slack.posted) == (0 if where == "before commit" else 1)


OWN = """use_cases:
  own-triage:
    task: classification
    model: openai/gpt-4o
    traffic: 20k/day
    tokens: {in: 900, out: 40}
    channel: "#support-ai"
"""


@pytest.mark.slow
def test_the_command_says_what_slack_did_not_take_and_sends_it_once(
    tmp_path: Path, slack: SlackServer, demo: Callable[[Path], Path]
) -> None:
    slack.channels = {"#support-ai": "C1", "#llm-platform": "C2", "#legal-ai-costs": "C3"}
    env = {**os.environ, "UNDERCUT_HOME": str(tmp_path), "SLACK_BOT_TOKEN": TOKEN, "UNDERCUT_SLACK_URL": slack.api}
    env.pop("SLACK_WEBHOOK_URL", None)

    def undercut(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from jobs.cli import main; main()", *words]
        return subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=120)

    demo(tmp_path)
    assert undercut("check", "--send").returncode == 0
    # what the demo decided is never sent; a retirement that the calendar brings near is news of its own
    assert [p["text"] for p in slack.posted if ": your model " not in p["text"]] == []
    registry = tmp_path / "own.yaml"
    registry.write_text(OWN, encoding="utf-8")
    env["UNDERCUT_REGISTRY"] = str(registry)
    slack.faults = ["token_revoked"] * 9
    refused = undercut("check", "--send")
    assert refused.returncode == 22, refused.stderr
    assert "SLACK_BOT_TOKEN" in refused.stderr
    assert TOKEN not in refused.stderr + refused.stdout
    slack.faults = ["drop"]
    assert undercut("check", "--send").returncode == 0
    once = len(slack.posted)
    assert once
    assert undercut("check", "--send").returncode == 0
    assert len(slack.posted) == once


def test_news_of_a_finding_whose_channel_was_changed_stands_in_the_new_one_by_itself(
    slack: SlackServer, tmp_path: Path
) -> None:
    with Store(tmp_path) as store:
        registered(store, "#support-ai", AT)
        clock = Ticking()
        enqueue(store, alert(1), run_id="r")
        deliver(store, bot(slack), clock)
        slack.channels["#help"] = "C0HELP"
        registered(store, "#help", AT + timedelta(days=1))
        clock.at = AT + timedelta(days=2)
        enqueue(store, alert(2, follows="msg-1", channel="#help"), run_id="r")
        deliver(store, bot(slack), clock)
        assert [(m["channel"], m.get("thread_ts")) for m in slack.posted][1:] == [("C0HELP", None)]
        assert parked_messages(store) == []
