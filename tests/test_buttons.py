"""Buttons over a real Socket Mode client: an answer is kept before it is acknowledged, written once, and never guessed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from data.store import Store
from jobs.answers import Ask, Inbox, Pressed, Refused, read, write_answers
from jobs.messages import plain
from jobs.messages.blocks import payload
from jobs.messages.buttons import answered, reason_form, with_buttons, without_buttons
from jobs.slack.listen import Listener
from jobs.slack.send import WebhookSender
from tests.slack_server import TOKEN, SlackServer, faults_of
from tests.test_messages import BEST, decision
from tests.test_watch import decided

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REC = "rec-321e48"
REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"


def press(action: str, rec: str = REC, **changes: Any) -> dict[str, Any]:
    return {"type": "block_actions", "user": {"id": "U1", "username": "lee"}, "trigger_id": "t.1",
            "channel": {"id": "C0PLATFORM"}, "message": {"ts": "17.01"},
            "actions": [{"action_id": action, "value": rec, "action_ts": "1795262400.5"}], **changes}  # fmt: skip


def form(why: str | None, until: str | None = None, reopen: str | None = None, rec: str = REC) -> dict[str, Any]:
    values = {
        "why": {"text": {"value": why}},
        "until": {"date": {"selected_date": until}},
        "reopen": {"text": {"value": reopen}},
    }
    view = {"callback_id": "undercut_reason", "state": {"values": values},
            "private_metadata": json.dumps({"rec": rec, "channel": "C0PLATFORM", "ts": "17.01"})}  # fmt: skip
    return {"type": "view_submission", "user": {"id": "U1", "username": "lee"}, "view": view}


def test_buttons_carry_the_id_and_slack_takes_them() -> None:
    message = payload("a finding", ["one", "two"])
    shown = with_buttons(message, REC)
    assert faults_of(shown) is None
    assert [e["value"] for e in shown["blocks"][-1]["elements"]] == [REC] * 3
    assert without_buttons(shown) == message
    done = answered(shown, "approve by <!channel> lee")
    assert faults_of(done) is None
    assert "actions" not in [b["type"] for b in done["blocks"]]
    assert plain(done).endswith("approve by <!channel> lee")  # plain text: it cannot ping


def test_an_answer_is_read_whole_or_not_at_all() -> None:
    assert read(press("undercut_approve"), NOW) == Pressed(
        REC, "approve", "2026-11-21T12:00:00.500000+00:00", "lee", "C0PLATFORM", "17.01"
    )
    assert read(press("undercut_reject"), NOW) == Ask(REC, "t.1", "C0PLATFORM", "17.01")
    for wrong in (press("other_app"), press("undercut_approve", rec="rec-1; drop table"), {"type": "block_actions"}, {},
                  press("undercut_approve", actions=[]), press("undercut_approve", user=None)):  # fmt: skip
        assert read(wrong, NOW) is None


def test_a_no_needs_a_reason_a_day_to_come_and_a_readable_condition() -> None:
    assert read(form("too new", "2027-03-01", "evidence=A and region eu available"), NOW) == Pressed(
        REC,
        "reject",
        NOW.isoformat(),
        "lee",
        "C0PLATFORM",
        "17.01",
        "too new",
        "2027-03-01",
        "evidence=A and region eu available",
    )
    assert read(form("  "), NOW) == Refused({"why": "say why, it is kept with the decision"})
    refused = read(form("no", "2026-11-20", "when EU"), NOW)
    assert isinstance(refused, Refused)
    assert set(refused.errors) == {"until", "reopen"}
    assert read(form("no", rec="../x"), NOW) is None


def test_what_is_kept_is_written_once_however_often_it_arrives(tmp_path: Path, demo: Callable[[Path], Path]) -> None:
    demo(tmp_path)
    inbox, heard = Inbox(tmp_path), list[str]()
    with Store(tmp_path) as store:
        rec = store.rows("select rec from recommendation where verdict = 'switch' limit 1")[0]["rec"]
        first = read(form("no contract yet", "2027-03-01", rec=rec), NOW)
        assert isinstance(first, Pressed)
        for answer in (first, first, Pressed("rec-ffffff", "approve", NOW.isoformat(), "lee", "C", "1")):
            inbox.put(answer)
        with inbox.path.open("a") as f:
            f.write('{"rec": "rec-half')  # a crash while writing: never acknowledged
        assert write_answers(store, inbox, lambda a, said: heard.append(said)) == 1
        kept = store.rows("select rec, verdict, decided_by, why, until from feedback")
        assert kept == [
            {"rec": rec, "verdict": "rejected", "decided_by": "lee", "why": "no contract yet", "until": "2027-03-01"}
        ]
        assert "decisions:" in heard[0]
        assert "not taken: " in heard[1]
        inbox.put(first)  # delivered again after a crash between the database and the file
        assert write_answers(store, inbox, lambda a, said: heard.append(said)) == 0
        assert len(store.rows("select * from feedback")) == 1
        assert inbox.waiting() == []


ODD = ("we\u2028tried\u2029it\x85now", "half \ud800 of a pair", "nul \x00", 'quote " and \\ and ü', "a\x1c\x1db")


def test_no_answer_holds_up_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inbox, heard = Inbox(tmp_path), list[str]()
    model = BEST.model_copy(update={"model_id": "vendor-b/mini-5"})
    with Store(tmp_path) as store:
        decided(store, NOW, decision(best=model))
        for n, why in enumerate(ODD):
            answer = read(form(why, rec=decision().rec), NOW + timedelta(minutes=n))
            assert isinstance(answer, Pressed)
            inbox.put(answer)
        with inbox.path.open("a") as f:
            f.write('{"rec": "rec-half')  # a crash while writing
        later = Pressed(decision().rec, "later", NOW.isoformat(), "lee", "C", "1")
        Inbox(tmp_path).put(later)
        with inbox.path.open("a") as f:
            f.write(
                '{"rec": "rec-000001", "verdict": "maybe", "at": "noon", "by": "x", "channel": "C", "ts": "1"}\n[]\n'
            )
        inbox.put(replace(later, verdict="approve"))
        assert write_answers(store, inbox, lambda _, said: heard.append(said)) == len(ODD) + 2
        assert inbox.waiting() == []
        kept = store.rows("select why, verdict from feedback order by rowid")
        assert [r["verdict"] for r in kept] == ["rejected"] * len(ODD) + ["later", "approved"]
        assert kept[3]["why"] == ODD[3]
    assert len(inbox.aside.read_bytes().splitlines()) == 3
    assert "3 answers cannot be read" in caplog.text


def test_an_answer_that_comes_while_others_are_taken_stays(tmp_path: Path) -> None:
    one, other = Inbox(tmp_path), Inbox(tmp_path)  # of the listener, of the job that takes
    answers = [Pressed(REC, "approve", NOW.isoformat(), f"p{n}", "C", "1") for n in range(200)]
    one.put(answers[0])
    writer = threading.Thread(target=lambda: [one.put(a) for a in answers[1:]])
    writer.start()
    seen: list[Pressed] = []
    while writer.is_alive() or other.waiting():
        found = other.waiting()
        seen += found
        other.taken(len(found))
    assert seen == answers


@pytest.mark.parametrize("stamp", ["inf", "nan", "1e30", "-1e30"])
def test_an_instant_that_is_none_is_no_answer(stamp: str) -> None:
    pressed = press("undercut_approve")
    pressed["actions"][0]["action_ts"] = stamp
    assert read(pressed, NOW) is None


def test_a_no_without_a_day_ends_after_180_days(tmp_path: Path, demo: Callable[[Path], Path]) -> None:
    demo(tmp_path)
    with Store(tmp_path) as store:
        rec = store.rows("select rec from recommendation where verdict = 'switch' limit 1")[0]["rec"]
        answer = read(form("later perhaps", rec=rec), NOW)
        assert isinstance(answer, Pressed)
        Inbox(tmp_path).put(answer)
        write_answers(store, Inbox(tmp_path), lambda *_: None)
        until = store.rows("select until from feedback")[0]["until"]
        assert until == (NOW + timedelta(days=180)).date().isoformat()


def eventually(holds: Callable[[], bool], longest_s: float = 60) -> None:
    """Wait until it holds: how long another thread takes on a loaded machine is nobody's promise."""
    until = time.monotonic() + longest_s
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        time.sleep(0.02)


class Socket:
    """Slack's end of Socket Mode: sends envelopes, keeps what was acknowledged and what was on disk at that moment."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox, self.acks, self.kept_at_ack = inbox, list[dict[str, Any]](), list[int]()
        self.connections = list[ServerConnection]()
        self.server = serve(self._serve, "127.0.0.1", 0)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        for text in connection:
            self.kept_at_ack.append(len(self.inbox.waiting()))
            self.acks.append(json.loads(text))

    def press(self, interaction: dict[str, Any], envelope: str) -> None:
        eventually(lambda: bool(self.connections))  # the client is connected before this end's thread has run
        self.connections[-1].send(
            json.dumps(
                {
                    "type": "interactive",
                    "envelope_id": envelope,
                    "payload": interaction,
                    "accepts_response_payload": True,
                }
            )
        )

    def wait(self, count: int) -> None:
        eventually(lambda: len(self.acks) >= count)
        assert len(self.acks) == count


def test_over_the_socket_an_answer_is_on_disk_before_it_is_acknowledged(slack: SlackServer, tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    socket = Socket(inbox)
    slack.socket_url = f"ws://127.0.0.1:{socket.port}/link"
    slack.posted.append({"channel": "C0PLATFORM", "ts": "17.01"})  # the finding
    listener = Listener("xapp-fake", TOKEN, inbox, slack.api)
    listener.start()
    try:
        socket.press(press("undercut_approve"), "e1")
        socket.wait(1)
        assert socket.kept_at_ack == [1]
        socket.press(press("undercut_reject"), "e2")
        socket.wait(2)
        eventually(lambda: bool(slack.views))
        assert slack.views[0]["view"] == reason_form(REC, "C0PLATFORM", "17.01")
        socket.press(form(""), "e3")
        socket.wait(3)
        assert socket.acks[2]["payload"]["response_action"] == "errors"
        socket.press(form("no contract"), "e4")
        socket.wait(4)
        assert [a["envelope_id"] for a in socket.acks] == ["e1", "e2", "e3", "e4"]
        assert [(a.verdict, a.why) for a in inbox.waiting()] == [("approve", None), ("reject", "no contract")]
        shown = with_buttons(payload("a finding", ["one"]), REC)
        slack.posted.append({"channel": "C0PLATFORM", "ts": "17.02", "thread_ts": "17.01"})  # news of it, in its thread
        where = {"17.02": shown, "17.99": shown, "17.01": shown}  # the second is none of Slack's any more
        listener.told(inbox.waiting()[0], where, payload("kept", ["decisions: …"]), "17.01")
        assert [m["ts"] for m in slack.edited] == ["17.02", "17.01"]
        assert all("actions" not in [b["type"] for b in m["blocks"]] for m in slack.edited)
        assert slack.posted[-1]["thread_ts"] == "17.01", "an edit that Slack refuses does not cost the reply"
    finally:
        listener.stop()
        socket.server.shutdown()


def test_a_socket_that_slack_refuses_leaves_the_service_alone(
    slack: SlackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener("xapp-secret-9", TOKEN, Inbox(tmp_path), slack.api)  # no socket: apps.connections.open says no
    listener.start()
    assert "buttons are off" in caplog.text
    assert "xapp-secret-9" not in caplog.text


def test_a_webhook_sends_no_buttons(slack: SlackServer) -> None:
    WebhookSender(slack.hook, sleep=lambda _: None).send(
        "#x", with_buttons(payload("a finding", ["one"]), REC), "msg-1"
    )
    assert "actions" not in [b["type"] for b in slack.posted[0]["blocks"]]
