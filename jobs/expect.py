"""What the source file says a good reading holds, against what came: a page that changed shape is shown, not stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

from data.errors import PageChanged
from scraper.source import Source

SHOWN = 4


@dataclass(frozen=True)
class Came:
    """What was read of a page: how many rows, the names, the token prices, and what was refused (text, why)."""

    names: Sequence[tuple[str, str | None]]
    usd_per_mtok: Sequence[Decimal] = ()
    refused: Sequence[tuple[str, str]] = ()
    failed: str | None = None


def expect(source: Source, came: Came) -> None:
    """Raises PageChanged with what was expected and what came, where a reading falls short."""
    why = shortfall(source, came)
    if why:
        fix = f"look at the page and mend scraper/sources/{source.id}.yaml; nothing of it was stored."
        raise PageChanged(f"{why}\n{picture(source, came)}", where=source.url, fix=fix)


def shortfall(source: Source, came: Came) -> str | None:
    want = source.expect
    if came.failed:
        return came.failed
    if len(came.names) < want.min_rows:
        return f"{len(came.names)} rows, at least {want.min_rows} expected."
    said = {n for pair in came.names for n in pair if n}
    if missing := [m for m in want.models if m not in said]:
        return f"{missing[0]!r} is not on it."
    low, high = want.usd_per_mtok
    if odd := [u for u in came.usd_per_mtok if not low <= u <= high]:
        return f"{odd[0]} USD per million tokens, expected {low} to {high}."
    return None


def picture(source: Source, came: Came) -> str:
    """Two lines: what a good reading holds, and what this one held."""
    want = source.expect
    said = sorted({n for pair in came.names for n in pair if n})
    missing = [m for m in want.models if m not in said]
    near = [f"{m} (near it: {', '.join(get_close_matches(m, said, 2, 0.6)) or 'nothing'})" for m in missing[:SHOWN]]
    expected = f"  expected: at least {want.min_rows} rows; {', '.join(want.models) or 'any names'}"
    held = f"  came:     {len(came.names)} rows; {', '.join(said[:SHOWN]) or 'no names'}{' …' if len(said) > SHOWN else ''}"
    lines = [expected, held]
    if near:
        lines.append(f"  missing:  {'; '.join(near)}")
    if came.refused:
        text, why = came.refused[0]
        lines.append(f"  refused:  {len(came.refused)} amounts, first {text[:60]!r}: {why}")
    return "\n".join(lines)
