"""demo and check: what every use case costs, what would serve, and what would be said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from rich.console import Console

    from data.store import Store
    from jobs.check import Checked
    from jobs.outbox import Delivered

Files = Annotated[
    list[str] | None,
    typer.Option("--registry", help="use_cases.yaml, or several; globs work. What is not in them stays registered."),
]


def demo(as_json: Json = False) -> None:
    """The whole path on shipped data: prices, scores, decisions, and the messages that would be sent."""
    from datetime import UTC, datetime

    from jobs.demo import run_demo
    from jobs.settings import settings
    from jobs.show import age

    s = settings()
    with progress(as_json) as tell:
        done = run_demo(s.place, s.registry_files(), tell)
    if as_json:
        for _, d in done.checked.decisions:
            say(d.model_dump(mode="json"))
        return
    out = console()
    sources = sum(a.scores > 0 for a in done.added)
    when = age(done.checked.data_as_of, datetime.now(UTC))
    out.print(f"[bold]undercut demo[/]  prices {done.package}, as of {when}; decided as of that day")
    if done.changed:
        claims = sum(a.claims for a in done.added)
        out.print(f"[dim]{claims:,} claims from {len(done.added)} sources kept, {sources} of them with scores[/]")
    _print(out, done.checked, verbose=True)
    if done.changed:
        _print_messages(out, done.checked)
    else:
        out.print(
            "\n[bold]Nothing changed since the last run[/]: every source unchanged, every decision as before, nothing to send."
        )
    example = next(
        (d.rec for _, d in done.checked.decisions if d.verdict == "switch"), done.checked.decisions[0][1].rec
    )
    out.print(
        f"\n[bold]Next:[/] undercut explain {example}   (why, down to the source text); then write your own use_cases.yaml"
    )


def check(
    send: Annotated[bool, typer.Option("--send", help="Send the messages; without a token they are printed.")] = False,
    registry: Files = None,
    data: Annotated[
        Path | None, typer.Option(help="For a build: read this published copy, fetch and write nothing.")
    ] = None,
    fail_over: Annotated[
        str | None, typer.Option(help="Exit 10 where a use case costs that much more than a sure choice: 20%.")
    ] = None,
    fail_in: Annotated[
        str | None, typer.Option(help="Exit 11 where its model retires within so many days: 60d.")
    ] = None,
    max_age: Annotated[
        str | None, typer.Option(help="Exit 3 where the newest price, or the last reading of one in use, is older: 7d.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="What was accepted before; only what got worse counts.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write the present findings into --baseline.")] = False,
    summary: Annotated[Path | None, typer.Option(help="Write a Markdown summary for a pull request.")] = None,
    as_json: Json = False,
) -> None:
    """Decide every use case on the facts known now; prints what would be sent, --send sends it.

    In a build (--data, --fail-over, --fail-in, --max-age, --baseline): silent where nothing got worse, over budget is 13,
    unpriced or disputed 12. Exits 0, 2, 3, 22 where Slack took less than all, 21 while the circuit breaker is open, and in a
    build the first of 2, 3, 12, 11, 13, 10.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from data.errors import NotDelivered
    from data.store import open_store
    from jobs.abundance import keep
    from jobs.check import check_cycle, deciding
    from jobs.evals import load_cases
    from jobs.pictures import illustrate
    from jobs.registered import in_use_though, nothing_left
    from jobs.settings import Settings, settings
    from jobs.show import age
    from jobs.slack import sender_from

    s = settings()
    files = Settings(undercut_registry=",".join(registry)).registry_files() if registry else s.registry_files()
    if data or fail_over or fail_in or max_age or baseline or summary:
        from jobs.commands.gate import gate

        gate(
            data=data, files=files, fail_over=fail_over, fail_in=fail_in, max_age=max_age, baseline=baseline, accept=accept,
            summary=summary, as_json=as_json,
        )  # fmt: skip
    now = datetime.now(UTC)
    loaded = replace(load_cases(files), part=bool(registry))
    with open_store(s.place) as store, deciding(store), progress(as_json) as tell:
        done = check_cycle(
            store,
            loaded,
            now=now,
            progress=tell,
            platform=s.undercut_platform_channel,
            buttons=s.slack_app_token is not None,
        )
        delivered = _deliver(store) if send else None
        if (
            (not loaded.part and keep(store, loaded, now, tell))
            or done.changed
            or done.registered
            or done.withdrawn
            or delivered
        ):
            tell("publishing the database")
            store.publish()
        if send:
            illustrate(store, s.published, sender_from(s), datetime.now(UTC))
    warnings = [*loaded.warnings, *in_use_though(done), *nothing_left(done)]
    if as_json:
        for problem in warnings:
            say({"severity": "warning", **vars(problem)})
        for _, d in done.decisions:
            say(d.model_dump(mode="json"))
    else:
        out = console()
        out.print(f"[bold]undercut check[/]  prices as of {age(done.data_as_of, now)}")
        for problem in warnings:
            out.print(f"warning: {problem}", markup=False, style="yellow")
        _print(out, done, verbose=False)
        if delivered is None or (not s.slack_bot_token and not s.slack_webhook_url):
            _print_messages(out, done)
        else:
            out.print(f"\nSlack: {delivered.sent} sent, {delivered.waiting} waiting, {delivered.parked} parked")
        if done.withdrawn:
            out.print(f"\nNo longer registered: {', '.join(done.withdrawn)}")
        changed = ", ".join(done.changed) or "none"
        out.print(f"\nChanged decisions: {changed}\n[bold]Next:[/] undercut explain SLUG, or undercut rank SLUG")
    if delivered is not None and (delivered.waiting or delivered.parked):
        raise NotDelivered(
            "; ".join(delivered.errors), where="Slack", fix="the rest stays in the outbox; run it again."
        )
    done.check()


def _print(out: Console, done: Checked, *, verbose: bool) -> None:
    from jobs.show import decision_table, headline, reasons, verdict

    for case, d in done.decisions:
        out.print()
        out.print(headline(case, d))
        if verbose or case.slug in done.changed:
            out.print(decision_table(case, d))
        out.print(verdict(d), soft_wrap=True)
        if verbose:
            for line in reasons(d):
                out.print(line, soft_wrap=True)


def _print_messages(out: Console, done: Checked) -> None:
    """What Slack would get, and of what is withheld the finding that saves most."""
    from rich.panel import Panel
    from rich.text import Text

    from jobs.messages import plain

    due = [a for a in done.alerts if a.withheld_because is None]
    best = {c.slug: d.best.saving_usd_per_month or 0 for c, d in done.decisions if d.best}
    held = [a for a in done.alerts if a.withheld_because is not None]
    top = max(held, key=lambda a: best.get(a.use_case or "", 0), default=None)
    for alert in due:
        out.print()
        out.print(Panel(Text(plain(alert.message)), title=f"Slack {alert.channel}", title_align="left"))
    if top is not None:
        title = f"held, not sent ({top.withheld_because}) · Slack {top.channel}"
        out.print()
        out.print(Panel(Text(plain(top.message)), title=title, title_align="left", border_style="yellow"))
        if len(held) > 1:
            out.print(f'[dim]{len(held) - 1} more held; all of them: undercut sql "select * from alerts"[/]')


def _deliver(store: Store) -> Delivered:
    from datetime import UTC, datetime

    from jobs.outbox import Delivered, deliver
    from jobs.settings import settings
    from jobs.slack import sender_from
    from jobs.stale import tell_stale

    sender = sender_from(settings())
    if sender is None:
        return Delivered()
    tell_stale(store, datetime.now(UTC), settings().undercut_platform_channel)
    return deliver(store, sender, lambda: datetime.now(UTC))


def register(app: typer.Typer) -> None:
    for command in (demo, check):
        app.command()(command)
