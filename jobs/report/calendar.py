"""Retirements as an iCalendar (RFC 5545): an all-day event each, with alarms 90, 30 and 7 days before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from data.store import Readable

ALARM_DAYS = (90, 30, 7)
FOLD_OCTETS = 73


def calendar(store: Readable) -> str:
    """All retirements of endpoints in use and of fallbacks; lines folded, texts escaped."""
    rows = store.rows(
        "select retires_on, endpoint, use_case, role, announced_at from retirements order by retires_on, use_case, endpoint"
    )
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//undercut//retirements//EN", "CALSCALE:GREGORIAN"]
    for r in rows:
        lines += _event(r["retires_on"], str(r["endpoint"]), str(r["use_case"]), str(r["role"]), r["announced_at"])
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(day: date, endpoint: str, use_case: str, role: str, known: datetime | None) -> list[str]:
    ident = hashlib.blake2b(f"{endpoint}|{use_case}".encode(), digest_size=10).hexdigest()
    stamp = known or datetime.combine(day, time(), UTC)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{ident}@undercut",
        f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_text(f'{endpoint} retires: {use_case}, {role}')}",
        f"DESCRIPTION:{_text(f'undercut rank {use_case}')}",
        "TRANSP:TRANSPARENT",
    ]
    for days in ALARM_DAYS:
        lines += [
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_text(endpoint)} retires in {days} days",
            f"TRIGGER:-P{days}D",
            "END:VALARM",
        ]
    return [*lines, "END:VEVENT"]


def _text(value: str) -> str:
    flat = " ".join(value.split())
    return "".join(f"\\{c}" if c in "\\;," else c for c in flat)


def _folded(line: str) -> Iterator[str]:
    """No line over 75 octets; a character is never cut."""
    part, size, first = "", 0, True
    for c in line:
        octets = len(c.encode())
        if size + octets > FOLD_OCTETS:
            yield part if first else f" {part}"
            part, size, first = "", 0, False
        part, size = part + c, size + octets
    yield part if first else f" {part}"
