"""The words every record uses: meters, tiers, outcomes, standings, and the frozen base."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Meter = Literal[
    "input", "cached_input", "cache_write", "cache_write_1h", "cache_storage", "output", "reasoning", "unified",
    "embedding", "audio_input", "cached_audio_input", "audio_output", "image_input", "cached_image_input",
    "image_output", "video_input", "video_output", "image", "video", "audio", "ocr", "training", "storage", "request",
    "tool", "agent",
]  # fmt: skip
Tier = Literal["standard", "batch", "flex", "priority"]
Outcome = Literal["new", "changed", "unchanged", "failed"]
Standing = Literal["official", "witnessed", "single", "disputed"]
SourceKind = Literal["official", "catalogue", "benchmark", "fx"]
Grade = Literal["A", "B", "C", "D"]
Move = Literal["tier", "endpoint", "sibling", "vendor"]
Verdict = Literal["switch", "test", "wait", "keep", "unknown"]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # of reasoning, from the least spent
PRECISION_RANK = {
    "int4": 0,
    "fp4": 1,
    "int8": 2,
    "fp8": 3,
    "bf16": 4,
    "fp16": 4,
}  # of weights as served; others stay unknown
DAYS_PER_MONTH = 365 / 12
Share = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def content_id(self) -> str:
        """A stable id of the content: the same facts give the same 16 hex digits on every machine."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=8).hexdigest()
