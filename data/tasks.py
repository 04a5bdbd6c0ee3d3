"""Tasks and benchmarks as kept by hand in data/catalogue: which benchmarks speak for a task, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data.catalogue.reader import HERE, read_yaml
from data.errors import SourceError


@dataclass(frozen=True)
class Task:
    """`weights` are relative and positive; benchmarks in `shown` weigh nothing."""

    key: str
    title: str
    reason: str
    weights: dict[str, float]
    shown: tuple[str, ...] = ()


@cache
def load_tasks(folder: Path = HERE) -> dict[str, Task]:
    """The tasks by key. Raises SourceError with file, key and fix."""
    path, known = folder / "tasks.yaml", benchmark_facts(folder)
    return {key: _task(key, entry, known, path) for key, entry in read_yaml(path).items()}


@cache
def benchmark_facts(folder: Path = HERE) -> dict[str, dict[str, Any]]:
    """What is kept by hand of each benchmark: name, cluster, n_items, link."""
    return read_yaml(folder / "benchmarks.yaml")


def blend(tasks: dict[str, Task], wanted: dict[str, float]) -> dict[str, float]:
    """Benchmark weights, summing to 1, of a use case that mixes tasks."""
    mixed: dict[str, float] = {}
    for key, share in wanted.items():
        total = sum(tasks[key].weights.values())
        for benchmark, weight in tasks[key].weights.items():
            mixed[benchmark] = mixed.get(benchmark, 0.0) + share * weight / total
    return mixed


def _task(key: str, entry: dict[str, Any], known: dict[str, Any], path: Path) -> Task:
    try:
        task = Task(key, entry["title"], entry["reason"], dict(entry["weights"]), tuple(entry.get("shown", ())))
    except (KeyError, TypeError) as error:
        raise SourceError(
            f"{key}: {error} is missing.", where=str(path), fix="write title, reason, weights."
        ) from error
    for benchmark in (*task.weights, *task.shown):
        if benchmark not in known:
            raise SourceError(f"{key}: no benchmark {benchmark!r}.", where=str(path), fix="add it to benchmarks.yaml.")
    if bad := [b for b, w in task.weights.items() if not isinstance(w, int | float) or w <= 0]:
        raise SourceError(f"{key}: the weight of {bad[0]} is not above 0.", where=str(path), fix="drop it or weigh it.")
    return task
