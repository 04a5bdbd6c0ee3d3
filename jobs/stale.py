"""Sources that gave nothing good for a week: told to the platform channel once, again only after they were well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from data.records import Alert
from data.store import Readable, Store
from jobs.alerts import make_alert
from jobs.messages import platform_message
from jobs.outbox import enqueue
from jobs.sightings import STALE_DAYS

RUNS = """
select source_id, max(started_at) filter (where outcome in ('new', 'changed', 'unchanged')) as well_at,
    min(started_at) as first_at, max(started_at) as tried_at, max_by(detail, started_at) as why
from run where source_id is not null group by source_id order by source_id"""
TOLD = "select message::varchar as text from alert where kind = 'stale' and withheld_because is null"


def stale_sources(store: Readable, now: datetime) -> list[dict[str, Any]]:
    """Sources that were tried, and whose last success (or, without one, first try) is over seven days ago."""
    before = now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=STALE_DAYS)
    return [r for r in store.rows(RUNS) if (r["well_at"] or r["first_at"]) < before]


def tell_stale(store: Store, now: datetime, platform: str | None) -> None:
    """Put the message of what is newly stale into the outbox: of every cycle, by the service or by cron."""
    with store.transaction():
        for alert in stale_alerts(store, now, platform):
            enqueue(store, alert, run_id="stale")


def stale_alerts(store: Readable, now: datetime, platform: str | None) -> list[Alert]:
    """One message of all that are newly stale; none where each was told since it was last well. What no channel could
    be told is told once there is one."""
    told = "\n".join(str(r["text"]) for r in store.rows(TOLD))
    fresh = [r for r in stale_sources(store, now) if _mark(r) not in told]
    if not fresh:
        return []
    lines = [
        *(f"{_mark(r)}  {(r['why'] or 'no reason kept')[:120]}" for r in fresh[:20]),
        *([f"… and {len(fresh) - 20} more"] if len(fresh) > 20 else []),
        f"Meaning their last good prices stand; after {STALE_DAYS} days findings on them are not sent",
        'Next    undercut doctor --live --source ID   or   undercut sql "select * from sources"',
    ]
    head = f"{len(fresh)} source{'s' * (len(fresh) != 1)} stale for over {STALE_DAYS} days"
    why = None if platform else "no platform channel: set UNDERCUT_PLATFORM_CHANNEL"
    key = f"{platform or 'nowhere'}|{','.join(_mark(r) for r in fresh)}"
    return [make_alert("stale", platform or "", platform_message(head, lines), now, why=why, key=key)]


def _mark(row: dict[str, Any]) -> str:
    """The same words for the same outage: a source that was well in between has another day."""
    since = row["well_at"]
    return f"{row['source_id']} since {since:%Y-%m-%d}" if since else f"{row['source_id']} never read"
