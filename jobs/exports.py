"""Pages of a usage API as lines: what a provider answers (`data`: rows, or buckets with `results`) read like an export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def flattened(path: Path) -> Iterator[Path]:
    """A page as an API answers it (`data`: rows, or buckets with `results`) as lines; any other file as it is."""
    rows = pages(path) if path.suffix.casefold() == ".json" else None
    if rows is None:
        yield path
        return
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "page.jsonl"
        lines.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        yield lines


def pages(path: Path) -> list[dict[str, Any]] | None:
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # DuckDB says what is wrong with it
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, list) or not all(isinstance(b, dict) for b in data):
        return None
    rows: list[dict[str, Any]] = []
    for bucket in data:
        results = bucket.get("results")
        if not isinstance(results, list):
            rows.append(bucket)
            continue
        when = {k: v for k, v in bucket.items() if k != "results"}
        rows += [when | r for r in results if isinstance(r, dict)]
    return rows
