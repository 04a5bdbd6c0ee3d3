"""A document against the JSON Schema: every fault once, in the words of a person, with the fix."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from data.errors import Problem
from data.registry.document import Document, Steps, dotted

SCHEMA = Path(__file__).parents[1] / "use_cases.schema.json"
RATE = "calls and period, e.g. 20k/day."
EXAMPLES = {
    "task": "task: classification",
    "model": "model: openai/gpt-4o",
    "traffic": "traffic: 20k/day",
    "tokens": "tokens: {in: 900, out: 40}",
    "in": "tokens: {in: 900, out: 40}",
    "out": "tokens: {in: 900, out: 40}",
    "calls": "traffic: {calls: 20k/day}",
    "id": "model: {id: openai/gpt-4o}",
    "p50": "tokens: {in: {p50: 3200, p95: 9000}, out: 40}",
    "use_cases": "use_cases: and a slug below it",
}


@cache
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


def faults(document: Document) -> tuple[list[Problem], list[Steps]]:
    """(every fault of the shape, in file order; the keys to leave out so that the rest has a right shape).

    A fault seen twice (through anyOf or allOf) is told once.
    """
    from jsonschema import Draft202012Validator, FormatChecker

    checker = Draft202012Validator(schema(), format_checker=FormatChecker(["date"]))
    errors = list(checker.iter_errors(_plain(document.tree)))
    found = [p for error in errors for p in _told(document, error)]

    kept: dict[tuple[int, int, str], Problem] = {}
    for p in sorted(found, key=lambda p: (p.line, p.column)):
        if p.code == "missing" and _hides(p, found):
            continue
        kept.setdefault((p.line, p.column, p.message if p.code == "missing" else ""), p)
    return list(kept.values()), [steps for error in errors for steps in _wrong(error)]


def _wrong(error: Any) -> Iterator[Steps]:
    """What to leave out: an unknown key alone, else the whole key of the entry that a fault is in. An entry that only lacks
    one stays."""
    steps = list(error.absolute_path)
    if error.validator == "additionalProperties" and len(steps) <= 3:
        yield from ([*steps, name] for name in set(error.instance) - set(error.schema.get("properties", ())))
    elif error.validator == "required" and len(steps) <= 2:
        return
    elif "propertyNames" not in error.schema_path:  # a slug that is none: what stands below it is looked at
        yield steps[: 2 if steps[:1] == ["defaults"] else 3]


def _hides(missing: Problem, found: list[Problem]) -> bool:
    """A misspelt key that stands for the missing one: one message is enough."""
    name = re.match(r'"(\w+)" is missing', missing.message)
    return name is not None and any(
        p.code == "unknown" and p.key == missing.key and p.fix == f'write "{name.group(1)}".' for p in found
    )


def _told(document: Document, error: Any) -> Iterator[Problem]:
    steps = list(error.absolute_path)
    match error.validator:
        case "anyOf" | "oneOf":
            for inner in _closest(error):
                yield from _told(document, inner)
        case "additionalProperties":
            for name in sorted(set(error.instance) - set(error.schema.get("properties", ())), key=str):
                yield _unknown(document, [*steps, name], error.schema)
        case "required":
            for name in error.validator_value:
                if name not in error.instance:
                    fix = f"{EXAMPLES.get(name, name + ': …')}."
                    yield document.problem(steps, "missing", f'"{name}" is missing.', fix)
        case "pattern" if error.schema_path and "propertyNames" in error.schema_path:
            slug = re.sub(r"[^a-z0-9]+", "-", str(error.instance).casefold()).strip("-") or "a-slug"
            slug = (slug if len(slug) > 1 else f"{slug}-1")[:63].rstrip("-")
            fix = f"{slug} (a-z, 0-9, -; 2 to 63 characters)."
            yield document.problem(
                [*steps, error.instance], "slug", f'"{error.instance}" is not a slug.', fix, key=True, name="use_cases"
            )
        case _:
            message, fix = _plainly(error, steps)
            yield document.problem(steps, error.validator, message, fix)


def _closest(error: Any) -> list[Any]:
    """What is wrong by the one of several allowed shapes that was meant: one of the type that was written, else the first."""
    branches: dict[Any, list[Any]] = {}
    for e in error.context:
        branches.setdefault(e.schema_path[0], []).append(e)
    whole = isinstance(error.instance, dict | list)  # of maps the first that takes a map, of words the nearest
    return min(
        branches.values(), key=lambda errors: (any(map(_other_type, errors)), 0 if whole else len(errors)), default=[]
    )


def _other_type(error: Any) -> bool:
    """Whether a shape is for another type than what was written: no map, no word, no number at all."""
    if error.path:
        return False
    match error.validator:
        case "type":
            return True
        case "enum":
            return not any(isinstance(error.instance, type(word)) for word in error.validator_value)
        case "anyOf" | "oneOf":
            branches = {e.schema_path[0] for e in error.context}
            return all(any(_other_type(e) for e in error.context if e.schema_path[0] == b) for b in branches)
    return False


def _unknown(document: Document, steps: list[Any], known: dict[str, Any]) -> Problem:
    name, names = str(steps[-1]), list(known.get("properties", ()))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    begun = [n for n in names if n.startswith(f"{name}_")]  # min_saving: of a month, or of the bill?
    if len(begun) > 1:
        near = ['" or "'.join(begun)]
    fix = f'write "{near[0]}".' if near else f"one of {', '.join(names)}."
    return document.problem(steps, "unknown", f'unknown key "{name}".', fix, key=True, name=dotted(steps[:-1]))


def _plainly(error: Any, steps: list[Any]) -> tuple[str, str]:
    value, rule = error.instance, error.validator_value
    last = next((str(s) for s in reversed(steps) if isinstance(s, str)), "value")
    shown = f'"{value}"' if isinstance(value, str) else f"{value}"
    wants_rate = last in ("traffic", "calls")
    if wants_rate and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{shown} has no period.", f"did you mean {value}/day?" if value >= 0 else RATE
    match error.validator:
        case "enum":
            words = list(rule)
            near = difflib.get_close_matches(str(value), [str(w) for w in words], n=1)
            what = {"min_precision": "precision"}.get(last, last)
            return (
                f"no {what} {shown}.",
                f"{near[0]}." if near else f"{', '.join(map(str, words[:-1]))} or {words[-1]}.",
            )
        case "pattern" | "format":
            example = error.schema.get("examples") or {"date": ["2026-11-01"], "#": ["#support-ai"]}.get(last)
            if wants_rate:
                return f"cannot read {shown}.", RATE
            if str(rule).endswith("[kM]$"):
                return f"cannot read {shown}.", "a number, or one like 200k or 1M."
            if error.validator == "format" or "date" in str(error.schema.get("description", "")).lower():
                return f"{shown} is not a day.", "write it as YYYY-MM-DD, e.g. 2026-11-01."
            return f"cannot read {shown}.", f"e.g. {example[0]}." if example else f"it must match {rule}."
        case "type":
            kinds = {
                "object": "a map",
                "array": "a list",
                "string": "text",
                "integer": "a whole number",
                "number": "a number",
                "boolean": "true or false",
            }
            wanted = kinds.get(str(rule), str(rule))
            if str(rule) == "number" and (share := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", str(value))):
                return f"{shown} is not a number.", f"write {float(share.group(1)) / 100:g}."
            if value is None:
                return "is empty.", f"write {wanted}, or drop the key."
            return f"{shown[:60]} is not {wanted}.", f"write {wanted}."
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            side = {
                "minimum": "at least",
                "exclusiveMinimum": "above",
                "maximum": "at most",
                "exclusiveMaximum": "below",
            }
            in_percent = error.validator in ("maximum", "exclusiveMaximum") and rule <= 1 < value <= 100
            percent = f"; for {value:g} % write {value / 100:g}" if in_percent else ""
            return f"{shown} is out of range.", f"{side[error.validator]} {rule}{percent}."
        case "minProperties" | "minItems" | "minLength":
            return "is empty.", EXAMPLES.get(last, "write at least one") + "."
        case "uniqueItems":
            return "names one thing twice.", "keep one."
        case "const":
            return f"{shown} is not known.", f"write {rule}."
        case _:
            return f"{error.message}.", "see undercut schema."


def _plain(value: Any) -> Any:
    """ruamel's maps, lists and numbers as plain ones."""
    if isinstance(value, dict):
        return {k if isinstance(k, str) else str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)
