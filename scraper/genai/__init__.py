"""The installed package genai-prices as a source: one capture, a price claim for every number, and the rates of them.

Nothing is fetched. `load_package` reads all of it; `package_rates` only the endpoints that are asked for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data.errors import PageChanged
from data.records import Capture, PriceClaim, Rate
from scraper.genai.body import Package, read_installed, reread, write_body
from scraper.genai.offers import Offer, endpoints_of, money, offers_of
from scraper.source import FOLDER, Source, load_source

__all__ = ["Offer", "PackageRates", "PackageReading", "load_package", "money", "package_rates", "rate_of", "reread"]


@dataclass(frozen=True)
class PackageReading:
    """What the package states. `skipped` counts price keys and conditions without a word of ours."""

    capture: Capture
    body: bytes
    offers: tuple[Offer, ...]
    skipped: dict[str, int]

    @property
    def claims(self) -> tuple[PriceClaim, ...]:
        return tuple(o.claim for o in self.offers)

    @property
    def rates(self) -> tuple[Rate, ...]:
        return tuple(rate_of(o, self.capture) for o in self.offers)


def load_package(source: Source | None = None) -> PackageReading:
    """Read the installed package. Raises PageChanged where it is no longer what we know how to read."""
    source = source or load_source(FOLDER / "genai-prices.yaml")
    package = read_installed(source)
    body = write_body(package.stated)
    capture = _capture(source, package, body)
    skipped: Counter[str] = Counter()
    offers = tuple(
        offer
        for provider, models in package.stated.items()
        for model_id, model in models.items()
        for offer in offers_of(provider, model_id, model, str(capture.sha256), skipped)
    )
    missing = set(source.expect.models) - {model_id for models in package.stated.values() for model_id in models}
    if len(offers) < source.expect.min_rows or missing:
        what = f"{len(offers)} prices in it ({source.expect.min_rows} expected)"
        raise PageChanged(
            f"{what}{', without ' if missing else ''}{', '.join(sorted(missing))}.",
            where=capture.url,
            fix="install the version named in requirements.txt.",
        )
    return PackageReading(capture, body, offers, dict(skipped))


class PackageRates(Mapping[str, list[Rate]]):
    """Rates by endpoint, each model read when first asked for: a single price needs one of some two thousand."""

    def __init__(self, package: Package, capture: Capture) -> None:
        self._package, self._capture = package, capture
        self._models = {
            endpoint: (provider, model_id)
            for provider, models in package.stated.items()
            for model_id, model in models.items()
            for endpoint in endpoints_of(provider, model_id, model)
        }
        self._read: dict[str, list[Rate]] = {}

    def __getitem__(self, endpoint_id: str) -> list[Rate]:
        if endpoint_id not in self._read:
            provider, model_id = self._models[endpoint_id]
            model = self._package.stated[provider][model_id]
            offers = offers_of(provider, model_id, model, str(self._capture.sha256), Counter())
            self._read[endpoint_id] = [rate_of(o, self._capture) for o in offers if o.endpoint_id == endpoint_id]
        return self._read[endpoint_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


def package_rates() -> PackageRates:
    """Every price of the package as rates with standing `single`, for single steps that need no database."""
    source = load_source(FOLDER / "genai-prices.yaml")
    package = read_installed(source)
    return PackageRates(package, _capture(source, package, write_body(package.stated)))


def rate_of(offer: Offer, capture: Capture) -> Rate:
    """A claim as a rate with standing `single`, as one catalogue states it.

    Built without validation, thousands at a time; a test validates every one of them.
    """
    claim = offer.claim
    usd_per_mtok, usd_per_unit, unit = money(claim)
    return Rate.model_construct(
        endpoint_id=offer.endpoint_id,
        meter=claim.meter,
        tier=claim.tier,
        context_min_tokens=claim.context_min_tokens,
        context_max_tokens=claim.context_max_tokens,
        time_window=claim.time_window,
        region=claim.region or "global",
        usd_per_mtok=usd_per_mtok,
        usd_per_unit=usd_per_unit,
        unit=unit,
        valid_from=claim.valid_from,
        valid_to=claim.valid_to,
        known_from=capture.as_of or capture.fetched_at,
        standing="single",
        source_id=capture.source_id,
        claim_ids=(claim.content_id(),),
    )


def _capture(source: Source, package: Package, body: bytes) -> Capture:
    return Capture(
        source_id=source.id,
        url=f"pkg:genai-prices@{package.version}",
        fetched_at=package.as_of,
        sha256=hashlib.sha256(body).hexdigest(),
        bytes=len(body),
        renderer="package",
        outcome="new",
        as_of=package.as_of,
    )
