"""digest: the weekly message of every channel, and the roll-up."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.out import Json, console, say


def digest(
    send: Annotated[
        bool, typer.Option("--send", help="Record and send this week's digests; each goes out once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """This week per channel and for all teams: open money, what changed, what was withheld. Exits 0, 2, 3, 22."""
    from datetime import UTC, datetime

    from rich.panel import Panel
    from rich.text import Text

    from data.errors import DataMissing
    from data.store import open_store
    from jobs.check import deciding
    from jobs.digest import gather, write_digests
    from jobs.evals import load_cases
    from jobs.messages import plain
    from jobs.messages.digest import digest_message
    from jobs.outbox import deliver
    from jobs.settings import settings
    from jobs.slack import sender_from

    s, now = settings(), datetime.now(UTC)
    registry = load_cases(s.registry_files())
    with open_store(s.place) as store, deciding(store):
        if not store.rows("select 1 from recommendation limit 1"):
            raise DataMissing("nothing was decided yet.", where=str(s.place), fix="run `undercut check` first.")
        slugs: dict[str | None, list[str]] = {None: [c.slug for c in registry.use_cases]} | {
            c.channel: [] for c in registry.use_cases
        }
        for c in registry.use_cases:
            if c.alerts.mode != "never":
                slugs[c.channel].append(c.slug)
        shown = [gather(store, found, now=now, channel=channel) for channel, found in slugs.items() if found]
        delivered = None
        if send:
            made = write_digests(store, registry, now=now, platform=s.undercut_platform_channel)
            sender = sender_from(s)
            delivered = deliver(store, sender, lambda: datetime.now(UTC)) if sender else None
            if made or delivered:
                store.publish()
    out = console()
    for g in shown:
        message = digest_message(g, now=now)
        if as_json:
            say({"channel": g.channel, **message})
        else:
            title = (
                f"Slack {g.channel}"
                if g.channel
                else f"roll-up · {s.undercut_platform_channel or 'no platform channel'}"
            )
            out.print(Panel(Text(plain(message)), title=title, title_align="left"))
    if delivered is not None:
        out.print(f"Slack: {delivered.sent} sent, {delivered.waiting} waiting, {delivered.parked} parked")
        delivered.check()


def register(app: typer.Typer) -> None:
    app.command()(digest)
