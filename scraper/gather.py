"""A source -> one body: fetched, rendered, or gathered from several files into a JSON list of the documents in their order.

The address is the source file's own; a name from the host's list fills one slot of it, and only where it is a plain word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from data.errors import PageChanged
from scraper.browser import render
from scraper.fetch import Answer, Fetcher
from scraper.source import Source

PLAIN = re.compile(r"[\w.+&-]{1,120}")
Get = Callable[[str], bytes]


def fetch_source(
    source: Source,
    fetcher: Fetcher,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    key: str | None = None,
    browser: str | None = None,
) -> Answer:
    """One fetch of a source, rendered where it asks for that, in however many files it lies.

    `key` is the reader's own, for a source that asks for one; `browser` the one to use, if not the first found.
    """
    if source.renderer == "browser":
        fetcher.check(source.url)
        body, status, there = render(source.url, source.wait_for, browser, allow_private=fetcher.allow_private)
        fetcher.check(there)  # a browser follows redirects by itself: nothing is kept of where it may not read
        return Answer(body, status, source.url)
    private = {source.key_header: key} if source.key_header and key else None
    if source.gather is None:
        return fetcher.get(source.url, etag=etag, last_modified=last_modified, private=private)
    return Answer(gather(source, lambda url: fetcher.get(url, private=private).body or b""), 200, source.url)


def gather(source: Source, get: Get) -> bytes:
    """All files of a source as one JSON list. Raises what `get` raises, and PageChanged where the list is none."""
    plan = source.gather
    if plan is None:
        return get(source.url)
    if plan.names is None:
        return _pages(source, get)
    listed: Any = _loaded(get(source.url), source.url)
    for key in plan.names.split("/"):
        listed = listed.get(key) if isinstance(listed, dict) else None
    if not isinstance(listed, list) or not listed:
        raise PageChanged(
            f"no list {plan.names!r} in it.", where=source.url, fix="look at the file; nothing was stored."
        )
    names = [n for n in listed if isinstance(n, str) and PLAIN.fullmatch(n) and ".." not in n][: plan.most]
    documents, gone = [], []
    for name in names:
        url = plan.each.replace("{}", quote(name, safe=""))
        try:
            documents.append(_loaded(get(url), url))
        except PageChanged:
            gone.append(name)
    if len(gone) > 0.2 * len(names) or not names:
        said = f"{len(gone)} of {len(listed)} listed files are not there."
        raise PageChanged(said, where=source.url, fix="look at the list; nothing was stored.")
    return _joined(documents)


def _pages(source: Source, get: Get) -> bytes:
    """Pages by offset until one holds no row."""
    plan = source.gather
    assert plan is not None
    documents = []
    for n in range(plan.most):
        url = plan.each.replace("{}", str(n * plan.step))
        document = _loaded(get(url), url)
        if not isinstance(document, dict) or not document.get("rows"):
            break
        documents.append(document)
    return _joined(documents)


def _loaded(body: bytes, url: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PageChanged("no JSON.", where=url, fix="look at it; nothing of it was stored.") from error


def _joined(documents: list[Any]) -> bytes:
    return json.dumps(documents, ensure_ascii=False, sort_keys=True).encode()
