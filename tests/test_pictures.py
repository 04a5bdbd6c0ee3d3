"""The chart under a finding: once, after the message; whatever goes wrong with it, the message is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from data.errors import DataMissing
from data.store import Readable, Store
from jobs.outbox import Delivered, deliver, enqueue
from jobs.pictures import illustrate
from tests.slack_server import SlackServer
from tests.test_outbox import AT, alert, bot, hook

PNG = b"\x89PNG\r\n\x1a\n\x00\xff chart"
LATER = AT + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        opened.publish()
        yield opened


def draw(_: Readable, what: str) -> bytes:
    assert what == "x"
    return PNG


def test_a_chart_is_put_into_the_thread_of_its_message_once(store: Store, slack: SlackServer) -> None:
    enqueue(store, alert(), run_id="r")
    assert illustrate(store, store.home / "market.duckdb", bot(slack), LATER, draw) == 0, "nothing was sent yet"
    deliver(store, bot(slack), lambda: AT)
    assert [illustrate(store, store.home / "market.duckdb", bot(slack), LATER, draw) for _ in range(3)] == [1, 0, 0]
    assert slack.uploaded == [PNG]
    assert [(f["channel_id"], f["thread_ts"]) for f in slack.files] == [("C0SUPPORT", slack.posted[0]["ts"])]
    assert len(slack.posted) == 1


@pytest.mark.parametrize("fault", ["url", "body", "share", "lost"])
def test_a_failed_upload_or_a_lost_answer_sends_nothing_again(store: Store, slack: SlackServer, fault: str) -> None:
    enqueue(store, alert(), run_id="r")
    deliver(store, bot(slack), lambda: AT)
    slack.upload_fault = fault
    assert illustrate(store, store.home / "market.duckdb", bot(slack), LATER, draw) == 0
    slack.upload_fault = ""
    assert illustrate(store, store.home / "market.duckdb", bot(slack), LATER, draw) == 0
    assert deliver(store, bot(slack), lambda: LATER) == Delivered()
    assert len(slack.posted) == 1
    assert len(slack.files) == (fault == "lost")
    assert [r["error"] is None for r in store.rows("select error from picture order by rowid")] == [True, False]


def test_no_chart_for_a_webhook_an_old_message_another_kind_or_a_use_case_without_prices(
    store: Store, slack: SlackServer
) -> None:
    def nothing(_: Readable, __: str) -> bytes:
        raise DataMissing("no price is known", where="chart", fix="none")

    enqueue(store, alert(1), run_id="r")
    enqueue(store, alert(2, kind="digest"), run_id="r")
    deliver(store, bot(slack), lambda: AT)
    assert illustrate(store, store.home / "market.duckdb", hook(slack), LATER, draw) == 0
    assert illustrate(store, store.home / "market.duckdb", None, LATER, draw) == 0
    assert illustrate(store, store.home / "market.duckdb", bot(slack), AT + timedelta(days=2), draw) == 0
    assert store.rows("select 1 from picture") == []
    assert illustrate(store, store.home / "market.duckdb", bot(slack), LATER, nothing) == 0
    assert store.rows("select message_id, outcome from picture") == [{"message_id": "msg-1", "outcome": "none"}]
    assert slack.uploaded == []
