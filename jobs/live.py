"""Every declared source tried once, nothing stored: what answered, what was read, what its file expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import UndercutError
from jobs.expect import Came, shortfall
from jobs.scrape import key_of
from scraper.fetch import Fetcher
from scraper.fx import read_fx
from scraper.gather import fetch_source
from scraper.genai import load_package
from scraper.prices import read_prices
from scraper.scores import read_scores
from scraper.source import Source


@dataclass(frozen=True)
class Tried:
    """`ok`: answered and read as its file expects. `rows` counts claims."""

    source: str
    ok: bool
    rows: int
    seconds: float
    verified: str
    said: str = ""


def try_sources(
    sources: Mapping[str, Source],
    progress: Callable[[str], None] = lambda _: None,
    *,
    fetcher: Fetcher | None = None,
    browser: str | None = None,
) -> Iterator[Tried]:
    """One line a source, in order; a source that fails stops nobody else."""
    fetcher = fetcher or Fetcher(tries=1)
    for source in sources.values():
        progress(f"trying {source.id}")
        started = time.monotonic()
        try:
            came = reading(source, fetcher, browser)
            why = shortfall(source, came)
        except UndercutError as error:
            came, why = Came([]), f"{error.what} ({error.where})" if error.where else error.what
        seconds = round(time.monotonic() - started, 1)
        yield Tried(source.id, why is None, len(came.names), seconds, source.verified, why or "")


def reading(source: Source, fetcher: Fetcher, browser: str | None) -> Came:
    """What one fetch of a source holds. Raises UndercutError where it cannot be had."""
    if source.renderer == "package":
        package = load_package(source)
        return Came([(c.model_as_written, c.model_id_as_written) for c in package.claims])
    body = fetch_source(source, fetcher, key=key_of(source), browser=browser).body or b""
    if source.kind == "fx":
        return Came([(r.currency, None) for r in read_fx(body)])
    if source.kind == "benchmark":
        scored = read_scores(body, url=source.url, source=source)
        return Came([(c.model_as_written, None) for c in scored.claims], failed=scored.failed)
    priced = read_prices(body, url=source.url, source=source)
    usd = [c.usd_per_mtok for c in priced.claims if c.usd_per_mtok is not None]
    return Came([(c.model_as_written, c.model_id_as_written) for c in priced.claims], usd, failed=priced.failed)


def draft_source(url: str, body: bytes) -> tuple[str, str, list[list[str]]]:
    """(id, text of a source file, first rows read) from one reading of a page; `verified: never` until a person looked."""
    from datetime import date
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = (parts.hostname or "page").removeprefix("www.").split(".")
    ident = "-".join([host[-2] if len(host) > 1 else host[0], *[p for p in Path(parts.path).stem.split("-") if p]][:2])
    priced = read_prices(body, url=url)
    names = list(dict.fromkeys(c.model_as_written for c in priced.claims))
    highest = max((c.usd_per_mtok for c in priced.claims if c.usd_per_mtok is not None), default=None)
    text = [
        f"# {priced.failed or f'{len(priced.claims)} prices of {len(names)} models'} read on {date.today().isoformat()}; compare them with the page before you trust it.",
        "kind: official  # or catalogue: somebody's collection of other people's prices",
        f"name: {host[-2].capitalize() if len(host) > 1 else host[0]} pricing",
        f"url: {url}",
        f"provider: {host[-2] if len(host) > 1 else host[0]}  # in the spelling of the price ids, `undercut match` shows them",
        "schedule: daily",
        "verified: never  # the day you compared a reading with the page",
        "expect:",
        f"  min_rows: {max(1, len(priced.claims) * 2 // 3)}",
        f"  models: [{', '.join(quoted(n) for n in names[:2])}]",
        f"  usd_per_mtok: [0.0, {float(highest) * 3 if highest else 1000.0:g}]",
    ]
    rows = [
        [c.model_as_written, c.meter, c.tier, f"{c.amount} {c.currency} {c.per}", "; ".join(c.conditions)]
        for c in priced.claims
    ]
    return ident.casefold(), "\n".join(text) + "\n", rows


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
