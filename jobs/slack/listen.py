"""Socket Mode: what people press comes in, is kept on disk, and only then acknowledged. No public address is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from jobs.answers import Ask, Inbox, Pressed, Refused, read
from jobs.messages.blocks import Payload
from jobs.messages.buttons import answered, reason_form
from jobs.settings import Settings
from jobs.slack.send import QUIET

log = logging.getLogger("undercut.slack")


class Listener:
    """One connection of this app. `inbox` keeps the answers; nothing is acknowledged that is not kept."""

    def __init__(self, app_token: str, bot_token: str, inbox: Inbox, base_url: str | None = None) -> None:
        base = base_url.rstrip("/") + "/" if base_url else WebClient.BASE_URL
        quiet = logging.getLogger("undercut.slack.socket")
        quiet.setLevel(logging.WARNING)  # the SDK's info lines hold the address of the connection, which is a secret
        self._web = WebClient(token=bot_token, base_url=base, logger=QUIET)
        self._socket = SocketModeClient(
            app_token=app_token,
            web_client=WebClient(token=app_token, base_url=base, logger=QUIET),
            logger=quiet,
            concurrency=1,
        )
        self._inbox = inbox
        self._socket.socket_mode_request_listeners.append(self._heard)

    def start(self) -> None:
        """Connect in the background; lost connections are opened again. Raises nothing: without it answers come by command."""
        try:
            self._socket.connect()
        except Exception as error:
            log.error("buttons are off, Slack took no connection: %s", type(error).__name__)

    def stop(self) -> None:
        self._socket.close()

    def _heard(self, client: Any, request: SocketModeRequest) -> None:
        found = read(request.payload, datetime.now(UTC)) if request.type == "interactive" else None
        payload = None
        if isinstance(found, Pressed):
            self._inbox.put(found)  # on disk first: a crash after it loses nothing, one before it is pressed again
        elif isinstance(found, Refused):
            payload = {"response_action": "errors", "errors": dict(found.errors)}
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
        if isinstance(found, Ask):
            self._open(found)

    def _open(self, ask: Ask) -> None:
        try:
            self._web.views_open(trigger_id=ask.trigger_id, view=reason_form(ask.rec, ask.channel, ask.ts))
        except Exception as error:
            log.error("the form for %s did not open: %s", ask.rec, type(error).__name__)

    def told(self, answer: Pressed, shown: Mapping[str, Payload], reply: Payload, thread_ts: str) -> None:
        """The finding without its buttons and with its answer, wherever it stands (`shown`, by timestamp); the YAML that makes it
        last in its thread. What Slack refuses of these costs none of the others: the answer is in the database."""
        words = f"{answer.verdict} by {answer.by}" + (f": {answer.why}" if answer.why else "")
        for ts, message in shown.items():
            self._echo(answer.rec, self._web.chat_update, channel=answer.channel, ts=ts, **answered(message, words))
        self._echo(answer.rec, self._web.chat_postMessage, channel=answer.channel, thread_ts=thread_ts, **reply)

    def _echo(self, rec: str, call: Callable[..., Any], **arguments: Any) -> None:
        try:
            call(**arguments)
        except Exception as error:  # only the echo is lost
            log.error("the answer to %s was kept, not echoed: %s", rec, type(error).__name__)


def listener_from(settings: Settings) -> Listener | None:
    """Where both tokens are set; None: no buttons, `undercut feedback` and the registry remain."""
    if settings.slack_app_token is None or settings.slack_bot_token is None:
        return None
    tokens = settings.slack_app_token.get_secret_value(), settings.slack_bot_token.get_secret_value()
    return Listener(*tokens, Inbox(settings.undercut_home), settings.undercut_slack_url)
