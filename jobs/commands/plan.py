"""plan: what a bill buys when calls are cheap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.commands.out import Json, console, progress, say


def plan(
    slug: Annotated[str, typer.Argument(help="A use case.")],
    bill: Annotated[
        str, typer.Option(help="What may be spent: today, or design (what a call cost when it was designed).")
    ] = "today",
    pilot: Annotated[
        Path | None,
        typer.Option(help="Labelled runs, two or more an item (item, passed, accepted): gains instead of sums."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Several calls, checks, votes, a cascade for the same bill: sums, and with a pilot the gain. Exits 0, 2, 3."""
    from datetime import UTC, datetime

    from data.errors import UsageError
    from jobs.audit import audit
    from jobs.look_back import look
    from jobs.planning import planned, read_pilot
    from jobs.settings import settings

    if bill not in ("today", "design"):
        raise UsageError(f"{bill!r} is no bill.", where="--bill", fix="write today or design.")
    s, now = settings(), datetime.now(UTC)
    with progress(as_json) as tell:
        here = look(s.published, s.registry_files(), now, tell)
        case = here.case(slug)
        since = audit(here, case, 1.0)
        design = since.registered_usd_per_call or since.then_usd_per_call
        runs = read_pilot(pilot, here.matcher) if pilot else None
        tell("fitting the pilot" if runs else "planning")
        found = planned(here, case, bill, design, runs)  # type: ignore[arg-type]
    g = found.ground
    if as_json:
        say({"use_case": slug, "bill": bill, "bill_usd_per_call": g.bill_usd, "cheap": g.cheap, "cheap_usd_per_call": g.cheap_usd,
             "check_usd_per_call": g.check_usd, "plans": [vars(p) for p in found.plans], "one_call_stays": found.one_call})  # fmt: skip
        return
    from jobs.show import rows_table

    out = console()
    out.print(f"[bold]undercut plan[/] {slug}  prices known up to {here.facts.data_as_of:%d %b %Y}")
    month = g.bill_usd * g.calls_per_month
    out.print(
        f"  Bill    {_usd(month)} a month, {_usd(g.bill_usd)} a call ({'as designed' if bill == 'design' else g.dear})",
        markup=False,
    )
    out.print(
        f"  Repeats {g.cheap} at {_usd(g.cheap_usd)} a call: {found.why_cheap}; a judging call {_usd(g.check_usd)}",
        markup=False,
    )
    if runs:
        one, check = g.pilot[0], runs.check
        told = f"; its check accepts {check.right:.0%} of right and {check.wrong:.0%} of wrong answers" if check else ""
        out.print(
            f"  Pilot   {runs.items} items, {runs.runs} runs: one call right {one.one_call:.0%}, never solved {one.never:.0%}{told}",
            markup=False,
        )
    else:
        out.print(
            "  Pilot   none: sums and published ranges, no gains. Two labelled runs an item give them: --pilot FILE",
            markup=False,
        )
    out.print(rows_table([_row(p) for p in found.plans]))
    if found.one_call:
        out.print("[bold]One call stays right[/]: no plan is worth a trial on what is known.")
    else:
        trial = next(p for p in found.plans if p.trial)
        out.print(f"[bold]Worth a trial[/]: {trial.name}. Measure first: {trial.measure}.")
        out.print(f"Time: {trial.latency}.", markup=False)
    if bill == "today" and design is not None and design > g.bill_usd * 1.05:
        out.print(f"The bill of the design was {_usd(design)} a call: --bill design")
    out.print(f"[bold]Next:[/] undercut audit {slug}   (what the design would cost today)")


def _row(p: Any) -> dict[str, str]:
    q = p.success
    return {
        "": "trial" if p.trial else "",
        "plan": p.name,
        "calls": f"{p.calls:.3g}" + (f" (≤ {p.at_most})" if p.at_most > p.calls + 0.05 else ""),
        "$/month": _usd(p.usd_per_month),
        "right, 80 %": f"{q[0]:.0%} ({q[1]:.0%}–{q[2]:.0%})" if q else "unknown",
        "$/right": _usd(p.usd_per_solved) if p.usd_per_solved is not None else "",
        "why": p.says,
    }


def _usd(usd: float) -> str:
    return f"${usd:,.0f}" if usd >= 100 else f"${usd:.3g}"


def register(app: typer.Typer) -> None:
    app.command()(plan)
