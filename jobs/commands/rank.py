"""rank: every candidate of a use case, as decided or as it would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.commands.out import Json, console, progress, say

if TYPE_CHECKING:
    from rich.text import Text

    from data.records import Candidate, Decision


def rank(
    slug: str,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="As if the entry said so: traffic=40k/day, require.regions= (dropped); may be repeated.",
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many candidates to show.")] = 25,
    as_json: Json = False,
) -> None:
    """Every candidate of a use case with its cost, quality and, where it is shut out, the reason.

    --set weighs it anew on the published facts, with keys of use_cases.yaml changed, and shows both decisions; nothing is
    written. Exits 0, 2, 3.
    """
    from jobs.show import rows_table

    if changes:
        found, lines = _changed(slug, changes, as_json)
    else:
        found, lines = _published(slug), []
    if as_json:
        for row in found:
            say(row)
        return
    out = console()
    for line in lines:
        out.print(line, soft_wrap=True)
    out.print(rows_table(found[:most]))
    out.print(
        f"[dim]{sum(bool(r['move']) for r in found)} weighed, {max(0, len(found) - most)} not shown (--most); those good enough first, then those worth a test, by net value[/]\n[bold]Next:[/] undercut explain {slug}"
    )


def _published(slug: str) -> list[dict[str, Any]]:
    from data.errors import DataMissing
    from data.store import published, rows
    from jobs.settings import settings

    query = """
        select coalesce(rank::varchar, '') as rank, endpoint, tier, variant, move, round(cost_usd_per_month, 2) as usd_per_month,
            round(quality, 3) as quality, round(p_ok, 3) as p_ok, evidence, round(net_value_usd) as net_value_usd, on_frontier as frontier, reason
        from candidates where use_case = ? order by move is null desc, not eligible, candidates.rank, net_value_usd desc nulls last, endpoint"""
    with published(settings().published) as con:
        found = rows(con, query, [slug])
        known = [
            r["use_case"]
            for r in rows(con, "select use_case from use_cases where status is distinct from 'withdrawn' order by 1")
        ]
    if not found:
        raise DataMissing(
            f"no use case {slug!r}.", where=str(settings().published), fix=f"one of {', '.join(known) or 'none'}."
        )
    return found


def _changed(slug: str, changes: list[str], quiet: bool) -> tuple[list[dict[str, Any]], list[Text]]:
    """Rows of every candidate as it would be, and both decisions in a line each."""
    from datetime import UTC, datetime

    from rich.text import Text

    from jobs.settings import settings
    from jobs.show import verdict
    from jobs.what_if import what_if

    s = settings()
    with progress(quiet) as tell:
        was, would = what_if(s.published, s.registry_files(), slug, changes, now=datetime.now(UTC), tell=tell)
    lines = [
        Text.assemble((f"{word:<11}", "bold"), f"{_bill(w.decision)}  ", verdict(w.decision))
        for word, w in (("registered", was), ("would be", would))
    ]
    return [_row(c) for c in would.candidates], [*lines, Text(f"with {', '.join(changes)}; nothing was written")]


def _bill(d: Decision) -> str:
    return f"now ${d.current.cost.usd_per_month:,.2f} a month" if d.current.cost else "unpriced"


def _row(c: Candidate) -> dict[str, Any]:
    def to(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    q = c.quality
    return {
        "rank": str(c.rank or ""), "endpoint": c.endpoint_id, "tier": c.tier, "variant": c.variant, "move": c.move,
        "usd_per_month": to(c.cost.usd_per_month if c.cost else None, 2), "quality": to(q.mean if q else None, 3),
        "p_ok": to(c.p_ok, 3), "evidence": q.grade if q else None, "net_value_usd": to(c.net_value_usd, 0),
        "frontier": c.on_frontier, "reason": "; ".join(c.reasons),
    }  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command()(rank)
