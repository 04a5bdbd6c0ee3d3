"""Read a source file: one YAML file a source, its id is the file's name, found by listing the folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from data.catalogue.reader import days_as_text
from data.errors import SourceError
from data.records import Record, SourceKind

FOLDER = Path(__file__).parent / "sources"


class Expect(Record):
    """What a good reading holds, checked on every run: a page that falls short has failed, it has not changed."""

    min_rows: int = 1
    models: tuple[str, ...] = ()  # names as written that must be there
    usd_per_mtok: tuple[float, float] = (0.0, 1000.0)  # sane range of a token price


class Hints(Record):
    """How this page differs from what generic reading would take it for. All optional, all declarative."""

    currency: str | None = None
    per: str | None = None
    sections: tuple[str, ...] = ()  # read only below headings that contain one of these
    skip_sections: tuple[str, ...] = ()


class Board(Record):
    """How a benchmark source names its scores. `columns` maps a column or key of the page to a benchmark id."""

    benchmark: str | None = None  # where the whole page is one benchmark
    metric: str = "score"
    headline: str | None = None  # the key or column that is the score, where there are several numbers
    name: str | None = None  # the key or column with the model's name
    columns: dict[str, str] = Field(default_factory=dict)
    all_columns: bool = False  # every numeric column is a benchmark of its own, named `prefix` + column
    prefix: str = ""
    self_reported: bool = False


class Source(Record):
    """One source of prices, scores or exchange rates."""

    id: str
    kind: SourceKind
    name: str
    url: str
    provider: str | None = None  # the provider of the endpoints it prices, in the spelling of genai-prices
    renderer: Literal["http", "browser", "package"] = "http"
    wait_for: str | None = None  # a CSS selector that proves the data is there (browser only)
    schedule: str = "daily"  # hourly, every 6h, daily, weekly
    verified: str = "never"  # the day of the capture it was last checked on by a person
    licence: str | None = None
    released: dict[str, str] = Field(default_factory=dict)  # version of a package -> the day it was published
    copies: tuple[str, ...] = ()  # sources it takes its figures from: no independent witness to them
    expect: Expect = Expect()
    read: Hints = Hints()
    board: Board | None = None


def load_source(path: Path) -> Source:
    """One source file. Raises SourceError with file, key and what is wrong."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        entry = days_as_text(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
        if not isinstance(entry, dict):
            raise SourceError("no keys in it.", where=str(path), fix="write kind, name and url.")
        return Source.model_validate({"id": path.stem, **entry})
    except YAMLError as error:
        raise SourceError(f"not readable as YAML: {error}", where=str(path), fix="mend the file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SourceError(
            f"{key}: {first['msg']}", where=str(path), fix="see scraper/source.py for the keys."
        ) from error


def load_sources(folder: Path = FOLDER) -> dict[str, Source]:
    """All sources by id, in order of id."""
    return {path.stem: load_source(path) for path in sorted(folder.glob("*.yaml"))}


def source_for_url(url: str, sources: dict[str, Source]) -> Source | None:
    """The source whose page this is: same host and path (query left out), or nobody."""
    asked = place_of(url)
    same = [s for s in sources.values() if place_of(s.url) == asked]
    return same[0] if len(same) == 1 else next((s for s in same if s.url == url), None)


def place_of(url: str) -> tuple[str, str]:
    """Host and path of a page, whichever of its twins (`.md`, `.md.txt`, `index.md`) is asked for."""
    parts = urlsplit(url)
    return parts.netloc, re.sub(r"(?:/index)?\.(?:md\.txt|md|html?)$", "", parts.path).rstrip("/")
