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


class Scored(Record):
    """One field of a page that is a score, and what the number means. Fields are columns, or paths as `results/retail/pass_1`."""

    benchmark: str  # `{0}`: a key on the way to the row; `{field}`: what the row states; `{part}`: a part of the name
    metric: str = "score"
    scale: Literal["percent", "raw", "elo"] = "percent"
    lower_is_better: bool = False
    times: float = 1.0  # 100 where the page states shares of one
    low: str | None = None  # fields with the ends of the interval
    high: str | None = None
    interval: str | None = None  # one field with both ends: `3.4..3.6`
    error: str | None = None  # field with the standard error; the interval is 1.96 of it either way
    cost: str | None = None  # field with the US dollars of the whole run
    tokens: str | None = None  # field with the output tokens of the whole run
    each: bool = False  # cost and tokens are of one item; without a number of items they stay unknown
    items: int | None = None
    count: str | None = None  # field with the number of items, where it differs from row to row


class Board(Record):
    """How a benchmark source names its scores. `columns` maps a column or key of the page to a benchmark id."""

    benchmark: str | None = None  # where the whole page is one benchmark
    metric: str = "score"
    headline: str | None = None  # the key or column that is the score, where there are several numbers
    name: str | None = None  # the key or column with the model's name; `*`: the key of the row itself
    columns: dict[str, str] = Field(default_factory=dict)
    all_columns: bool = False  # every numeric column is a benchmark of its own, named `prefix` + column
    prefix: str = ""
    known: tuple[str, ...] = ()  # benchmarks that panes or columns of the page name; others are kept out
    self_reported: bool = False
    boards: dict[str, Scored] = Field(default_factory=dict)  # field -> the score it holds; read by scraper/boards.py
    rows: str | None = None  # way to the rows in data: `leaderboards/*name/results`, `*` any key, `*name` its `name`
    files: tuple[str, ...] = ()  # tables of a ZIP archive that are read; `{0}` is the file's name
    literal: str | None = None  # the variable of a script that holds the table as text
    sections: tuple[str, ...] = ()  # only tables below a heading that contains one of these
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # field -> the values that a row must have
    skip: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # field -> values of rows that are no models
    settings: dict[str, str] = Field(default_factory=dict)  # field -> setting of the run: effort, thinking, harness
    parts: str | None = None  # a pattern with named groups, found in the name; its groups may stand in `benchmark`
    date: str | None = None  # field with the day of the evaluation
    independent: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # values that mark what the makers did not run


class Gather(Record):
    """A source in several files of one host: a list of names, or numbered pages. `{}` in `each` is the name or the offset."""

    each: str
    names: str | None = None  # way to the list of names in the document at `url`
    step: int = 100
    most: int = 100  # files at most


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
    gather: Gather | None = None
    key_env: str | None = None  # environment variable with the reader's own key; without it the source is left alone
    key_header: str | None = None
    live_only: bool = False  # its terms forbid passing the figures on: never in the seed


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
