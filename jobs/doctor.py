"""What this machine lacks for a live installation, and the fix. Looks, never changes anything."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from data.errors import UndercutError
from data.store import Place, Team, published, rows
from jobs.rules import message_id
from jobs.settings import Settings


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


def _registry(settings: Settings) -> Finding:
    files = settings.registry_files()
    missing = [str(f) for f in files if not f.is_file()]
    if missing or not files:
        name = missing[0] if missing else settings.undercut_registry
        return Finding(False, f"registry {name} is missing", "write it (five lines a use case, see README.md).")
    return Finding(True, f"registry {', '.join(map(str, files))}")


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
    """Messages that Slack has not taken; none to speak of where there is no database yet."""
    query = """select alert_id, channel, last_outcome from alerts where withheld_because is null and not sent
        and last_outcome is distinct from 'dropped' order by created_at"""
    try:
        with published(path) as con:
            left = rows(con, query)
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
