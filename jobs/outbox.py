"""What must be sent, exactly once: rows in the database, sent after the transaction that decided them.

A message waits from its row on; its events say `sending`, then `sent` (with Slack's timestamp), `retry`, `blocked` (a
person must mend token or channel; it waits), or `parked` (a person says `released` or `dropped`). A `sending` without an answer, and what waits in
a restored database (`restored`), is looked up by our message id before it goes again (bot token). A webhook cannot look
back: at most once. There a lost answer is parked and told, since a doubled alert costs more trust than a late one. Nothing
is ever dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from data.errors import DataMissing, NotDelivered
from data.records import Alert
from data.store import Readable, Store

MOST_TRIES = 5
RELEASE = "What is parked waits for `undercut feedback MSG release` (or drop)."
SETTLED = ("sent", "parked", "dropped")  # parked: until a person releases or drops it
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Answer:
    """What a sender says: `sent` with ts, `retry` (try later), `blocked` (token or channel must be mended first),
    `parked` (this message will never be taken), `lost` (no answer, it may have arrived)."""

    outcome: str
    ts: str | None = None
    error: str | None = None


class Sender(Protocol):
    """A way to Slack. `find` raises NotDelivered where nobody can know whether the message arrived."""

    looks_back: bool

    def send(self, channel: str, payload: dict[str, Any], message_id: str, thread_ts: str | None = None) -> Answer: ...
    def update(self, channel: str, ts: str, payload: dict[str, Any]) -> Answer: ...
    def find(
        self, channel: str, message_id: str, since: datetime | None = None, thread_ts: str | None = None
    ) -> str | None: ...


@dataclass(frozen=True)
class Delivered:
    """Counts of one run. `waiting` goes again with the next run; `parked` not before a person releases it."""

    sent: int = 0
    waiting: int = 0
    parked: int = 0
    errors: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises NotDelivered (exit 22) unless everything was sent."""
        if self.waiting or self.parked:
            fix = "nothing is lost: the rest stays in the outbox; mend it and run again."
            fix += f" {RELEASE}" if self.parked else ""
            raise NotDelivered("; ".join(self.errors) or "not delivered.", where="Slack", fix=fix)


def enqueue(store: Store, alert: Alert, *, run_id: str) -> str | None:
    """Record an alert and, unless withheld, its message; call inside the transaction that decides. Id of the message,
    or None where the alert is withheld or known: the same alert twice is one message."""
    row = {
        k: getattr(alert, k)
        for k in ("alert_id", "kind", "use_case", "rec", "channel", "created_at", "withheld_because")
    }
    added = store.insert("alert", [{**row, "run_id": run_id, "message": alert.message}], unique=("alert_id",))
    if not added or alert.withheld_because is not None:
        return None
    message_id = "msg-" + alert.alert_id.removeprefix("al-")
    message = {"message_id": message_id, "alert_id": alert.alert_id, "channel": alert.channel, "follows": alert.follows}
    store.insert(
        "outbox", [{**message, "payload": alert.message, "created_at": alert.created_at}], unique=("message_id",)
    )
    return message_id


def deliver(store: Store, sender: Sender, now: Callable[[], datetime]) -> Delivered:
    """Send what waits, oldest first; each step is written before and after, so a crash neither doubles nor loses.
    One machine sends at a time."""
    with store.lease("send", wait=True) as mine:
        if mine:
            return _delivered_all(store, sender, now)
    waits = len(waiting_messages(store))
    return Delivered(waiting=waits, errors=("another machine is sending",) if waits else ())


def _delivered_all(store: Store, sender: Sender, now: Callable[[], datetime]) -> Delivered:
    counts = {"sent": 0, "waiting": 0, "parked": 0}
    errors: list[str] = []
    for m in waiting_messages(store):
        answer = _delivered(store, sender, m, now)
        counts[{"sent": "sent", "parked": "parked"}.get(answer.outcome, "waiting")] += 1
        if answer.error:
            errors.append(f"{m['message_id']} to {m['channel']}: {answer.error}")
    return Delivered(**counts, errors=tuple(errors))


def waiting_messages(store: Store) -> list[dict[str, Any]]:
    """Messages neither sent nor parked, oldest first, with their last event and the tries since a person released it.

    One that Slack refused in its channel (archived, gone) has not arrived there: it goes where its use case is registered now,
    as a message of its own.
    """
    waiting = [m for m in _states(store) if m["last"] not in SETTLED]
    return [m | {"channel": m["moved_to"], "follows": None} if m["moved_to"] else m for m in waiting]


def parked_messages(store: Readable) -> list[dict[str, Any]]:
    """Messages that wait for a person, with the error that parked them."""
    return [m for m in _states(store) if m["last"] == "parked"]


def release(store: Store, message_id: str, at: datetime) -> None:
    """A person says that a parked message may go again. Raises DataMissing where it is not parked."""
    _note(store, _parked(store, message_id), "released", at)


def drop(store: Store, message_id: str, at: datetime) -> None:
    """A person says that a parked message is never sent. Raises DataMissing where it is not parked."""
    _note(store, _parked(store, message_id), "dropped", at)


def _parked(store: Store, message_id: str) -> dict[str, Any]:
    parked = {m["message_id"]: m for m in parked_messages(store)}
    if message_id not in parked:
        fix = f"parked are: {', '.join(parked) or 'none'}."
        raise DataMissing(f"{message_id} is not parked.", where="outbox", fix=fix)
    return parked[message_id]


def doubt_waiting(store: Store, at: datetime) -> None:
    """Of a restored database: what waits there may have been sent since the backup, so it is looked up before it is sent."""
    for m in waiting_messages(store):
        _note(store, m, "restored", at)


def _delivered(store: Store, sender: Sender, m: dict[str, Any], now: Callable[[], datetime]) -> Answer:
    """One message, one step on: what became of it, as written in its events."""
    if m["last"] in ("sending", "restored"):  # an earlier try, ours or of a process that died, had no answer
        found = _looked_up(store, sender, m)
        if found is not None:
            return _note(store, m, found.outcome, now(), found) if found.outcome in ("sent", "parked") else found
    _note(store, m, "sending", now())
    answer = _sent(store, sender, m)
    last_try = m["tries"] + 1 >= MOST_TRIES
    if answer.outcome == "lost":
        found = _looked_up(store, sender, m)
        if found is None:  # not there yet: Slack may be slow, so the next run looks again before it sends
            found = Answer("parked" if last_try else "lost", error=f"no answer from Slack ({answer.error})")
        return _note(store, m, found.outcome, now(), found) if found.outcome in ("sent", "parked") else found
    if answer.outcome == "retry" and last_try:
        answer = Answer("parked", error=f"{answer.error}; {MOST_TRIES} tries")
    return _note(store, m, answer.outcome, now(), answer)


def _sent(store: Store, sender: Sender, m: dict[str, Any]) -> Answer:
    """A message that adds to an earlier one edits that first, which may happen twice, then stands in its thread."""
    payload, ts = json.loads(m["payload"]), _thread_of(store, m)
    if ts is None or not sender.looks_back:
        return sender.send(m["channel"], payload, m["message_id"])
    edited = sender.update(m["channel"], ts, payload)
    if edited.outcome in ("retry", "lost", "blocked"):
        return Answer("blocked" if edited.outcome == "blocked" else "retry", error=edited.error)
    answer = sender.send(
        m["channel"], payload, m["message_id"], ts
    )  # an edit refused for good is no reason to be silent
    if "thread_not_found" in (answer.error or ""):  # the earlier one stands in the channel this use case had then
        return sender.send(m["channel"], payload, m["message_id"])
    return answer


def _thread_of(store: Store, m: dict[str, Any]) -> str | None:
    """Slack's timestamp of the first message, of those this one adds to, that was sent: a reply can be no thread."""
    earlier = store.rows(
        """
        with recursive before as (
            select ?::varchar as message_id, 1 as back
            union all select o.follows, b.back + 1 from before b join outbox o using (message_id)
            where o.follows is not null and b.back < 1000)
        select e.slack_ts from before join outbox_event e using (message_id)
        where e.outcome = 'sent' and e.slack_ts is not null order by back desc limit 1""",
        [m["follows"]],
    )
    return str(earlier[0]["slack_ts"]) if earlier else None


def shown_at(store: Store, rec: str, ts: str) -> tuple[dict[str, dict[str, Any]], str]:
    """(what the messages about `rec` show now, by Slack's timestamp: the one at `ts`, and the first of its thread where that shows
    the same finding; the thread).

    None of them where no such message was sent: nothing may be edited then.
    """
    sent = store.rows(
        """
        select o.*, a.rec from outbox o join alert a using (alert_id)
        join outbox_event e on e.message_id = o.message_id and e.outcome = 'sent' and e.slack_ts = ?
        where a.rec = ?""",
        [ts, rec],
    )
    if not sent:
        return {}, ts
    thread = _thread_of(store, sent[0])
    newest = store.rows(
        """
        with recursive after as (
            select ?::varchar as message_id, 1 as n
            union all select o.message_id, n + 1 from after f join outbox o on o.follows = f.message_id where n < 1000)
        select o.payload, a.rec from after join outbox o using (message_id) join outbox_event e using (message_id)
        join alert a using (alert_id) where e.outcome = 'sent' order by n desc, o.created_at desc limit 1""",
        [sent[0]["message_id"]],
    )[0]
    first = json.loads(newest["payload"])  # each that follows edits it
    same = newest["rec"] == rec
    if thread is None:
        return ({ts: first} if same else {}), ts
    own = {ts: json.loads(sent[0]["payload"])}  # a reply is never edited
    return own | ({thread: first} if same else {}), thread


def _looked_up(store: Store, sender: Sender, m: dict[str, Any]) -> Answer | None:
    """Did the message arrive? None: no, it may be sent. `lost`: nobody can say now, it must not be sent."""
    if not sender.looks_back:
        return Answer("parked", error="no answer, and a webhook cannot look back: it may have arrived")
    try:
        thread = _thread_of(store, m)  # it was sent outside where nothing it adds to had been sent yet
        ts = sender.find(m["channel"], m["message_id"], m["created_at"], thread)
        ts = ts or (sender.find(m["channel"], m["message_id"], m["created_at"]) if thread else None)
    except NotDelivered as error:
        return Answer("lost", error=str(error))
    return Answer("sent", ts=ts) if ts is not None else None


def _states(store: Readable) -> list[dict[str, Any]]:
    return store.rows(
        """
        with event as (
            select *, row_number() over (partition by message_id order by happened_at) as n from outbox_event),
        freed as (select message_id, max(n) as at_n from event where outcome = 'released' group by message_id),
        state as (
            select message_id, max_by(outcome, n) as last, max_by(error, n) as error, bool_or(outcome = 'blocked') as refused,
                max(happened_at) as last_at,
                count(*) filter (outcome = 'sending' and n > coalesce(at_n, 0))
                    - count(*) filter (outcome = 'blocked' and n > coalesce(at_n, 0)) as tries
            from event left join freed using (message_id) group by message_id),
        homes as (  -- a try without an answer is looked for where its use case was registered then
            select o.message_id, max_by(u.channel, u.registered_at) as channel
            from outbox o join state s using (message_id) join alert a using (alert_id) join use_case u using (use_case)
            where s.refused and (s.last <> 'sending' or u.registered_at <= s.last_at)
            group by o.message_id, o.channel having bool_or(u.channel = o.channel))
        select o.*, s.last, s.error, coalesce(s.tries, 0) as tries, nullif(h.channel, o.channel) as moved_to
        from outbox o left join state s using (message_id) left join homes h using (message_id)
        order by o.created_at, o.message_id
        """
    )


def _note(store: Store, m: dict[str, Any], outcome: str, at: datetime, answer: Answer | None = None) -> Answer:
    """Write down what happened, after all that the message holds already: the order of events is the order of the tries,
    whatever the clock does meanwhile or another machine's clock says."""
    said = answer or Answer(outcome)
    last = store.rows("select max(happened_at) as at from outbox_event where message_id = ?", [m["message_id"]])[0][
        "at"
    ]
    at = max(at, last.replace(tzinfo=UTC) + INSTANT) if last else at
    event = {"message_id": m["message_id"], "happened_at": at, "outcome": outcome}
    store.insert("outbox_event", [{**event, "slack_ts": said.ts, "error": said.error}])
    return said
