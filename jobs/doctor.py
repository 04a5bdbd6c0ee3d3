"""What this machine lacks for a live installation, and the fix. Looks, never changes anything."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from data.errors import DataMissing, RegistryError, UndercutError
from data.store import Copy, Place, Team, ask, published
from jobs.rules import message_id
from jobs.settings import Settings
from jobs.sightings import STALE_DAYS
from jobs.stale import stale_sources


@dataclass(frozen=True)
class Finding:
    ok: bool
    what: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    """One line a thing, in the order a new user meets them."""
    return [
        Finding(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}", "install Python 3.11 or newer."),
        Finding(True, f"DuckDB {version('duckdb')}, genai-prices {version('genai-prices')}"),
        _home(settings.undercut_home),
        _published(settings.published),
        *_fresh(settings.published, datetime.now(UTC)),
        _registry(settings),
        _browser(settings),
        _slack(settings),
        *_undelivered(settings.published),
        Finding(
            settings.undercut_platform_channel is not None,
            f"platform channel: {settings.undercut_platform_channel or 'none'}",
            "set UNDERCUT_PLATFORM_CHANNEL; data faults go there.",
        ),
    ]


def _home(home: Path) -> Finding:
    place = next(p for p in (home, *home.absolute().parents) if p.exists())
    import os

    writable = os.access(place, os.W_OK)
    return Finding(writable, f"database folder {home}", "make it writable, or set UNDERCUT_HOME to one that is.")


def _published(path: Place) -> Finding:
    if isinstance(path, Team):
        try:
            with published(path):
                return Finding(True, f"team's store {path}")
        except UndercutError as error:
            return Finding(False, str(error.what), error.fix)
    if not path.exists():
        return Finding(False, "no database yet", "run `undercut demo` or `undercut scrape`.")
    return Finding(True, f"published copy {path}")


def _fresh(path: Place, now: datetime) -> list[Finding]:
    """How old the newest reading is, and which sources gave nothing good for a week; nothing where there is no database yet."""
    try:
        with published(path) as con:
            read = ask(con, "select max(fetched_at) as at from capture where outcome <> 'failed'")[0]["at"]
            stale = [r["source_id"] for r in stale_sources(Copy(con), now)]
    except DataMissing:
        return []
    except UndercutError as error:
        return [
            Finding(
                False, f"{path} cannot be read: {str(error).splitlines()[0]}", "undercut db restore, or scrape anew."
            )
        ]
    if read is None:
        return [Finding(False, "nothing was read yet", "run `undercut demo` or `undercut scrape`.")]
    days = (now - read.replace(tzinfo=UTC)).days
    newest = Finding(
        days <= STALE_DAYS,
        f"newest reading {read:%d %b %Y}, {days} day{'' if days == 1 else 's'} ago",
        "run `undercut scrape` (prices of `undercut demo` are those of the installed package).",
    )
    if not stale:
        return [newest]
    shown = ", ".join(stale[:3]) + (f" and {len(stale) - 3} more" if len(stale) > 3 else "")
    fix = f"undercut doctor --live --source {stale[0]}"
    return [
        newest,
        Finding(
            False, f"{len(stale)} source{'s' * (len(stale) > 1)} gave nothing good for {STALE_DAYS} days: {shown}", fix
        ),
    ]


def _registry(settings: Settings) -> Finding:
    from jobs.evals import load_cases

    files = settings.registry_files()
    missing = [str(f) for f in files if not f.is_file()]
    if missing:
        return Finding(False, f"registry {missing[0]} is missing", "write it (five lines a use case, see README.md).")
    try:
        found = load_cases(files)
    except RegistryError as error:
        n = len(error.problems)
        return Finding(False, f"registry: {n} fault{'' if n == 1 else 's'}, the first {error.problems[0]}", "mend it.")
    n, w = len(found.use_cases), len(found.warnings)
    said = f"; {w} warning{'' if w == 1 else 's'}: undercut check" if w else ""
    return Finding(True, f"registry {', '.join(map(str, files))}: {n} use case{'' if n == 1 else 's'}{said}")


def _browser(settings: Settings) -> Finding:
    from scraper.browser import find_browser

    found = find_browser(settings.undercut_browser)
    return Finding(
        found is not None,
        f"browser: {found or 'none (sources that need one are left out; all others work)'}",
        "install Chromium (`apt-get install chromium` or `playwright install chromium`), or set UNDERCUT_BROWSER.",
    )


def _slack(settings: Settings) -> Finding:
    if settings.slack_bot_token:
        return Finding(True, "Slack: bot token")
    if settings.slack_webhook_url:
        return Finding(
            True, "Slack: incoming webhook (every message in its one channel; no edits, no buttons, no look-back)"
        )
    return Finding(False, "Slack: no token; messages are printed", "set SLACK_BOT_TOKEN (or SLACK_WEBHOOK_URL).")


def _undelivered(path: Place) -> list[Finding]:
    """Messages that Slack has not taken; none to speak of where there is no database, or none that can be read."""
    query = """select alert_id, channel, last_outcome from alerts where withheld_because is null and not sent
        and last_outcome is distinct from 'dropped' order by created_at"""
    try:
        with published(path) as con:
            left = ask(con, query)
    except UndercutError:
        return []
    parked = [message_id(r["alert_id"]) for r in left if r["last_outcome"] == "parked"]
    waits = len(left) - len(parked)
    shown = ", ".join(parked[:3]) + (f" and {len(parked) - 3} more" if len(parked) > 3 else "")
    release = f"look whether they arrived; `undercut feedback {parked[0]} release` sends one again." if parked else ""
    return [
        *(
            [Finding(False, f"Slack: {waits} not sent yet", "`undercut check --send` says why, and tries again.")]
            if waits
            else []
        ),
        *(
            [Finding(False, f"Slack: {len(parked)} parked, each may have arrived or was refused: {shown}", release)]
            if parked
            else []
        ),
    ]
