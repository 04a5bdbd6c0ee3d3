"""JSON, YAML and the data of scripts -> price claims: records with a name and price-like keys, at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import islice
from statistics import median
from typing import Any

from data.records import Meter, PriceClaim, Tier
from scraper.amounts import Amount, clean_words, folded, unit_of
from scraper.grids import Cell
from scraper.prices.cells import claim
from scraper.prices.free import WRITES_NOT
from scraper.prices.keys import Says, is_box, read_key
from scraper.prices.media import TOKEN_UNITS, meter_by_unit
from scraper.prices.words import meaning_of
from scraper.source import Hints

Refuse = Callable[[str, str, str], None]
NAME_KEYS = ("name", "model", "model_name", "display_name", "displayName", "id", "title")
ID_KEYS = ("id", "model_id", "modelId", "slug", "canonical_slug", "api_id")
SELLER_KEYS = ("provider", "litellm_provider", "provider_name", "vendor", "host")
PRICE_KEYS = ("price", "amount", "value", "usd", "net")
UNIT_KEYS = ("denominator", "unit", "per", "unitOfMeasure", "billing_unit")
CURRENCY_KEYS = ("currency", "priceCurrency", "currencyCode", "currency_code")
USED = frozenset(
    [
        "usage",
        "total_tokens",
        "prompt_tokens",
        "input_tokens",
        "completion_tokens",
        "output_tokens",
        "total_cost",
        "latency",
        "latency_ms",
        "duration_ms",
    ]
)
BOUND = re.compile(r"^(min|max|above|over|from|to|up_to|threshold|context)\w*", re.I)
ISO = re.compile(r"[A-Z]{3}")
MOST_LEAVES = 100_000  # the largest list met has 30,000
DEEPEST = 8  # levels of a price box
FEWEST_TO_INFER = 4  # numbers of a column whose size shall tell the unit


@dataclass(frozen=True)
class Owner:
    """Whose prices the numbers below are."""

    name: str
    ident: str | None = None
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """One number of a price box with all that its keys say of it."""

    owner: Owner
    value: Decimal
    raw: str
    pointer: str
    key: str
    meter: Meter | None
    per: str | None
    currency: str | None
    tier: Tier | None
    conditions: tuple[str, ...] = ()


def claims_of_data(data: Any, capture: str, hints: Hints, refuse: Refuse) -> Iterator[PriceClaim]:
    """Claims of every record with a name and prices; unit by the keys, the source file, or the size of the numbers."""
    leaves = [x for x in islice(leaves_of(data), MOST_LEAVES) if x.value >= 0]
    if len(leaves) == MOST_LEAVES:
        refuse(leaves[-1].owner.name, f"more than {MOST_LEAVES:,} prices: no price list", leaves[-1].pointer)
        return
    stated = [x.value for x in leaves if x.meter in ("input", "output") and x.value > 0 and x.per is None]
    inferred, why = unit_for(stated, hints)
    for leaf in leaves:
        per = leaf.per or (inferred if leaf.meter not in ("tool", "request", "image") else None)
        if leaf.per is None and leaf.meter in ("tool", "request", "image"):
            per = "per_image" if leaf.meter == "image" else "per_call"
        if per is None or per == "other":
            refuse(
                f"{leaf.owner.name} {leaf.key} {leaf.raw}",
                "no unit" if per is None else "no price of a model",
                leaf.pointer,
            )
            continue
        meter = leaf.meter
        if per not in TOKEN_UNITS and meter != "request":
            meter = meter_by_unit(per, meter, (leaf.key, leaf.owner.name, *leaf.conditions))
        if meter is None:
            refuse(f"{leaf.owner.name} {leaf.key} {leaf.raw}", f"a price {per} of nothing that is known", leaf.pointer)
            continue
        currency = leaf.currency or hints.currency
        notes = [] if leaf.per or per not in TOKEN_UNITS or not why else [why]
        notes += [] if currency else ["currency inferred: no other is named"]
        said = [*leaf.conditions, *leaf.owner.conditions, *notes, *(["free"] if leaf.value == 0 else [])]
        batch = any((n or "").endswith(":batch") for n in (leaf.owner.name, leaf.owner.ident))
        tier = leaf.tier or ("batch" if batch else "standard")
        cell = Cell(leaf.raw, leaf.pointer, raw=leaf.raw)
        yield claim(
            leaf.owner.name,
            meter,
            tier,
            Amount(leaf.value),
            per,
            currency or "USD",
            said,
            cell,
            capture,
            leaf.owner.ident,
        )


def leaves_of(data: Any) -> Iterator[Leaf]:
    """Every priced number of every record, at any depth."""
    subject = page_subject(data)
    stack: list[tuple[Any, str, str, Owner | None, bool]] = [(data, "", "", subject, False)]
    while stack:
        value, pointer, key, owner, boxed = stack.pop()
        if isinstance(value, list):
            stack.extend((v, f"{pointer}/{n}", "", owner, boxed) for n, v in reversed(list(enumerate(value))))
        if not isinstance(value, dict):
            continue
        if is_usage(value):
            continue
        owner = owner_of(value, key, owner)
        flat = owner is not None and any(is_flat_price(k, v, boxed) for k, v in value.items())
        inner: list[tuple[Any, str, str, Owner | None, bool]] = []
        found: list[Leaf] = []
        for k, v in value.items():
            here = f"{pointer}/{escape(k)}"
            box = is_box(k) and isinstance(v, dict | list) and not of_records(v)
            if owner and (box or (flat and is_flat_price(k, v, boxed))):
                says = read_key(k) if not box or read_key(k).meter else NOTHING
                found.extend(in_box(v, here, k, owner, stated_beside(value, says), 0))
            elif isinstance(v, dict | list):
                inner.append((v, here, k, owner, is_box(k)))
        yield from with_siblings(found)
        stack.extend(reversed(inner))


def is_usage(value: dict[str, Any]) -> bool:
    """A record of calls made, not of prices: what it cost stands beside what was used."""
    return any(k.casefold() in USED and v not in (None, "") and not isinstance(v, str) for k, v in value.items())


NOTHING = Says(None, None, None, Decimal(1), None, (), False)


def stated_beside(value: dict[str, Any], says: Says) -> Says:
    """What the neighbours of a number say of it: a key `unit`, a key `currency`."""
    text = next((str(value[k]) for k in UNIT_KEYS if isinstance(value.get(k), str)), "")
    own = next((value[k] for k in CURRENCY_KEYS if isinstance(value.get(k), str) and ISO.fullmatch(value[k])), None)
    return replace(says, per=says.per or unit_named(text), currency=own or says.currency)


def unit_named(text: str) -> str | None:
    """The unit of `/M Tokens`, `per 1M tokens` or `1M tokens`."""
    return unit_of(text) or unit_of(f"/ {text}") if text else None


def is_flat_price(key: str, value: Any, boxed: bool) -> bool:
    """A number whose key names a meter and money; below a key like `prices` the meter is enough."""
    says = read_key(key)
    return says.meter is not None and (says.price or boxed) and decimal(value) is not None


def of_records(value: Any) -> bool:
    """A list or mapping of records that have names of their own: `prices: [{id: ..., input: ...}]`."""
    some = value[:3] if isinstance(value, list) else []
    return bool(some) and all(isinstance(v, dict) and any(isinstance(v.get(k), str) for k in ID_KEYS) for v in some)


def owner_of(value: dict[str, Any], key: str, above: Owner | None) -> Owner | None:
    """The record's own name and id; else the key it stands under, where it holds prices; else the owner above."""
    name = next((value[k] for k in NAME_KEYS if isinstance(value.get(k), str) and value[k]), None)
    ident = next((value[k] for k in ID_KEYS if isinstance(value.get(k), str) and value[k]), None)
    sellers = [value[k] for k in SELLER_KEYS if isinstance(value.get(k), str)]
    said = tuple(f"provider {s}" for s in sellers[:1])
    if sellers and above and not (ident and name):
        return replace(above, conditions=said)
    if (
        name is None
        and key
        and any(is_flat_price(k, v, False) or (is_box(k) and isinstance(v, dict)) for k, v in value.items())
    ):
        name = ident = key if re.search(r"[a-z]", key, re.I) and not is_box(key) else None
    if name is None:
        return above
    return Owner(name, ident, said or (above.conditions if above else ()))


def page_subject(data: Any) -> Owner | None:
    """The one model a page of script data is about: its first heading or `currentModelName`, and the ids it lists."""
    names: dict[str, None] = {}
    idents: dict[str, None] = {}
    stack = [data] if isinstance(data, dict) and ("chunks" in data or "scripts" in data) else []
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            title = value.get("children") if value.get("as") == "h1" else value.get("currentModelName")
            if isinstance(title, str) and not title.startswith("$"):
                names[title] = None
            if isinstance(value.get("names"), list):
                idents.update({n: None for n in value["names"] if isinstance(n, str)})
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    if len(names) != 1:
        return None
    pinned = sorted(idents, key=lambda n: n.endswith("-latest"))
    return Owner(next(iter(names)), pinned[0] if pinned else None)


def in_box(value: Any, pointer: str, key: str, owner: Owner, above: Says, depth: int) -> Iterator[Leaf]:
    """The numbers of a price box: plain, as objects with a denominator, by currency, or in bands."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from in_box(item, f"{pointer}/{n}", key, owner, above, depth + 1)
    elif isinstance(value, dict):
        priced = next((k for k in PRICE_KEYS if decimal(value.get(k)) is not None), None)
        if priced and (above.meter or any(k in value for k in UNIT_KEYS)):
            for meter in (above.meter,) if above.meter else undirected(value[priced], owner):
                yield from price_object(value, priced, pointer, key, owner, replace(above, meter=meter))
            return
        seller = next((value[k] for k in SELLER_KEYS if isinstance(value.get(k), str)), None)
        if seller:
            owner = replace(owner, conditions=(f"provider {seller}",))
        above = stated_beside(value, above)
        bounds = tuple(f"{k} {v}" for k, v in value.items() if BOUND.match(k) and decimal(v) is not None)
        for k, v in value.items():
            if BOUND.match(k) and not isinstance(v, dict | list):
                continue
            says = read_key(k)
            currency = k if ISO.fullmatch(k) else says.currency or above.currency
            told = Says(
                says.meter or above.meter, says.per or above.per, currency, says.scale * above.scale,
                says.tier or above.tier, (*above.conditions, *says.conditions, *bounds), True,
            )  # fmt: skip
            if (says.meter or ISO.fullmatch(k) or isinstance(v, dict | list)) and not (
                says.meter is None and decimal(v) is not None and not ISO.fullmatch(k)
            ):
                yield from in_box(v, f"{pointer}/{escape(k)}", k, owner, told, depth + 1)
    elif above.meter and (number := decimal(value)) is not None:
        yield Leaf(
            owner,
            number * above.scale,
            str(value),
            pointer,
            key,
            above.meter,
            above.per,
            above.currency,
            above.tier,
            above.conditions,
        )


def undirected(price: Any, owner: Owner) -> tuple[Meter, ...]:
    """The meters of one price without direction: a free model takes and writes for nothing, else it is for both."""
    if decimal(price) != 0:
        return ("unified",)
    return ("input",) if WRITES_NOT.search(owner.name.casefold()) else ("input", "output")


def price_object(
    value: dict[str, Any], priced: str, pointer: str, key: str, owner: Owner, above: Says
) -> Iterator[Leaf]:
    """`{price, denominator, currency, label}`: the number in force; a twin in another currency is not a second offer."""
    unit_text = next((str(value[k]) for k in UNIT_KEYS if isinstance(value.get(k), str)), "")
    says = stated_beside(value, replace(above, per=None) if unit_text else above)
    label = next(
        (value[k] for k in ("label", "description") if isinstance(value.get(k), str) and len(value[k]) < 80), ""
    )
    told = meaning_of(label)
    number = decimal(value[priced])
    if number is None or (unit_text and says.per is None):
        return
    narrowed = [clean_words(folded(unit_text)), "" if told else label]
    yield Leaf(
        owner, number * says.scale, str(value[priced]), f"{pointer}/{escape(priced)}", key,
        told.meter if told else says.meter, says.per, says.currency, says.tier,
        (*says.conditions, *(t for t in narrowed if t)),
    )  # fmt: skip


def with_siblings(found: list[Leaf]) -> list[Leaf]:
    """Numbers whose key has no unit take the one that their neighbours' keys all have."""
    units = {x.per for x in found if x.per in TOKEN_UNITS}
    if len(units) != 1:
        return found
    (unit,) = units
    return [replace(x, per=unit) if x.per is None and x.meter not in ("tool", "request", "image") else x for x in found]


def unit_for(values: list[Decimal], hints: Hints) -> tuple[str | None, str | None]:
    """The unit of token prices: as the source file says, else by the size of the whole column, which is said."""
    if hints.per:
        return hints.per, None
    if not values:
        return None, None
    middle = median(values)
    for least, most, per in (
        (Decimal("1e-9"), Decimal("5e-5"), "per_token"),
        (Decimal("5e-5"), Decimal("0.008"), "per_ktok"),
        (Decimal("0.01"), Decimal(500), "per_mtok"),
    ):
        if least <= middle <= most and (per == "per_token" or len(values) >= FEWEST_TO_INFER):
            return per, f"unit inferred from the size of the numbers: {per}"
    return None, None


def decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def escape(part: str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
