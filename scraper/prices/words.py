"""What the words of headers and headings mean: meters, tiers, bands, cache lifetimes. English, Chinese, French, German."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from data.records import Meter, Tier
from scraper.grids.types import fold


class Meaning(NamedTuple):
    meter: Meter
    tier: Tier | None = None
    conditions: tuple[str, ...] = ()


METERS: tuple[tuple[str, Meter], ...] = (
    (r"cache.{0,3}miss|未命中", "input"),
    (r"(cache|context caching).{0,24}stor|storage price|缓存存储", "cache_storage"),
    (
        r"cache.{0,20}(writ|creat|creation)|(writ|creat)\w* .{0,12}cache|缓存(写入|创建)|创建缓存|cache_write|cache_creation|écriture.*cache",
        "cache_write",
    ),
    (r"cach(e|ing)|缓存命中|命中缓存|缓存|キャッシュ", "cached_input"),
    (r"train|训练|entraînement", "training"),
    (r"embed|向量", "embedding"),
    (r"reasoning|internal_reasoning|思维链单价", "reasoning"),
    (r"input|prompt|输入|入力|entrée|eingabe", "input"),
    (r"output|completion|response|generat|输出|出力|sortie|ausgabe", "output"),
)
MODALITY = re.compile(r"\b(audio|image|video)s?\b|(音频|语音)|(图片|图像)|(视频)")
TIERS: tuple[tuple[str, Tier], ...] = (
    (r"\bbatch|批量|stapel", "batch"),
    (r"\bflex\b", "flex"),
    (r"\bpriority\b|\bfast\b|\bfast mode\b|优先", "priority"),
)
LIFETIME = re.compile(r"\b(\d+\s?(?:m|min|minutes?|h|hours?))\b")
NAME_HEADER = re.compile(
    r"^(?:ai |llm )?(models?|model names?|モデル|モデル名|模型|模型名称|模型名|model version|modèle|modell|name|model id|sku|服务|endpoint)$|^模型.{0,6}$|^models? .{0,12}$"
)
SIZE = re.compile(
    r"context|window|\bmax|limit|length|speed|\btps\b|latency|throughput|released?\b|updated|\bparam|quota|descri|licen[sc]e|features?\b"
    r"|上下文|长度|限制|额度|描述|说明|并发"
)
PAIRED = re.compile(r"\s*(?:/|\||·|,|&|\band\b|和)\s*")
LIMIT = re.compile(r"\b(max(imum)?|limits?|window|size|length|count|speed)\b|长度|上限|限制|窗口")
PRICE_HEADER = re.compile(
    r"\bpric(e|es|ing)\b|\bcosts?\b|价格|单价|费用|料金|価格|\brates?\b(?! limit)|\btarif|\bpreis|\bprix\b|\bkosten\b|\bcoût"
)
BLENDED = re.compile(r"blend|average|\bavg\b|\bmean\b|\bmix|平均")
GENERIC_ROW = re.compile(
    r"^(text|audio|image|video|default|standard|-|yes|no|true|false|supported|not supported|oui|non|ja|nein|支持|不支持|是|否|有|无|[✓✔✅❌×✗]+)$"
)


@lru_cache(maxsize=16_384)
def meaning_of(text: str) -> Meaning | None:
    """The meter a header or row label names, with tier, modality and lifetime; None where it names no meter."""
    flat = fold(text)
    if not flat or len(flat) > 120:
        return None
    found = next((meter for pattern, meter in METERS if re.search(pattern, flat)), None)
    if LIMIT.search(flat) and not PRICE_HEADER.search(flat):
        return None  # a size or a limit of the meter, not its price
    if found is None:
        return None
    kind = MODALITY.search(flat)
    conditions = []
    if found in ("cache_write", "cached_input") and (life := LIFETIME.search(flat)):
        conditions.append(life.group(1))
    if found == "cached_input" and (sort := re.search(r"显式|隐式|explicit|implicit", flat)):
        conditions.append(sort.group())
    named = "audio" if kind and (kind.group(1) == "audio" or kind.group(2)) else None
    named = named or ("image" if kind and (kind.group(1) == "image" or kind.group(3)) else None)
    if named and not re.search(r"text|文本", flat):
        found = with_modality(found, named)
    return Meaning(found, tier_of(flat), tuple(conditions))


@lru_cache(maxsize=16_384)
def paired_meanings(text: str) -> tuple[Meaning, ...]:
    """The meters that a header pairs with the numbers of its cells, in order: `input / output price`; else none."""
    parts = [p for p in PAIRED.split(fold(text)) if p.strip()]
    told = [m for part in parts if (m := meaning_of(part))]
    return tuple(told) if len({m.meter for m in told}) == len(told) > 1 else ()


def with_modality(meter: Meter, modality: str) -> Meter:
    """`input` of audio is `audio_input`; a meter without such a form stays as it is."""
    table: dict[tuple[Meter, str], Meter] = {
        ("input", "audio"): "audio_input",
        ("output", "audio"): "audio_output",
        ("cached_input", "audio"): "cached_audio_input",
        ("input", "image"): "image_input",
        ("output", "image"): "image_output",
        ("cached_input", "image"): "cached_image_input",
        ("input", "video"): "video_input",
        ("output", "video"): "video_output",
    }
    return table.get((meter, modality), meter)


@lru_cache(maxsize=16_384)
def tier_of(text: str) -> Tier | None:
    """The tier a text names, or none."""
    flat = fold(text)
    return next((tier for pattern, tier in TIERS if re.search(pattern, flat)), None)


def is_name_header(text: str) -> bool:
    return bool(NAME_HEADER.match(fold(text)))
