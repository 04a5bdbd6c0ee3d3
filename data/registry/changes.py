"""`key=value` on an entry, as if the file said so: for what a choice would be if the entry were another. No file is touched."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data.errors import UsageError
from data.registry.document import Document
from data.registry.expand import QUALITY, expanded

MERGED = ("traffic", "quality")  # a short form changes what it says and leaves the rest, as over `defaults`
Change = tuple[tuple[str, ...], Any]  # steps below the entry, and the value; None: as if nobody had written it


def read_change(text: str) -> Change:
    """`require.regions=[eu]` or `traffic=40k/day`; nothing after the `=` drops the key. Raises UsageError."""
    key, equals, value = text.partition("=")
    steps = tuple(s.strip() for s in key.split("."))
    fix = "write key=value with a key of use_cases.yaml, e.g. traffic=40k/day or require.regions= to drop it."
    if not equals or not all(steps):
        raise UsageError(f"{text!r} is no change.", where="--set", fix=fix)
    try:
        return steps, YAML(typ="safe", pure=True).load(io.StringIO(value)) if value.strip() else None
    except YAMLError:
        raise UsageError(f"cannot read the value of {text!r}.", where="--set", fix=fix) from None


def apply_changes(document: Document, slug: str, changes: Sequence[Change]) -> None:
    """Write the changes into the entry as read; a key that is dropped is dropped in `defaults` too, since both give a value."""
    for steps, value in changes:
        _write(document.tree["use_cases"], (slug, *steps), value)
        if value is None and isinstance(document.tree.get("defaults"), Mapping):
            _write(document.tree, ("defaults", *steps), None)


def _long(key: str, value: Any) -> dict[str, Any]:
    """A short form written out; nothing of what has no long one."""
    if key == "quality" and value not in QUALITY:
        return {}  # the loader says which there are
    long = expanded({key: value})[key] if value is not None else {}
    return dict(long) if isinstance(long, Mapping) else {}


def _write(node: Any, steps: Sequence[str], value: Any) -> None:
    *way, last = steps
    for step in way:
        inner = node.get(step)
        if not isinstance(inner, Mapping):
            if value is None and inner is None:
                return
            inner = node[step] = _long(step, inner)
        node = inner
    if value is None:
        node.pop(last, None)
    elif last in MERGED and isinstance(value, str) and isinstance(node.get(last), Mapping) and _long(last, value):
        node[last].update(_long(last, value))
    else:
        node[last] = value
