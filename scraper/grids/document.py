"""A body of bytes -> a document: what kind it is, its grids, its data, its text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from scraper.grids.html import read_html
from scraper.grids.markdown import markdown_grids
from scraper.grids.types import STRUCK, Cell, Grid, clean

MOST_BYTES = 20_000_000  # as much as is fetched
MOST_ELEMENTS = 150_000  # of a page; the largest price page met has 22,000
MOST_LINES = 200_000
LONGEST_LINE = 50_000  # characters of text that is no HTML and no JSON


@dataclass(frozen=True)
class Document:
    """`kind`: html, markdown, json, csv, yaml, empty. `data`, found when asked for, is the value of JSON, YAML and scripts.

    `blocks`, found when asked for, are grids of cards and divs: to be read where no table says anything.
    """

    kind: str
    grids: tuple[Grid, ...] = ()
    drawn: Callable[[], tuple[Grid, ...]] = tuple
    held: Callable[[], Any] = lambda: None
    text: str = ""
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def data(self) -> Any:
        return self.held()

    @cached_property
    def blocks(self) -> tuple[Grid, ...]:
        return self.drawn()


def read_document(body: bytes, url: str = "") -> Document:
    """Read any body. What cannot be read gives an empty document that says so."""
    if len(body) > MOST_BYTES:
        return Document("empty", notes=("larger than 20 MB",))
    text = decoded(body)
    head = text.lstrip()[:2000]
    if not head:
        return Document("empty", notes=("no text",))
    if head[0] in "{[":
        try:
            data = json.loads(text, parse_float=str, parse_int=str)
            inner = html_inside(data)
            if inner:
                return of_html(inner)
            return Document("json", held=lambda: data)
        except (ValueError, RecursionError):
            pass
    if re.match(
        r"(?is)\s*(<!--.*?-->\s*)*(<!doctype html|<html|<head|<body|<div|<table|<section|<main|<script|<h[1-6]|<p\b|<article|<span|<meta|<ul)",
        head,
    ):
        return of_html(text)
    lines = text.splitlines()
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE:
        return Document("empty", notes=("neither HTML nor JSON, and too long to be text",))
    if looks_yaml(url, head) and (data := yaml_of(text)) is not None:
        return Document("yaml", held=lambda: data)
    if (table := csv_of(text)) is not None:
        return Document("csv", (table,), text=clean(text[:20_000]))
    grids, cards, visible = markdown_grids(text)
    return Document("markdown", tuple(grids), lambda: tuple(cards), text=visible)


def of_html(text: str) -> Document:
    if len(re.findall(r"<[a-zA-Z]", text)) > MOST_ELEMENTS:
        return Document("empty", notes=(f"more than {MOST_ELEMENTS:,} elements",))
    page = read_html(text)
    return Document("html", page.grids, page.blocks, page.data, page.text)


def decoded(body: bytes) -> str:
    """Text of a body: its declared charset where it names one, else UTF-8; NUL bytes and marks dropped."""
    named = re.search(rb"charset=[\"']?([\w-]{3,20})", body[:2000])
    for charset in ([named.group(1).decode("ascii")] if named else []) + ["utf-8"]:
        try:
            return body.decode(charset).replace("\x00", "").removeprefix("\ufeff")
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("utf-8", "replace").replace("\x00", "")


def reread(body: bytes, locator: str, url: str = "") -> str:
    """The text at a locator of a kept body: a cell of a grid, a line, or a JSON pointer. Empty where it leads nowhere."""
    document = _remembered(body, url)
    if locator.startswith("/"):
        return pointed(document.data, locator)
    for grid in (*document.grids, *document.blocks):
        for cell in (c for row in grid.rows for c in row):
            if cell.locator == locator.removesuffix(STRUCK):
                return cell.struck if locator.endswith(STRUCK) else cell.quote
    return ""


@lru_cache(maxsize=4)
def _remembered(body: bytes, url: str) -> Document:
    """The document of a body that is asked for many places in a row."""
    return read_document(body, url)


def pointed(data: Any, pointer: str) -> str:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            data = data[int(key)] if isinstance(data, list) else data[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return ""
    return str(data)


def html_inside(data: Any) -> str | None:
    """The longest string of a JSON value that is a page of its own."""
    best = ""
    stack = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value[:2000])
        elif isinstance(value, str) and len(value) > len(best) and "<table" in value:
            best = value
    return best or None


def looks_yaml(url: str, head: str) -> bool:
    return url.endswith((".yml", ".yaml")) or bool(re.match(r"- \w[\w -]*:\s", head))


def yaml_of(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        return yaml.load(text)
    except (YAMLError, ValueError, RecursionError):
        return None


def csv_of(text: str) -> Grid | None:
    """A CSV document as one grid: a header of names, and rows that mostly have its width."""
    lines = text.splitlines()
    if (
        len(lines) < 2
        or lines[0].count(",") < 1
        or "|" in lines[0]
        or lines[0].lstrip().startswith(("#", "-", "<", "import "))
    ):
        return None
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return None
    width = len(rows[0])
    if sum(len(r) == width for r in rows) < 0.5 * len(rows):
        return None
    if all(re.fullmatch(r"[a-z0-9_]*", v) for v in rows[0]):
        rows[0] = [v.replace("_", " ") for v in rows[0]]
    made = tuple(
        tuple(Cell(clean(v), f"line {n + 1}/{c}", n == 0, raw=v) for c, v in enumerate(row))
        for n, row in enumerate(rows)
        if row
    )
    return Grid(made, "line 1")
