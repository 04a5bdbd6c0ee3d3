"""Extraction of the corpus in one process against the parse alone: `python -m tests.bench.bench_extract`.

The peer is BeautifulSoup with lxml on the same HTML; the limit is twice its time over all HTML pages together.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from bs4 import BeautifulSoup

from scraper.prices import read_prices
from tests.corpus import corpus_pages

ROUNDS = 5
LIMIT = 2.0


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def html_of(body: bytes) -> str | None:
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] == "{":
        try:
            return str(json.loads(text)["data"]["content"])
        except (KeyError, TypeError, ValueError):
            return None
    return text if text.lstrip()[:1] == "<" and "</" in text and not text.lstrip().startswith("<Ac") else None


def main() -> None:
    """Print one line a page with a parse to compare with, and the sums."""
    read_s = parse_s = all_s = 0.0
    megabytes = 0.0
    print(f"{'page':44}{'MB':>7}{'read ms':>9}{'parse ms':>10}{'ratio':>7}")
    for page in corpus_pages():
        started = time.perf_counter()
        read_prices(page.body, url=page.url)
        all_s += time.perf_counter() - started
        megabytes += len(page.body) / 1e6
        html = html_of(page.body)
        if html is None or len(html) < 20_000 or page.page_id.startswith(("google", "anthropic")):
            continue
        read, parse = best(lambda: read_prices(page.body, url=page.url)), best(lambda: BeautifulSoup(html, "lxml"))  # noqa: B023
        read_s, parse_s = read_s + read, parse_s + parse
        print(f"{page.page_id:44}{len(page.body) / 1e6:7.2f}{read * 1e3:9.1f}{parse * 1e3:10.1f}{read / parse:7.2f}")
    print(f"\nthe corpus once, cold: {megabytes:.1f} MB in {all_s:.2f} s, {megabytes / all_s:.1f} MB/s")
    print(f"HTML pages together, best of {ROUNDS}: {read_s / parse_s:.2f} times the parse alone (limit {LIMIT:g})")


if __name__ == "__main__":
    main()
