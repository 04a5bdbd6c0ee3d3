"""Models, endpoints, rates and scores as believed, and what is held back."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Literal

from pydantic import AwareDatetime, field_serializer

from data.records.core import Meter, Record, Standing, Tier

NINE_PLACES = Decimal("1e-9")  # of money in the tables


class Model(Record):
    """Weights and version. `maker/slug`; a run setting is no model."""

    model_id: str
    maker: str
    name: str
    family: str | None = None
    released_on: str | None = None  # ISO date, month or year, as far as known
    open_weights: bool | None = None
    tokenizer: str | None = None
    source_id: str = "catalogue"


class Endpoint(Record):
    """A model as sold. `provider:model id`, `@region` unless global; the spelling of genai-prices."""

    endpoint_id: str
    model_id: str | None = None  # None: nobody has said which model this is
    provider: str
    region: str = "global"
    first_party: bool | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    features: dict[str, bool] = {}  # absent is unknown
    params: dict[str, bool] = {}
    precision: str | None = None
    regions: tuple[str, ...] | None = None  # where it may process, None unknown
    retention: Literal["any", "no-training", "zero"] | None = None
    deprecated: bool | None = None
    retires_on: str | None = None
    source_id: str = "catalogue"
    link: str | None = None
    checked_on: str | None = None


class Rate(Record):
    """The price of one meter of one endpoint under one tier, band, window and period, as believed.

    Exactly one of `usd_per_mtok` and `usd_per_unit` (with `unit`: request, image, page, second, ...) is set.
    """

    endpoint_id: str
    meter: Meter
    tier: Tier = "standard"
    context_min_tokens: int | None = None
    context_max_tokens: int | None = None
    time_window: str | None = None
    region: str = "global"
    usd_per_mtok: Decimal | None = None
    usd_per_unit: Decimal | None = None
    unit: str | None = None
    valid_from: AwareDatetime | None = None  # when it applies; None: as far back as known
    valid_to: AwareDatetime | None = None
    known_from: AwareDatetime
    known_to: AwareDatetime | None = None
    standing: Standing
    source_id: str
    claim_ids: tuple[str, ...] = ()
    withdrawn: bool = False  # the source no longer states it

    @field_serializer("usd_per_mtok", "usd_per_unit", when_used="json-unless-none")
    def _exact(self, value: Decimal) -> str:
        # A table gives 2.5 back as 2.500000000: the id must be the same on both sides of it.
        return format(value.quantize(NINE_PLACES, ROUND_HALF_UP).normalize(), "f")

    @property
    def rate_id(self) -> str:
        return self.content_id()


class Score(Record):
    """A model's figure on a benchmark under a variant, as one source states it."""

    model_id: str
    variant: str = ""
    benchmark: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    n_items: int | None = None
    cost_usd: float | None = None
    output_tokens: float | None = None
    evaluated_on: str | None = None
    self_reported: bool = False
    source_id: str
    known_from: AwareDatetime
    claim_id: str

    @cached_property
    def score_id(self) -> str:
        return self.content_id()


class Held(Record):
    """A claim that is not believed yet: the row, why, and what would release it."""

    source_id: str
    endpoint_id: str | None = None
    name: str
    meter: str
    tier: str = "standard"
    old_usd_per_mtok: Decimal | None = None
    new_amount: Decimal
    why: str
    release: str
    held_at: AwareDatetime
    claim_id: str


class Benchmark(Record):
    """What a score on it means. `percent` scores run 0 to 100; on `elo` 400 points are odds of 10 to 1."""

    benchmark: str
    name: str
    scale: Literal["percent", "raw", "elo"] = "percent"
    higher_is_better: bool = True
    cluster: str | None = None  # benchmarks of one cluster say the same thing
    link: str | None = None
    n_items: int | None = None
