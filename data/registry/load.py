"""Registry files -> UseCase records, or every problem of every file at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from data.errors import Problem, RegistryError
from data.records import PRECISION_RANK, EndpointChoice, UseCase
from data.registry.build import build
from data.registry.changes import Change, apply_changes
from data.registry.check import faults, schema
from data.registry.document import Document, dotted, read_document
from data.registry.expand import expanded, merged
from data.registry.sense import senseless
from data.tasks import load_tasks

REOPEN = re.compile(
    rf"(region \S+ available|feature \S+ available|param \S+ accepted|retention zero|precision=({'|'.join(PRECISION_RANK)})|evidence=[A-D]|"
    r"p_ok>=0?\.\d+|saving_month>=\d+|price_drop>=0?\.\d+)"
)
Steps = list[str | int]


class Resolved(Protocol):
    """What a resolver answers: exactly one endpoint, or the ones it could be."""

    @property
    def model_id(self) -> str | None: ...
    @property
    def endpoint_ids(self) -> tuple[str, ...]: ...
    @property
    def proposals(self) -> tuple[str, ...]: ...


Resolves = Callable[[str, str | None, str | None], Resolved]


@dataclass(frozen=True)
class Team:
    name: str
    channel: str | None = None
    parent: str | None = None  # gets this team's figures in its roll-up


@dataclass(frozen=True)
class Registry:
    """Use cases in file order. `warnings` do not stop anything. `part`: named for one run; what is not in it stays registered."""

    use_cases: tuple[UseCase, ...]
    warnings: tuple[Problem, ...] = ()
    part: bool = False
    teams: tuple[Team, ...] = ()

    def under(self, name: str) -> frozenset[str]:
        """The team and every one below it."""
        found, grown = frozenset[str](), frozenset({name})
        while grown != found:
            found, grown = grown, grown | {t.name for t in self.teams if t.parent in grown}
        return found


def load_registry(
    paths: Sequence[Path], resolve: Resolves, *, changes: Mapping[str, Sequence[Change]] | None = None
) -> Registry:
    """Load files in the order given. Raises RegistryError with every problem of all of them.

    `resolve(name, via, region)` says which endpoint a model is; the loader itself knows no model. `changes`: by slug,
    what to read as if the file said so.
    """
    registry, problems = read_registry(paths, resolve, changes=changes)
    if problems:
        raise RegistryError(problems)
    return registry


def read_registry(
    paths: Sequence[Path], resolve: Resolves, *, changes: Mapping[str, Sequence[Change]] | None = None
) -> tuple[Registry, list[Problem]]:
    """The use cases without a fault, and every problem of all files. What a fault hides is looked at as far as it can be: of a
    file with a key that cannot be read, all others are."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    loaded: list[UseCase] = []
    documents: list[Document] = []
    seen: dict[str, str] = {}
    if not paths:
        raise RegistryError([Problem("use_cases.yaml", 1, 1, "use_cases", "unreadable", "no file fits.", "name one.")])
    for path in paths:
        document = read_document(path)
        if document.problems:
            problems.extend(document.problems)
            continue
        for slug, said in (changes or {}).items():
            if slug in document.tree["use_cases"]:
                apply_changes(document, slug, said)
        own, wrong = faults(document)
        document = document.without(wrong) if wrong else document
        documents.append(document)
        own += senseless(document)
        for slug in document.tree.get("use_cases") or ():
            if slug in seen:
                what = f'"{slug}" is also in {seen[slug]}.'
                own.append(document.problem(["use_cases", slug], "twice", what, "keep one.", key=True))
            seen.setdefault(slug, document.file)
            case = _use_case(document, slug, resolve, own, warnings, wrong)
            if case is not None:
                loaded.append(case)
        problems.extend(sorted(own, key=lambda p: (p.line, p.column)))
    teams = _teams(documents)
    warnings.extend(_parent_faults(documents, teams))
    return Registry(tuple(loaded), tuple(warnings), teams=tuple(teams.values())), problems


def _teams(documents: Iterable[Document]) -> dict[str, Team]:
    """Teams of all files; of one that several declare, the first channel and the first parent."""
    found: dict[str, Team] = {}
    for document in documents:
        for written, said in (document.tree.get("teams") or {}).items():
            name = str(written)
            known = found.get(name, Team(name))
            found[name] = Team(name, known.channel or said.get("channel"), known.parent or said.get("parent"))
    return found


def _parent_faults(documents: Iterable[Document], teams: Mapping[str, Team]) -> Iterable[Problem]:
    """A parent that gets no roll-up, because nobody declared it, it has no channel, or it stands below the team itself."""
    import difflib

    for document in documents:
        for name, said in (document.tree.get("teams") or {}).items():
            parent = said.get("parent")
            if parent is None:
                continue
            steps: Steps = ["teams", name, "parent"]
            if parent not in teams:
                near = difflib.get_close_matches(parent, teams, n=1)
                fix = f'write "{near[0]}".' if near else f'add teams: {{{parent}: {{channel: "#…"}}}}.'
                yield document.problem(steps, "team", f'team "{parent}" is declared nowhere: it gets no roll-up.', fix)
            elif teams[parent].channel is None:
                what = f'team "{parent}" has no channel: it gets no roll-up.'
                yield document.problem(steps, "team", what, 'add its channel: "#…".')
            elif str(name) in _above(parent, teams):
                what = f'team "{parent}" is also below "{name}": both get the same roll-up.'
                yield document.problem(steps, "team", what, "let one of them be the parent.")


def _above(name: str, teams: Mapping[str, Team]) -> set[str]:
    """The team and every one above it."""
    found: set[str] = set()
    while name in teams and name not in found:
        found.add(name)
        name = teams[name].parent or ""
    return found


def _use_case(
    document: Document,
    slug: Any,
    resolve: Resolves,
    problems: list[Problem],
    warnings: list[Problem],
    wrong: Sequence[Sequence[str | int]] = (),
) -> UseCase | None:
    """The use case, without what is `wrong` and left out; None where too little is left, or a fault was found here."""
    here: Steps = ["use_cases", slug]
    own = expanded(document.tree["use_cases"][slug])
    defaults = expanded(document.tree.get("defaults") or {})
    entry = merged(defaults, own)
    before = len(problems)
    if entry.get("task"):
        problems.extend(_task_faults(document, here, entry))
    problems.extend(_ruling_faults(document, here, entry))
    choices = [([*here, "model"], entry["model"])] if "model" in entry else []
    choices += [
        ([*here, "fallbacks", n], expanded({"model": m})["model"]) for n, m in enumerate(entry.get("fallbacks") or ())
    ]
    resolved = [_model(document, steps, choice, resolve, problems) for steps, choice in choices]
    hidden = any(_hides_channel(slug, [str(step) for step in steps]) for steps in wrong)
    team, channel = (None, "") if hidden else _channel(document, here, entry, problems, warnings)
    current, *fallbacks = resolved or [None]
    if len(problems) > before or current is None or not _whole(entry):
        return None
    origins = dict(_origins(document, here, own, defaults))
    if team and "channel" not in entry:
        origins["channel"] = "team"
    if team and team.get("contacts"):
        origins["contacts"] = "team"
    warnings.extend(_unkept(document, here, entry))
    chosen = tuple(f for f in fallbacks if f is not None)
    return build(str(slug), entry, current, chosen, channel, team, origins)


def _hides_channel(slug: Any, left_out: Sequence[str]) -> bool:
    """Was that left out from which the use case's channel is read?"""
    match left_out:
        case ["teams", *_] | ["defaults"] | ["defaults", "channel" | "team"]:
            return True
        case ["use_cases", name, "channel" | "team"]:
            return name == str(slug)
    return False


def _whole(entry: Mapping[str, Any]) -> bool:
    """Has it what a use case cannot be without?"""
    traffic, tokens = entry.get("traffic") or {}, entry.get("tokens") or {}
    return bool(entry.get("task")) and "calls" in traffic and {"in", "out"} <= {*tokens}


def _unkept(document: Document, here: Steps, entry: Mapping[str, Any]) -> Iterable[Problem]:
    """What is read and has no effect: said, so that nobody counts on it."""
    prompt = [c for c in entry.get("caches") or () if c.get("kind", "prompt") == "prompt"]
    if prompt and not (entry.get("tokens") or {}).get("cached"):
        said = (
            "a prompt cache is declared, and tokens.cached says that nothing is read from it: its price is not counted."
        )
        yield document.problem([*here, "caches"], "unkept", said, "give the share of prompt tokens in tokens.cached.")


def _task_faults(document: Document, here: Steps, entry: Mapping[str, Any]) -> Iterable[Problem]:
    import difflib

    known = load_tasks()
    for task in entry["task"]:
        if task not in known:
            near = difflib.get_close_matches(str(task), known, n=1)
            fix = f"{near[0]}." if near else f"one of {', '.join(known)}."
            yield document.problem([*here, "task"], "task", f'no task "{task}".', fix)
    total = sum(float(w) for w in entry["task"].values())
    if abs(total - 1) > 1e-6:
        yield document.problem([*here, "task"], "weights", f"weights add up to {total:g}.", "make them add up to 1.")


def _ruling_faults(document: Document, here: Steps, entry: Mapping[str, Any]) -> Iterable[Problem]:
    for n, ruling in enumerate(entry.get("decisions") or ()):
        said = ruling.get("reopen_if")
        if said is not None and not all(REOPEN.fullmatch(part.strip()) for part in str(said).split(" and ")):
            steps = [*here, "decisions", n, "reopen_if"]
            yield document.problem(steps, "reopen_if", f'cannot read "{said}".', 'e.g. "region eu available".')


def _channel(
    document: Document, here: Steps, entry: Mapping[str, Any], problems: list[Problem], warnings: list[Problem]
) -> tuple[dict[str, Any] | None, str]:
    name = entry.get("team")
    team = (document.tree.get("teams") or {}).get(name) if name else None
    channel = entry.get("channel") or (team or {}).get("channel")
    if name and team is None and channel:
        fix = f"add teams: {{{name}: {{channel: …}}}}, or drop it."
        warnings.append(document.problem([*here, "team"], "team", f'team "{name}" is not declared in this file.', fix))
    if not channel:
        what = f'no channel, and its team "{name}" has none.' if name else "no channel."
        problems.append(document.problem(here, "channel", what, 'add channel: "#…".', key=True))
    return (dict(team) if team else None), str(channel or "")


def _model(
    document: Document, steps: Steps, entry: Mapping[str, Any], resolve: Resolves, problems: list[Problem]
) -> EndpointChoice | None:
    name, via, region = str(entry["id"]), entry.get("via"), entry.get("region", "global")
    found = resolve(name, via, region)
    at = [*steps, "id"] if "id" in (_value(document, steps) or ()) else steps
    if len(found.endpoint_ids) == 1 and found.model_id:
        return EndpointChoice(
            written=name,
            model_id=found.model_id,
            endpoint_id=found.endpoint_ids[0],
            via=via,
            region=entry.get("region"),
            tier=entry.get("tier", "standard"),
            effort=entry.get("effort"),
            private_price=dict(entry.get("price") or {}),
            discount_share=entry.get("discount", 0),
        )
    if found.model_id is None:
        near = ", ".join(found.proposals[:3])
        fix = (
            f"nearest names are {near}; a new name goes into the catalogue."
            if near
            else "write it as undercut match knows it."
        )
        problems.append(document.problem(at, "model", f"{name} is not in the catalogue.", fix))
    elif not found.endpoint_ids:
        where = f" via {via}" if via else ""
        region_text = f" in {region}" if region not in (None, "global") else ""
        problems.append(
            document.problem(at, "model", f"no price for {name}{where}{region_text}.", f"priced as {_some(found.model_id, found.proposals)}.")
        )  # fmt: skip
    else:
        what = f'"{name}" fits {len(found.endpoint_ids)} endpoints.'
        problems.append(document.problem(at, "model", what, f"one of {_some(found.model_id, found.endpoint_ids)}."))
    return None


def _some(model_id: str | None, endpoint_ids: Sequence[str], most: int = 4) -> str:
    return ", ".join(_ways(str(model_id), endpoint_ids)[:most]) + (", …" if len(endpoint_ids) > most else "")


def _ways(model_id: str, endpoint_ids: Sequence[str]) -> list[str]:
    """How the registry writes each endpoint: model, host and region; the price id where these still fit several."""
    places = [i.partition(":")[0] + i.partition("@")[1] + i.partition("@")[2] for i in endpoint_ids]
    ways = []
    for endpoint, place in zip(endpoint_ids, places, strict=True):
        host, _, region = place.partition("@")
        own = model_id.startswith(f"{host}/")
        where = ("" if own else f", via: {host}") + (f", region: {region}" if region else "")
        if places.count(place) > 1:
            ways.append(endpoint)
        elif not where:
            ways.append(model_id)
        elif region and any(way.startswith(f"{{id: {model_id}, via: {host}, ") for way in ways):
            ways.append(f"{{… region: {region}}}")
        else:
            ways.append(f"{{id: {model_id}{where}}}")
    return ways


def _value(document: Document, steps: Steps) -> Any:
    node = document.tree
    for step in steps:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node if isinstance(node, Mapping) else None


def _origins(
    document: Document, here: Steps, own: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterable[tuple[str, str]]:
    """Dotted key of the registry -> where its effective value stands."""
    for prefix, steps, values in (("defaults ", ["defaults"], defaults), ("", here, own)):
        for path in _leaves(values):
            line, _ = document.place([*steps, *path])
            yield dotted(path), f"{prefix}{document.file}:{line}"


def _leaves(values: Mapping[str, Any], at: tuple[str | int, ...] = ()) -> Iterable[tuple[str | int, ...]]:
    """Paths of all values, and of each item of a list."""
    for key, value in values.items():
        if isinstance(value, Mapping) and key not in ("task",):
            yield from _leaves(value, (*at, str(key)))
        else:
            yield (*at, str(key))
            if isinstance(value, list):
                for n in range(len(value)):
                    yield (*at, str(key), n)


__all__ = ["Registry", "Resolved", "Resolves", "Team", "load_registry", "read_registry", "schema"]
