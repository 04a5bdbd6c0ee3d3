"""Boards that were kept out, and a person's word on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, say


def register(app: typer.Typer) -> None:
    app.command()(boards)


def boards(
    accept: Annotated[str | None, typer.Option(help="SOURCE:BENCHMARK that is right as it was read.")] = None,
    data: Annotated[Path | None, typer.Option(help="A published database.")] = None,
    as_json: Json = False,
) -> None:
    """List scores that were kept out and why; --accept takes a new version or a shrunken board as it is."""
    from datetime import UTC, datetime

    from data.store import ask, open_store, published
    from jobs.boards import accept as accepted
    from jobs.settings import settings
    from scraper.match import Matcher

    if accept:
        source, _, benchmark = accept.partition(":")
        with open_store(settings().place) as store:
            who = os.environ.get("USER") or "a person"
            now = datetime.now(UTC)
            became, n = accepted(store, source, benchmark, by=who, matcher=Matcher.from_package(), now=now)
            store.publish()
        if as_json:
            say({"source": source, "benchmark": benchmark, "accepted_as": became, "scores": n})
        else:
            console().print(f"{source}: {benchmark} counts as {became}, {n} scores.", markup=False)
        return
    with published(data or settings().published) as con:
        rows = ask(con, "select * from board_doubts order by accepted_at nulls first, since desc, source, benchmark")
    for r in rows:
        if as_json:
            say(r)
        else:
            state = f"accepted as {r['accepted_as']}" if r["accepted_at"] else f"{r['rows_kept_out']} kept out"
            console().print(f"{r['source']}:{r['benchmark'] or '-'}  {r['kind']}: {r['why']} ({state})", markup=False)
    if not rows and not as_json:
        console().print("Nothing is kept out.")
