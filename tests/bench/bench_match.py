"""Names a second, and how far prices and scores meet. Run by itself: python -m tests.bench.bench_match"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import time
from collections import Counter, defaultdict
from itertools import cycle, islice

from data.tasks import load_tasks
from scraper.match import Matcher
from scraper.seed import SEED, load_seed

NAMES = 10_000
AT_MOST_S = 2.0


def names() -> list[str]:
    """Ten thousand different names: those of the shipped scores, and the same with settings and host prefixes around them."""
    text = gzip.decompress((SEED / "scores.csv.gz").read_bytes()).decode()
    plain = sorted({r["model_as_written"] for r in csv.DictReader(io.StringIO(text))})
    around = (
        "{}",
        "{} (high)",
        "{} (no reasoning)",
        "openrouter/{}",
        "{}-thinking-32k",
        "us.vendor.{}",
        "{} FC",
        "x-{}",
    )
    spelled = (form.format(n) for form in around for n in plain)
    return list(islice(cycle(dict.fromkeys(spelled)), NAMES))


def seconds(matcher: Matcher, asked: list[str]) -> float:
    started = time.perf_counter()
    for name in asked:
        matcher.match(name)
    return time.perf_counter() - started


def shares(matcher: Matcher) -> list[str]:
    """Lines: rows and models of each source, scored models with a price, priced models with scores of each task."""
    rows, found_by, models = Counter[str](), defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    known: dict[str, str | None] = {}
    for s in load_seed().stated:
        name = s.claim.model_as_written
        if name not in known:
            known[name] = matcher.match(name).model_id
        rows[s.source_id] += 1
        models[s.source_id].add(name)
        if model := known[name]:
            found_by[s.claim.benchmark].add(model)
    out = [f"{s:26} {rows[s]:6} rows  {len(models[s]):4} names" for s in sorted(rows)]
    priced = {m.model_id for m in matcher.models()}
    named = sum(m is not None for m in known.values())
    out.append(f"scored names with a price: {named} of {len(known)} ({named / len(known):.3f})")
    scored = set().union(*found_by.values())
    out.append(
        f"priced models with any score: {len(scored & priced)} of {len(priced)} ({len(scored & priced) / len(priced):.3f})"
    )
    for key, task in load_tasks().items():
        per_model = Counter(m for b in task.weights for m in found_by.get(b, ()))
        one, two, three = (sum(n >= least for n in per_model.values()) for least in (1, 2, 3))
        out.append(f"  {key:20} priced models with 1 / 2 / 3 of its scores: {one} / {two} / {three}")
    return out


def main() -> int:
    matcher = Matcher.from_package()
    asked = names()
    took = min(seconds(matcher, asked) for _ in range(3))
    sys.stdout.write("\n".join(shares(matcher)) + "\n")
    sys.stdout.write(f"{len(asked):,} names ({len(set(asked)):,} different) in {took:.2f} s after start\n")
    return int(took >= AT_MOST_S)


if __name__ == "__main__":
    sys.exit(main())
