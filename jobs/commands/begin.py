"""init: a first registry, or the draft of a source file from one reading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, say

SHOWN = 12
REGISTRY = """# Use cases: one block each. `undercut schema` prints every key; `undercut explain NAME` shows what is effective.
use_cases:
  support-summaries:             # rename it: what your team calls the feature
    task: summarization
    model: openai/gpt-4o         # what you pay for today
    traffic: 5k/day
    tokens: {in: 2000, out: 300}
    channel: "#llm-costs"
"""


def init(
    source: Annotated[
        str | None, typer.Option(help="A price page's URL: draft a source file from one reading.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Read this saved copy of the page instead of fetching it.", exists=True)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; by default use_cases.yaml, or ID.yaml for a source.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a first use_cases.yaml, or with --source a draft source file, and show what was read. Never overwrites."""
    from data.errors import UsageError

    def write(target: Path, text: str) -> None:
        if target.exists():
            raise UsageError("is there already.", where=str(target), fix="name another file with --out.")
        target.write_text(text, encoding="utf-8")

    if source is None:
        target = out or Path("use_cases.yaml")
        write(target, REGISTRY)
        if as_json:
            say({"wrote": str(target)})
        else:
            console().print(f"wrote {target}\n[bold]Next:[/] put your model and traffic into it, then undercut check")
        return
    from jobs.live import draft_source
    from scraper.fetch import Fetcher

    body = file.read_bytes() if file else Fetcher(tries=1).get(source).body or b""
    ident, text, rows = draft_source(source, body)
    target = out or Path(f"{ident}.yaml")
    write(target, text)
    if as_json:
        say({"wrote": str(target), "source": ident, "prices": len(rows)})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("model", "meter", "tier", "price", "conditions"):
        table.add_column(head)
    for row in rows[:SHOWN]:
        table.add_row(*row)
    show = console()
    show.print(table)
    if len(rows) > SHOWN:
        show.print(f"[dim]… {len(rows) - SHOWN} more[/]")
    show.print(f"\nwrote {target}: compare these with the page, set `verified`, move it to scraper/sources/")


def register(app: typer.Typer) -> None:
    app.command()(init)
