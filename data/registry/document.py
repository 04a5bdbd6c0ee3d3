"""One registry file as YAML 1.2 with the place of every key and value; dates stay text, equal keys are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent

from data.errors import Problem

LARGEST_BYTES = 1_000_000
MOST_BORROWED = 50_000  # values that aliases repeat; a few lines of aliases of aliases make billions
HUGE = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F]{25,}|0o[0-7]{25,}|[0-9_.]{25,})"
)  # no count, no money: it would end in a float's overflow
Steps = Sequence[str | int]


class _Text(RoundTripConstructor):
    """Keeps dates as they are written; a subclass, since constructors are shared by every loader of the process."""


def _as_text(loader: _Text, node: Any) -> str:
    return str(loader.construct_scalar(node))


_Text.add_constructor("tag:yaml.org,2002:timestamp", _as_text)


@dataclass(frozen=True)
class Document:
    """`tree` is None where the file could not be read; `problems` says why."""

    file: str
    tree: Any
    problems: tuple[Problem, ...] = ()

    def place(self, steps: Steps, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value (or the key) at a path; of the nearest parent where it is not there."""
        node, at = self.tree, (1, 1)
        for n, step in enumerate(steps):
            data = getattr(getattr(node, "lc", None), "data", None)
            if not data or step not in data:
                break
            spot = data[step]
            last = n == len(steps) - 1
            own = (last and key) or len(spot) < 4 or (node[step] is None and spot[2] != spot[0])  # nothing: at its key
            line, column = (spot[0], spot[1]) if own else (spot[2], spot[3])
            at = (line + 1, column + 1)
            node = node[step]
        return at

    def without(self, paths: Iterable[Steps]) -> Document:
        """A copy without what stands at these paths; every other place stays the same."""
        tree = deepcopy(self.tree)
        for steps in filter(None, paths):
            nodes = [tree]
            for step in steps[:-1]:
                nodes = [node[key] for node in nodes for key in _keys(node, step)]
            for node in nodes:
                for key in _keys(node, steps[-1]):
                    del node[key]
        return Document(self.file, tree)

    def problem(self, steps: Steps, code: str, message: str, fix: str, *, key: bool = False, name: str = "") -> Problem:
        line, column = self.place(steps, key=key)
        return Problem(self.file, line, column, name or dotted(steps), code, message, fix)


def _keys(node: Any, step: str | int) -> list[Any]:
    """The keys that are written so: 12, true and nothing are keys too in YAML, and a schema knows them as text."""
    return [k for k in node if str(k) == str(step)] if isinstance(node, dict) else []


def dotted(steps: Steps) -> str:
    """`use_cases.triage.decisions[0].model` without the leading `use_cases.`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text.removeprefix("use_cases.") or "use_cases"


def read_document(path: Path) -> Document:
    """Read one file. Unreadable files come back with a problem, never as an exception."""
    file = str(path)

    def failed(message: str, fix: str, line: int = 1, column: int = 1, key: str = "use_cases") -> Document:
        return Document(file, None, (Problem(file, line, column, key, "unreadable", message, fix),))

    try:
        body = path.read_bytes()
    except FileNotFoundError:
        return failed("the file is missing.", "write it (five lines a use case: README.md), or set UNDERCUT_REGISTRY.")
    except OSError as error:
        return failed(f"cannot be read ({error.strerror}).", "name a file that can be read.")
    if len(body) > LARGEST_BYTES:
        return failed(f"{len(body):,} bytes; a registry file has at most 1 MB.", "split it, one team one file.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return failed("not UTF-8 text.", "save it as UTF-8.")
    if old := re.search(r"(?m)^%YAML\s+(?!1\.2\s*$)\S+", text):
        return failed(f"{old.group(0)} is not read: no and yes would be no words.", "drop the line; files are YAML 1.2.", text.count("\n", 0, old.start()) + 1)  # fmt: skip
    yaml = YAML(typ="rt")
    yaml.Constructor = _Text
    try:
        if unread := _unread(text):
            return failed(*unread)
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        return _marked(file, error, text)
    except (YAMLError, ValueError, RecursionError) as error:
        return failed(f"not readable as YAML: {str(error).splitlines()[0]}", "mend the file.")
    if not isinstance(tree, dict):
        return failed(
            "no use cases in it.", "write use_cases: and a slug with task, model, traffic and tokens below it."
        )
    return Document(file, tree)


def _unread(text: str) -> tuple[str, str, int] | None:
    """What is YAML and not read here: a tag, an alias within its own anchor, more aliases than a person writes. Message, fix, line.

    Asked of the parser's events, before anything is built: aliases are followed only on paper.
    """
    sizes: dict[str, int] = {}  # values below an anchor, aliases followed
    stack: list[
        tuple[str | None, int]
    ] = []  # of the maps and lists that are open: anchor, and the count when they began
    count = borrowed = 0
    for event in YAML(typ="rt").parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            if any(anchor == event.anchor for anchor, _ in stack):
                return f"*{event.anchor} stands within itself.", "write the value.", line
            borrowed += sizes.get(event.anchor, 0)
            count += sizes.get(event.anchor, 0)
            if borrowed > MOST_BORROWED:
                return (
                    f"aliases repeat more than {MOST_BORROWED:,} values.",
                    "write use cases out, or use defaults.",
                    line,
                )
        elif isinstance(event, NodeEvent):  # a value, a map or a list
            if (written := getattr(event, "tag", None)) is not None:
                tag = str(written).replace("tag:yaml.org,2002:", "!!")
                return f"tags such as {tag} are not read.", "write the plain value.", line
            count += 1
            if isinstance(event, ScalarEvent) and not event.style and HUGE.fullmatch(event.value):
                return f"a number of {len(event.value)} digits.", "write one that can be meant.", line
            if isinstance(event, CollectionStartEvent):
                stack.append((event.anchor, count - 1))
            elif event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, CollectionEndEvent):
            anchor, before = stack.pop()
            if anchor:
                sizes[anchor] = count - before
    return None


def _marked(file: str, error: MarkedYAMLError, text: str) -> Document:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = (error.problem or "not readable as YAML").strip()
    doubled = re.search(r'found duplicate key "([^"]+)"', said)
    if doubled:
        name = doubled.group(1)
        lines, start = text.splitlines(), error.context_mark.line if error.context_mark else line - 1
        again = re.compile(rf"\s{{{column - 1}}}[\"']?{re.escape(name)}[\"']?\s*:")
        first = next((n for n in range(start, line - 1) if again.match(lines[n])), start) + 1
        inside = dotted(_above(lines, line, column - 1))
        message = f'"{name}" again, first on line {first}.'
        return Document(file, None, (Problem(file, line, column, inside, "duplicate", message, "keep one."),))
    return Document(file, None, (Problem(file, line, column, "use_cases", "unreadable", f"{said}.", "mend the YAML."),))


def _above(lines: Sequence[str], line: int, indent: int) -> list[str]:
    """The keys that a line of a block stands under, outermost first."""
    found: list[str] = []
    for text in reversed(lines[:line]):
        key = re.match(r"( *)[\"']?([^\s\"'#:-][^:\"']*)[\"']?\s*:", text)
        if key and len(key.group(1)) < indent:
            found.insert(0, key.group(2))
            indent = len(key.group(1))
    return found
