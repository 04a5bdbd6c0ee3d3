"""A payload goes out by bot token or incoming webhook, an Answer says what became of it.

Nothing is retried here but a short rate limit, and no answer is taken for a yes: a message that may have arrived is
`lost`, never sent again blindly, whatever the SDK or Python's HTTP makes of a cut or garbled answer. Tokens and webhook addresses never reach a log line, an error or a repr.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from data.errors import NotDelivered
from jobs.messages.buttons import addressed, without_buttons
from jobs.outbox import Answer, Sender
from jobs.settings import Settings

EVENT_TYPE = "undercut_message"
TIMEOUT_S = 30
WAIT_MOST_S = 30  # a longer Retry-After is left to the next run
RATE_TRIES = 3
CLOCKS = timedelta(days=1)  # by how much our clock and Slack's may differ when a message is looked up
PACE_S = 1.0  # Slack asks for about one message a second and channel
PAGES_MOST = 20  # of 200 messages or channels each
QUIET = logging.getLogger("undercut.slack.sdk")
QUIET.setLevel(
    logging.CRITICAL
)  # what the SDK writes may quote the webhook's address; what went wrong we say ourselves

FIXES = {  # a person can mend it and the message is not at fault: it waits
    "invalid_auth": "set SLACK_BOT_TOKEN to a valid token",
    "not_authed": "set SLACK_BOT_TOKEN",
    "token_revoked": "the token was revoked: set a new SLACK_BOT_TOKEN",
    "token_expired": "the token has expired: set a new SLACK_BOT_TOKEN",
    "account_inactive": "the app was removed from the workspace: install it again, set SLACK_BOT_TOKEN",
    "missing_scope": "give the app the scopes chat:write, files:write, channels:read and channels:history",
    "channel_not_found": "name a channel that exists in use_cases.yaml, and invite the app",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "the channel is archived: name another in use_cases.yaml",
    "channel_is_archived": "the channel is archived: make a webhook for another",
    "restricted_action": "the workspace lets this app not post there: ask its administrator",
    "no_service": "the webhook was removed: set a new SLACK_WEBHOOK_URL",
    "no_active_hooks": "the webhook was disabled: set a new SLACK_WEBHOOK_URL",
    "invalid_token": "set SLACK_WEBHOOK_URL to a valid address",
    "action_prohibited": "the workspace lets this webhook not post there: ask its administrator",
}
LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "org_login_required"})
UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout"})  # Slack: it may have succeeded in part
CODE = re.compile(r"[a-z0-9_]{1,100}")  # of Slack; a gateway answers with a page of its own


class BotSender:
    """Sends by bot token with our message id as metadata, so that a lost answer can be looked up."""

    looks_back = True

    def __init__(
        self,
        token: str,
        base_url: str | None = None,
        *,
        timeout_s: int = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base = base_url.rstrip("/") + "/" if base_url else WebClient.BASE_URL
        self._client = WebClient(token=token, base_url=base, timeout=timeout_s, retry_handlers=[], logger=QUIET)
        self._secret, self._sleep, self._pace = token, sleep, _Pace(sleep)
        self._ids: dict[str, str] = {}

    def send(self, channel: str, payload: dict[str, Any], message_id: str, thread_ts: str | None = None) -> Answer:
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"message_id": message_id}}
        self._pace.wait(channel)

        def post() -> Answer:
            said = self._client.chat_postMessage(
                channel=channel,
                **payload,
                metadata=metadata,
                thread_ts=thread_ts,
                unfurl_links=False,
                unfurl_media=False,
                mrkdwn=False,
            )
            if said.get("channel"):
                self._ids[channel] = str(said["channel"])
            return Answer("sent", ts=str(said["ts"]))

        return self._asked(post)

    def update(self, channel: str, ts: str, payload: dict[str, Any]) -> Answer:
        """Replace a sent message by a later state of the same finding."""

        def edit() -> Answer:
            said = self._client.chat_update(channel=self._channel_id(channel), ts=ts, **payload)
            return Answer("sent", ts=str(said["ts"]))

        return self._asked(edit)

    def picture(self, channel: str, ts: str, png: bytes, filename: str) -> Answer:
        """Put a PNG into the thread of a sent message. Asked once, with no retry: a picture is worth no second message."""
        try:
            where = self._channel_id(channel)
            self._client.files_upload_v2(channel=where, thread_ts=ts, file=png, filename=filename, title=filename)
        except NotDelivered as error:
            return Answer("blocked", error=str(error))
        except Exception as error:
            return _answer(error, self._secret)
        return Answer("sent")

    def find(
        self, channel: str, message_id: str, since: datetime | None = None, thread_ts: str | None = None
    ) -> str | None:
        """Slack's timestamp of our message, or None where the channel (or the thread: a channel's history leaves replies
        out) does not hold it. Only what came after `since`, less a day for clocks, is looked through. Raises
        NotDelivered where Slack does not let us look: then nobody knows, and nothing may be sent again."""
        oldest = str((since - CLOCKS).replace(tzinfo=UTC).timestamp()) if since else None
        try:
            cursor: str | None = None
            for _ in range(PAGES_MOST):
                where: dict[str, Any] = {"channel": self._channel_id(channel), "include_all_metadata": True}
                where |= {"limit": 200, "cursor": cursor, "oldest": oldest}
                page = (
                    self._client.conversations_replies(ts=thread_ts, **where)
                    if thread_ts
                    else self._client.conversations_history(**where)
                )
                for message in page.get("messages") or []:
                    about = (message.get("metadata") or {}).get("event_payload") or {}
                    if about.get("message_id") == message_id:
                        return str(message["ts"])
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    return None
        except NotDelivered:
            raise
        except Exception as error:
            why = _answer(error, self._secret).error or "no answer"
            raise NotDelivered(f"cannot look it up: {why}", where=f"Slack {channel}", fix=FIXES["missing_scope"]) from (
                None
            )
        raise NotDelivered(
            f"not among the last {PAGES_MOST * 200:,} messages.",
            where=f"Slack {channel}",
            fix=f"look for {message_id} by hand, then release it.",
        )

    def _channel_id(self, channel: str) -> str:
        """History and edits take ids only, the registry holds names."""
        if not channel.startswith("#"):
            return channel
        cursor: str | None = None
        for _ in range(PAGES_MOST):
            if channel in self._ids:
                break
            page = self._client.conversations_list(types="public_channel,private_channel", limit=200, cursor=cursor)
            self._ids |= {f"#{c['name']}": str(c["id"]) for c in page.get("channels") or []}
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        if channel not in self._ids:
            raise NotDelivered("no such channel.", where=f"Slack {channel}", fix=FIXES["channel_not_found"])
        return self._ids[channel]

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        for left in reversed(range(RATE_TRIES)):
            try:
                return call()
            except NotDelivered as error:
                return Answer("blocked", error=str(error))
            except Exception as error:
                wait = _retry_after(error)
                if wait is None or wait > WAIT_MOST_S or not left:
                    return _answer(error, self._secret)
                self._sleep(wait)
        raise AssertionError("the last try returns")


class WebhookSender:
    """Sends all to the one channel of an incoming webhook, each message naming the channel that it is for; it has no ts and cannot look back: at most once."""

    looks_back = False

    def __init__(self, url: str, *, timeout_s: int = TIMEOUT_S, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = WebhookClient(url, timeout=timeout_s, retry_handlers=[], logger=QUIET)
        self._secret, self._sleep, self._pace = url, sleep, _Pace(sleep)

    def send(self, channel: str, payload: dict[str, Any], message_id: str, thread_ts: str | None = None) -> Answer:
        self._pace.wait("")
        shown = addressed(without_buttons(payload), channel)
        for left in reversed(range(RATE_TRIES)):
            try:
                said = self._client.send_dict({**shown, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False})
            except Exception as error:
                return _answer(error, self._secret)
            if said.status_code == 429:
                wait = _seconds(said.headers)
                if wait > WAIT_MOST_S or not left:
                    return Answer("retry", error=f"rate limited for {wait:g} s")
                self._sleep(wait)
                continue
            if said.status_code == 200 and said.body.strip() == "ok":
                return Answer("sent")
            return _refused(said.body.strip(), said.status_code)
        raise AssertionError("the last try returns")

    def update(self, channel: str, ts: str, payload: dict[str, Any]) -> Answer:
        return Answer("parked", error="a webhook cannot edit")

    def find(
        self, channel: str, message_id: str, since: datetime | None = None, thread_ts: str | None = None
    ) -> str | None:
        raise NotDelivered("a webhook cannot look back.", where=channel, fix="set SLACK_BOT_TOKEN.")


def sender_from(settings: Settings) -> Sender | None:
    """The way to Slack that the settings name, the bot token first; None where there is none."""
    if settings.slack_bot_token:
        return BotSender(settings.slack_bot_token.get_secret_value(), settings.undercut_slack_url)
    if settings.slack_webhook_url:
        return WebhookSender(settings.slack_webhook_url.get_secret_value())
    return None


class _Pace:
    """At most one message a second and channel."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._free_at: dict[str, float] = {}

    def wait(self, channel: str) -> None:
        early = self._free_at.get(channel, 0.0) - time.monotonic()
        if early > 0:
            self._sleep(early)
        self._free_at[channel] = time.monotonic() + PACE_S


def _answer(error: Exception, secret: str) -> Answer:
    if isinstance(error, SlackApiError):
        status = int(getattr(error.response, "status_code", 0) or 0)
        code = error.response.get("error") if hasattr(error.response, "get") else None
        if status == 429:
            return Answer("retry", error=f"rate limited for {_retry_after(error) or 0:g} s")
        return _refused(str(code or ""), status)
    reason = error.reason if isinstance(error, URLError) else error
    said = (
        f"{type(reason).__name__}: {masked(str(reason), secret)}"
        if isinstance(reason, OSError)
        else type(reason).__name__
    )
    refused = isinstance(reason, ConnectionRefusedError) or type(reason).__name__ == "gaierror"
    return Answer("retry" if refused else "lost", error=said)  # refused or no address: it was never sent


def masked(text: str, secret: str) -> str:
    """At most 200 characters without the secret, and without the path of one that is an address."""
    for part in (secret, urlsplit(secret).path):
        text = text.replace(part, "***") if len(part) > 1 else text
    return text[:200]


def _refused(code: str, status: int) -> Answer:
    """A server error, or words that are not Slack's, may come after the message was taken, from Slack or from a gateway
    before it: `lost`."""
    if (status >= 500 and code not in LATER) or not CODE.fullmatch(code):
        return Answer("lost", error=f"HTTP {status}")
    if fix := FIXES.get(code):
        return Answer("blocked", error=f"{code}: {fix}")
    outcome = "retry" if code in LATER else "lost" if code in UNSURE else "parked"
    return Answer(outcome, error=code)


def _retry_after(error: Exception) -> float | None:
    """Seconds to wait where Slack says that we were too fast, else None."""
    if isinstance(error, SlackApiError) and int(getattr(error.response, "status_code", 0) or 0) == 429:
        return _seconds(getattr(error.response, "headers", {}))
    return None


def _seconds(headers: dict[str, Any]) -> float:
    """Retry-After in seconds; a date or nonsense counts as longer than we wait."""
    raw = next((v for k, v in headers.items() if k.lower() == "retry-after"), "1")
    text = str(raw[0] if isinstance(raw, list) else raw)
    return float(text) if text.isdecimal() else float(WAIT_MOST_S + 1)
