"""The shipped scores as sources: a capture for each, and a claim for every row. Reads only files of the project."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from data.catalogue.reader import read_yaml
from data.errors import SourceError
from data.records import Benchmark, Capture, ScoreClaim
from data.tasks import load_benchmarks

Row = dict[str, str]
SEED = Path(__file__).parents[1] / "data" / "seed"


@dataclass(frozen=True)
class Stated:
    source_id: str
    claim: ScoreClaim


@dataclass(frozen=True)
class SeedReading:
    """`body` is the unpacked table that every claim's quote and locator (`line N`) lead back to."""

    captures: tuple[Capture, ...]
    body: bytes
    stated: tuple[Stated, ...]
    benchmarks: tuple[Benchmark, ...]


@dataclass(frozen=True)
class Release:
    model_as_written: str
    released_on: str
    open_weights: bool | None


@cache
def load_seed(folder: Path = SEED) -> SeedReading:
    """All shipped scores. Raises SourceError where the files are missing or do not fit each other."""
    try:
        body = gzip.decompress((folder / "scores.csv.gz").read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"the shipped scores cannot be read ({error}).", where=str(folder), fix="reinstall."
        ) from error
    sources = read_yaml(folder / "sources.yaml")["ship"]
    sha = hashlib.sha256(body).hexdigest()
    lines = body.decode().splitlines()
    stated = []
    scales: dict[str, Row] = {}
    for n, r in enumerate(csv.DictReader(lines), 2):
        if r["source_id"] not in sources:
            raise SourceError(
                f"no source {r['source_id']!r}.", where=f"scores.csv.gz, line {n}", fix="python -m jobs.seed CORPUS"
            )
        if r["benchmark"] not in scales or r["n_items"]:
            scales[r["benchmark"]] = r
        stated.append(Stated(r["source_id"], _claim(r, sha, lines[n - 1], n)))
    captures = tuple(_capture(s, entry, sha, len(body)) for s, entry in sorted(sources.items()))
    return SeedReading(captures, body, tuple(stated), _benchmarks(scales, sources))


def load_releases(folder: Path = SEED) -> tuple[Release, ...]:
    """Release days and openness of models, names as written."""
    with (folder / "released.csv").open(encoding="utf-8", newline="") as f:
        return tuple(
            Release(r["model_as_written"], r["released_on"], {"1": True, "0": False}.get(r["open_weights"]))
            for r in csv.DictReader(f)
        )


def load_first_seen(folder: Path = SEED) -> dict[str, date]:
    """Price id -> the first day its catalogue listed it."""
    with (folder / "first_seen.csv").open(encoding="utf-8", newline="") as f:
        return {r["endpoint_id"]: date.fromisoformat(r["first_seen_on"]) for r in csv.DictReader(f)}


def _claim(r: dict[str, str], sha: str, line: str, number: int) -> ScoreClaim:
    return ScoreClaim.model_construct(
        capture=sha,
        model_as_written=r["model_as_written"],
        benchmark=r["benchmark"],
        metric=r["metric"],
        value=float(r["value"]),
        low=float(r["low"]) if r["low"] else None,
        high=float(r["high"]) if r["high"] else None,
        n_items=int(float(r["n_items"])) if r["n_items"] else None,
        variant=r["setting"],
        cost_usd=float(r["cost_usd"]) if r["cost_usd"] else None,
        output_tokens=float(r["output_tokens"]) if r["output_tokens"] else None,
        evaluated_on=r["evaluated_on"] or None,
        self_reported=r["self_reported"] == "1",
        quote=line,
        locator=f"line {number}",
    )


def _capture(source_id: str, entry: dict[str, str], sha: str, size: int) -> Capture:
    day = datetime.fromisoformat(entry["as_of"]).replace(tzinfo=UTC)
    return Capture(
        source_id=source_id,
        url=entry["link"],
        fetched_at=day,
        sha256=sha,
        bytes=size,
        renderer="file",
        outcome="new",
        as_of=day,
    )


def _benchmarks(scales: dict[str, Row], sources: dict[str, Any]) -> tuple[Benchmark, ...]:
    """What a score on each means: as kept by hand, else as its rows and source state.

    Raises SourceError where the two disagree on scale or direction: a score must not be read upside down.
    """
    by_hand, out = load_benchmarks(), []
    for key, r in sorted(scales.items()):
        items = int(float(r["n_items"])) if r["n_items"] else None
        stated = Benchmark.model_validate(
            {
                "benchmark": key,
                "name": key,
                "scale": r["scale"],
                "higher_is_better": r["higher_is_better"] == "1",
                "cluster": _cluster(key, sources[r["source_id"]]),
                "link": sources[r["source_id"]]["link"],
                "n_items": items,
            }
        )
        kept = by_hand.get(key, stated)
        same_scale = (kept.scale == "percent") == (
            stated.scale == "percent"
        )  # which raw scale it is, the catalogue says
        if not same_scale or kept.higher_is_better != stated.higher_is_better:
            raise SourceError(
                f"{key}: the shipped rows say {stated.scale}, higher is better {stated.higher_is_better}.",
                where="data/catalogue/benchmarks.yaml",
                fix="write what the rows say.",
            )
        out.append(kept.model_copy(update={"n_items": kept.n_items or items}))
    return tuple(out)


def _cluster(key: str, source: dict[str, Any]) -> str:
    """The test without who ran it and in which version: the same test under two ids is no second witness."""
    return str(source.get("cluster") or key.partition("@")[0].removeprefix(source.get("prefix", "")))
