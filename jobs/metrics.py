"""Figures for a watcher: jobs, sources and the outbox as Prometheus metrics on a port of its own. The only prometheus-client.

Holds names of sources and jobs and counts, never a price, a token or a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from data.errors import UsageError
from data.store import Readable


class Metrics:
    """Counts of one service. `serve` opens the port on loopback; without it counting costs nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = Counter(
            "undercut_jobs", "Jobs ended, by kind and outcome.", ["job", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "undercut_job_seconds",
            "How long jobs took.",
            ["job"],
            buckets=(0.1, 1, 5, 15, 60, 300, 1800),
            registry=self.registry,
        )
        self._well = Gauge(
            "undercut_source_last_success_timestamp_seconds",
            "When a source was last read well.",
            ["source"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "undercut_outbox_waiting", "Messages decided and not yet sent or parked.", registry=self.registry
        )
        self._parked = Gauge("undercut_outbox_parked", "Messages that need a person.", registry=self.registry)
        self._stale = Gauge(
            "undercut_sources_stale", "Sources without a success for over a week.", registry=self.registry
        )
        self._checked = Gauge(
            "undercut_last_check_timestamp_seconds", "When the last check ended well.", registry=self.registry
        )

    def serve(self, port: int) -> int:
        """Open the port (0: any free one) on loopback; the port it is. Raises UsageError where it is taken or not ours to open."""
        try:
            server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        except OSError as error:
            fix = "set it to a free port, or to 0 for any."
            raise UsageError(f"port {port} cannot be opened ({error.strerror}).", where="UNDERCUT_METRICS_PORT", fix=fix) from None  # fmt: skip
        return int(server.server_port)

    @contextmanager
    def timed(self, job: str) -> Iterator[None]:
        """`job` without a source's name, so that series stay few."""
        begun = monotonic()
        try:
            yield
        except BaseException:
            self._jobs.labels(job, "failed").inc()
            raise
        finally:
            self._seconds.labels(job).observe(monotonic() - begun)
        self._jobs.labels(job, "done").inc()

    def well(self, source: str, at: datetime) -> None:
        self._well.labels(source).set(at.timestamp())

    def after_check(self, store: Readable, at: datetime, stale: int) -> None:
        """The state of the outbox and the sources after a cycle."""
        found = store.rows(
            "select count(*) filter (where last is null or last not in ('sent', 'parked', 'dropped')) as waiting, "
            "count(*) filter (where last = 'parked') as parked from (select o.message_id, max_by(e.outcome, e.happened_at) as last "
            "from outbox o left join outbox_event e using (message_id) group by o.message_id)"
        )[0]
        self._waiting.set(found["waiting"])
        self._parked.set(found["parked"])
        self._stale.set(stale)
        self._checked.set(at.timestamp())
