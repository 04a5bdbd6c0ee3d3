"""digest: the weekly message of every channel, and the roll-up."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.out import Json, console, say


def digest(
    send: Annotated[
        bool, typer.Option("--send", help="Record and send this week's digests; each goes out once.")
    ] = False,
    due: Annotated[
        bool, typer.Option("--due", help="With --send: only those whose alerts.schedule has come, for an hourly cron.")
    ] = False,
    as_json: Json = False,
) -> None:
    """This week per channel, for each team with others below it and for all: open money, what changed, what was withheld.

    Exits 0, 2, 3, 22.
    """
    from datetime import UTC, datetime

    from rich.panel import Panel
    from rich.text import Text

    from data.errors import DataMissing, UsageError
    from data.store import open_store
    from jobs.check import deciding
    from jobs.digest import editions, gather_edition, write_digests
    from jobs.evals import load_cases
    from jobs.messages import plain
    from jobs.messages.digest import digest_message
    from jobs.outbox import deliver
    from jobs.settings import settings
    from jobs.slack import sender_from

    if due and not send:
        raise UsageError("--due is for what is sent.", where="digest", fix="add --send, or leave it out.")
    s, now = settings(), datetime.now(UTC)
    registry = load_cases(s.registry_files())
    with open_store(s.place) as store, deciding(store):
        if not store.rows("select 1 from recommendation limit 1"):
            raise DataMissing("nothing was decided yet.", where=str(s.place), fix="run `undercut check` first.")
        found = [(e, gather_edition(store, e, now=now)) for e in editions(registry, s.undercut_platform_channel)]
        shown = [(e, digest_message(g, now=now)) for e, g in found if g.use_cases]
        delivered, made = None, []
        if send:
            made = write_digests(store, registry, now=now, platform=s.undercut_platform_channel, due_only=due)
            written = {(a.kind, a.channel, a.message["text"]) for a in made}
            shown = [(e, m) for e, m in shown if (e.kind, e.channel, m["text"]) in written]
            sender = sender_from(s)
            delivered = deliver(store, sender, lambda: datetime.now(UTC)) if sender else None
            if made or delivered:
                store.publish()
    out = console()
    if send and not made and not as_json:
        out.print("no digest is due" if due else "this week's digests are written already")
    for e, message in shown:
        if as_json:
            say({"channel": e.channel, "schedule": e.schedule, "kind": e.kind, **message})
        else:
            to = e.channel or "no platform channel"
            title = f"{'Slack' if e.kind == 'digest' else 'roll-up ·'} {to} · {e.schedule}"
            out.print(Panel(Text(plain(message)), title=Text(title), title_align="left"))
    if delivered is not None:
        out.print(f"Slack: {delivered.sent} sent, {delivered.waiting} waiting, {delivered.parked} parked")
        delivered.check()


def register(app: typer.Typer) -> None:
    app.command()(digest)
