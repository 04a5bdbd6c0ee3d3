"""Boards that a source file spells out -> score claims: one claim for each declared field of each row, and nothing else.

Rows come from tables (Markdown, HTML, CSV, CSV in a script or in a ZIP archive) or from data (JSON, YAML). What a row
does not state is absent; a declared field that no row has is reported as missing, never read from its neighbour.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.records import ScoreClaim
from scraper.grids import Document, read_document
from scraper.grids.types import clean, fold
from scraper.prices.read import Refusal
from scraper.source import Board, Scored

NUMBER = re.compile(r"^[+-]?\d+(?:[.,]\d+)?(?:e-?\d+)?\s*%?$", re.I)
WITHIN = re.compile(
    r"^(?P<v>[+-]?\d+(?:\.\d+)?)\s*(?:±\s*(?P<pm>\d+(?:\.\d+)?)|\+\s*(?P<up>\d+(?:\.\d+)?)\s*/\s*-\s*(?P<down>\d+(?:\.\d+)?))"
)
BOTH_ENDS = re.compile(r"^\[?\(?\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|–|,|to)\s*(-?\d+(?:\.\d+)?)\s*[\])]?$")
MARKS = re.compile(r"^[^\w(\[\"'<]+|[†‡*¹²³\s]+$", re.UNICODE)
SLOT = re.compile(r"\{([^{}]+)\}")
ABSENT = frozenset({"", "-", "–", "—", "n/a", "na", "none", "null", "nan"})
MOST_UNPACKED = 60_000_000  # bytes of all tables of an archive
MOST_DEPTH = 6


@dataclass(frozen=True)
class Row:
    """One row of a board: what it states by field, where it stands, and the keys on the way to it."""

    locator: str
    said: Mapping[str, Any]
    keys: tuple[str, ...] = ()
    quote: str = ""


@dataclass
class Found:
    """What reading brought: claims, what was refused, and declared fields that no row has."""

    claims: list[ScoreClaim] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def read_boards(body: bytes, board: Board, url: str = "") -> Found:
    """The declared boards of a body. Never raises on any bytes."""
    found = Found()
    capture = hashlib.sha256(body).hexdigest()
    rows = list(_rows(body, board, url, found))
    fields = {f for r in rows for f in _fields(r.said)}
    for path, scored in board.boards.items():
        if rows and _folded(path) not in fields:
            found.missing.append(f"no field {path!r} ({scored.benchmark}); there are {_some(fields)}")
    if rows and board.name not in (None, "*") and _folded(str(board.name)) not in fields:
        found.missing.append(f"no field {board.name!r} with the model's name; there are {_some(fields)}")
    for row in rows:
        if _wanted(row, board):
            found.claims.extend(_claims(row, board, capture, found))
    return found


def _rows(body: bytes, board: Board, url: str, found: Found) -> Iterator[Row]:
    if board.files:
        for name, text in _unpacked(body, board.files, found):
            yield from _table_rows(read_document(text, f"{name}.csv"), board, (name,), found)
        return
    if board.literal:
        held = re.search(rf"\b{re.escape(board.literal)}\s*=\s*`([^`]*)`", body.decode("utf-8", "replace"))
        if held is None:
            found.missing.append(f"no table {board.literal!r} in the script")
            return
        yield from _table_rows(read_document(held[1].strip().encode(), "t.csv"), board, (), found)
        return
    document = read_document(body, url)
    if document.data is not None and (board.rows is not None or isinstance(document.data, list)):
        data = document.data
        yield from _data_rows(data, (board.rows or "").split("/") if board.rows else [], (), "", 0)
    else:
        yield from _table_rows(document, board, (), found)


def _unpacked(body: bytes, names: tuple[str, ...], found: Found) -> Iterator[tuple[str, bytes]]:
    """The named tables of an archive, within bounds: a bomb is refused before it is opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            there = {i.filename.rpartition("/")[2].removesuffix(".csv"): i for i in archive.infolist()}
            wanted = [(n, there[n]) for n in names if n in there]
            found.missing.extend(f"no table {n}.csv in the archive" for n in names if n not in there)
            if sum(i.file_size for _, i in wanted) > MOST_UNPACKED:
                found.missing.append("the archive unpacks to more than 60 MB")
                return
            for name, info in wanted:
                yield name, archive.read(info)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        found.missing.append(f"no archive that can be opened ({error})")
    except Exception as error:  # zlib.error has no common base with the others
        found.missing.append(f"the archive is damaged ({error})")


def _table_rows(document: Document, board: Board, keys: tuple[str, ...], found: Found) -> Iterator[Row]:
    wanted = [_folded(s) for s in board.sections]
    for grid in document.grids:
        near = [fold(h) for h in grid.headings]
        if wanted and not any(s in h for s in wanted for h in near[-1:]):
            continue
        heads = [c.text for c in grid.rows[0]]
        if wanted or not board.name or _folded(board.name) in [_folded(h) for h in heads]:
            for row in (r for r in grid.rows[1:] if r):
                if len(row) != len(heads):
                    found.refused.append(
                        Refusal(row[0].text[:200], f"{len(row)} values for {len(heads)} columns", row[0].locator)
                    )
                    continue
                said = {h: c.text for h, c in zip(heads, row, strict=True)}
                yield Row(row[0].locator, said, keys, " | ".join(c.quote for c in row)[:400])


def _data_rows(data: Any, way: list[str], keys: tuple[str, ...], at: str, depth: int) -> Iterator[Row]:
    """Rows of data along a way of keys; lists on the way are walked through, `*` remembers the key it took."""
    if depth > MOST_DEPTH:
        return
    if way and way[0].startswith("*"):
        label = way[0][1:]
        pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
        for key, inner in pairs:
            named = inner.get(label) if label and isinstance(inner, dict) else key
            yield from _data_rows(inner, way[1:], (*keys, str(named)), f"{at}/{_escaped(key)}", depth + 1)
    elif way and isinstance(data, dict):
        if way[0] in data:
            yield from _data_rows(data[way[0]], way[1:], keys, f"{at}/{_escaped(way[0])}", depth + 1)
    elif isinstance(data, list):
        for n, inner in enumerate(data):
            yield from _data_rows(inner, way, keys, f"{at}/{n}", depth + 1)
    elif not way and isinstance(data, dict):
        yield Row(at, data, keys, json.dumps(data, ensure_ascii=False, default=str)[:400])


def _claims(row: Row, board: Board, capture: str, found: Found) -> Iterator[ScoreClaim]:
    stated = row.keys[-1] if board.name == "*" and row.keys else _at(row.said, board.name or "model")
    model = MARKS.sub("", clean(str(stated or ""))).strip()
    if not model:
        found.refused.append(Refusal(row.quote[:200], "no name", row.locator))
        return
    parts = re.search(board.parts, model) if board.parts else None
    slots = {**{str(n): k for n, k in enumerate(row.keys)}, **(parts.groupdict() if parts else {})}
    for path, scored in board.boards.items():
        text = _at(row.said, path)
        if text is None or clean(str(text)).casefold() in ABSENT:
            continue
        value = number(str(text))
        if value is None or isinstance(text, bool):
            found.refused.append(Refusal(str(text)[:200], "not a number", f"{row.locator}/{path}"))
            continue
        benchmark = _filled(scored.benchmark, row, slots)
        if benchmark is None:
            found.refused.append(Refusal(model, f"what {scored.benchmark} needs is not stated", row.locator))
            continue
        low, high = _ends(row, scored, value)
        yield ScoreClaim(
            capture=capture,
            model_as_written=model,
            benchmark=benchmark,
            metric=scored.metric,
            value=_scaled(value[0], scored),
            low=low,
            high=high,
            n_items=_items(row, scored),
            variant=_settings(row, board),
            cost_usd=_whole(row, scored, scored.cost),
            output_tokens=_whole(row, scored, scored.tokens),
            evaluated_on=_day(row, board),
            self_reported=_own(row, board),
            quote=row.quote or str(text),
            locator=f"{row.locator}/{path}" if row.locator.startswith("/") else row.locator,
        )


def slots(benchmark: str) -> re.Pattern[str]:
    """A declared id as a pattern: each slot stands for what a row states there."""
    return re.compile("[a-z0-9._-]+".join(re.escape(part) for part in SLOT.split(benchmark)[::2]))


def number(text: str) -> tuple[float, float | None, float | None] | None:
    """(score, low, high) of a cell; a mark such as ±7 gives absolute ends."""
    flat = clean(text)
    if NUMBER.match(flat):
        return float(flat.rstrip("% ").replace(",", ".")), None, None
    found = WITHIN.match(flat)
    if not found:
        return None
    value = float(found["v"])
    down = float(found["pm"] or found["down"])
    up = float(found["pm"] or found["up"])
    return value, value - down, value + up


def _ends(
    row: Row, scored: Scored, value: tuple[float, float | None, float | None]
) -> tuple[float | None, float | None]:
    low, high = value[1], value[2]
    if scored.low and scored.high:
        low, high = _number_at(row, scored.low), _number_at(row, scored.high)
    elif scored.interval and (both := BOTH_ENDS.match(clean(str(_at(row.said, scored.interval) or "")))):
        low, high = float(both[1]), float(both[2])
    elif scored.error and (error := _number_at(row, scored.error)) is not None:
        low, high = value[0] - 1.96 * error, value[0] + 1.96 * error
    if low is None or high is None:
        return None, None
    return _scaled(low, scored), _scaled(high, scored)


def _scaled(value: float, scored: Scored) -> float:
    return value if scored.times == 1 else round(value * scored.times, 10)


def _items(row: Row, scored: Scored) -> int | None:
    counted = _positive(row, scored.count)
    return int(counted) if counted else scored.items


def _whole(row: Row, scored: Scored, path: str | None) -> float | None:
    """A stated amount of the whole run; an amount of one item times the items, where they are known."""
    stated, items = _positive(row, path), _items(row, scored)
    if stated is None or not scored.each:
        return stated
    return stated * items if items else None


def _positive(row: Row, path: str | None) -> float | None:
    """A stated amount; 0 says that nobody counted."""
    value = _number_at(row, path) if path else None
    return value if value and value > 0 else None


def _number_at(row: Row, path: str) -> float | None:
    text = _at(row.said, path)
    value = number(str(text)) if text is not None else None
    return value[0] if value else None


def _settings(row: Row, board: Board) -> str:
    pairs = {}
    for path, key in board.settings.items():
        text = clean(str(_at(row.said, path) or "")).casefold()
        if text and text not in ABSENT | {"default", "unknown"}:
            pairs[key] = re.sub(r"[;=\s]+", "-", text)[:60]
    return ";".join(f"{k}={v}" for k, v in sorted(pairs.items()))


def _day(row: Row, board: Board) -> str | None:
    found = re.search(r"20\d\d(?:-\d\d){0,2}", str(_at(row.said, board.date) or "")) if board.date else None
    return found[0] if found else None


def _own(row: Row, board: Board) -> bool:
    if not board.independent:
        return board.self_reported
    return not any(clean(str(_at(row.said, f) or "")) in values for f, values in board.independent.items())


def _wanted(row: Row, board: Board) -> bool:
    def said(f: str) -> str:
        return row.keys[int(f)] if f.isdigit() and int(f) < len(row.keys) else clean(str(_at(row.said, f) or ""))

    return all(said(f) in values for f, values in board.only.items()) and not any(
        said(f) in values for f, values in board.skip.items()
    )


def _filled(benchmark: str, row: Row, slots: Mapping[str, str | None]) -> str | None:
    """The benchmark's id with what keys, name and row state; None where a part is not stated."""
    values = {s: slots[s] if s in slots else _at(row.said, s) for s in SLOT.findall(benchmark)}
    if any(v is None or not str(v).strip() for v in values.values()):
        return None
    plain = {s: re.sub(r"[^a-z0-9._]+", "-", str(v).casefold()).strip("-").removeprefix("v") for s, v in values.items()}
    return SLOT.sub(lambda m: plain[m[1]], benchmark)


def _at(said: Mapping[str, Any], path: str) -> Any:
    """What a row states under a column (case and underscores do not count) or along a way of keys."""
    if path in said:
        return said[path]
    for key, stated in said.items():
        if _folded(str(key)) == _folded(path):
            return stated
    value: Any = said
    for part in path.split("/"):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return None if isinstance(value, dict | list) else value


def _fields(said: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for key, value in said.items():
        yield _folded(f"{before}{key}")
        if isinstance(value, dict) and depth < MOST_DEPTH:
            yield from _fields(value, f"{before}{key}/", depth + 1)


def _folded(text: str) -> str:
    return fold(text).replace("_", " ")


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _some(fields: set[str], most: int = 8) -> str:
    shown = sorted(fields)[:most]
    return ", ".join(shown) + (" …" if len(fields) > most else "")
