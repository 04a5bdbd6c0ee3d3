"""What the keys of data say: meter, unit, currency, tier and band of the number they hold.

`input_cost_per_token_above_200k_tokens`, `cacheReadPricePerMillion`, `output_usd`: a key is read word by word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from data.records import Meter, Tier

KEYS: tuple[tuple[str, Meter], ...] = (
    (r"web_?search|search|tool|grounding|code_interpreter", "tool"),
    (r"audio.*cache|cache.*audio", "cached_audio_input"),
    (r"cache.*(write|creation)", "cache_write"),
    (r"cache", "cached_input"),
    (r"(input|output|prompt|completion)_\w*per_image|^image$|^per_image$|_per_image$", "image"),
    (r"audio.*(out|completion)|(out|completion).*audio", "audio_output"),
    (r"audio", "audio_input"),
    (r"image.*out|out.*image", "image_output"),
    (r"image_?(input|prompt|token)|(input|prompt).*image", "image_input"),
    (r"reasoning", "reasoning"),
    (r"^(request|per_request)", "request"),
    (r"embedding", "embedding"),
    (r"prompt|input", "input"),
    (r"completion|output|generated", "output"),
)
COUNTED = re.compile(
    r"discount|(^|_)context(?!_(over|above))|(^|_)(min|max)_|limit|window|count|ratio|multiplier|percent|quota|budget|usage|used|total"
)
MONEY = re.compile(r"(^|_)(prices?|costs?|pricing|rates?|fees?|charges?|tarif\w*|usd|eur|cny|rmb|cents?|dollars?)(_|$)")
BOX = re.compile(r"(^|_)(prices?|pricing|costs?|rates?|tarif\w*)(_|$)")
UNITS: tuple[tuple[str, str], ...] = (
    (r"per_(1m|m|mm|million|1_?000_?000|mtoks?|mtokens?|1m_?tokens?)(_tokens?)?(_|$)|mtok", "per_mtok"),
    (r"per_(1k|k|thousand|1_?000|ktoks?|1k_?tokens?)(_tokens?)?(_|$)", "per_ktok"),
    (r"per_(\w+_)?tokens?(_|$)", "per_token"),
    (r"per_(\w+_)?images?(_|$)", "per_image"),
    (r"per_(\w+_)?seconds?(_|$)", "per_second"),
    (r"per_(\w+_)?minutes?(_|$)", "per_minute"),
    (r"per_(\w+_)?hours?(_|$)", "per_hour"),
    (r"per_pages?(_|$)", "per_page"),
    (r"per_(request|query|call|search|session)(_|$)", "per_call"),
    (r"per_(\w+_)?(pixels?|characters?|chars?|steps?|gb|days?|months?|users?)(_|$)", "other"),
)
CURRENCIES = {"usd": "USD", "dollar": "USD", "dollars": "USD", "eur": "EUR", "cny": "CNY", "rmb": "CNY", "gbp": "GBP"}
TIERS: tuple[tuple[str, Tier], ...] = (
    (r"batch", "batch"),
    (r"(^|_)flex(_|$)", "flex"),
    (r"priority|(^|_)fast(_|$)", "priority"),
)
LIFETIME = re.compile(r"(?:^|_)(?:above_)?(\d+\s?(?:m|min|h|hr|hours?))(?=_|$)")
BAND = re.compile(r"(?:above|over|gt)_(\d+)(k|m|(?<=\d{4}))(?:_|$)(?:(?:\w+_)?tokens?)?")


@dataclass(frozen=True)
class Says:
    """`price`: the key itself speaks of money; `per` "other" is a unit that prices no model."""

    meter: Meter | None
    per: str | None
    currency: str | None
    scale: Decimal
    tier: Tier | None
    conditions: tuple[str, ...]
    price: bool


@lru_cache(maxsize=4096)
def read_key(key: str) -> Says:
    words = snake(key)
    band = BAND.search(words)
    life = LIFETIME.search(words)
    counted = COUNTED.search(words) or (words.endswith("tokens") and not MONEY.search(words))
    conditions = [f"> {band.group(1)}{band.group(2) or ''} tokens"] if band else []
    conditions += [life.group(1).replace("hr", "h")] if life and "cach" in words else []
    return Says(
        None if counted else next((m for p, m in KEYS if re.search(p, words)), None),
        next((u for p, u in UNITS if re.search(p, words)), None),
        next((CURRENCIES[w] for w in words.split("_") if w in CURRENCIES), None),
        Decimal("0.01") if re.search(r"(^|_)cents?(_|$)", words) else Decimal(1),
        next((t for p, t in TIERS if re.search(p, words)), None),
        tuple(conditions),
        bool(MONEY.search(words)),
    )


def is_box(key: str) -> bool:
    """A key that holds prices: `pricing`, `cost`, `inputPrice`; not `rate_limits`."""
    words = snake(key)
    return bool(BOX.search(words)) and not re.search(r"limit|discount|range", words)


def snake(key: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^a-z0-9]+", "_", apart.casefold()).strip("_")
