"""Prices that are not of tokens: the meter follows from the unit and from the nearest words that name the kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from data.records import Meter
from scraper.grids.types import fold

TOKEN_UNITS = {"per_mtok": Decimal(1), "per_ktok": Decimal(1000), "per_token": Decimal(1_000_000)}
IMAGES = frozenset(("per_image", "per_kimage", "per_megapixel"))
PAGES = frozenset(("per_page", "per_1k_pages"))
CALLS = frozenset(("per_call", "per_kcall"))
CHARACTERS = frozenset(("per_1k_chars", "per_10k_chars", "per_1m_chars"))
HARDWARE = re.compile(r"\bgpus?\b|\b[abhl]\d{2,3}s?\b|\bvcpu|instance|dedicated|provisioned|reserved|\bservers?\b|实例")
KINDS: tuple[tuple[re.Pattern[str], Meter], ...] = (
    (re.compile(r"\bagents?\b|智能体"), "agent"),
    (re.compile(r"video|vidéo|视频"), "video"),
    (re.compile(r"audio|speech|voice|transcri|whisper|\btts\b|\basr\b|\bstt\b|语音|音频|sprach|parole"), "audio"),
    (re.compile(r"train|fine-?tun|训练|微调|entraînement"), "training"),
    (re.compile(r"storage|存储|speicher|stockage"), "storage"),
    (re.compile(r"\btools?\b|search|container|session|code execution|interpreter|runtime|grounding|工具|搜索"), "tool"),
    (re.compile(r"\bocr\b|document|文档"), "ocr"),
    (re.compile(r"images?\b|图片|图像|bild"), "image"),
)
REQUEST = re.compile(r"\brequests?\b|requête|anfrage|请求")
TIMED: frozenset[Meter] = frozenset(("video", "audio", "tool", "agent"))
PIXELS = re.compile(r"\b\d{3,4}p\b|\b\d{3,4}\s?[x×]\s?\d{3,4}\b")  # seconds of pixels are video
SHAPE = re.compile(r"\b\d{3,4}\s?[pi]\b|\b\d+\s?s(?:ec(?:onds?)?)?\b|\b[48]k\b")


def kind_of(words: Iterable[str], among: frozenset[Meter] | None = None) -> Meter | None:
    """The first kind that the nearest text names; `among` narrows what may be found."""
    for text in words:
        flat = fold(text)
        for pattern, meter in KINDS:
            if (among is None or meter in among) and pattern.search(flat):
                return meter
    return None


def meter_by_unit(per: str, told: Meter | None, words: tuple[str, ...]) -> Meter | None:
    """The meter of an amount `per` a unit that is not tokens; `told` is what its header says. None: not to be read."""
    if per == "per_mtok_hour":
        return "cache_storage"
    if kind_of(words[:1]) == "agent":
        return "agent"
    if per in IMAGES:
        return "image_input" if told in ("input", "cached_input", "image_input") else "image"
    if per in PAGES:
        return "ocr"
    if per in CHARACTERS:
        return "audio_output" if told in ("output", "audio_output") else "audio"
    if per == "per_video":
        return kind_of(words, frozenset(("agent",))) or "video"
    if per in CALLS:
        return "request" if any(REQUEST.search(fold(w)) for w in words[:2]) else "tool"
    if per.startswith("per_gb"):
        return kind_of(words, frozenset(("tool",))) or "storage"
    if any(HARDWARE.search(fold(w)) for w in words):
        return None  # the hour of a machine is no price of a model
    if per == "per_second" and any(PIXELS.search(fold(w)) for w in words):
        return "video"
    if per == "per_month":
        return "storage" if kind_of(words[:1]) in ("storage", "training") else None
    if told in ("training", "audio_input", "audio_output", "video_input", "video_output", "cache_storage"):
        return told
    if told == "embedding":
        return None
    return kind_of(words, TIMED)


def of_clips(per: str | None, words: tuple[str, ...], beside: str) -> tuple[str | None, str | None]:
    """(unit, condition) where a price is that of one clip: `$0.45/5s`, or `$0.50 (720p)` among video models."""
    if kind_of(words, frozenset(("video", "audio"))) != "video":
        return per, None
    if per and (length := re.fullmatch(r"per_(\d+)s", per)):
        return "per_video", f"{length.group(1)} s"
    if per is None and SHAPE.search(fold(beside)):
        return "per_video", None
    return per, None
