"""What the service does when its time has come: one source, the check, the answers, the week. Each opens the database once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from data.errors import HostFailed
from data.store import open_store
from jobs.abundance import keep
from jobs.answers import Inbox, Pressed, write_answers
from jobs.check import check_cycle, deciding
from jobs.digest import write_digests
from jobs.evals import load_cases
from jobs.messages.buttons import answer_message
from jobs.metrics import Metrics
from jobs.outbox import deliver, shown_at
from jobs.pictures import illustrate
from jobs.scrape import ELSEWHERE, Due, scrape_cycle
from jobs.settings import Settings
from jobs.slack import sender_from
from jobs.slack.listen import Listener
from jobs.stale import stale_sources, tell_stale

log = logging.getLogger("undercut.work")


def scrape_one(settings: Settings, source_id: str, metrics: Metrics, due: Due) -> None:
    """One source, one line of log; not again where another machine has read it since it was due. Raises HostFailed where it
    failed."""
    with metrics.timed("scrape"):
        now = datetime.now(UTC)
        report = scrape_cycle(settings.place, [source_id], now=now, browser=settings.undercut_browser, due=due)
        for line in report.lines:
            told = {
                "source": line.source,
                "outcome": line.outcome,
                "claims": line.claims,
                "held": line.held,
                "error": line.error,
            }
            text = f"{line.source} {line.outcome}: {line.claims} claims, {line.held} held {line.error}".rstrip()
            log.info("%s", text, extra=told)
            if line.outcome not in ("failed", ELSEWHERE):
                metrics.well(line.source, now)
        if report.exit_code:
            raise HostFailed("; ".join(line.error for line in report.lines if line.error), where=source_id)


def check_once(settings: Settings, metrics: Metrics) -> None:
    """Decide, tell of stale sources, send what is due, publish."""
    sender, platform, now = sender_from(settings), settings.undercut_platform_channel, datetime.now(UTC)
    with metrics.timed("check"), open_store(settings.place) as store, deciding(store):
        registry = load_cases(settings.registry_files())
        done = check_cycle(store, registry, now=now, platform=platform, buttons=settings.slack_app_token is not None)
        if done.breaker_open:
            log.warning("circuit breaker open: %s", done.breaker_open, extra={"error": done.breaker_open})
        keep(store, registry, now)
        tell_stale(store, now, platform)
        delivered = deliver(store, sender, lambda: datetime.now(UTC)) if sender else None
        store.publish()
        illustrate(store, settings.published, sender, datetime.now(UTC))
        metrics.after_check(store, now, len(stale_sources(store, now)))
    if delivered is not None:
        delivered.check()


def take_answers(settings: Settings, listener: Listener) -> None:
    """What people pressed, into the database and echoed under the finding; nothing is opened while nothing waits."""
    inbox = Inbox(settings.undercut_home)
    if not inbox.waiting():
        return
    with open_store(settings.place) as store:

        def tell(answer: Pressed, said: str) -> None:
            shown, thread_ts = shown_at(store, answer.rec, answer.ts)
            listener.told(answer, shown, answer_message(answer.rec, answer.verdict, answer.by, said), thread_ts)

        if write_answers(store, inbox, tell):
            store.publish()


def write_due(settings: Settings, metrics: Metrics) -> None:
    """The digests and roll-ups whose time has come, once each, also where the service was down then. Nothing is sent or
    published where none is."""
    registry = load_cases(settings.registry_files())
    now = datetime.now(UTC)
    with open_store(settings.place) as store, deciding(store):
        made = write_digests(store, registry, now=now, platform=settings.undercut_platform_channel, due_only=True)
        if not made:
            return
        log.info("digest: %d written", len(made))
        with metrics.timed("digest"):
            sender = sender_from(settings)
            delivered = deliver(store, sender, lambda: datetime.now(UTC)) if sender else None
            store.publish()
    if delivered is not None:
        delivered.check()
