"""Component rows in MDX -> grids: `<Table columns={[...]} rows={[...]} />`, whatever the component is called.

A small reader of JavaScript literals (arrays, objects, strings, numbers, fragments); anything it cannot read whole is no
table. Source of components (`export const X = ...`) is skipped.
"""

from __future__ import annotations

import re
from typing import Any

from scraper.grids.types import Cell, Grid, clean

TOKEN = re.compile(
    r"""\s*(?:(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<colon>:)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)
    |(?P<markup><>.*?</>|<(?P<tag>[A-Za-z][\w.]*)\b[^<>]*?(?:/>|>.*?</(?P=tag)>))
    |(?P<word>[\w.$+-]+))""",
    re.S | re.X,
)
LISTS = re.compile(r"\b(\w+)=\{\s*(?=\[)")
HEAD_KEYS = ("title", "label", "header", "name", "Header")
FIELD_KEYS = ("key", "dataIndex", "field", "accessor", "accessorKey", "id")
MOST_CHARS = 2_000_000


class Unreadable(Exception):
    """Not a literal of the kinds that are read."""


def component_end(text: str, start: int) -> int:
    """Where the tag that begins at `start` ends: its `/>` or `>` outside of braces and quotes."""
    depth, quote = 0, ""
    for n in range(start, min(len(text), start + MOST_CHARS)):
        c = text[n]
        if quote:
            quote = "" if c == quote and text[n - 1] != "\\" else quote
        elif c in "\"'`":
            quote = c
        elif c in "{[(":
            depth += 1
        elif c in "}])":
            depth -= 1
        elif c == ">" and depth == 0 and text[n - 1] != "=":
            return n + 1
    return -1


def component_grid(tag: str, line: int, headings: tuple[str, ...], intro: str) -> Grid | None:
    """The grid of one component tag, or none where it holds no list of rows."""
    lists: dict[str, list[Any]] = {}
    for found in LISTS.finditer(tag):
        try:
            value, _ = literal(tag, found.end())
        except Unreadable:
            continue
        if isinstance(value, list) and value:
            lists.setdefault(found.group(1), value)
    columns = next((v for k, v in lists.items() if re.search(r"col|head", k, re.I)), [])
    rows = next((v for k, v in lists.items() if v is not columns and isinstance(v[0], list | dict)), [])
    if not rows or not columns:
        return None
    header = [said(c) if not isinstance(c, dict) else said(first(c, HEAD_KEYS)) for c in columns]
    fields = [first(c, FIELD_KEYS) if isinstance(c, dict) else c for c in columns]
    where = f"line {line}"
    made = [tuple(Cell(h, f"{where}/header/{n}", True) for n, h in enumerate(header))]
    for r, row in enumerate(rows):
        values = [row.get(f) for f in fields] if isinstance(row, dict) else row
        if isinstance(values, list):
            made.append(tuple(Cell(said(v), f"{where}/{r}/{n}", raw=str(v or "")) for n, v in enumerate(values)))
    return Grid(tuple(made), where, headings, (), intro)


def first(entry: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((entry[k] for k in keys if k in entry), None)


def said(value: Any) -> str:
    """A literal as a reader sees it: markup taken off, `{"$"}` its text."""
    text = re.sub(r"\{\s*[\"'`](.*?)[\"'`]\s*\}", r"\1", str(value if value is not None else ""))
    return clean(re.sub(r"</?[A-Za-z][^<>]*>|</?>", " ", text))


def literal(text: str, at: int) -> tuple[Any, int]:
    """The literal at a place and where it ends. Raises Unreadable."""
    stack: list[tuple[Any, str | None]] = []
    key: str | None = None
    while found := TOKEN.match(text, at):
        at = found.end()
        kind = str(found.lastgroup)
        kind = "markup" if found.group("markup") else kind
        if kind == "open":
            stack.append(([] if found.group("open") == "[" else {}, key))
            key = None
            continue
        if kind in ("comma", "colon"):
            continue
        value: Any
        if kind == "close":
            if not stack:
                break
            value, key = stack.pop()
            if not stack:
                return value, at
        else:
            value = plain(found.group("string") or found.group("markup") or found.group("word"))
        if not stack:
            break
        box = stack[-1][0]
        if isinstance(box, list):
            box.append(value)
        elif key is None:
            key = str(value)
        else:
            box[key] = value
            key = None
    raise Unreadable


def plain(token: str) -> Any:
    if token[0] in "\"'`":
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return None if token in ("null", "undefined", "false", "true") else token
