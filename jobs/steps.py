"""The single steps behind `extract`, `match`, `estimate` and `price`: files and lines in, plain values out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from data.errors import DataMissing


def extract_document(file: Path, *, url: str, generic: bool) -> Iterator[dict[str, Any]]:
    """Every price or score the document states, in the fields that other programs read."""
    from scraper.prices import read_prices
    from scraper.source import load_sources, source_for_url

    body = file.read_bytes()
    source = None if generic or not url else source_for_url(url, load_sources())
    if source is None or source.kind != "benchmark":
        reading = read_prices(body, url=url, source=source)
        for claim in reading.claims:
            yield {
                "kind": "price",
                "model": claim.model_as_written,
                "model_id": claim.model_id_as_written,
                **claim.model_dump(
                    mode="json", exclude={"capture", "model_as_written", "model_id_as_written", "usd_per_mtok"}
                ),
            }
        if reading.claims or (source is not None):
            return
    from scraper.scores import read_scores

    scored = read_scores(body, url=url, source=source)
    for score in scored.claims:
        yield {
            "kind": "score",
            "model": score.model_as_written,
            **score.model_dump(mode="json", exclude={"capture", "model_as_written"}, exclude_none=True),
        }
    if not scored.claims and reading.failed:
        raise DataMissing(
            reading.failed, where=str(file), fix="check that this is the page and not a shell or a challenge."
        )


def match_names(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Answers in the order of the lines; a line is a JSON object with `name` and `source`, or a bare name."""
    from scraper.match import Matcher

    matcher = Matcher.from_package()
    for line in lines:
        if not line.strip():
            continue
        entry = json.loads(line) if line.lstrip().startswith("{") else {"name": line.strip()}
        found = matcher.match(str(entry.get("name", "")), source=str(entry.get("source", "")))
        yield {
            "name": entry.get("name"),
            "model": found.model_id,
            "price_ids": list(found.price_ids),
            "variant": found.variant,
            "proposals": list(found.proposals),
        }


def estimate_table(scores: Path, ask: Path, out: Path) -> None:
    """Read two CSV files, write the third: estimates with a 90 % interval in the order asked for."""
    from recommender.quality import estimate_cells

    with scores.open(newline="", encoding="utf-8") as f:
        known = list(csv.DictReader(f))
    with ask.open(newline="", encoding="utf-8") as f:
        wanted = [(row["model"], row["benchmark"]) for row in csv.DictReader(f)]
    answers = estimate_cells(known, wanted, level=0.9)
    with out.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["model", "benchmark", "estimate", "low90", "high90"])
        writer.writerows([*cell, a.value, a.low, a.high] for cell, a in zip(wanted, answers, strict=True))


def price_calls(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The price of each call, or why it has none; never 0 for unknown."""
    from recommender.cost import price_lines
    from scraper.genai import package_rates

    yield from price_lines(lines, package_rates())
