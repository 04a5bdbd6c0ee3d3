"""Traffic that grows by a share a month: what a span is worth in months of today's bill, and when a sum is reached. Pure."""

from __future__ import annotations

from math import log


def months_worth(months: float, growth: float) -> float:
    """Months of today's bill in a span: the integral of (1 + growth)^t from 0 to `months`; `growth` above -1."""
    rate = log(1 + growth)
    return months if abs(rate) < 1e-9 else float(((1 + growth) ** months - 1) / rate)


def months_until(worth: float, growth: float) -> float | None:
    """Months until so many months of today's bill are reached; None where shrinking traffic never brings them."""
    rate = log(1 + growth)
    if abs(rate) < 1e-9:
        return worth
    grown = 1 + worth * rate
    return log(grown) / rate if grown > 0 else None
