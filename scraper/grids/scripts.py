"""Data in script tags: JSON documents and the chunks a page is streamed in, as plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag

SHORTEST = 40  # characters of an attribute that may hold prices
MOST_CHARS = 30_000_000
CHUNK = re.compile(r"self\.__next_f\.push\((\[.*\])\)", re.S)
LINE = re.compile(r"^[0-9a-f]{1,6}:(?=[\[{\"])")


def script_data(soup: BeautifulSoup) -> Any:
    """`{"scripts": [...], "chunks": {id: value}}` of what can be read, or None."""
    documents: list[Any] = []
    streamed: list[str] = []
    total = 0
    for script in soup.find_all("script"):
        text = script.string or ""
        total += len(text)
        if total > MOST_CHARS:
            break
        if found := CHUNK.search(text):
            part = loaded(found.group(1))
            if isinstance(part, list) and len(part) > 1 and isinstance(part[1], str):
                streamed.append(part[1])
        elif "json" in str(script.get("type") or "") and (value := loaded(text)) is not None:
            documents.append(value)
    chunks = {}
    for line in stitched(streamed).split("\n"):
        if LINE.match(line) and (value := loaded(line.partition(":")[2])) is not None:
            chunks[line.partition(":")[0]] = value
    found_data = {"scripts": documents, "chunks": chunks, "attributes": list(attribute_data(soup))}
    return {k: v for k, v in found_data.items() if v} or None


def attribute_data(soup: BeautifulSoup) -> Iterator[Any]:
    """The JSON objects and lists that elements carry as attributes."""
    for tag in soup.descendants:
        for value in tag.attrs.values() if isinstance(tag, Tag) and tag.name != "astro-island" else ():
            if isinstance(value, str) and len(value) > SHORTEST and value[0] in "{[" and (found := loaded(value)):
                yield found


def stitched(parts: list[str]) -> str:
    """Chunks as one text: a line may run over several of them, and a chunk that begins a line ends the one before."""
    out = ""
    for part in parts:
        out += ("\n" if out and LINE.match(part) and not out.endswith("\n") else "") + part
    return out


def loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
