"""The commands: parse and print, nothing else. Every import that costs time stands inside its command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="undercut",
    help="Notices when a cheaper model would serve your use case, and shows why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def say(value: object) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


@app.command()
def extract(
    file: Path,
    url: Annotated[str, typer.Option(help="Where the document came from.")] = "",
    generic: Annotated[bool, typer.Option("--generic", help="Ignore source files.")] = False,
    as_json: Json = False,
) -> None:
    """Print every price or score a document states."""
    from jobs.steps import extract_document

    for line in extract_document(file, url=url, generic=generic):
        say(line) if as_json else typer.echo(line)


@app.command()
def match(as_json: Json = False) -> None:
    """Names on standard input, the model each one is (or nobody) on standard output."""
    from jobs.steps import match_names

    for line in match_names(sys.stdin):
        say(line) if as_json else typer.echo(line)


@app.command()
def estimate(
    scores: Annotated[Path, typer.Option(help="CSV: model, benchmark, score, scale, released.")],
    ask: Annotated[Path, typer.Option(help="CSV: model, benchmark.")],
    out: Annotated[Path, typer.Option(help="CSV to write: model, benchmark, estimate, low90, high90.")],
) -> None:
    """Estimate scores that nobody measured, with a 90 % interval."""
    from jobs.steps import estimate_table

    estimate_table(scores, ask, out)


@app.command()
def price(as_json: Json = False) -> None:
    """JSON Lines with an endpoint and token counts in, the price of each call out."""
    from jobs.steps import price_calls

    for line in price_calls(sys.stdin):
        say(line)


def main() -> None:
    """Run a command; an error of ours is one line and its exit code."""
    from data.errors import UndercutError

    try:
        app()
    except UndercutError as error:
        sys.stderr.write(f"undercut: {error}\n")
        raise SystemExit(error.exit_code) from None
