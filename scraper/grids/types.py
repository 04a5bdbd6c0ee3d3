"""A grid: rows of cells as a person sees them, spans filled, with everything around it that gives it meaning."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

NOTE_MARKS = re.compile(r"[*†‡§]+$|\^\d+\^|\[\^?\d+\]$")


STRUCK = "/struck"


@dataclass(frozen=True)
class Cell:
    """`text` for a reader, struck and superscript parts left out; `struck` what was crossed out; `locator` of the cell."""

    text: str
    locator: str
    header: bool = False
    struck: str = ""
    raw: str = ""  # as it stands in the body
    lines: tuple[str, ...] = ()  # its blocks apart, where it has several
    ident: str | None = None  # an id that stands beside a linked name

    @property
    def quote(self) -> str:
        return self.raw or self.text

    @property
    def crossed_out(self) -> Cell:
        """What was struck in the cell, with a locator of its own."""
        return Cell(self.struck, f"{self.locator}{STRUCK}")


@dataclass(frozen=True)
class Grid:
    """`headings` from the page's title inwards, `panes` the tabs it lies in, `intro` the text directly above."""

    rows: tuple[tuple[Cell, ...], ...]
    locator: str
    headings: tuple[str, ...] = ()
    panes: tuple[str, ...] = ()
    intro: str = ""
    columns_hint: dict[int, tuple[str, ...]] = field(default_factory=dict)


def clean(text: str) -> str:
    """One line for a reader: no control or zero-width characters, white space folded."""
    folded = " ".join(text.split())
    if folded.isprintable():
        return folded
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in ("Cc", "Cf")).split())


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """For comparing: NFKC, lower case, white space folded."""
    return clean(unicodedata.normalize("NFKC", text)).casefold()


def joined(left: str, right: str) -> str:
    """Two pieces of one sentence with one space between them."""
    return f"{left} {right}".strip()
