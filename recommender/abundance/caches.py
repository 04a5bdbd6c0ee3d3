"""When a cache pays, from the prices in force: break-even share of hits, what it saves, and until when it was right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Verdict = Literal["keep", "remove", "unknown"]


@dataclass(frozen=True)
class Paid:
    """`break_even`: the least share of hits that pays, above 1 where none can. Money in USD a month."""

    break_even: float | None
    hit_rate: float
    saves_usd_per_month: float | None
    verdict: Verdict
    why: str


def prompt_break_even(read: float, write: float) -> float:
    """Least hit rate of a prompt cache whose prices are shares of the input price: h > (w - 1)/(w - r).

    0: any hit pays (no write premium); above 1: none does (reading is no cheaper than sending).
    """
    if read >= 1:
        return float("inf") if write >= 1 else 0.0
    return max(0.0, (write - 1) / (write - read)) if write > read else 0.0


def prompt_cache(
    *,
    hit_rate: float,
    input_usd: float | None,
    read_usd: float | None,
    write_usd: float | None,
    cacheable_usd_per_month: float,
    upkeep_usd_per_month: float = 0.0,
) -> Paid:
    """A provider's prompt cache; prices in any one unit, `cacheable_usd_per_month` the prefix tokens at the input price.

    A host without a write price charges the input price for writing.
    """
    if input_usd is None or read_usd is None or input_usd <= 0:
        missing = "input" if not input_usd else "cache-read"
        return Paid(None, hit_rate, None, "unknown", f"no {missing} price is known for this endpoint")
    read, write = read_usd / input_usd, (write_usd if write_usd is not None else input_usd) / input_usd
    break_even = prompt_break_even(read, write)
    paid = hit_rate * read + (1 - hit_rate) * write
    saves = cacheable_usd_per_month * (1 - paid) - upkeep_usd_per_month
    sums = f"read {read:.0%} and write {write:.0%} of the input price: h > ({write:.2f} − 1)/({write:.2f} − {read:.2f})"
    need = "any hit pays" if break_even == 0 else f"{break_even:.1%} of reads must hit"
    return Paid(break_even, hit_rate, saves, "keep" if saves > 0 else "remove", f"{sums}; {need}")


def answer_cache(
    *,
    hit_rate: float,
    calls_per_month: float,
    usd_per_call: float | None,
    costs_usd_per_month: float,
    hours_per_month: float,
    usd_per_day: float,
    asking_usd: float = 0.0,
    stale_share: float = 0.0,
    stale_usd: float = 0.0,
) -> Paid:
    """A cache of answers of one's own: h = (asking + upkeep/calls)/(cost of a call - stale share x loss). 8 hours a day."""
    if usd_per_call is None:
        return Paid(None, hit_rate, None, "unknown", "the model in use has no price")
    upkeep = costs_usd_per_month + hours_per_month * usd_per_day / 8
    worth = usd_per_call - stale_share * stale_usd
    spent = calls_per_month * usd_per_call
    returned = hit_rate * calls_per_month * worth
    saves = returned - calls_per_month * asking_usd - upkeep
    needed = asking_usd + upkeep / calls_per_month if calls_per_month > 0 else float("inf")
    break_even = needed / worth if worth > 0 else float("inf")
    sums = (
        f"${costs_usd_per_month:,.0f} + {hours_per_month:g} h × ${usd_per_day / 8:,.2f} = ${upkeep:,.2f} a month"
        f" against calls worth ${spent:,.0f}: {hit_rate:.0%} hits return ${returned:,.0f}"
    )
    return Paid(break_even, hit_rate, saves, "keep" if saves > 0 else "remove", sums)


def right_until(history: list[tuple[date, Paid]]) -> date | None:
    """The last day of the newest time in which a cache paid that pays no more; None where it pays, or never did.

    `history`: the cache weighed at each day its prices changed, oldest first; a verdict stands until the next.
    """
    if not history or history[-1][1].verdict != "remove":
        return None
    for (_, paid), (day, _) in zip(reversed(history[:-1]), reversed(history[1:]), strict=True):
        if paid.verdict == "keep":
            return day
    return None
