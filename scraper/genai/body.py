"""The installed package genai-prices -> one plain JSON body: what it states, word for word, in its own order and units.

The body is kept like any fetched page, so that every number can be found again; it holds no prose of the package.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any, NamedTuple

from data.errors import PageChanged
from scraper.source import Source

CHECKED = re.compile(r"(?:checked|verified)[^.;]{0,40}?(20\d{2}-\d{2}-\d{2})")
Stated = dict[str, dict[str, Any]]  # provider -> model id -> {name, prices, variants}


class Package(NamedTuple):
    """`as_of` is the day its facts are of, never that of the installation."""

    version: str
    as_of: datetime
    stated: Stated


def read_installed(source: Source) -> Package:
    """What the installed version states. Raises PageChanged where nothing says of which day that is."""
    from genai_prices.data import providers

    installed = version("genai-prices")
    stated = {p.id: {m.id: _model(m) for m in p.models} for p in providers}
    comments = (c for p in providers for c in (p.price_comments, *(m.price_comments for m in p.models)) if c)
    return Package(installed, day_of(source, installed, comments), stated)


def write_body(stated: Stated) -> bytes:
    """The same facts give the same bytes on every machine."""
    return json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()


def reread(body: bytes, locator: str) -> str:
    """The amount at a locator (a JSON pointer, RFC 6901) of a kept body, as text. Raises LookupError where none is."""
    return str(_follow(json.loads(body), locator))


def day_of(source: Source, installed: str, comments: Any) -> datetime:
    """The upload day of the version where a person looked it up, else the newest day on which it says it was checked.

    Days on which prices begin do not count: the package states some that are yet to come.
    """
    day = source.released.get(installed) or max((d for c in comments for d in CHECKED.findall(c)), default=None)
    if day is None:
        raise PageChanged(
            "nothing in it says of which day its prices are.",
            where=f"pkg:genai-prices@{installed}",
            fix="add the version's upload day to `released` in scraper/sources/genai-prices.yaml.",
        )
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _follow(value: Any, locator: str) -> Any:
    for part in locator.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _model(model: Any) -> dict[str, Any]:
    """One model as plain JSON values."""
    sets = model.prices if isinstance(model.prices, list) else [model]
    entry: dict[str, Any] = {
        "name": model.name,
        "prices": [_price_set(s.prices, getattr(s, "constraint", None)) for s in sets],
    }
    if model.price_variants:
        entry["variants"] = [{"when": v.when, **_price_set(v.prices, v.constraint)} for v in model.price_variants]
    return entry


def _price_set(prices: Any, constraint: Any) -> dict[str, Any]:
    start, hours = getattr(constraint, "start_date", None), getattr(constraint, "start_time", None)
    if constraint is not None and start is None and hours is None:
        raise PageChanged(
            f"a price holds under {type(constraint).__name__}, which nobody has taught us.",
            where=f"pkg:genai-prices@{version('genai-prices')}",
            fix="install the version named in requirements.txt, or read the condition in scraper/genai/body.py.",
        )
    entry: dict[str, Any] = {}
    if start is not None:
        entry["from"] = start.isoformat()
    if hours is not None:
        entry["hours_utc"] = f"{_utc(hours)}-{_utc(constraint.end_time)}"
    return entry | {k: _amount(v) for k, v in vars(prices).items() if v is not None}


def _utc(value: Any) -> str:
    whole = datetime.combine(date(2000, 1, 1), value)
    return (whole if whole.tzinfo is None else whole.astimezone(UTC)).strftime("%H:%M")


def _amount(value: Any) -> Any:
    """A price as text, or a stepped one: `base`, and what holds above so many prompt tokens."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return {"base": format(value.base, "f"), "above": [[t.start, format(t.price, "f")] for t in value.tiers]}
