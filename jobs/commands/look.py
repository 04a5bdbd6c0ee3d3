"""explain, sql, schema, doctor: what is known, where it came from, what is missing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jobs.commands.out import Json, console, progress, say


def explain(
    what: Annotated[
        str, typer.Argument(help="A use case, a recommendation (rec-…), or a figure of one (rec-….saving).")
    ],
    evaluate: Annotated[
        bool, typer.Option("--eval", help="Of a recommendation: the evaluation that would settle it, as it is typed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Effective values and their origin for a use case; for a recommendation, every figure down to the source text.

    Figures: cost, saving, payback, value, quality, p_ok, constraints, others, rates, scores.
    --eval: the command for promptfoo, the cases it needs, and the registry line that reads the result. Exits 0, 2, 3.
    """
    from data.store import published
    from jobs.explain import explain_recommendation, explain_use_case, finding_page, remarks_on, values_page
    from jobs.settings import settings

    if evaluate:
        _evaluation(what, as_json)
        return
    if what.startswith("rec-"):
        with published(settings().published) as con:
            found = explain_recommendation(con, what, settings().kept)
        if as_json:
            say({k: v.model_dump(mode="json") if hasattr(v, "model_dump") else v for k, v in found.items()})
            return
        typer.echo("\n".join(finding_page(found)))
        return
    lines = explain_use_case(settings().registry_files(), what)
    notes = remarks_on(settings().registry_files(), what)
    if as_json:
        for line in (*lines, *({"remark": n} for n in notes)):
            say(line)
        return
    typer.echo("\n".join(values_page(what, lines, notes, _decided(what))))


def _decided(slug: str) -> str | None:
    """The command that explains the newest decision of a use case; None where none is published yet."""
    from data.errors import UndercutError
    from data.store import published, rows
    from jobs.settings import settings

    try:
        with published(settings().published) as con:
            found = rows(con, "select rec, status from use_cases where use_case = ? and rec is not null", [slug])
    except UndercutError:
        return None
    return f"undercut explain {found[0]['rec']}   (the decision: {found[0]['status']})" if found else None


def _evaluation(rec: str, as_json: bool) -> None:
    from data.errors import DataMissing, UsageError
    from data.records import Decision
    from data.store import published, rows
    from jobs.evals import load_cases
    from jobs.evaluation import evaluation
    from jobs.settings import settings

    if not rec.startswith("rec-"):
        raise UsageError(
            f"{rec} is no recommendation.", where="--eval", fix='undercut sql "select rec from recommendations".'
        )
    with published(settings().published) as con:
        found = rows(con, "select use_case, decision::varchar as decision from recommendation where rec = ? order by decided_at desc limit 1", [rec])  # fmt: skip
    if not found:
        raise DataMissing(
            f"no recommendation {rec!r}.",
            where="recommendations",
            fix='undercut sql "select rec from recommendations".',
        )
    case = next((c for c in load_cases(settings().registry_files()).use_cases if c.slug == found[0]["use_case"]), None)
    if case is None:
        raise DataMissing(f"{found[0]['use_case']} is no longer registered.", where="the registry", fix="register it.")
    asked = evaluation(case, Decision.model_validate_json(found[0]["decision"]))
    if as_json:
        say(vars(asked))
        return
    out = console()
    need = (
        f"{asked.cases:,} paired cases show a loss of at most {case.quality.max_drop:.0%}"
        if asked.cases
        else "no drop is allowed: no number of cases shows that"
    )
    out.print(f"[bold]{rec}[/]  {case.slug}: {need} (5 % level, 80 % power, where two models disagree on a fifth)")
    out.print(f"\n  {asked.command}\n", markup=False, soft_wrap=True)
    for note in asked.notes:
        out.print(f"  · {note}", markup=False, soft_wrap=True)
    out.print(
        f"Then write  {asked.entry}  under {case.slug} in the registry; your own results outrank every benchmark.",
        markup=False,
        soft_wrap=True,
    )
    out.print("[bold]Next:[/] undercut check")


def feedback(
    what: Annotated[
        str, typer.Argument(help="A recommendation (rec-…), the claim id of a held row, a parked msg-… or breaker.")
    ],
    verdict: Annotated[
        str,
        typer.Argument(
            help="approve, later, reject, switched; for a held row release or reject; for a message release or drop; else release."
        ),
    ],
    why: Annotated[str | None, typer.Option(help="The reason, kept with the decision.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day it holds, YYYY-MM-DD.")] = None,
    reopen_if: Annotated[str | None, typer.Option(help='A condition that ends it early, e.g. "evidence=A".')] = None,
    by: Annotated[str | None, typer.Option(help="Who decided.")] = None,
) -> None:
    """Record a decision and print the YAML that makes it last; on conflict the YAML wins."""
    from datetime import UTC, datetime

    from data.errors import UsageError
    from data.store import open_store
    from jobs.feedback import Said, record
    from jobs.settings import settings

    if verdict == "reject" and what.startswith("rec-") and not why:
        raise UsageError("a no needs its reason: it is what the next reader finds.", where=what, fix='--why "…".')
    with open_store(settings().place) as store:
        with store.transaction():
            said = record(store, what, Said(verdict, datetime.now(UTC), why, until, reopen_if, by))
        store.publish()
    typer.echo(said)


def sql(
    query: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")], as_json: Json = False
) -> None:
    """Run a query on the published copy, read-only. Views and columns: data/README.md, or `undercut sql "show all tables"`."""
    from data.store import ask, published
    from jobs.settings import settings
    from jobs.show import rows_table

    with published(settings().published) as con:
        found = ask(con, sys.stdin.read() if query == "-" else query)
    if as_json:
        for row in found:
            say(row)
        return
    console().print(rows_table(found) if found else "no rows")


def schema() -> None:
    """Print the JSON Schema of use_cases.yaml."""
    from data.registry import schema as registry_schema

    say(registry_schema())


def doctor(
    live: Annotated[
        bool, typer.Option("--live", help="Try every source once over the network; store nothing.")
    ] = False,
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="With --live: only this one; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What this machine lacks for a live installation, and the fix. With --live: exit 20 some sources failed, 21 all."""
    from rich.text import Text

    from jobs.doctor import examine
    from jobs.settings import settings

    if live:
        raise typer.Exit(try_live(sources, as_json))
    found = examine(settings())
    if as_json:
        for f in found:
            say(vars(f))
        return
    out = console()
    for f in found:
        out.print(
            Text.assemble(("✓", "green") if f.ok else ("–", "yellow"), f" {f.what}", "" if f.ok else f"\n    {f.fix}")
        )
    sys.stdout.flush()


def try_live(chosen: list[str] | None, as_json: bool) -> int:
    """A table of every source; 0, 20 or 21."""
    from data.errors import UsageError
    from jobs.live import try_sources
    from jobs.scrape import readable
    from jobs.settings import settings
    from scraper.source import load_sources

    declared = load_sources()
    if unknown := [s for s in chosen or () if s not in declared]:
        raise UsageError(f"no source {unknown[0]!r}.", where="scraper/sources", fix=f"one of {', '.join(declared)}.")
    wanted = {k: declared[k] for k in chosen or readable(declared)}
    with progress(as_json) as tell:
        lines = list(try_sources(wanted, tell, browser=settings().undercut_browser))
    if as_json:
        for line in lines:
            say(vars(line))
    else:
        from jobs.show import rows_table

        out = console()
        out.print(rows_table([{**vars(x), "ok": "✓" if x.ok else "–"} for x in lines]))
        out.print(f"\n{sum(x.ok for x in lines)} of {len(lines)} sources read as their files expect")
    failed = sum(not x.ok for x in lines)
    return 0 if not failed else 21 if failed == len(lines) else 20


def register(app: typer.Typer) -> None:
    for command in (explain, feedback, sql, schema, doctor):
        app.command()(command)
