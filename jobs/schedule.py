"""The only APScheduler: the service. Schedules of the sources and a daily check in, calls of `scrape` and `check` out.

One instance a home folder, one job at a time, everything in UTC. What is overdue by the last success runs once at
start, then the check. It keeps no state of its own and never runs two jobs at once.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from data.errors import UndercutError, UsageError
from data.store import Place, Team, open_store
from jobs.lock import service_lock
from jobs.logs import set_up
from jobs.metrics import Metrics
from jobs.scrape import readable
from jobs.settings import Settings
from jobs.slack.listen import listener_from
from jobs.work import check_once, scrape_one, take_answers, write_due
from scraper.source import Source, load_sources

log = logging.getLogger("undercut.schedule")
PERIODS = {
    "hourly": timedelta(hours=1),
    "every 6h": timedelta(hours=6),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
}
JITTER_S = {"hourly": 120, "every 6h": 600, "daily": 900, "weekly": 1800}
CHECK_HOUR = 7  # after the daily sources, which start at 5
DIGEST_MINUTES = "*/15"  # looks which ones are due: each channel has its own time
ANSWERS_S = 5
Clock = Callable[[], datetime]


class Stop:
    """Asked to stop. A bare flag and no `threading.Event`: a signal that comes while the main thread waits on an event would
    set it from within, and hold the event's own lock for ever."""

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked


def serve(settings: Settings) -> None:
    """The service of this home: every source on its schedule, a daily check that sends. Ends with SIGTERM or SIGINT.

    Raises UsageError where another has this home, before its database or a port is opened, or where the port is taken.
    """
    set_up(settings.undercut_log)
    with service_lock(settings.undercut_home):
        _serve(settings, load_sources(), Metrics())


def _serve(settings: Settings, declared: dict[str, Source], metrics: Metrics) -> None:
    last = last_successes(settings.place)
    for source_id, at in last.items():
        metrics.well(source_id, at)
    listener = listener_from(settings)
    if settings.undercut_metrics_port is not None:
        log.info("metrics on http://127.0.0.1:%d/metrics", metrics.serve(settings.undercut_metrics_port))
    try:
        run_service(
            settings.undercut_home,
            [s for i, s in declared.items() if i in readable(declared)],
            scrape=lambda source_id: scrape_one(settings, source_id, metrics, still_due),
            check=lambda: check_once(settings, metrics),
            digest=lambda: write_due(settings, metrics),
            answers=(lambda: take_answers(settings, listener)) if listener else None,
            last_success=last,
            ready=listener.start if listener else lambda: None,
        )
    finally:
        if listener is not None:
            listener.stop()


def run_service(
    home: Path,
    sources: Iterable[Source],
    *,
    scrape: Callable[[str], None],
    check: Callable[[], None],
    digest: Callable[[], None] | None = None,
    answers: Callable[[], None] | None = None,
    last_success: Mapping[str, datetime] | None = None,
    clock: Clock = lambda: datetime.now(UTC),
    jitter: bool = True,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run until SIGTERM or SIGINT; the job at work is finished first. `last_success` by source id, times aware.

    Raises UsageError where another service has this home, or a source has a schedule that nobody can read.
    """
    known, last = list(sources), last_success or {}
    for s in known:
        trigger_of(s)  # a schedule nobody can read is told before anything is locked
    stop = Stop()
    late = overdue(known, last, clock())
    scheduler = planned(
        known,
        late,
        scrape=scrape,
        check=check,
        digest=digest,
        answers=answers,
        stop=stop,
        jitter=jitter,
    )
    with service_lock(home):
        before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            scheduler.start()
            log.info("started: %d sources, %d overdue", len(known), len(late))
            ready()
            while not stop.is_set():
                time.sleep(0.2)  # short, so that a signal is handled on every platform
            log.info("stopping: the job at work is finished first")
        finally:
            if scheduler.running:
                scheduler.shutdown(wait=True)
            for number, handler in before.items():
                signal.signal(number, handler)
    log.info("stopped")


def planned(
    sources: Sequence[Source],
    late: list[str],
    *,
    scrape: Callable[[str], None],
    check: Callable[[], None],
    digest: Callable[[], None] | None,
    answers: Callable[[], None] | None,
    stop: Stop,
    jitter: bool = True,
    executor: Any = None,
) -> BackgroundScheduler:
    """The schedule, not yet started: what is late first as one job, then every source, check and digest at its time.

    `digest` writes what is due and no more. `executor`: one worker, as the database has one writer; a test gives its own.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": executor or ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )

    def add(name: str, trigger: CronTrigger | IntervalTrigger, call: Callable[[], None]) -> None:
        scheduler.add_job(_guarded(name, call, stop), trigger, id=name, name=name)

    # one job, so that the check comes after all of them; it also sends what the last service left in the outbox
    catch_up = _guarded("catch-up", lambda: _catch_up(late, scrape, check, digest, stop), stop)
    scheduler.add_job(catch_up, id="catch-up")
    for source in sources:
        add(f"scrape {source.id}", trigger_of(source, jitter=jitter), lambda id=source.id: scrape(id))  # type: ignore[misc]
    add("check", CronTrigger(hour=CHECK_HOUR, timezone=UTC), check)
    if digest is not None:
        add("digest", CronTrigger(minute=DIGEST_MINUTES, timezone=UTC), digest)
    if answers is not None:  # they are on disk meanwhile
        add("answers", IntervalTrigger(seconds=ANSWERS_S, timezone=UTC), answers)
    return scheduler


def trigger_of(source: Source, *, jitter: bool = True) -> CronTrigger:
    """When a source is due, in UTC. The minute follows from its id, so that sources do not start together."""
    period = _period(source)
    minute, spread = sum(source.id.encode()) % 60, JITTER_S[source.schedule] if jitter else None
    when: dict[str, Any] = {"minute": minute, "timezone": UTC, "jitter": spread}
    if period >= timedelta(days=1):
        when["hour"] = CHECK_HOUR - 2
    elif period > timedelta(hours=1):
        when["hour"] = "*/6"
    if source.schedule == "weekly":
        when["day_of_week"] = "mon"  # by name: APScheduler counts weekdays from Monday, cron from Sunday
    return CronTrigger(**when)


def overdue(sources: Iterable[Source], last_success: Mapping[str, datetime], now: datetime) -> list[str]:
    """Ids of sources that were due since their last success, or never had one, longest ago first.

    By the time they were due, not by the length of the period: a weekly source that missed its Monday is not left to the next.
    """
    never = datetime.min.replace(tzinfo=UTC)
    late = sorted((last_success.get(s.id, never), s.id, s) for s in sources)
    return [s.id for at, _, s in late if at == never or _due_after(s, at) <= now]


def still_due(source: Source, last: datetime | None) -> bool:
    """Was it due since it was last read? Where not, another machine was first. A reading of tomorrow was a wrong clock's."""
    now = datetime.now(UTC)
    known = last is not None and last < now + timedelta(days=1)
    return bool(overdue([source], {source.id: last} if last is not None and known else {}, now))


def _due_after(source: Source, at: datetime) -> datetime:
    found = trigger_of(source, jitter=False).get_next_fire_time(None, at + timedelta(seconds=1))
    assert isinstance(found, datetime)
    return found


def last_successes(place: Place) -> dict[str, datetime]:
    """When each source last succeeded, from the run table."""
    if not isinstance(place, Team) and not (place / "private.duckdb").exists():
        return {}
    with open_store(place) as store:
        found = store.rows(
            "select source_id, max(coalesce(finished_at, started_at)) as at from run "
            "where source_id is not null and outcome in ('new', 'changed', 'unchanged') group by source_id"
        )
    return {r["source_id"]: r["at"].replace(tzinfo=UTC) for r in found}


def _period(source: Source) -> timedelta:
    if source.schedule not in PERIODS:
        raise UsageError(
            f"schedule {source.schedule!r} cannot be read.",
            where=f"scraper/sources/{source.id}.yaml",
            fix=f"one of {', '.join(PERIODS)}.",
        )
    return PERIODS[source.schedule]


def _catch_up(
    late: list[str],
    scrape: Callable[[str], None],
    check: Callable[[], None],
    digest: Callable[[], None] | None,
    stop: Stop,
) -> None:
    for source_id in late:
        _guarded(f"scrape {source_id}", lambda id=source_id: scrape(id), stop)()  # type: ignore[misc]
    _guarded("check", check, stop)()
    if digest is not None:
        _guarded("digest", digest, stop)()


def _guarded(name: str, call: Callable[[], None], stop: Stop) -> Callable[[], None]:
    """A job that says what failed and leaves the service running; none starts after the signal to stop."""

    def job() -> None:
        if stop.is_set():
            return
        try:
            call()
        except UndercutError as error:
            log.error("%s failed: %s", name, error)
        except Exception:  # a fault of ours in one job must not end the others
            log.exception("%s failed", name)
        else:
            log.log(logging.DEBUG if name in ("answers", "digest") else logging.INFO, "%s done", name)

    return job
