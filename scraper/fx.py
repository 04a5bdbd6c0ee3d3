"""Daily reference exchange rates of the European Central Bank, read without an XML parser (a body may be hostile).

Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/ (units of a currency for
one euro, set at 14:15 CET of a working day).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

DAY = re.compile(r"<Cube\s+time=[\"'](\d{4}-\d{2}-\d{2})[\"']\s*>(.*?)(?=<Cube\s+time=|$)", re.S)
RATE = re.compile(r"<Cube\s+currency=[\"']([A-Z]{3})[\"']\s+rate=[\"']([0-9.]{1,20})[\"']\s*/>")


@dataclass(frozen=True)
class FxRate:
    """`per_eur` units of a currency were one euro on a day."""

    day: date
    currency: str
    per_eur: Decimal


def read_fx(body: bytes) -> tuple[FxRate, ...]:
    """Every rate a body states; nothing for a body that states none. Never raises on any bytes."""
    out = []
    for written, inner in DAY.findall(body.decode("utf-8", "replace")):
        for currency, text in RATE.findall(inner):
            try:
                found = FxRate(date.fromisoformat(written), currency, Decimal(text))
            except (InvalidOperation, ValueError):
                continue
            if found.per_eur > 0:
                out.append(found)
    return tuple(out)
