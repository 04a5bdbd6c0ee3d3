"""Single steps that other programs call: extract, match, estimate, price."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, say


def extract(
    file: Annotated[Path, typer.Argument(help="The document, as it was fetched.", exists=True, dir_okay=False)],
    url: Annotated[str, typer.Option(help="Where it came from; finds its source file.")] = "",
    generic: Annotated[bool, typer.Option("--generic", help="Ignore source files.")] = False,
    as_json: Json = False,
) -> None:
    """Print every price or score a document states. Exit 3: it could not be read."""
    from jobs.steps import extract_document

    for line in extract_document(file, url=url, generic=generic):
        if as_json:
            say(line)
        elif line["kind"] == "price":
            typer.echo(
                f"{line['model']}  {line['meter']} [{line['tier']}]  {line['amount']} {line['currency']} {line['per']}"
            )
        else:
            typer.echo(f"{line['model']}  {line['benchmark']} {line['metric']}  {line['value']}")


def match(as_json: Json = False) -> None:
    """Names on standard input, the model each one is (or nobody) on standard output."""
    from jobs.steps import match_names

    for line in match_names(sys.stdin):
        if as_json:
            say(line)
        else:
            typer.echo(
                f"{line['name']}  →  {line['model'] or 'nobody; similar: ' + (', '.join(line['proposals']) or 'none')}"
            )


def estimate(
    scores: Annotated[Path, typer.Option(help="CSV: model, benchmark, score, scale, released.", exists=True)],
    ask: Annotated[Path, typer.Option(help="CSV: model, benchmark.", exists=True)],
    out: Annotated[Path, typer.Option(help="CSV to write: model, benchmark, estimate, low90, high90.")],
) -> None:
    """Estimate scores that nobody measured, with a 90 % interval."""
    from jobs.steps import estimate_table

    estimate_table(scores, ask, out)


def profile(
    file: Annotated[
        Path, typer.Argument(help="Usage log: CSV, JSON Lines, JSON or Parquet.", exists=True, dir_okay=False)
    ],
    model: Annotated[str | None, typer.Option(help="Only this model, as the log writes it.")] = None,
    as_json: Json = False,
) -> None:
    """Measure a use case's traffic and tokens from a usage log (LiteLLM, Langfuse, usage pages, your own).

    Columns are known by their names: prompt_tokens or input_tokens, completion_tokens or output_tokens, and a time (start_time,
    created_at, timestamp …); where they are there also model, cached_tokens, reasoning_tokens, num_requests and status.
    """
    from jobs.profile import block
    from jobs.profile import profile as measure

    for found in measure(file, model):
        if as_json:
            say(vars(found) | {"block": block(found)})
        else:
            typer.echo(block(found) + "\n")


def price(as_json: Json = False) -> None:
    """JSON Lines with an endpoint, token counts and an instant in, the price of each call out; never 0 for unknown.

    {"endpoint": "openai:gpt-4o", "input": 12000, "output": 900, "at": "2026-11-01T00:00:00Z"}; "tier" and other meters where they
    apply. A line that has no price is answered with its "error".
    """
    from jobs.steps import price_calls

    for line in price_calls(sys.stdin):
        if as_json:
            say(line)
        else:
            typer.echo(line.get("error") or f"${line['usd']}")


def register(app: typer.Typer) -> None:
    for command in (extract, match, estimate, profile, price):
        app.command()(command)
