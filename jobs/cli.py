"""The command line: one app, its commands in jobs/commands by group. Parses and prints, nothing else.

Every import that costs time stands inside its command, so that `undercut --help` answers at once.
"""

from __future__ import annotations

import json
import sys

import typer

from jobs.commands import (
    audit,
    backtest,
    begin,
    boards,
    db,
    decide,
    digest,
    look,
    plan,
    rank,
    replay,
    report,
    service,
    steps,
    trends,
    verbosity,
)

app = typer.Typer(
    name="undercut",
    help="Notices when a cheaper model would serve your use case, and shows why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for group in (
    audit,
    backtest,
    begin,
    boards,
    db,
    decide,
    digest,
    look,
    plan,
    rank,
    replay,
    report,
    service,
    steps,
    trends,
    verbosity,
):
    group.register(app)


def main() -> None:
    """Run a command; an error of ours is one message and its documented exit code, with --json a line for each fault."""
    from data.errors import RegistryError, UndercutError

    try:
        app()
    except UndercutError as error:
        if "--json" in sys.argv and isinstance(error, RegistryError):
            for p in error.problems:
                sys.stdout.write(json.dumps({"severity": "error", **vars(p)}, ensure_ascii=False) + "\n")
        sys.stderr.write(f"undercut: {error}\n")
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
