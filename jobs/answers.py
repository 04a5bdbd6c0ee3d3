"""What people press under a finding: read, kept in a file before Slack hears a yes, then written as `undercut feedback` does.

The listener may die at any point: what is kept is written once, by its finding, verdict, person and instant.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.errors import StoreError, UndercutError
from data.registry.load import REOPEN
from data.store import Store
from jobs.feedback import VERDICTS, Said, record
from jobs.messages.blocks import clean
from jobs.messages.buttons import ACTIONS, FORM
from jobs.withdraw import naive

REC = re.compile(r"rec-[0-9a-f]{6}")
INBOX, ASIDE = "answers.jsonl", "answers.unread.jsonl"
_ONE_AT_A_TIME = threading.Lock()  # the listener writes while the job that takes them reads
log = logging.getLogger("undercut.answers")


@dataclass(frozen=True)
class Pressed:
    """A whole answer: the same fields as `undercut feedback`, and where the message stands."""

    rec: str
    verdict: str
    at: str  # ISO, UTC
    by: str
    channel: str
    ts: str
    why: str | None = None
    until: str | None = None
    reopen_if: str | None = None


@dataclass(frozen=True)
class Ask:
    """Reject was pressed: the form is to be opened."""

    rec: str
    trigger_id: str
    channel: str
    ts: str


@dataclass(frozen=True)
class Refused:
    """The form has a fault: block id -> what to mend."""

    errors: Mapping[str, str]


def read(interaction: Mapping[str, Any], now: datetime) -> Pressed | Ask | Refused | None:
    """What an interaction says; None where it is none of ours or not whole. Nothing in it is trusted but its shape."""
    try:
        by = clean(str(interaction["user"].get("username") or interaction["user"]["id"]))[:80]
        if interaction["type"] == "block_actions":
            action = interaction["actions"][0]
            verdict, rec = ACTIONS[action["action_id"]], str(action["value"])
            channel, ts = str(interaction["channel"]["id"]), str(interaction["message"]["ts"])
            if not REC.fullmatch(rec):
                return None
            if verdict == "reject":
                return Ask(rec, str(interaction["trigger_id"]), channel, ts)
            return Pressed(rec, verdict, _instant(action.get("action_ts"), now), by, channel, ts)
        if interaction["type"] == "view_submission" and interaction["view"]["callback_id"] == FORM:
            return _form(interaction["view"], by, now)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return None


def _form(view: Mapping[str, Any], by: str, now: datetime) -> Pressed | Refused | None:
    where, values = json.loads(view["private_metadata"]), view["state"]["values"]
    why = (values["why"]["text"].get("value") or "").strip()
    until = values["until"]["date"].get("selected_date")
    reopen = (values["reopen"]["text"].get("value") or "").strip() or None
    errors = {}
    if not why:
        errors["why"] = "say why, it is kept with the decision"
    if until is not None and datetime.fromisoformat(until).date() <= now.date():
        errors["until"] = "a day to come"
    if reopen and not all(REOPEN.fullmatch(part.strip()) for part in reopen.split(" and ")):
        errors["reopen"] = "cannot be read; e.g. region eu available, or evidence=A"
    if errors:
        return Refused(errors)
    rec = str(where["rec"])
    if not REC.fullmatch(rec):
        return None
    why = clean(why)
    return Pressed(
        rec, "reject", now.astimezone(UTC).isoformat(), by, str(where["channel"]), str(where["ts"]), why, until, reopen
    )


def _instant(text: object, now: datetime) -> str:
    """The instant of the press, so that a repeated delivery is the same answer."""
    return (datetime.fromtimestamp(float(str(text)), UTC) if text else now.astimezone(UTC)).isoformat()


class Inbox:
    """Answers not yet in the database, an ASCII JSON line each, on disk before they are acknowledged."""

    def __init__(self, home: Path) -> None:
        self.path, self.aside = home / INBOX, home / ASIDE

    def put(self, answer: Pressed) -> None:
        line = json.dumps(asdict(answer)).encode() + b"\n"
        with _ONE_AT_A_TIME:
            kept = self.path.read_bytes() if self.path.exists() else b""
            half = kept and not kept.endswith(b"\n")
            _append(self.path, (b"\n" if half else b"") + line)

    def waiting(self) -> list[Pressed]:
        """In order of arrival. Half a line (a crash while writing) was never acknowledged; whatever cannot be read is set
        aside in a file of its own, so that it holds up nothing."""
        with _ONE_AT_A_TIME:
            lines = self._lines()
            odd = [line for line in lines if _pressed(line) is None]
            if odd:
                log.error("%d answers cannot be read, they are set aside in %s", len(odd), self.aside)
                _append(self.aside, b"".join(line + b"\n" for line in odd))
                self._keep([line for line in lines if _pressed(line) is not None])
        return [found for line in lines if (found := _pressed(line)) is not None]

    def taken(self, count: int) -> None:
        """Forget the first `count`; what came meanwhile stays."""
        with _ONE_AT_A_TIME:
            self._keep(self._lines()[count:])

    def _lines(self) -> list[bytes]:
        return [line for line in self.path.read_bytes().split(b"\n") if line] if self.path.exists() else []

    def _keep(self, lines: list[bytes]) -> None:
        rest = self.path.with_suffix(".rest")
        rest.unlink(missing_ok=True)
        _append(rest, b"".join(line + b"\n" for line in lines))
        rest.replace(self.path)


def _append(path: Path, text: bytes) -> None:
    with path.open("ab") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())


def _pressed(line: bytes) -> Pressed | None:
    try:
        found = Pressed(**json.loads(line))
        datetime.fromisoformat(found.at)
    except (ValueError, TypeError):
        return None
    return found if found.verdict in VERDICTS else None


def write_answers(store: Store, inbox: Inbox, tell: Callable[[Pressed, str], None]) -> int:
    """Every waiting answer into the database, once; `tell` hears each with the YAML patch or why it was refused.

    Returns how many were new. An answer that cannot be taken (a finding nobody knows) is told and forgotten.
    """
    found, new = inbox.waiting(), 0
    for answer in found:
        at = datetime.fromisoformat(answer.at)
        known = store.rows(
            "select 1 from feedback where rec = ? and verdict = ? and decided_at = ? and decided_by is not distinct from ?",
            [answer.rec, VERDICTS[answer.verdict], naive(at), answer.by],
        )
        if known:
            continue
        try:
            with store.transaction():
                said = record(
                    store, answer.rec, Said(answer.verdict, at, answer.why, answer.until, answer.reopen_if, answer.by)
                )
            new += 1
        except StoreError:
            raise  # it waits until the store is well
        except UndercutError as error:
            said = f"not taken: {error}"
        tell(answer, said)
    if found:
        inbox.taken(len(found))
    return new
