"""audit: what the design of a use case would cost today, its compromises and caches at the prices in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.ahead import Ahead
    from jobs.audit import CacheAudit, SinceDesign


def audit(
    slug: Annotated[
        str | None, typer.Argument(help="A use case; without one, all that have a design or a cache.")
    ] = None,
    caches: Annotated[bool, typer.Option("--caches", help="Only the caches and their break-even.")] = False,
    as_json: Json = False,
) -> None:
    """Since you designed this: the same quality then and now, compromises priced again, caches that still pay. Exits 0, 2, 3."""
    from datetime import UTC, datetime

    from jobs.ahead import foreseen
    from jobs.audit import audit as look_at
    from jobs.audit import audit_caches
    from jobs.look_back import look
    from jobs.settings import settings
    from jobs.trends.forecast import own_cuts

    s, now = settings(), datetime.now(UTC)
    with progress(as_json) as tell:
        here = look(s.published, s.registry_files(), now, tell)
        cases = [here.case(slug)] if slug else list(here.registry.use_cases)
        pace = own_cuts(now.date()).factor_per_year
        tell("pricing the designs again")
        found = [(c, None if caches else look_at(here, c, pace), audit_caches(here, c)) for c in cases]
        ahead = {} if caches else {c.slug: foreseen(here, c, now.date()) for c in cases}
    if as_json:
        for c, since, paid in found:
            say({"use_case": c.slug, "since_design": since and since.row(), "caches": [_cache(p) for p in paid],
                 "ahead": [vars(f) for f in ahead.get(c.slug, ())]})  # fmt: skip
        return
    out = console()
    out.print(f"[bold]undercut audit[/]  prices known up to {here.facts.data_as_of:%d %b %Y}")
    silent = []
    for c, since, paid in found:
        told = since is not None and since.designed_on is not None
        if slug is None and not told and not paid:
            silent.append(c.slug)
            continue
        out.print(f"\n[bold]{c.slug}[/]  {c.title}", markup=True)
        if since is not None:
            _design(out, since)
            _ahead(out, ahead[c.slug])
        if paid:
            _caches(out, paid)
        elif caches:
            out.print("  no `caches:` in the registry")
    if silent:
        out.print(f"\n[dim]no `designed:` and no `caches:` in the registry: {', '.join(silent)}[/]")
    out.print(
        f"\n[bold]Next:[/] undercut plan {slug or next((c.slug for c, s, _ in found if s and s.designed_on), 'SLUG')}   (what the difference buys)"
    )


def _design(out: Console, d: SinceDesign) -> None:
    def line(name: str, text: str) -> None:
        out.print(f"  {name:9} {text}", markup=False, soft_wrap=True)

    if d.designed_on is None:
        line("Designed", d.why)
        return
    then = f"{_usd(d.then_usd_per_call)} a call ({d.then_from})" if d.then_usd_per_call else f"unknown: {d.then_from}"
    if d.registered_usd_per_call is not None and d.then_from != "as registered":
        then += f"; registered then: {_usd(d.registered_usd_per_call)}"
    line("Designed", f"{d.designed_on:%d %b %Y} on {d.model}: {then}")
    line("In use", f"{d.present_endpoint}: {_usd(d.present_usd_per_call)} a call")
    if d.now_usd_per_call:
        mid, low, high = d.now_usd_per_call
        line("Now", f"{d.now_endpoint}: {_usd(mid)} a call ({_usd(low)} to {_usd(high)}); {d.why}")
    else:
        line("Now", d.why)
    if d.multiple:
        mid, low, high = d.multiple
        line("Multiple", f"{mid:.1f} times cheaper ({low:.1f} to {high:.1f}); {d.question}")
    line("Fifty", d.fifty)
    if d.beside:
        line("Beside", d.beside)
    for c in d.compromises:
        out.print(f"  [bold]{c.verdict:9}[/] ", end="")
        out.print(f"{c.what}: {c.why}", markup=False, soft_wrap=True)


def _ahead(out: Console, found: list[Ahead]) -> None:
    """The cheapest good choice in 3, 6 and 12 months, and what that means today."""
    known = [f for f in found if f.usd_per_month is not None]
    if not known:
        return
    spans = ", ".join(f"{_usd(f.low_usd_per_month)}–{_usd(f.high_usd_per_month)} in {f.days // 30}" for f in known)
    text = f"{known[0].best_endpoint} at {_usd(known[0].best_usd_per_month)} a month; {spans} months (80 %)"
    out.print(f"  Ahead     {text}", markup=False, soft_wrap=True)
    out.print(f"  [bold]{known[0].advice:9}[/] ", end="")
    out.print(known[0].why, markup=False, soft_wrap=True)


def _caches(out: Console, found: list[CacheAudit]) -> None:
    for c in found:
        verdict = f"was right until {c.right_until:%d %b %Y}" if c.right_until else c.paid.verdict
        need = (
            "break-even unknown"
            if c.paid.break_even is None
            else f"break-even {c.paid.break_even:.1%}"
            if c.paid.break_even < 10
            else "can never pay"
        )
        saves = (
            "" if c.paid.saves_usd_per_month is None else f", returns {_usd(c.paid.saves_usd_per_month)} a month net"
        )
        out.print(f"  cache     [bold]{verdict}[/]  ", end="")
        out.print(f"{c.name} ({c.kind}): {need}, hits {c.paid.hit_rate:.0%}{saves}", markup=False, soft_wrap=True)
        out.print(
            f"            {c.paid.why}" + (f"; {c.after_switch}" if c.after_switch else ""),
            markup=False,
            style="dim",
            soft_wrap=True,
        )


def _cache(c: CacheAudit) -> dict[str, Any]:
    return {
        "name": c.name,
        "kind": c.kind,
        **vars(c.paid),
        "right_until": c.right_until,
        "after_switch": c.after_switch,
    }


def _usd(usd: float | None) -> str:
    if usd is None:
        return "unknown"
    sign = "−" if usd < 0 else ""
    usd = abs(usd)
    return f"{sign}${usd:,.0f}" if usd >= 100 else f"{sign}${usd:.3g}"


def register(app: typer.Typer) -> None:
    app.command()(audit)
