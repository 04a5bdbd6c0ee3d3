"""What makes a price doubtful: each guard says why in words, or nothing. They hold a row; they never drop or mend it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from data.records import Rate

if TYPE_CHECKING:
    from scraper.reconcile.beliefs import Key, Offer

LARGEST_CHANGE = Decimal("0.6")
MASS_SHARE = 0.4  # of the prices of a page that were known already, moving at once
LEAST_FOR_MASS = 5
SLIPS = (Decimal(10), Decimal(100), Decimal(1000), Decimal(1_000_000))
NEAR = Decimal("0.001")  # relative
NOISE = Decimal("0.000001")  # relative difference of two floats of one price (0.7499999999 and 0.75)
NEAR_EXCHANGE = Decimal("0.02")  # pages round what they convert


def never(offer: Offer) -> str | None:
    """Why it is no price at all: no witness and no second reading makes it one, a person may."""
    new = offer.usd_per_mtok
    if not new.is_finite() or new < 0:
        return "not a price"
    if new == 0 and "free" not in " ".join(offer.claim.conditions):
        return "zero, and the page does not say free"
    return None


def suspicion(offer: Offer, old: Rate | None, usd_per: Mapping[str, Decimal] | None = None) -> str | None:
    """What is odd about a change. Ratios on first sight are no ground (HAZARDS Q4)."""
    return odd_move(old.usd_per_mtok if old is not None else None, offer.usd_per_mtok, usd_per)


def odd_move(old: Decimal | None, new: Decimal, usd_per: Mapping[str, Decimal] | None = None) -> str | None:
    """What is odd about a price that moved from `old` to `new`; `usd_per`: US dollars for one unit of a currency."""
    if old is None or old == 0:
        return None
    ratio = new / old
    if (slip := slip_of(ratio)) is not None:
        return f"off by {slip}: looks like a unit slip"
    for currency, usd in (usd_per or {}).items():
        if usd > 0 and any(abs(ratio / r - 1) < NEAR_EXCHANGE for r in (usd, 1 / usd) if abs(r - 1) > NEAR_EXCHANGE):
            return f"moved by the exchange rate of {currency}: another currency?"
    if abs(ratio - 1) > LARGEST_CHANGE:
        return f"moved by {(ratio - 1) * 100:+.0f} %"
    return None


def slip_of(ratio: Decimal) -> Decimal | None:
    """10, 100, 1,000 or 1,000,000 where a ratio is that or its inverse, within a thousandth."""
    for slip in SLIPS:
        if abs(ratio / slip - 1) < NEAR or abs(ratio * slip - 1) < NEAR:
            return slip
    return None


def slip_beside(new: Decimal, witnesses: Iterable[Decimal]) -> str | None:
    """A first sight that is nobody's price but a power of ten beside an independent one."""
    for usd in sorted(w for w in witnesses if w > 0):
        if (slip := slip_of(new / usd)) is not None:
            return f"off by {slip} beside another source ({usd}): looks like a unit slip"
    return None


def odd_beside(key: Key, new: Decimal, stated: Mapping[Key, Decimal], near: Mapping[Key, Rate]) -> str | None:
    """What is odd about a changed price beside its neighbours, where it was not odd before.

    `stated`: the whole reading; `near`: what is believed of the same endpoint, also where the reading is silent.
    """
    endpoint, meter, tier, *rest = key

    def beside(meter: object, tier: object) -> tuple[Decimal | None, Decimal | None]:
        """(as stated now or still believed, as believed so far) of a neighbour."""
        at = (endpoint, meter, tier, *rest)
        old = near[at].usd_per_mtok if at in near else None
        return stated.get(at, old), old

    was = near[key].usd_per_mtok if key in near else None
    pairs = (
        (meter == "cached_input", 1, "cached input above input", beside("input", tier)),
        (meter == "input", -1, "input below cached input", beside("cached_input", tier)),
        (tier == "batch", 1, "batch above standard", beside(meter, "standard")),
        (tier == "standard", -1, "standard below batch", beside(meter, "batch")),
    )
    for applies, sign, words, (usd, before) in pairs:
        odd_before = was is not None and before is not None and (was - before) * sign > 0
        if applies and usd is not None and (new - usd) * sign > 0 and not odd_before:
            return f"{words} ({usd})"
    return another_column(key, new, stated, near)


def another_column(key: Key, new: Decimal, stated: Mapping[Key, Decimal], near: Mapping[Key, Rate]) -> str | None:
    """A new amount that is just what another tier, meter, band or window of the endpoint costs: a shifted column."""
    alone = [at for at, r in near.items() if at != key and new != 0 and alike(r.usd_per_mtok, new)]
    tiers = sorted(str(at[2]) for at in alone if (at[1], *at[3:]) == (key[1], *key[3:]))
    if tiers:
        return f"equals the {tiers[0]} price: another column?"
    meters = sorted(str(at[1]) for at in alone if at[1] != key[1] and stated.get(at, new) == new)
    if meters:
        return f"equals the {meters[0]} price: another column?"
    if any(at[1:3] == key[1:3] for at in alone):
        return "equals the price of another band or window: another column?"
    return None


def mass(stated: Mapping[Key, Decimal], current: Mapping[Key, Rate]) -> str | None:
    """Too much of a page moved at once: a reading problem until it is said again."""
    both = [k for k in stated if k in current]
    moved = sum(not alike(stated[k], current[k].usd_per_mtok) for k in both)
    if len(both) >= LEAST_FOR_MASS and moved > MASS_SHARE * len(both):
        return f"{moved} of {len(both)} known prices of the page moved at once"
    return None


def alike(a: Decimal | None, b: Decimal | None) -> bool:
    """One price but for the noise of floats."""
    return a is not None and b is not None and (a == b or abs(a - b) <= NOISE * max(abs(a), abs(b)))
