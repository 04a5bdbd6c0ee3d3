"""Price claims of one source -> offers: in USD, for an endpoint that is known, with every condition understood.

A condition is a band, a window, days of validity, a tier or a lifetime, or says nothing but what kind of page and model
it is; any other keeps a claim from becoming a rate. It stays a claim, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from data.records import PriceClaim
from scraper.match import Matcher
from scraper.prices.conditions import CLOCK, band_of, days_of, region_of, window_of
from scraper.reconcile import Offer, offer_key
from scraper.source import Source

TOKEN_METERS = {"input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning", "unified", "embedding"}
FACTOR = {"per_mtok": Decimal(1), "per_ktok": Decimal(1000), "per_token": Decimal(1_000_000)}
KEPT = re.compile(r"^(?:(?:limited[- ]time )?free|5\s?m(?:in)?|short context)$", re.I)
EVERYWHERE = frozenset(("global", "worldwide", "全球"))
NEUTRAL = frozenset(
    [
        "a",
        "all",
        "and",
        "api",
        "apis",
        "are",
        "availability",
        "available",
        "base",
        "batch",
        "caching",
        "chat",
        "chatgpt",
        "class",
        "codex",
        "completion",
        "completions",
        "cost",
        "costs",
        "coverage",
        "details",
        "eur",
        "fast",
        "fastest",
        "features",
        "flagship",
        "flex",
        "for",
        "foundation",
        "frontier",
        "gen",
        "general",
        "generation",
        "in",
        "inference",
        "input",
        "instruct",
        "language",
        "large",
        "latest",
        "list",
        "llm",
        "llms",
        "million",
        "mode",
        "model",
        "models",
        "mtok",
        "multimodal",
        "new",
        "of",
        "official",
        "older",
        "open",
        "our",
        "output",
        "paid",
        "per",
        "preview",
        "price",
        "prices",
        "pricing",
        "priority",
        "processing",
        "production",
        "products",
        "prompt",
        "prompts",
        "rates",
        "reasoning",
        "search",
        "serverless",
        "series",
        "short",
        "small",
        "standard",
        "supported",
        "text",
        "the",
        "thinking",
        "tier",
        "token",
        "tokens",
        "tool",
        "tools",
        "usd",
        "us",
        "vision",
        "we",
        "with",
    ]
)
NEUTRAL_SIGNS = re.compile(
    "模型|价格|产品|定价|计费|语言|细节|文本|输入|输出|大|列表|说明|单价|对话|推理|多模态|理解|系列|标准|在线"
)
TIERS = {"batch": "batch", "flex": "flex", "priority": "priority", "fast": "priority"}
# what an amount is per, in words: the claim has it as `per`
UNIT = re.compile(
    r"(?:per|/|\bin)?\s*\b1(?:[,.]?000){0,2}\s?(?:m|k|million|thousand)?\s?(?:input |output )?tok(?:en)?s?\b|每?(?:百万|千) ?tokens?",
    re.I,
)
EQUIVALENT = re.compile(r"[(（]\s?[¥€£￥]\s?[\d,.]+\s?[)）]?")  # the same price in another currency, in brackets
NARROWING = re.compile(r"[%<>≤≥＜＞~×*+†‡]")
KINDS = frozenset(("image", "images", "video", "videos", "audio"))


def offers_of(
    source: Source, claims: Iterable[PriceClaim], matcher: Matcher
) -> tuple[list[Offer], dict[str, tuple[str, ...]], list[str]]:
    """(offers, unknown names with proposals, what was left as a claim and why)."""
    offers: dict[tuple[object, ...], Offer] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    left: list[str] = []
    clash: set[tuple[object, ...]] = set()
    for claim in claims:
        if claim.meter not in TOKEN_METERS or claim.per not in FACTOR or claim.list_price:
            continue
        if claim.currency != "USD":
            left.append(f"{claim.model_as_written}: {claim.currency}, no exchange rate yet")
            continue
        shaped = shape(claim)
        if shaped is None:
            left.append(f"{claim.model_as_written}: {', '.join(claim.conditions)}")
            continue
        endpoint, near = endpoint_of(source, claim, matcher)
        if endpoint is None:
            unknown[claim.model_as_written] = near
            continue
        offer = Offer(shaped, endpoint, claim.amount * FACTOR[claim.per], claim.content_id())
        old = offers.setdefault(offer_key(offer), offer)
        if old.usd_per_mtok != offer.usd_per_mtok:
            clash.add(offer_key(offer))
    left.extend(f"{offers[k].endpoint_id}: two amounts for one meter" for k in clash)
    return [o for k, o in offers.items() if k not in clash], unknown, left


def shape(claim: PriceClaim) -> PriceClaim | None:
    """The claim with its lifetime taken from the conditions; None where one of them narrows it in a way not understood."""
    if any(not understood(c, claim) for c in claim.conditions):
        return None
    hour = claim.meter == "cache_write" and any(re.match(r"1\s?h", c) for c in claim.conditions)
    return claim.model_copy(update={"meter": "cache_write_1h"}) if hour else claim


def understood(condition: str, claim: PriceClaim) -> bool:
    """Whether a condition is in the claim's own fields already, or narrows nothing."""
    if KEPT.match(condition) or (claim.meter == "cache_write" and re.match(r"1\s?h", condition)):
        return True
    if band_of(condition):
        return claim.context_min_tokens is not None or claim.context_max_tokens is not None
    if days_of(condition):
        return claim.valid_from is not None or claim.valid_to is not None
    if window_of(condition) is not None:
        return claim.time_window is not None
    if CLOCK.search(condition):
        return False  # hours of nobody knows where
    if region_of(condition) is not None:
        return condition.casefold() in EVERYWHERE
    name = f"{claim.model_as_written} {claim.model_id_as_written or ''}"
    named = set(words_of(name))
    rest = UNIT.sub(" ", EQUIVALENT.sub(" ", condition) if claim.currency == "USD" else condition)
    said = set(words_of(rest))
    if any(claim.tier != TIERS[w] for w in (said - named) & TIERS.keys()):
        return False  # another tier's column
    if not all(any(v == n or v.startswith(f"{n}.") for v in numbers_of(name)) for n in numbers_of(rest)):
        return False  # an amount, a share or a count of nobody knows what
    if NARROWING.search(rest):
        return False
    if "text" in said:
        said -= KINDS  # a list of what a text model takes in
    return said <= NEUTRAL | named


def numbers_of(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", NEUTRAL_SIGNS.sub(" ", text.casefold()))


def endpoint_of(source: Source, claim: PriceClaim, matcher: Matcher) -> tuple[str | None, tuple[str, ...]]:
    """The price id of a claim at this source's provider; nobody where the name fits no entry or several."""
    written = claim.model_id_as_written
    if written and matcher.has(f"{source.provider}:{written}"):
        return f"{source.provider}:{written}", ()
    found = matcher.match(written or claim.model_as_written, source.id)
    if found.model_id is None and written:
        found = matcher.match(claim.model_as_written, source.id)
    own = [i for i in found.price_ids if i.partition(":")[0] == source.provider]
    exact = [i for i in own if i.partition(":")[2].casefold() == claim.model_as_written.casefold()]
    chosen = exact or own
    return (chosen[0], ()) if len(chosen) == 1 else (None, found.proposals or tuple(own))
