"""Approve, later, reject under a finding, and the form that asks why not. Pure; the id of the finding is all they carry."""

from __future__ import annotations

import json
from typing import Any

from jobs.messages.blocks import BLOCKS_MOST, Payload, clean, cut, payload

ACTIONS = {"undercut_approve": "approve", "undercut_later": "later", "undercut_reject": "reject"}
WORDS = {"approve": "Approve", "later": "Later", "reject": "Reject …"}
STYLES = {"approve": "primary", "reject": "danger"}
FORM = "undercut_reason"


def with_buttons(message: Payload, rec: str) -> Payload:
    """The message with its buttons last; unchanged where it has no room."""
    if len(message["blocks"]) >= BLOCKS_MOST:
        return message
    elements = [
        {
            "type": "button",
            "action_id": action,
            "text": {"type": "plain_text", "text": WORDS[verdict], "emoji": False},
            "value": rec,
            **({"style": STYLES[verdict]} if verdict in STYLES else {}),
        }
        for action, verdict in ACTIONS.items()
    ]
    return {
        **message,
        "blocks": [*message["blocks"], {"type": "actions", "block_id": f"answer-{rec}", "elements": elements}],
    }


def without_buttons(message: Payload) -> Payload:
    """For a webhook, which takes no answers, and for a finding that has its answer."""
    return {**message, "blocks": [b for b in message["blocks"] if b["type"] != "actions"]}


def addressed(message: Payload, channel: str) -> Payload:
    """For a webhook, which puts what is meant for every channel into its own: whom it is for, first."""
    note = {
        "type": "context",
        "elements": [{"type": "plain_text", "text": f"for {clean(channel)}"[:300], "emoji": False}],
    }
    return {**message, "blocks": [note, *message["blocks"]][:BLOCKS_MOST]}


def answered(message: Payload, words: str) -> Payload:
    """The finding with who answered what in place of its buttons."""
    note = {"type": "context", "elements": [{"type": "plain_text", "text": cut(clean(words), 300), "emoji": False}]}
    return {**message, "blocks": [*without_buttons(message)["blocks"], note][:BLOCKS_MOST]}


def answer_message(rec: str, verdict: str, by: str, said: str) -> Payload:
    """For the thread: what was kept, and the YAML that makes it last."""
    lines = [*said.splitlines(), "", "Write it into use_cases.yaml; on conflict the file wins."]
    return payload(f"{rec}: {verdict} by {by}", lines)


def reason_form(rec: str, channel: str, ts: str) -> dict[str, Any]:
    """A "no" carries a reason, an expiry and perhaps a condition; the expiry may stay empty: 180 days then."""

    def asked(block: str, label: str, element: dict[str, Any], *, optional: bool, hint: str = "") -> dict[str, Any]:
        more = {"hint": {"type": "plain_text", "text": hint}} if hint else {}
        text = {"type": "plain_text", "text": label}
        return {"type": "input", "block_id": block, "label": text, "optional": optional, "element": element, **more}

    line = {"type": "plain_text_input", "action_id": "text", "max_length": 300}
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps({"rec": rec, "channel": channel, "ts": ts}),
        "title": {"type": "plain_text", "text": f"Reject {rec}"[:24]},
        "submit": {"type": "plain_text", "text": "Reject"},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [
            asked("why", "Why not?", line, optional=False),
            asked(
                "until", "Until", {"type": "datepicker", "action_id": "date"}, optional=True, hint="Empty: 180 days."
            ),
            asked(
                "reopen",
                "Open it again if",
                line,
                optional=True,
                hint="e.g. region eu available, evidence=A, price_drop>=0.2",
            ),
        ],
    }
