"""Build the shipped scores from the corpus: `python -m jobs.seed ../shared/corpus`. Same corpus, same bytes.

What may ship stands in data/seed/sources.yaml, with licence and reason. A source that it does not name stops the build.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from data.catalogue.reader import read_yaml
from data.errors import SourceError
from data.records import EFFORTS
from jobs.attribution import attribution

SEED = Path(__file__).parents[1] / "data" / "seed"
COLUMNS = (
    "source_id", "benchmark", "metric", "model_as_written", "setting", "value", "low", "high", "scale",
    "higher_is_better", "n_items", "cost_usd", "output_tokens", "evaluated_on", "self_reported", "origin",
)  # fmt: skip
Row = dict[str, Any]


def build_seed(corpus: Path, out: Path = SEED) -> Counter[str]:
    """Write scores.csv.gz, released.csv, first_seen.csv and ATTRIBUTION.md; the rows kept per source come back.

    Reads sources.yaml from `out`. Raises SourceError for a source without a decision, a percentage outside 0 to 100, or a
    figure younger than its source's `as_of`.
    """
    rules = read_yaml(out / "sources.yaml")
    ship: Mapping[str, Row] = rules["ship"]
    table = [*_long_table(corpus), *_hub(corpus, ship["epoch_hub"])]
    for source in sorted({r["source"] for r in table} - {*ship, *rules["leave"]}):
        raise SourceError(f"no decision about {source}.", where=str(out / "sources.yaml"), fix="ship or leave it.")
    rows = sorted({_line(r, ship[r["source"]]) for r in _kept(table, ship)})
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as f:
        f.write(text.getvalue().encode())
    (out / "scores.csv.gz").write_bytes(packed.getvalue())
    (out / "released.csv").write_text(_released(corpus), encoding="utf-8")
    (out / "first_seen.csv").write_text(_first_seen(corpus), encoding="utf-8")
    (out / "ATTRIBUTION.md").write_text(attribution(rules, rows), encoding="utf-8")
    return Counter(r[0] for r in rows)


def _long_table(corpus: Path) -> Iterator[Row]:
    with gzip.open(corpus / "benchmarks" / "scores.csv.gz", "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            yield {**r, "said": json.loads(r["settings_json"] or "{}")}


def _hub(corpus: Path, rule: Mapping[str, Any]) -> Iterator[Row]:
    empty = dict.fromkeys(("score_low", "score_high", "n_items", "cost_usd", "evaluated_on"), "")
    with (corpus / rule["table"]).open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            yield empty | {
                "source": "epoch_hub", "benchmark": r["benchmark"], "metric": "score", "score": r["score"],
                "model_name_raw": r["model_version"], "unit": "percent", "higher_is_better": "1", "said": {},
                "source_path": rule["origin"],
            }  # fmt: skip


def _kept(table: Iterable[Row], ship: Mapping[str, Row]) -> Iterator[Row]:
    """The rows that the rules let pass, their keys made whole. Where a source contradicts itself, neither figure ships."""
    passed = []
    for r in table:
        rule = ship.get(r["source"])
        if rule is not None and _wanted(r, rule) and (key := _key(r, rule)) is not None:
            passed.append(r | {"key": key})
    values: dict[tuple[str, ...], set[float]] = {}
    for r in passed:
        values.setdefault(_same(r), set()).add(float(r["score"]))
    passed = [r for r in passed if len(values[_same(r)]) == 1]
    models: dict[tuple[str, str], set[str]] = {}
    for r in passed:
        models.setdefault((r["source"], r["key"]), set()).add(r["model_name_raw"])
    return (r for r in passed if len(models[r["source"], r["key"]]) >= ship[r["source"]].get("least", 1))


def _same(r: Row) -> tuple[str, ...]:
    """What two figures must share to contradict each other."""
    return r["source"], r["key"], r["metric"], r["model_name_raw"], _setting(r["said"]), r["evaluated_on"]


def _wanted(r: Row, rule: Mapping[str, Any]) -> bool:
    base, said = r["benchmark"], r["said"]
    return (
        (base in rule["keep"] if "keep" in rule else base not in rule.get("drop", ()))
        and ("metric" not in rule or r["metric"] == rule["metric"])
        and not any(said.get(field) for field in rule.get("without", ()))
        and not any(str(said.get(field)) in values for field, values in rule.get("refuse", {}).items())
    )


def _key(r: Row, rule: Mapping[str, Any]) -> str | None:
    """The benchmark's id with prefix, version and harness; None where a part of the key is not stated."""
    prefix = rule.get("prefix", "")
    base = r["benchmark"] if r["benchmark"].startswith(prefix) else prefix + r["benchmark"]
    keyed = rule.get("keyed", {})
    fields = keyed.get(r["benchmark"], keyed.get("*", ()))
    parts = [re.sub(r"[^a-z0-9.]+", "-", str(r["said"].get(f) or "").lower()).removeprefix("v") for f in fields]
    if not all(parts):
        return None
    return f"{base}@{'-'.join(parts)}" if parts else base


def _line(r: Row, rule: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the shipped table. Raises SourceError for a value that its scale or its source's day forbids."""
    percent = r["unit"] == "percent" or (r["unit"] == "raw" and r["benchmark"] not in rule.get("raw", ()))
    where = f"{r['source']}, {r['key']}, {r['model_name_raw']}"
    if percent and not 0 <= float(r["score"]) <= 100:
        raise SourceError(f"{r['score']} is no percentage.", where=where, fix="list the benchmark under `raw`.")
    if r["evaluated_on"] > rule["as_of"]:
        raise SourceError(f"{r['evaluated_on']} is after as_of {rule['as_of']}.", where=where, fix="raise as_of.")
    own = bool(rule.get("self_reported")) and not any(
        str(r["said"].get(field)) in values for field, values in rule.get("independent", {}).items()
    )
    return (
        r["source"], r["key"], r["metric"], r["model_name_raw"], _setting(r["said"]), r["score"], r["score_low"],
        r["score_high"], "percent" if percent else "raw", r["higher_is_better"], r["n_items"], _cost(r, rule), "",
        r["evaluated_on"], str(int(own)), r["source_path"],
    )  # fmt: skip


def _cost(r: Row, rule: Mapping[str, Any]) -> str:
    """US dollars of the whole run; where the table kept another unit of its maker, turned into dollars."""
    if not r["cost_usd"] or "cost_times" not in rule:
        return str(r["cost_usd"])
    return f"{float(r['cost_usd']) * float(rule['cost_times']):.6g}"


def _setting(said: Mapping[str, Any]) -> str:
    """The run setting a row states beside the name, as `key=value;...` in order of key."""
    mode = str(said.get("mode")).partition(" (")[0]
    pairs = _effort(str(said.get("reasoning_effort") or said.get("effort") or ""))
    if tokens := re.match(r"\d+", str(said.get("thinking_tokens") or "")):
        pairs["thinking"] = _budget(int(tokens[0]))
    if mode in ("FC", "prompt", "thinking", "non-thinking"):
        pairs["mode"] = mode
    if said.get("edit_format"):
        pairs["harness"] = str(said["edit_format"])
    return ";".join(f"{k}={v}" for k, v in sorted(pairs.items()))


def _effort(words: str) -> dict[str, str]:
    """Effort or thinking as the matcher spells them; a default, or a word it does not know, says nothing."""
    said = words.casefold().partition(" (")[0]
    if said in EFFORTS:
        return {"effort": said}
    if budget := re.fullmatch(r"(\d+k)( thinking( budget)?)?", said):
        return {"thinking": budget[1]}
    return {"thinking": "on"} if said in ("enabled", "thinking") else {}


def _budget(tokens: int) -> str:
    if tokens == 0:
        return "off"
    return f"{tokens // 1000}k" if tokens % 1000 == 0 else f"{tokens // 1024}k"


def _released(corpus: Path) -> str:
    """Model names with release day and openness, as the two score tables state them."""
    out = {}
    with (corpus / "quality" / "epoch_hub_2025-12_scores.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["release_date"]:
                out[r["model_version"]] = (r["release_date"], "", "epoch_hub")
    with (corpus / "quality" / "benchpress2026_models.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["release_date"]:
                out[r["model_id"]] = (r["release_date"], r["open_weights"], "benchpress")
    text = io.StringIO()
    head = ("model_as_written", "released_on", "open_weights", "source_id")
    csv.writer(text, lineterminator="\n").writerows([head, *((name, *facts) for name, facts in sorted(out.items()))])
    return text.getvalue()


def _first_seen(corpus: Path) -> str:
    """The first day the price catalogue listed each id, from its public history (MIT)."""
    first: dict[str, str] = {}
    with gzip.open(corpus / "prices" / "history.csv.gz", "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            if r["source"] != "genai-prices" or json.loads(r["extra_json"] or "{}").get("basis") == "valid_from":
                continue
            key = f"{r['provider']}:{r['model_id']}"
            first[key] = min(first.get(key, r["observed_on"]), r["observed_on"])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("endpoint_id", "first_seen_on"), *sorted(first.items())])
    return text.getvalue()


if __name__ == "__main__":
    found = build_seed(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/corpus"))
    for name, n in sorted(found.items()):
        sys.stdout.write(f"{name:28} {n:6}\n")
    sys.stdout.write(f"{'all':28} {sum(found.values()):6}\n")
