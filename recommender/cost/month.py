"""What a workload costs a month on an endpoint, with its interval, per meter, and the rates used.

Token spread is carried through long-context steps by the lognormal of PRODUCT 2.1(8); time windows are weighed by the
hours with traffic; the interval holds what is not known of the candidate (tokenizer and output ratios), not the
team's own figures, which are the same on both sides and cancel in the saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from math import erf, log, sqrt
from typing import NamedTuple

from data.records import Cost, Rate, Tokens, Workload
from recommender.cost.book import RateBook, Sheet, window_share
from recommender.cost.call import STANDS_IN

PRIVATE = {
    "input": "input_usd_per_mtok",
    "cached_input": "cached_input_usd_per_mtok",
    "cache_write": "cache_write_usd_per_mtok",
    "output": "output_usd_per_mtok",
}
INFINITY = float("inf")


class Ratio(NamedTuple):
    """A candidate's tokens relative to the ones registered, with its 80 % interval."""

    mean: float = 1.0
    low: float = 1.0
    high: float = 1.0


SAME = Ratio()


class _Slice(NamedTuple):
    """The calls above `low` and up to `high` prompt tokens: their share, and their prompt tokens per call of all."""

    low: float
    high: float
    share: float
    tokens: float


def monthly_cost(
    workload: Workload,
    book: RateBook,
    endpoint_id: str,
    *,
    tier: str = "standard",
    tier_share: float = 1.0,
    token_ratio: Ratio = SAME,
    output_ratio: Ratio = SAME,
    discount_share: float = 0.0,
    private_price: Mapping[str, Decimal] | None = None,
) -> Cost | str:
    """USD a month (365/12 days) of calls x (1 + retry rate), or why it cannot be priced.

    `tier_share` of the calls go to `tier`, the rest to standard (PRODUCT 3.2: only the batchable share moves).
    """
    sheet, standard = book.sheet(endpoint_id, tier), book.sheet(endpoint_id)
    if sheet is None or (tier_share < 1 and standard is None):
        return f"no {tier} price is known for {endpoint_id}"
    parts = (
        [(tier_share, sheet)]
        if tier_share == 1 or standard is None
        else [(tier_share, sheet), (1 - tier_share, standard)]
    )
    ends = (
        (token_ratio.mean, output_ratio.mean),
        (token_ratio.low, output_ratio.low),
        (token_ratio.high, output_ratio.high),
    )
    totals: list[dict[str, float]] = []
    used: dict[str, None] = {}
    notes: dict[str, None] = {}
    for scale_in, scale_out in dict.fromkeys(ends):
        by_meter: dict[str, float] = {}
        for share, rates in parts:
            found = _per_call(workload, rates, scale_in, scale_out, private_price or {}, (used, notes))
            if isinstance(found, str):
                return f"{endpoint_id}: {found}"
            for meter, usd in found.items():
                by_meter[meter] = by_meter.get(meter, 0.0) + share * usd
        totals.append(by_meter)
    calls = workload.calls_per_month * (1 + workload.retry_rate)
    factor = calls * (1 - discount_share)
    sums = [sum(t.values()) * factor for t in totals]
    return Cost(
        usd_per_month=sums[0],
        low_usd_per_month=min(sums),
        high_usd_per_month=max(sums),
        usd_per_call=sums[0] / calls if calls else 0.0,
        by_meter_usd_per_month={m: usd * factor for m, usd in totals[0].items()},
        rate_ids=tuple(used),
        notes=tuple(notes),
    )


def share_above(tokens: Tokens, limit: float) -> tuple[float, float]:
    """(share of calls with more than `limit` tokens, their tokens per call of all), by the lognormal through p50, p95."""
    if limit <= 0:
        return 1.0, tokens.mean
    if not tokens.p50 or not tokens.p95 or tokens.p95 <= tokens.p50:
        return (1.0, tokens.mean) if tokens.mean > limit else (0.0, 0.0)
    sigma = log(tokens.p95 / tokens.p50) / 1.645
    z = (log(tokens.p50) - log(limit)) / sigma
    return _phi(z), tokens.mean * _phi(z + sigma)


def _phi(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


def _per_call(
    load: Workload,
    sheet: Sheet,
    scale_in: float,
    scale_out: float,
    private: Mapping[str, Decimal],
    kept: tuple[dict[str, None], dict[str, None]],
) -> dict[str, float] | str:
    """USD a call by meter at given token ratios, or what has no price."""
    prompt = Tokens(
        mean=load.input_tokens.mean * scale_in,
        p50=load.input_tokens.p50 and load.input_tokens.p50 * scale_in,
        p95=load.input_tokens.p95 and load.input_tokens.p95 * scale_in,
    )
    answer = (load.output_tokens.mean + load.reasoning_tokens.mean) * scale_out
    slices = _slices(prompt, sheet)
    wanted: dict[str, list[float]] = {
        "input": [s.tokens * (1 - load.cached_share) for s in slices],
        "cached_input": [s.tokens * load.cached_share for s in slices],
        "output": [s.share * answer for s in slices],
    }
    if "reasoning" in sheet:
        thought = load.reasoning_tokens.mean * scale_out
        wanted["reasoning"] = [s.share * thought for s in slices]
        wanted["output"] = [s.share * (answer - thought) for s in slices]
    if "request" in sheet:
        wanted["request"] = [s.share for s in slices]
    if load.images_per_call:
        wanted["image"] = [s.share * load.images_per_call for s in slices]
    usd: dict[str, float] = {}
    for meter, amounts in wanted.items():
        if not any(amounts):
            continue
        if meter in PRIVATE and PRIVATE[meter] in private:
            usd[meter] = sum(amounts) * float(private[PRIVATE[meter]]) / 1e6
            continue
        total = 0.0
        for part, amount in zip(slices, amounts, strict=True):
            price = _unit_usd(sheet, meter, part, load.hours_utc, kept)
            if price is None:
                return f"no {meter} price is known"
            total += amount * price
        usd[meter] = total
    if "call_usd" in private:
        usd["request"] = float(private["call_usd"])
    return usd


def _slices(prompt: Tokens, sheet: Sheet) -> list[_Slice]:
    """The prompt lengths cut at every band edge of the sheet (a band prices the whole request)."""
    edges = {r.context_min_tokens for rates in sheet.values() for r in rates if r.context_min_tokens}
    edges |= {r.context_max_tokens for rates in sheet.values() for r in rates if r.context_max_tokens}
    ladder = [0.0, *sorted(float(e) for e in edges if e), INFINITY]
    out = []
    for low, high in pairwise(ladder):
        share, tokens = share_above(prompt, low)
        beyond = (0.0, 0.0) if high == INFINITY else share_above(prompt, high)
        out.append(_Slice(low, high, share - beyond[0], tokens - beyond[1]))
    return out


def _unit_usd(
    sheet: Sheet, meter: str, part: _Slice, hours_utc: str | None, kept: tuple[dict[str, None], dict[str, None]]
) -> float | None:
    """USD of one token (or unit) in a slice, windows weighed by the hours with traffic."""
    used, notes = kept
    stated = sheet.get(meter)
    if stated is None:
        stand_in = STANDS_IN.get(meter)
        if stand_in:
            notes[f"no {meter} price stated: charged as {stand_in}"] = None
            return _unit_usd(sheet, stand_in, part, hours_utc, kept)
        stated = sheet.get("unified") if meter in ("input", "output") else None
    fits = [r for r in stated or () if _holds(r, part)]
    usd, left = 0.0, 1.0
    for rate in fits:
        if rate.time_window is not None:
            share = window_share(rate.time_window, hours_utc)
            usd, left = usd + share * _amount(rate), left - share
            used[rate.rate_id] = None
    if left > 1e-9:
        base = [r for r in fits if r.time_window is None]
        if not base:
            return None
        usd += left * _amount(base[-1])
        used[base[-1].rate_id] = None
    return usd


def _holds(rate: Rate, part: _Slice) -> bool:
    low, high = rate.context_min_tokens or 0, rate.context_max_tokens
    return low <= part.low and (high is None or part.high <= high)


def _amount(rate: Rate) -> float:
    if rate.usd_per_mtok is not None:
        return float(rate.usd_per_mtok) / 1e6
    return float(rate.usd_per_unit or 0)
