"""What a workload costs a month on an endpoint, with its interval, per meter, and the rates used.

Token spread is carried through long-context steps by the lognormal of PRODUCT 2.1(8); time windows are weighed by the
hours with traffic; the interval holds what is not known of the candidate (tokenizer and output ratios), not the
team's own figures, which are the same on both sides and cancel in the saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from data.records import Cost, Workload
from recommender.cost.book import RateBook
from recommender.cost.demand import demand
from recommender.cost.sheet import Sheet, line_for
from recommender.cost.windows import window_shares

PRIVATE = {
    "input": "input_usd_per_mtok",
    "cached_input": "cached_input_usd_per_mtok",
    "cache_write": "cache_write_usd_per_mtok",
    "cache_write_1h": "cache_write_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "reasoning": "output_usd_per_mtok",
    "request": "call_usd",
}
OPTIONAL = "request"  # a fee that most endpoints do not have
NO_IMAGE = (
    "no price per image is known; where images are billed as tokens, count them in tokens.in and leave images out"
)


class Ratio(NamedTuple):
    """A candidate's tokens relative to the ones registered, with its 80 % interval."""

    mean: float = 1.0
    low: float = 1.0
    high: float = 1.0


SAME = Ratio()


class _Terms(NamedTuple):
    """What a team pays: its own prices by meter, else this share of the list."""

    private: Mapping[str, Decimal]
    paid_share: float


class _Used(NamedTuple):
    rate_ids: dict[str, None]
    notes: dict[str, None]


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
    tier_at_list: bool = False,
) -> Cost | str:
    """USD a month (365/12 days) of calls x (1 + retry rate), or why it cannot be priced.

    `tier_share` of the calls go to `tier`, the rest to standard (PRODUCT 3.2: only the batchable share moves). Traffic
    is today's: what it grows to counts in the value of a move (`growth`). `private_price` replaces list prices meter by
    meter, `discount_share` is taken off the list prices that are left. `tier_at_list`: the contract is one of the
    standard tier, so what goes to `tier` pays the list, and a surcharge if there is one.
    """
    sheet, standard = book.sheet(endpoint_id, tier), book.sheet(endpoint_id)
    if sheet is None or (tier_share < 1 and standard is None):
        return f"no {tier if sheet is None else 'standard'} price is known for {endpoint_id}"
    contract = _Terms(private_price or {}, 1 - discount_share)
    parts = [(tier_share, sheet, _Terms({}, max(1.0, contract.paid_share)) if tier_at_list else contract)]
    if standard is not None and tier_share < 1:
        parts.append((1 - tier_share, standard, contract))
    scales = dict.fromkeys(zip(token_ratio, output_ratio, strict=True))  # mean first; equal ones once
    used = _Used({}, {})
    totals: list[dict[str, float]] = []
    for prompt, answer in scales:
        by_meter: dict[str, float] = {}
        for share, prices, terms in parts:
            found = _per_call(workload, prices, prompt, answer, terms, used)
            if isinstance(found, str):
                return f"{endpoint_id}: {found}"
            for meter, usd in found.items():
                by_meter[meter] = by_meter.get(meter, 0.0) + share * usd
        totals.append(by_meter)
    calls = workload.calls_per_month * (1 + workload.retry_rate)
    sums = [sum(t.values()) * calls for t in totals]
    return Cost(
        usd_per_month=sums[0],
        low_usd_per_month=min(sums),
        high_usd_per_month=max(sums),
        usd_per_call=sums[0] / calls if calls else 0.0,
        usd_per_outcome=workload.calls_per_outcome * (1 + workload.retry_rate) * sums[0] / calls if calls else None,
        by_meter_usd_per_month={m: usd * calls for m, usd in totals[0].items()},
        rate_ids=tuple(used.rate_ids),
        notes=tuple(used.notes),
        prompt_ratio=(token_ratio.mean, token_ratio.low, token_ratio.high),
        answer_ratio=(output_ratio.mean, output_ratio.low, output_ratio.high),
    )


def _per_call(
    load: Workload,
    sheet: Sheet,
    prompt: float,
    answer: float,
    terms: _Terms,
    used: _Used,
) -> dict[str, float] | str:
    """USD a call by meter at given token ratios, or what has no price."""
    try:
        shares = window_shares(sheet.windows, load.hours_utc)
    except ValueError as error:
        return str(error)
    usd: dict[str, float] = {}
    for wanted, windows in zip(demand(load, sheet.edges, prompt, answer), sheet.cells, strict=True):
        for share, lines in zip(shares, windows, strict=True):
            for meter, amount in wanted.items():
                if amount * share <= 0:
                    continue
                own = terms.private.get(PRIVATE.get(meter, ""))
                if own is not None:
                    price = float(own) if meter == OPTIONAL else float(own) / 1e6
                elif line := line_for(lines, meter):
                    price = line.dollars * terms.paid_share
                    used.rate_ids[line.rate_id] = None
                    if line.note and not meter.startswith("cache_write"):
                        used.notes[line.note] = None
                elif meter == OPTIONAL:
                    continue
                else:
                    return NO_IMAGE if meter == "image" else f"no {meter} price is known"
                usd[meter] = usd.get(meter, 0.0) + amount * share * price
    return usd
