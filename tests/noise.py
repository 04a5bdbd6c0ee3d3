"""A year of recorded prices through the real decision and noise rules: how many messages, and how many were soon undone.

`python -m tests.noise ../shared/corpus/prices/history.csv.gz` prints the figures; the suite runs a sample. Prices are those of
the record genai-prices as it stood on each day, OpenRouter's own from copies of its list (its headline price moves daily).
Scores are today's throughout, so that only prices move; nobody acts on a message, so that each may be told again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from data.records import Candidate, Endpoint, Rate
from data.records.core import Meter
from data.registry import Registry
from data.store import Store
from jobs.check import Checked, check_cycle
from jobs.demo import run_demo
from jobs.evals import load_cases
from jobs.facts import Facts, facts_as_of
from scraper.match import Matcher

SOURCES = ("openrouter", "openrouter-daily2", "genai-prices")
METERS: tuple[Meter, ...] = ("input", "cached_input", "cache_write", "output")
UNDONE_DAYS = 30
BACK = 1.05  # a bill within 5 % of what it was before a rise has come back
REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"
MORE = """version: 1
defaults: {quality: near, switch: {min_saving_month: 200}}
use_cases:
"""
CASE = '  {slug}:\n    task: {task}\n    model: {model}\n    traffic: {calls}/month\n    tokens: {{in: {tin}, out: {tout}}}\n    channel: "#noise"\n'
CASES = [
    ("support", "support_chat", "openai/gpt-4o-mini", 2_000_000, 1200, 200),
    ("facts", "extraction", "anthropic/claude-haiku-4-5", 400_000, 4000, 300),
    ("coder", "code_generation", "openai/gpt-5", 80_000, 6000, 2500),
    ("agent", "agentic_coding", "anthropic/claude-opus-4-5", 20_000, 30000, 3000),
    ("reasoner", "reasoning", "openai/o3", 60_000, 2000, 3000),
    ("translator", "translation", "google/gemini-2.5-flash", 900_000, 900, 900),
    ("writer", "creative_writing", "anthropic/claude-sonnet-4", 90_000, 1500, 1800),
    ("caller", "tool_use", "openai/gpt-4.1", 300_000, 3000, 150),
    ("reader", "long_context", "google/gemini-2.5-pro", 40_000, 90000, 800),
]
FLAPPING = {"id": "z-ai/glm-5.2", "via": "openrouter"}


@dataclass
class Told:
    """A message that would have gone out, and when what it said was no longer so."""

    use_case: str
    kind: str
    day: date
    target: tuple[str, str, str] | None
    bill_before: float | None
    undone_on: date | None = None


@dataclass
class Noise:
    cycles: int = 0
    cases: int = 0
    days: int = 0
    told: list[Told] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        months = self.days / 30.4
        by_case = Counter(t.use_case for t in self.told)
        undone = [t for t in self.told if t.undone_on]
        kinds = Counter(t.kind for t in self.told)
        gone = Counter(t.kind for t in undone)
        total = len(self.told) / max(1e-9, self.cases * months)
        out = [
            f"{self.days} days, {self.cycles} cycles, {self.cases} use cases: {len(self.told)} messages, {total:.2f} a use case and month; "
            f"undone within {UNDONE_DAYS} days: {len(undone)}",
            "by kind: " + ", ".join(f"{k} {n} ({gone[k]} undone)" for k, n in kinds.most_common()),
            "by use case and month: " + ", ".join(f"{c} {n / months:.2f}" for c, n in by_case.most_common()),
            "withheld: " + ", ".join(f"{why} {n}" for why, n in self.withheld.most_common(8)),
        ]
        out += [f"  undone: {t.day} {t.kind} {t.use_case} {t.target or ''} until {t.undone_on}" for t in undone]
        return out


def read_rates(path: Path, first: date, last: date) -> dict[date, list[Rate]]:
    """Day -> the rates stated anew on it; the state at `first` is stated on that day. Genai-prices' own ids."""
    rows: list[tuple[date, str, dict[str, str], bool]] = []
    own: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            extra = json.loads(r["extra_json"] or "{}")
            if r["source"] in SOURCES[:2]:
                endpoint = f"openrouter:{r['model_id']}"
                own.add(endpoint)
            elif r["source"] == "genai-prices" and extra.get("basis") != "valid_from":
                endpoint = f"{r['provider']}:{r['model_id']}"
            else:
                continue
            rows.append(
                (date.fromisoformat(r["observed_on"]), f"{r['source']}|{endpoint}", r, bool(extra.get("removed")))
            )
    out: dict[date, list[Rate]] = defaultdict(list)
    for day, key, r, removed in sorted(rows, key=lambda row: row[0]):
        source, _, endpoint = key.partition("|")
        if day > last or (source == "genai-prices" and endpoint in own):
            continue
        for meter in METERS:
            text = r[f"{meter}_usd_per_mtok"]
            if text or removed:
                at = (
                    datetime.combine(max(day, first), time(6), UTC)
                    if day >= first
                    else datetime.combine(day, time(6), UTC)
                )
                out[max(day, first)].append(
                    Rate(
                        endpoint_id=endpoint,
                        meter=meter,
                        usd_per_mtok=Decimal(text or "0"),
                        valid_from=at,
                        known_from=at,
                        standing="witnessed",
                        source_id=source,
                        withdrawn=removed,
                    )
                )
    return out


def replay(
    history: Path, home: Path, *, first: date, last: date, every_days: int, most_cases: int | None = None
) -> Noise:
    """Every day on which a price moved (at least every `every_days`), a cycle; deterministic. `home`: what the demo filled."""
    found = Noise()
    with tempfile.TemporaryDirectory() as folder:
        base = _base(home)
        registry = _registry(Path(folder), most_cases)
        stated = read_rates(history, first, last)
        rates: list[Rate] = []
        endpoints = dict(base.endpoints)
        pending: list[Told] = []
        bills: dict[str, float] = {}
        with Store(Path(folder) / "alerts") as store:
            day, since = first, every_days
            while day <= last:
                fresh = stated.get(day, [])
                rates += fresh
                _read(store, fresh, day)
                since += 1
                if (
                    fresh or since == 1 or since >= every_days
                ):  # the day after too: a price that was fetched once is no news
                    since = 0 if fresh or since >= every_days else since
                    now = datetime.combine(day, time(12), UTC)
                    facts = _facts(base, endpoints, rates, now)
                    done = check_cycle(store, registry, now=now, facts=facts, platform="#platform")
                    found.cycles += 1
                    _undo(pending, done, day)
                    pending += _count(found, done, day, bills)
                    bills = {c.slug: d.current.cost.usd_per_month for c, d in done.decisions if d.current.cost}
                    pending = [t for t in pending if not t.undone_on and (day - t.day).days <= UNDONE_DAYS]
                day += timedelta(days=1)
        found.days, found.cases = (last - first).days + 1, len(registry.use_cases)
    return found


def _read(store: Store, fresh: Sequence[Rate], day: date) -> None:
    """Both lists are fetched every morning, whether a price moved or not."""
    at = datetime.combine(day, time(6), UTC)
    store.insert(
        "rate", [r.model_dump(exclude={"known_to"}) | {"rate_id": r.rate_id} for r in fresh], unique=("rate_id",)
    )
    fields = {"url": "record", "bytes": 1, "renderer": "http", "outcome": "unchanged", "fetched_at": at}
    store.insert("capture", [{**fields, "source_id": s} for s in SOURCES])


def _count(found: Noise, done: Checked, day: date, bills: dict[str, float]) -> list[Told]:
    best = {c.slug: d.best for c, d in done.decisions}
    new = []
    for a in done.alerts:
        if a.kind in ("onboarding", "breaker"):
            continue
        if a.withheld_because is not None:
            found.withheld[a.withheld_because.split(":")[0].split(" alerts this")[0]] += 1
            continue
        target = best.get(a.use_case or "")
        named = (target.endpoint_id, target.tier, target.variant) if target and a.kind == "cheaper" else None
        new.append(Told(a.use_case or "", a.kind, day, named, bills.get(a.use_case or "")))
    found.told += new
    return new


def _undo(pending: Iterable[Told], done: Checked, day: date) -> None:
    """A finding is undone when its candidate no longer passes; a rise when the bill is back; a fall when it is gone."""
    cases = {c.slug: (c, d) for c, d in done.decisions}
    for t in pending:
        if t.use_case not in cases:
            continue
        case, d = cases[t.use_case]
        now = d.current.cost.usd_per_month if d.current.cost else None
        if t.kind == "cheaper":
            match = [c for c in done.candidates[t.use_case] if (c.endpoint_id, c.tier, c.variant) == t.target]
            if not any(_holds(c, case.quality.confidence, case.switch.min_saving_usd_per_month) for c in match):
                t.undone_on = day
        elif t.kind == "price_rise" and now is not None and t.bill_before is not None:
            t.undone_on = day if now <= BACK * t.bill_before else None
        elif t.kind == "price_drop" and now is not None and t.bill_before is not None:
            t.undone_on = day if now * BACK >= t.bill_before else None


def _holds(c: Candidate, confidence: float, least_usd: float) -> bool:
    return c.eligible and (c.p_ok or 0) >= confidence and (c.saving_usd_per_month or 0) >= least_usd


def _base(home: Path) -> Facts:
    with Store(home) as store:
        facts = facts_as_of(store, datetime(2027, 1, 1, tzinfo=UTC))
    assert facts is not None
    return facts


def _facts(base: Facts, endpoints: dict[str, Endpoint], rates: Sequence[Rate], now: datetime) -> Facts:
    first: dict[str, date] = {}
    for r in rates:
        day = (r.valid_from or r.known_from).date()
        first[r.endpoint_id] = min(first.get(r.endpoint_id, day), day)
    kept = {e: d for e, d in base.first_seen.items() if e in first}
    first = {e: min(d, kept.get(e, d)) for e, d in first.items()}
    return replace(base, as_of=now, data_as_of=now, rates=list(rates), endpoints=endpoints, first_seen=first)


def _registry(folder: Path, most: int | None) -> Registry:
    """The shipped use cases, nine more, and one that runs on the series that moves daily."""
    more = MORE + "".join(CASE.format(slug=s, task=t, model=m, calls=c, tin=i, tout=o) for s, t, m, c, i, o in CASES)
    more += CASE.format(
        slug="flapping", task="agentic_coding", model=json.dumps(FLAPPING), calls=60_000, tin=9000, tout=1500
    )
    path = folder / "more.yaml"
    path.write_text(more, encoding="utf-8")
    loaded = load_cases([REGISTRY, path], Matcher.from_package())
    return replace(loaded, use_cases=loaded.use_cases[-most:] if most else loaded.use_cases)


def main(argv: Any = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", type=Path)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2025, 11, 12))
    parser.add_argument("--last", type=date.fromisoformat, default=date(2026, 11, 10))
    parser.add_argument("--cases", type=int)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as home:
        run_demo(Path(home), [REGISTRY])
        found = replay(
            asked.history, Path(home), first=asked.first, last=asked.last, every_days=7, most_cases=asked.cases
        )
    sys.stdout.write("\n".join(found.lines()) + "\n")


if __name__ == "__main__":
    main()
