"""What must be sent, exactly once: rows in the database, sent after the transaction that decided them.

A message is `queued` by the row itself, then `sending`, then `sent` (with Slack's timestamp), `retry` or `parked`. A
`sending` without an answer is looked up in the channel by our message id before it is sent again (bot token). A webhook
cannot look back: there a lost answer is parked and told, since a doubled alert costs more trust than a late one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from data.records import Alert
from data.store import Store

MOST_TRIES = 5


@dataclass(frozen=True)
class Answer:
    """What a sender says: `sent` with ts, `retry` (try later), `parked` (a person must look), `lost` (no answer)."""

    outcome: str
    ts: str | None = None
    error: str | None = None


class Sender(Protocol):
    """A way to Slack."""

    looks_back: bool

    def send(self, channel: str, payload: dict[str, Any], message_id: str) -> Answer: ...
    def find(self, channel: str, message_id: str) -> str | None: ...


@dataclass(frozen=True)
class Delivered:
    sent: int = 0
    waiting: int = 0
    parked: int = 0
    errors: tuple[str, ...] = ()


def enqueue(store: Store, alert: Alert, *, run_id: str) -> str | None:
    """Record an alert and, unless withheld, its message; call inside the transaction that decides. Id of the message."""
    row = {
        k: getattr(alert, k)
        for k in ("alert_id", "kind", "use_case", "rec", "channel", "created_at", "withheld_because")
    }
    added = store.insert("alert", [{**row, "run_id": run_id, "message": alert.message}], unique=("alert_id",))
    if not added or alert.withheld_because is not None:
        return None
    message_id = "msg-" + alert.alert_id.removeprefix("al-")
    message = {"message_id": message_id, "alert_id": alert.alert_id, "channel": alert.channel}
    store.insert(
        "outbox", [{**message, "payload": alert.message, "created_at": alert.created_at}], unique=("message_id",)
    )
    return message_id


def deliver(store: Store, sender: Sender, now: Callable[[], datetime]) -> Delivered:
    """Send what waits, oldest first; every step is written before and after, so that a crash doubles and loses nothing."""
    import json

    sent = waiting = parked = 0
    errors: list[str] = []
    for m in waiting_messages(store):
        if m["last"] == "sending" and not _recovered(store, sender, m, now):
            if not sender.looks_back:
                _note(store, m, "parked", now(), error="no answer to an earlier try, and a webhook cannot look back")
                parked += 1
                errors.append(f"{m['message_id']}: parked, it may have arrived in {m['channel']}")
                continue
        elif m["last"] == "sending":
            sent += 1
            continue
        _note(store, m, "sending", now())
        answer = sender.send(m["channel"], json.loads(m["payload"]), m["message_id"])
        if answer.outcome == "lost":
            waiting += 1  # stays `sending`: looked up before the next try
            errors.append(f"{m['message_id']}: no answer from Slack")
            continue
        outcome = "parked" if answer.outcome == "retry" and m["tries"] + 1 >= MOST_TRIES else answer.outcome
        _note(store, m, outcome, now(), ts=answer.ts, error=answer.error)
        sent, waiting, parked = (
            sent + (outcome == "sent"),
            waiting + (outcome == "retry"),
            parked + (outcome == "parked"),
        )
        if answer.error:
            errors.append(f"{m['message_id']} to {m['channel']}: {answer.error}")
    return Delivered(sent, waiting, parked, tuple(errors))


def waiting_messages(store: Store) -> list[dict[str, Any]]:
    """Messages neither sent nor parked, with their last event and number of tries."""
    return store.rows(
        """
        select o.*, e.last, coalesce(e.tries, 0) as tries
        from outbox o left join (
            select message_id, max_by(outcome, n) as last, count(*) filter (outcome = 'sending') as tries
            from (select *, row_number() over (partition by message_id order by happened_at, rowid) as n from outbox_event)
            group by message_id) e using (message_id)
        where e.last is null or e.last not in ('sent', 'parked')
        order by o.created_at, o.message_id
        """
    )


def _recovered(store: Store, sender: Sender, m: dict[str, Any], now: Callable[[], datetime]) -> bool:
    """An earlier try without an answer did arrive: mark it sent."""
    if not sender.looks_back:
        return False
    ts = sender.find(m["channel"], m["message_id"])
    if ts is None:
        return False
    _note(store, m, "sent", now(), ts=ts)
    return True


def _note(
    store: Store, m: dict[str, Any], outcome: str, at: datetime, *, ts: str | None = None, error: str | None = None
) -> None:
    event = {"message_id": m["message_id"], "happened_at": at, "outcome": outcome, "slack_ts": ts, "error": error}
    store.insert("outbox_event", [event])
