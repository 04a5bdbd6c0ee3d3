"""Tasks and benchmarks as kept by hand in data/catalogue: which benchmarks speak for a task, and how much. Scores nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from data.catalogue.reader import HERE, read_yaml
from data.errors import SourceError
from data.records import Benchmark

KEYS = {"title", "reason", "weights", "shown", "hole"}


@dataclass(frozen=True)
class Task:
    """`weights` are relative and positive; benchmarks in `shown` weigh nothing; `hole` is what no open test covers."""

    key: str
    title: str
    reason: str
    weights: dict[str, float]
    shown: tuple[str, ...] = ()
    hole: str | None = None


@cache
def load_tasks(folder: Path = HERE) -> dict[str, Task]:
    """The tasks by key. Raises SourceError with file, key and fix."""
    path, known = folder / "tasks.yaml", load_benchmarks(folder)
    return {str(key): _task(str(key), entry, known, path) for key, entry in read_yaml(path).items()}


@cache
def load_benchmarks(folder: Path = HERE) -> dict[str, Benchmark]:
    """The benchmarks kept by hand, by id. Raises SourceError with file, key and what is wrong."""
    path, out = folder / "benchmarks.yaml", {}
    for key, entry in read_yaml(path).items():
        if not isinstance(entry, dict):
            raise SourceError(f"{key}: not a map.", where=str(path), fix="write name and cluster.")
        try:
            out[key] = Benchmark.model_validate({"benchmark": key, **entry})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SourceError(f"{key}.{where}: {first['msg']}.", where=str(path), fix="see data/records.") from error
    return out


def blend(tasks: dict[str, Task], wanted: dict[str, float]) -> dict[str, float]:
    """Benchmark weights of a use case that mixes tasks; they sum to what the shares of `wanted` sum to (1)."""
    mixed: dict[str, float] = {}
    for key, share in wanted.items():
        total = sum(tasks[key].weights.values())
        for benchmark, weight in tasks[key].weights.items():
            mixed[benchmark] = mixed.get(benchmark, 0.0) + share * weight / total
    return mixed


def _task(key: str, entry: Any, known: dict[str, Benchmark], path: Path) -> Task:
    if not isinstance(entry, dict) or not isinstance(entry.get("weights"), dict) or not entry["weights"]:
        raise SourceError(f"{key}: no weights.", where=str(path), fix="write title, reason and weights.")
    if unknown := sorted(map(str, set(entry) - KEYS)):
        raise SourceError(f"{key}: no key {unknown[0]!r}.", where=str(path), fix=f"use {', '.join(sorted(KEYS))}.")
    for text in ("title", "reason"):
        if not isinstance(entry.get(text), str):
            raise SourceError(f"{key}: no {text}.", where=str(path), fix=f"write a {text}.")
    weights, shown = entry["weights"], tuple(entry.get("shown", ()))
    for benchmark in (*weights, *shown):
        if benchmark not in known:
            raise SourceError(f"{key}: no benchmark {benchmark!r}.", where=str(path), fix="add it to benchmarks.yaml.")
    for benchmark, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise SourceError(
                f"{key}: the weight of {benchmark} is {weight!r}, not above 0.",
                where=str(path),
                fix="drop it or weigh it.",
            )
    if both := sorted(set(weights) & set(shown)):
        raise SourceError(f"{key}: {both[0]} is weighed and shown.", where=str(path), fix="keep one.")
    plain = {str(b): float(w) for b, w in weights.items()}
    return Task(key, entry["title"], entry["reason"], plain, shown, entry.get("hole"))
