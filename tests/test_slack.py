"""What a Slack answer becomes; and that a secret is never said."""

from __future__ import annotations

import logging
import traceback
from datetime import datetime
from urllib.error import URLError

import pytest

from data.errors import NotDelivered, UsageError
from jobs.doctor import examine
from jobs.messages import platform_message
from jobs.settings import Settings
from jobs.slack import BotSender, WebhookSender, sender_from
from jobs.slack.send import _answer
from tests.slack_server import HOOK, TOKEN, SlackServer

HELLO = platform_message("all sources fresh", ["nothing held"])


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def bot(slack: SlackServer, naps: list[float]) -> BotSender:
    return BotSender(TOKEN, slack.api, timeout_s=3, sleep=naps.append)


@pytest.fixture
def hook(slack: SlackServer, naps: list[float]) -> WebhookSender:
    return WebhookSender(slack.hook, timeout_s=3, sleep=naps.append)


def test_a_message_carries_our_id_and_does_not_unfurl(bot: BotSender, slack: SlackServer) -> None:
    answer = bot.send("#support-ai", HELLO, "msg-1")
    assert answer.outcome == "sent"
    assert answer.ts == slack.posted[0]["ts"]
    assert slack.posted[0]["metadata"]["event_payload"] == {"message_id": "msg-1"}
    assert str(slack.posted[0]["unfurl_links"]).lower() in ("false", "0")


def test_a_sent_message_is_found_among_others_and_edited(bot: BotSender, slack: SlackServer) -> None:
    sent = [bot.send("#support-ai", HELLO, f"msg-{i}") for i in range(5)]
    fresh = BotSender(TOKEN, slack.api)  # another process: knows no channel ids yet
    assert fresh.find("#support-ai", "msg-0") == sent[0].ts
    assert fresh.find("#support-ai", "msg-9") is None
    assert fresh.update("#support-ai", sent[0].ts or "", HELLO).outcome == "sent"
    assert slack.edited[0]["ts"] == sent[0].ts


@pytest.mark.parametrize(
    ("fault", "outcome", "says"),
    [
        ("invalid_auth", "blocked", "SLACK_BOT_TOKEN"),
        ("token_revoked", "blocked", "revoked"),
        ("is_archived", "blocked", "archived"),
        ("not_in_channel", "blocked", "invite"),
        ("msg_too_long", "parked", "msg_too_long"),
        ("something_new", "parked", "something_new"),
        ("fatal_error", "lost", "fatal_error"),
        ("500", "lost", "HTTP 500"),
        ("503", "lost", "HTTP 503"),
        ("drop", "lost", ""),
        ("cut", "lost", ""),
        ("short", "lost", "IncompleteRead"),
        ("garbled", "lost", "BadStatusLine"),
        ("page", "lost", "HTTP 200"),
        ("504", "lost", "HTTP 504"),
        ("429:3600", "retry", "rate limited"),
        ("429:²", "retry", "rate limited"),
        ("429:Wed, 21 Oct 2026 07:28:00 GMT", "retry", "rate limited"),
    ],
)
def test_a_refusal_is_told_apart(bot: BotSender, slack: SlackServer, fault: str, outcome: str, says: str) -> None:
    slack.faults = [fault]
    answer = bot.send("#support-ai", HELLO, "msg-1")
    assert answer.outcome == outcome
    assert says in (answer.error or "")
    assert slack.calls.count("chat.postMessage") == 1, "never sent again blindly"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("no_service", "blocked"),
        ("invalid_blocks", "parked"),
        ("500", "lost"),
        ("504", "lost"),
        ("drop", "lost"),
        ("short", "lost"),
        ("garbled", "lost"),
        ("429:²", "retry"),
        ("429:3600", "retry"),
    ],
)
def test_a_webhook_does_not_raise_so_its_status_is_read(
    hook: WebhookSender, slack: SlackServer, fault: str, outcome: str
) -> None:
    slack.faults = [fault]
    assert hook.send("#support-ai", HELLO, "msg-1").outcome == outcome
    assert len(slack.calls) == 1


def test_a_webhook_has_one_channel_so_each_message_names_whom_it_is_for(
    hook: WebhookSender, slack: SlackServer
) -> None:
    full = {**HELLO, "blocks": [{"type": "divider"}] * 50}
    for channel, message in (("#support-ai", HELLO), ("#llm-platform", HELLO), ("#x", full)):
        assert hook.send(channel, message, "m").outcome == "sent"
    assert [m["blocks"][0]["elements"][0]["text"] for m in slack.posted] == ["for #support-ai", "for #llm-platform", "for #x"]  # fmt: skip
    webhook = [f.what for f in examine(Settings(slack_webhook_url=slack.hook)) if "webhook" in f.what]
    assert "every message in its one channel" in webhook[0]


def test_a_short_rate_limit_is_waited_for_and_bounded(
    bot: BotSender, hook: WebhookSender, slack: SlackServer, naps: list[float]
) -> None:
    for sender in (bot, hook):
        slack.faults = ["429:2", "429:3"]
        assert sender.send("#support-ai", HELLO, "msg-1").outcome == "sent"
        slack.faults = ["429:2"] * 9
        assert sender.send("#llm-platform", HELLO, "msg-2").outcome == "retry"
        slack.faults = []
    assert [n for n in naps if n in (2.0, 3.0)] == [2, 3, 2, 2] * 2


def test_one_message_a_second_and_channel(bot: BotSender, naps: list[float]) -> None:
    for channel in ("#support-ai", "#llm-platform", "#support-ai"):
        bot.send(channel, HELLO, channel)
    assert len(naps) == 1
    assert 0 < naps[0] <= 1


def test_nobody_at_home_was_never_sent(naps: list[float]) -> None:
    assert BotSender(TOKEN, "http://127.0.0.1:9/api/", sleep=naps.append).send("#a", HELLO, "m").outcome == "retry"
    assert WebhookSender("http://127.0.0.1:9/x", sleep=naps.append).send("#a", HELLO, "m").outcome == "retry"


def test_where_slack_does_not_let_us_look_nobody_knows(bot: BotSender, slack: SlackServer) -> None:
    slack.history_error = "missing_scope"
    with pytest.raises(NotDelivered, match="scope"):
        bot.find("#support-ai", "msg-1")
    with pytest.raises(NotDelivered, match="no such channel"):
        bot.find("#nowhere", "msg-1")


def test_secrets_are_never_said(slack: SlackServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(slack_bot_token=TOKEN, slack_webhook_url=slack.hook, undercut_slack_url=slack.api)
    bot, hook = sender_from(settings), WebhookSender(slack.hook)
    assert isinstance(bot, BotSender)
    said = []
    for fault in ("invalid_auth", "drop", "500", "429:99"):
        for sender in (bot, hook):
            slack.faults = [fault]
            said.append(str(sender.send("#support-ai", HELLO, "m").error))
    for secret in (slack.hook, TOKEN):  # words of the SDK or of the system that name where a request went
        said += [
            str(_answer(error, secret).error)
            for error in (OSError(f"no way to {secret}"), URLError(f"{secret} failed"))
        ]
    said.append(str(_answer(OSError(f"POST {HOOK} was reset"), slack.hook).error))
    assert said[-1] == "OSError: POST *** was reset"
    everything = "\n".join([*said, caplog.text, repr(settings), repr(vars(settings)), repr(bot), repr(hook)])
    assert TOKEN not in everything
    assert "hook-secret" not in everything


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slack_webhook_url", "hooks.slack.com/services/T00/B00/SECRET"),
        ("slack_webhook_url", "https://hooks.slack.com/services/T00/B00/SECRET RET"),
        ("slack_webhook_url", "http://hooks.slack.com/services/T00/B00/SECRET"),
        ("slack_webhook_url", "https://hooks.slack.com:SECRET/x"),
        ("slack_bot_token", "xoxb-SEC\nSECRET"),
        ("slack_bot_token", "xoxb-SECRET \u00a0"),
        ("slack_app_token", "xapp-SEC SECRET"),
    ],
)
def test_a_wrongly_shaped_secret_is_refused_unquoted_and_never_tried(
    slack: SlackServer, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    with pytest.raises(UsageError, match=name.upper()) as caught:
        Settings(**{name: value})  # type: ignore[arg-type]
    said = [str(caught.value), *traceback.format_exception(caught.value)]
    sender = WebhookSender(value) if "url" in name else BotSender(value, slack.api)  # where it came by another way
    said.append(str(sender.send("#support-ai", HELLO, "m").error))
    assert "SECRET" not in "\n".join([*said, caplog.text]).replace("[!-~]", "")


def test_no_way_to_slack_is_no_sender() -> None:
    assert sender_from(Settings(slack_bot_token=None, slack_webhook_url=None)) is None
    assert isinstance(
        sender_from(Settings(slack_webhook_url="http://127.0.0.1:9/x", slack_bot_token=None)), WebhookSender
    )


def test_a_reply_is_looked_up_in_its_thread_and_only_after_it_was_decided(slack: SlackServer) -> None:
    bot = BotSender(TOKEN, slack.api, sleep=lambda _: None)
    top = bot.send("#support-ai", HELLO, "msg-top")
    reply = bot.send("#support-ai", HELLO, "msg-reply", top.ts)
    assert bot.find("#support-ai", "msg-reply") is None, "a channel's history holds no replies"
    assert bot.find("#support-ai", "msg-reply", thread_ts=top.ts) == reply.ts
    assert bot.find("#support-ai", "msg-top", datetime(2096, 10, 1)) == top.ts
    assert bot.find("#support-ai", "msg-top", datetime(2096, 10, 10)) is None, "older than its own decision"
