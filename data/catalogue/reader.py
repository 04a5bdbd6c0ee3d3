"""The YAML files of this folder -> records. Errors name file, key and fix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from data.errors import SourceError
from data.records import Endpoint, Model

HERE = Path(__file__).parent
T = TypeVar("T", Model, Endpoint)
PATTERN = re.compile(r"[*?\[]")


FIELDS = (
    "retires_on",
    "retention",
    "precision",
    "regions",
    "context_tokens",
    "max_output_tokens",
    "features",
    "params",
)


ABILITIES = ("retention", "precision", "regions", "max_output_tokens", "features", "params")


@dataclass(frozen=True)
class PageFact:
    """One fact that a page states. `endpoint`: a price id, or a pattern of ids; `field`: of the record, or `features.x`."""

    endpoint: str
    field: str
    value: Any
    link: str
    checked_on: str


@dataclass(frozen=True)
class Catalogue:
    """`aliases` in lower case -> a name that resolves. `families` word -> maker. `hosts` maker -> its own hosts.

    `tiers` word -> the family that it implies; `links` model or endpoint -> the page to check its facts against.
    """

    models: dict[str, Model]
    endpoints: dict[str, Endpoint]
    aliases: dict[str, str]
    families: dict[str, str]
    hosts: dict[str, frozenset[str]]
    tiers: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    facts: tuple[PageFact, ...] = ()

    @cached_property
    def _pages(self) -> tuple[list[PageFact], dict[str, list[PageFact]]]:
        """Facts of patterns, and those of exact ids by id."""
        exact: dict[str, list[PageFact]] = {}
        for f in self.facts:
            if not PATTERN.search(f.endpoint):
                exact.setdefault(f.endpoint, []).append(f)
        return [f for f in self.facts if PATTERN.search(f.endpoint)], exact

    def pages_of(self, endpoint_id: str) -> tuple[PageFact, ...]:
        """Every dated fact of an endpoint, patterns before exact ids."""
        patterns, exact = self._pages
        return (*(f for f in patterns if fnmatchcase(endpoint_id, f.endpoint)), *exact.get(endpoint_id, ()))

    def facts_of(self, endpoint_id: str) -> dict[str, Any]:
        """What pages state of an endpoint, as fields of its record; an exact id wins over a pattern."""
        out: dict[str, Any] = {}
        for f in self.pages_of(endpoint_id):
            head, _, name = f.field.partition(".")
            out[head] = {**out.get(head, {}), name: f.value} if name else f.value
        return out

    def kept_of(self, endpoint_id: str) -> dict[str, Any]:
        """All that is believed by hand: what pages state, and of an entry that nobody compared with its page no ability."""
        entry, pages = self.endpoints.get(endpoint_id), self.pages_of(endpoint_id)
        out: dict[str, Any] = entry.model_dump(exclude_unset=True, exclude={"provider", "endpoint_id"}) if entry else {}
        if entry and entry.checked_on is None:
            out = {name: value for name, value in out.items() if name not in ABILITIES}
        for name, value in self.facts_of(endpoint_id).items():
            out[name] = {**out.get(name, {}), **value} if isinstance(value, dict) else value
        if pages:
            leaves = [f for f in pages if f.field == "retires_on"]
            told = (leaves or sorted(pages, key=lambda f: f.checked_on))[0]
            out |= {"link": told.link, "checked_on": told.checked_on}
        return out

    def own_hosts(self, maker: str) -> frozenset[str]:
        return self.hosts.get(maker, frozenset())

    def maker_of(self, price_ids: Sequence[str]) -> str:
        """The maker of a model by its family word, else the vendor a host writes before it, else the host."""
        for price_id in sorted(price_ids, key=len):
            tail = price_id.partition(":")[2].rsplit("/", 1)[-1].casefold()
            words = re.findall(r"[a-z]+\d?", tail)
            makers = [self.families.get(w) or self.families.get(w.rstrip("0123456789")) for w in words]
            named = [m for m in makers if m]
            if named:  # llama-3.1-nemotron is NVIDIA's: a base family gives way to the one that tuned it
                return next((m for m in named if named[0] == "meta" and m != "meta"), named[0])
        provider, _, path = min(price_ids, key=len).partition(":")
        return path.split("/")[-2].casefold() if "/" in path else provider


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """All facts kept by hand; the package's own are read once a process. Raises SourceError with file, key and what is wrong."""
    return _read(folder) if folder else _packaged()


@cache
def _packaged() -> Catalogue:
    return _read(HERE)


def _read(folder: Path) -> Catalogue:
    makers = read_yaml(folder / "makers.yaml")
    links: dict[str, str] = {}
    return Catalogue(
        models=_records(folder / "models.yaml", Model, "model_id", links),
        endpoints=_records(folder / "endpoints.yaml", Endpoint, "endpoint_id", links),
        aliases={str(k).casefold(): str(v) for k, v in read_yaml(folder / "aliases.yaml").items()},
        families={str(f): str(m) for m, entry in makers.items() for f in entry["families"]},
        hosts={str(m): frozenset(map(str, entry["providers"])) for m, entry in makers.items()},
        tiers={str(t): str(entry["families"][0]) for entry in makers.values() for t in entry.get("tiers", ())},
        links=links,
        facts=_page_facts(folder / "pages.yaml"),
    )


def _page_facts(path: Path) -> tuple[PageFact, ...]:
    out: list[PageFact] = []
    for page, entry in read_yaml(path).items() if path.exists() else ():
        link, day = str(entry.get("link", "")), str(entry.get("checked_on", ""))
        if not link.startswith("https://") or not re.fullmatch(r"20\d\d-\d\d-\d\d", day) or not entry.get("by"):
            raise SourceError(
                f"{page}: no link, day or word on how it was compared.",
                where=str(path),
                fix="add link, checked_on and by.",
            )
        for fact, said in entry.items():
            if fact in ("link", "checked_on", "by"):
                continue
            head, _, name = fact.partition(".")
            if head not in FIELDS or bool(name) != (head in ("features", "params")) or not isinstance(said, dict):
                raise SourceError(f"{page}.{fact}: no such fact.", where=str(path), fix=f"one of {', '.join(FIELDS)}.")
            for endpoint, value in said.items():
                try:
                    Endpoint.model_validate(
                        {"endpoint_id": endpoint, "provider": "x", head: {name: value} if name else value}
                    )
                except ValidationError as error:
                    said_why = error.errors()[0]["msg"]
                    raise SourceError(
                        f"{page}.{fact}.{endpoint}: {said_why}", where=str(path), fix="see data/records."
                    ) from error
                out.append(PageFact(endpoint, fact, value, link, day))
    return tuple(out)


def read_yaml(path: Path) -> dict[str, Any]:
    """One YAML map; days stay text. Raises SourceError where it is no map."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except (YAMLError, OSError) as error:
        raise SourceError(f"not readable: {error}", where=str(path), fix="mend the file.") from error
    if not isinstance(found, dict):
        raise SourceError("not a map.", where=str(path), fix="write key: value pairs.")
    plain = days_as_text(found)
    assert isinstance(plain, dict)
    return plain


def _records(path: Path, kind: type[T], key: str, links: dict[str, str]) -> dict[str, T]:
    out: dict[str, T] = {}
    separator = "/" if kind is Model else ":"
    for name, entry in read_yaml(path).items():
        head, found, tail = name.partition(separator)
        if not (head and found and tail) or not isinstance(entry, dict):
            raise SourceError(f"{name}: not {key}: facts.", where=str(path), fix=f"write x{separator}y: {{...}}.")
        facts = dict(entry)
        if not str(facts.get("link", "")).startswith("https://"):
            raise SourceError(
                f"{name}.link: no page to check it against.", where=str(path), fix="add link: https://..."
            )
        links[name] = str(facts.pop("link") if kind is Model else facts["link"])
        stated: Mapping[str, Any] = {"maker": head, "name": tail} if kind is Model else {"provider": head}
        try:
            out[name] = kind.model_validate({key: name, **stated, **facts})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(p) for p in first["loc"])
            raise SourceError(f"{name}.{where}: {first['msg']}", where=str(path), fix="see data/records.") from error
    return out


def days_as_text(value: object) -> object:
    """YAML reads a bare 2026-11-10 as a date; our records keep days as text, and keys are text."""
    if isinstance(value, dict):
        return {str(k): days_as_text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [days_as_text(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value
