"""Captures, and the claims one body makes."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime

from data.records.core import Meter, Outcome, Record, Tier


class Capture(Record):
    """One fetch of one source. `sha256` names the kept body; a failed fetch has none."""

    source_id: str
    url: str
    fetched_at: AwareDatetime
    http_status: int | None = None
    sha256: str | None = None
    bytes: int = 0
    renderer: Literal["http", "browser", "package", "file"] = "http"
    outcome: Outcome
    error: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    as_of: AwareDatetime | None = None  # the day the facts are of, where that is not the time of the fetch


class PriceClaim(Record):
    """One price that one body states. `amount` is in the page's own unit (`per`: per_mtok, per_image, ...)."""

    capture: str  # sha256 of the body
    model_as_written: str
    model_id_as_written: str | None = None
    meter: Meter
    tier: Tier = "standard"
    context_min_tokens: int | None = None
    context_max_tokens: int | None = None
    time_window: str | None = None
    region: str | None = None
    modality: str | None = None
    amount: Decimal
    currency: str
    per: str
    usd_per_mtok: Decimal | None = None  # only for token meters stated in USD
    list_price: bool = False  # struck through or otherwise not in force
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    conditions: tuple[str, ...] = ()
    quote: str
    locator: str


class ScoreClaim(Record):
    """One score that one body states, in the benchmark's own unit."""

    capture: str
    model_as_written: str
    benchmark: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    n_items: int | None = None
    variant: str = ""
    cost_usd: float | None = None  # to run the whole benchmark once
    output_tokens: float | None = None  # for the whole benchmark
    evaluated_on: str | None = None  # ISO date, month or year, as far as stated
    self_reported: bool = False
    quote: str
    locator: str
