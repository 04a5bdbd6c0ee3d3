"""A recorded history of catalogues, settled as known on each day and held against a timeline that was left out of it.

The history is a CSV with a row whenever a source shows, changes or drops a model (columns: source, observed_on, provider,
model_id, input / cached_input / output _usd_per_mtok, extra_json).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from data.errors import UsageError
from scraper.reconcile import Settled, Statement, restate, same, settle
from scraper.reconcile.consensus import ALIVE

METERS = ("input", "output", "cached_input")
# one shop under the names that lists give it
SHOPS = {
    "gemini": "google", "x-ai": "xai", "mistral-ai": "mistral", "moonshot": "moonshotai", "moonshot-ai": "moonshotai",
    "z-ai": "zai", "z.ai": "zai", "dashscope": "alibaba", "qwen": "alibaba", "bedrock": "amazon-bedrock",
    "bedrock_converse": "amazon-bedrock", "aws": "amazon-bedrock", "aws-bedrock": "amazon-bedrock",
    "amazon": "amazon-bedrock", "perplexity-ai": "perplexity", "meta-ai": "meta", "ai21 labs": "ai21",
    "arcee-ai": "arcee", "sakana ai": "sakana", "thinking machines": "thinkingmachines", "voyage ai": "voyage",
}  # fmt: skip
# who takes the figures from whom (the history's own README)
LINEAGE = dict.fromkeys(("litellm-daily", "litellm-daily2", "tokencost", "modelpricewatch"), "litellm")
RESELLERS = ("openrouter",)  # sells at prices of its own: no witness of anybody else's
RESTATED = ("genai-prices", "llm-prices")  # their rows of basis valid_from restate dated prices, also future ones
Cell = tuple[str, str, str]  # shop, model, meter


@dataclass(frozen=True)
class Row:
    day: date
    source: str
    shop: str
    name: str
    written: tuple[str, str]  # provider and id as the source has them
    usd: dict[str, Decimal]
    removed: bool
    floating: bool


@dataclass(frozen=True)
class DayReport:
    """Cells by standing on one day; those the timeline states too; those of them that differ from it.

    `stated`: how many cells the timeline has; `differing`: the witnessed ones that differ, each with both amounts.
    """

    day: date
    stated: int
    published: Counter[str]
    compared: Counter[str]
    wrong: Counter[str]
    differing: dict[Cell, str]


def read_history(path: Path) -> list[Row]:
    """Rows in order of day. Raises UsageError where the file is not such a history."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        rows = [row_of(r) for r in csv.DictReader(io.StringIO(text))]
    except (OSError, KeyError, ValueError, gzip.BadGzipFile) as error:
        raise UsageError(
            f"not a price history: {error!r}", where=str(path), fix="see undercut reconcile --help."
        ) from None
    return sorted((r for r in rows if r is not None), key=lambda r: r.day)


def row_of(r: dict[str, str]) -> Row | None:
    extra: dict[str, Any] = json.loads(r["extra_json"] or "{}")
    if r["source"].startswith(RESELLERS) or extra.get("currency", "USD") != "USD":
        return None
    if r["source"] in RESTATED and extra.get("basis") == "valid_from":
        return None
    shop = r["provider"].casefold()
    usd = {m: Decimal(r[f"{m}_usd_per_mtok"]) for m in METERS if r[f"{m}_usd_per_mtok"]}
    ident = r["model_id"]
    return Row(
        date.fromisoformat(r["observed_on"]), r["source"], SHOPS.get(shop, shop.replace(" ", "")), bare_name(ident),
        (r["provider"], ident), usd, bool(extra.get("removed")), ident.casefold().endswith("-latest"),
    )  # fmt: skip


def bare_name(ident: str) -> str:
    """A model id without maker prefix, `-latest` and date suffix, `.` and `_` written `-` (DISPUTES.md counts so)."""
    name = ident.casefold().rsplit("/", 1)[-1]
    name = re.sub(r"^(anthropic|amazon|meta|mistral|openai|google|cohere|deepseek|ai21)\.", "", name)
    return re.sub(r"[._]", "-", re.sub(r"-20\d{6}$", "", re.sub(r"-latest$", "", name)))


def replay(rows: Sequence[Row], truth: str, without: Iterable[str], days: Sequence[date]) -> list[DayReport]:
    """What would have been published on each of `days` from the sources alone, against the timeline of `truth`.

    Every day of the history is settled, whether reported or not: what stood before decides what a doubted price leaves.
    """
    left_out = {truth, *without}
    shops = {r.shop for r in rows if r.source == truth}
    floating = {(r.shop, r.name) for r in rows if r.floating}
    by_day: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        if row.shop in shops:
            by_day[row.day].append(row)
    state: dict[str, dict[tuple[str, str], Row]] = defaultdict(dict)
    stated: dict[str, dict[Cell, tuple[Decimal, date]]] = {}
    read_on: dict[str, date] = {}
    believed: dict[Cell, Settled] = {}
    out = []
    day, last = min((r.day for r in rows), default=min(days)), max(days)
    while day <= last:
        touched = {r.source for r in by_day[day]}
        stale = {s for s, read in read_on.items() if day - read == ALIVE + timedelta(days=1)}
        cells: set[Cell] = set()
        for row in by_day[day]:
            state[row.source][row.written] = row
        for source in touched | stale:
            cells.update(stated.get(source, ()))
            stated[source] = cells_of(state[source].values())
            cells.update(stated[source])
        read_on.update(dict.fromkeys(touched, day))
        for cell in cells:
            said = [
                Statement(s, *stated[s][cell], read_on[s])
                for s in sorted(stated.keys() - left_out)
                if cell in stated[s]
            ]
            found = settle(said, day, LINEAGE, floating=cell[:2] in floating)
            if found is None:
                believed.pop(cell, None)
            else:
                believed[cell] = restate(believed.get(cell), found)
        if day in days:
            out.append(report(day, believed, stated.get(truth, {})))
        day += timedelta(days=1)
    return out


def cells_of(rows: Iterable[Row]) -> dict[Cell, tuple[Decimal, date]]:
    """(USD, since) by cell; a cell that one source states twice with different amounts is left out."""
    found: dict[Cell, list[tuple[Decimal, date]]] = defaultdict(list)
    for r in rows:
        for meter, usd in () if r.removed else r.usd.items():
            found[r.shop, r.name, meter].append((usd, r.day))
    return {c: (v[0][0], max(d for _, d in v)) for c, v in found.items() if len({u for u, _ in v}) == 1}


def report(day: date, believed: dict[Cell, Settled], stated: dict[Cell, tuple[Decimal, date]]) -> DayReport:
    published, compared, wrong = Counter[str](), Counter[str](), Counter[str]()
    differing = {}
    for cell, b in sorted(believed.items()):
        if b.usd_per_mtok is None:
            published["held back"] += 1
            continue
        published[b.standing] += 1
        if cell in stated:
            compared[b.standing] += 1
            if not same(b.usd_per_mtok, stated[cell][0]):
                wrong[b.standing] += 1
                if b.standing == "witnessed":
                    differing[cell] = f"{'/'.join(cell)}: {b.usd_per_mtok} ({b.why}), timeline {stated[cell][0]}"
    return DayReport(day, len(stated), published, compared, wrong, differing)


def sample_days(rows: Sequence[Row], truth: str) -> list[date]:
    """The first of every month the timeline covers, and its last day."""
    own = [r.day for r in rows if r.source == truth]
    if not own:
        raise UsageError(f"no rows of {truth!r} in it.", fix="name a source of the history with --truth.")
    day, out = min(own).replace(day=1) + timedelta(days=32), []
    while (day := day.replace(day=1)) <= max(own):
        out.append(day)
        day += timedelta(days=32)
    return [*out, max(own)]
