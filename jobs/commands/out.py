"""What commands share: the console, JSON lines, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
WIDTH = 140  # where standard output is no terminal


def say(value: object) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """What is being done, on standard error: one moving line in a terminal, plain lines elsewhere."""
    if quiet:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield lambda text: print(f"  … {text}", file=sys.stderr)  # noqa: T201
        return
    from rich.console import Console

    with Console(stderr=True).status("…") as status:
        yield lambda text: status.update(f"{text} …")
