"""The captured pages beside the project, and the proof of a claim: what every corpus test shares."""

from __future__ import annotations

import contextlib
import csv
import gzip
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from data.records import PriceClaim
from scraper.amounts import amounts_in
from scraper.grids.types import clean
from scraper.prices import reread

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


@dataclass(frozen=True)
class CorpusPage:
    page_id: str
    body: bytes
    url: str


def corpus_pages() -> Iterator[CorpusPage]:
    """Every captured price page, unpacked."""
    with (CORPUS / "pages" / "pages.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "benchmarks/" not in row["file"]:
                body = (CORPUS / "pages" / row["file"]).read_bytes()
                plain = gzip.decompress(body) if row["file"].endswith(".gz") else body
                yield CorpusPage(row["id"], plain, row["official_url"])


def fault(body: bytes, claim: PriceClaim, url: str = "") -> str | None:
    """Why a claim is not proven by a body: its locator must lead to its quote, and its quote must hold its number."""
    there = reread(body, claim.locator, url)
    if there != claim.quote:
        return f"at {claim.locator} stands {there[:80]!r}, not {claim.quote[:80]!r}"
    if "net price computed, not printed" in claim.conditions:
        return None
    plain = re.sub(r'<>\s*\{"(.)"\}(.*?)</>', r"\1\2", clean(there))  # a component writes "$" as {"$"}
    if claim.amount not in numbers(plain):
        return f"no {claim.amount} in {there[:80]!r}"
    return None


def numbers(text: str) -> set[Decimal]:
    found = {a.value for a in amounts_in(text, bare=True)}
    with contextlib.suppress(InvalidOperation):
        found.add(Decimal(text))
    return found


def stands_in(body: bytes) -> str:
    """All that a reader of a body sees, as it stands and with tags and escapes taken off, without white space."""
    text = body.decode("utf-8", "replace").replace("\x00", "")
    try:
        inside = json.loads(text)["data"]["content"]
    except (ValueError, KeyError, TypeError):
        inside = ""
    views = [text, *(html.unescape(re.sub(r"<[^>]+>", "", t)) for t in (text, inside) if isinstance(t, str))]
    return "\n".join(bare(v) for v in views)


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
