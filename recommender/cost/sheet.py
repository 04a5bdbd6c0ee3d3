"""The price sheet of one endpoint and tier: what one token (or unit) costs by prompt length and by hour."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from data.records import Rate
from recommender.cost.windows import covers

MILLION = Decimal(1_000_000)
MEANS = {"input": ("unified", "embedding"), "output": ("unified",)}  # one price for both ways, or for reading only
STANDS_IN = {
    "cached_input": "input",
    "cache_write": "input",
    "cached_audio_input": "audio_input",
    "cached_image_input": "image_input",
    "reasoning": "output",
}  # what a meter is charged as where its own price is not stated: never less, and said


@dataclass(frozen=True)
class Line:
    """What one token (or unit) of a meter costs, by which rate; `note` where it is another meter's."""

    usd: Decimal
    rate: Rate
    note: str | None = None

    @cached_property
    def dollars(self) -> float:
        return float(self.usd)

    @cached_property
    def rate_id(self) -> str:
        return self.rate.rate_id

    @cached_property
    def shown(self) -> dict[str, Any]:
        """The rate as an answer of `undercut price` shows it; do not change it, all answers share it."""
        rate = self.rate
        return {
            "meter": rate.meter,
            "tier": rate.tier,
            "usd_per_mtok": None if rate.usd_per_mtok is None else exact(rate.usd_per_mtok),
            "usd_per_unit": None if rate.usd_per_unit is None else exact(rate.usd_per_unit),
            "above_tokens": rate.context_min_tokens,
            "up_to_tokens": rate.context_max_tokens,
            "time_window": rate.time_window,
            "valid_from": rate.valid_from.isoformat() if rate.valid_from else None,
            "source": rate.source_id,
            "claims": list(rate.claim_ids),
        }


Lines = Mapping[str, Line]


@dataclass(frozen=True)
class Sheet:
    """`cells[band][window]`: band n holds prompts above `edges[n - 1]` up to `edges[n]`; the last window is "no other"."""

    edges: tuple[int, ...]
    windows: tuple[str, ...]
    cells: tuple[tuple[Lines, ...], ...]

    def lines(self, prompt_tokens: Decimal | float, at: datetime) -> Lines:
        """The lines for one request: the whole prompt picks the band, and the band prices the whole request."""
        band = self.cells[bisect_left(self.edges, prompt_tokens) if self.edges else 0]
        for n, window in enumerate(self.windows):
            if covers(window, at):
                return band[n]
        return band[-1]


def compile_sheet(standard: Sequence[Rate], own: Sequence[Rate] | None = None) -> Sheet:
    """A sheet from rates in force, weakest first. `own`: those of a tier, which replace standard ones meter by meter."""
    tier = own[0].tier if own else "standard"
    replaced = {r.meter for r in own or ()}
    rates = [*(r for r in standard if r.meter not in replaced), *(own or ())]
    ends = {e for r in rates for e in (r.context_min_tokens, r.context_max_tokens) if e}
    edges = tuple(sorted(ends))
    windows = tuple(dict.fromkeys(r.time_window for r in reversed(rates) if r.time_window is not None))
    bands = tuple(zip((0, *edges), (*edges, None), strict=True))
    cells = tuple(
        tuple(_lines([r for r in rates if _fits(r, low, high, window)], tier) for window in (*windows, None))
        for low, high in bands
    )
    return Sheet(edges, windows, cells)


def line_for(lines: Lines, meter: str) -> Line | None:
    """The line a month is charged by: a host that prices no write at all charges writing as plain input, for any lifetime.

    A host that prices one lifetime and not the other leaves the other unknown.
    """
    if meter == "cache_write_1h" and meter not in lines and "cache_write" in lines and lines["cache_write"].note:
        return lines["cache_write"]
    return lines.get(meter)


def exact(amount: Decimal) -> str:
    """Money as plain text, no digit lost, no empty places."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def meter_name(rate: Rate) -> str:
    """What a rate counts: its meter, or its unit where that says more (`web_search` of meter `tool`)."""
    return rate.meter if rate.unit in (None, rate.meter) else str(rate.unit)


def _fits(rate: Rate, low: int, high: int | None, window: str | None) -> bool:
    above, up_to = rate.context_min_tokens or 0, rate.context_max_tokens
    return (
        above <= low and (up_to is None or (high is not None and high <= up_to)) and rate.time_window in (None, window)
    )


def _note(rate: Rate, tier: str) -> str | None:
    return None if rate.tier == tier else f"no {tier} price of {meter_name(rate)} stated: charged as {rate.tier}"


def _lines(rates: Sequence[Rate], tier: str) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for rate in sorted(rates, key=lambda r: r.time_window is not None):  # stable: a window beats no window, then rank
        if rate.usd_per_mtok is not None:
            lines[meter_name(rate)] = Line(rate.usd_per_mtok / MILLION, rate, _note(rate, tier))
        elif rate.usd_per_unit is not None:
            lines[meter_name(rate)] = Line(rate.usd_per_unit, rate, _note(rate, tier))
    for meter, others in MEANS.items():
        stated = next((lines[o] for o in others if o in lines), None)
        if meter not in lines and stated is not None:
            lines[meter] = stated
    for meter, other in STANDS_IN.items():
        if meter not in lines and other in lines:
            # Reasoning is billed as output everywhere unless priced apart: nothing to remark on.
            note = None if meter == "reasoning" else f"no {meter} price stated: charged as {other}"
            lines[meter] = Line(lines[other].usd, lines[other].rate, note)
    return lines
