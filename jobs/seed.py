"""Build the shipped scores from the corpus: `python -m jobs.seed ../shared/corpus`. Same corpus, same bytes.

What may ship stands in data/seed/sources.yaml, with licence and reason; everything else stays out.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.catalogue.reader import read_yaml

SEED = Path(__file__).parents[1] / "data" / "seed"
COLUMNS = (
    "source_id", "benchmark", "metric", "model_as_written", "setting", "value", "low", "high", "scale",
    "higher_is_better", "n_items", "cost_usd", "evaluated_on", "self_reported",
)  # fmt: skip
SELF_REPORTED = {"official_blog", "model_card", "tech_report", "official_paper"}


def build(corpus: Path, out: Path = SEED) -> Counter[str]:
    """Write scores.csv.gz, released.csv, first_seen.csv and ATTRIBUTION.md; the rows kept per source come back."""
    sources = read_yaml(out / "sources.yaml")
    rows = sorted(
        _kept([*_long_table(corpus, sources), *_hub(corpus, sources)], sources), key=lambda r: tuple(map(str, r))
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as f:
        f.write(text.getvalue().encode())
    (out / "scores.csv.gz").write_bytes(packed.getvalue())
    (out / "released.csv").write_text(_released(corpus), encoding="utf-8")
    (out / "first_seen.csv").write_text(_first_seen(corpus), encoding="utf-8")
    counts = Counter(str(r[0]) for r in rows)
    (out / "ATTRIBUTION.md").write_text(_attribution(sources, counts), encoding="utf-8")
    return counts


def _long_table(corpus: Path, sources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with gzip.open(corpus / "benchmarks" / "scores.csv.gz", "rt", encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            rule = sources.get(r["source"])
            if rule is None or (rule.get("metric") and r["metric"] != rule["metric"]):
                continue
            said = json.loads(r["settings_json"] or "{}")
            benchmark = r["benchmark"]
            if benchmark in rule.get("versioned", ()):
                benchmark += "@" + str(said.get("release", "")).replace("_", "-")
            kind = said.get("source_type")
            percent = r["unit"] == "percent" or (r["unit"] == "raw" and benchmark not in rule.get("raw", ()))
            yield {
                **r,
                "benchmark": benchmark,
                "setting": _setting(said),
                "scale": "percent" if percent else "raw",
                "self_reported": kind in SELF_REPORTED if kind else bool(rule.get("self_reported")),
            }


def _hub(corpus: Path, sources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with (corpus / sources["epoch_hub"]["table"]).open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            yield {
                "source": "epoch_hub", "benchmark": r["benchmark"], "metric": "score", "model_name_raw": r["model_version"],
                "setting": "", "score": r["score"], "score_low": "", "score_high": "", "scale": "percent",
                "higher_is_better": "1", "n_items": "", "cost_usd": "", "evaluated_on": "", "self_reported": False,
            }  # fmt: skip


def _kept(rows: list[dict[str, Any]], sources: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    models: dict[tuple[str, str], set[str]] = {}
    for r in rows:
        models.setdefault((r["source"], r["benchmark"]), set()).add(r["model_name_raw"])
    for r in rows:
        rule, base = sources[r["source"]], r["benchmark"].partition("@")[0]
        wanted = base in rule["keep"] if "keep" in rule else base not in rule.get("drop", ())
        if not wanted or len(models[r["source"], r["benchmark"]]) < rule.get("least", 1):
            continue
        key = f"hub_{r['benchmark']}" if r["source"] == "epoch_hub" else r["benchmark"]
        yield (
            r["source"], key, r["metric"], r["model_name_raw"], r["setting"], r["score"], r["score_low"], r["score_high"],
            r["scale"], r["higher_is_better"], r["n_items"], r["cost_usd"], r["evaluated_on"], int(r["self_reported"]),
        )  # fmt: skip


def _setting(said: dict[str, Any]) -> str:
    """The run setting a row states beside the name: effort, mode and edit format, as `key=value;...`."""
    effort = said.get("reasoning_effort") or said.get("effort")
    pairs = {
        "effort": effort if effort not in (None, "n/a", "default", "enabled") else None,
        "mode": said.get("mode") if said.get("mode") in ("FC", "prompt") else None,
        "harness": said.get("edit_format"),
        "version": said.get("tau2_version"),
    }
    return ";".join(f"{k}={v}" for k, v in sorted(pairs.items()) if v)


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
    lines = ["model_as_written,released_on,open_weights,source_id"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([(name, *facts) for name, facts in sorted(out.items())])
    return "\n".join([*lines, text.getvalue()])


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


def _attribution(sources: dict[str, Any], counts: Counter[str]) -> str:
    table = "\n".join(
        f"| `{s}` | [{r['name']}]({r['link']}) | {r['licence']} | {r['as_of']} | {counts[s]} |"
        for s, r in sorted(sources.items())
    )
    return f"""# Where the shipped scores come from

`scores.csv.gz` holds figures only, re-keyed to our own columns; names are as each source writes them. Generated by
`python -m jobs.seed`; the rules stand in `sources.yaml`.

| source | maker's table | licence | newest | rows |
| --- | --- | --- | --- | ---: |
{table}

`released.csv`: release days as Epoch AI's Benchmarking Hub (CC BY 4.0, https://epoch.ai/benchmarks, copy of December 2025)
and BenchPress (CDLA-Permissive-2.0, Zeng and Papailiopoulos, arXiv 2606.24020) state them.
`first_seen.csv`: the first day the catalogue genai-prices (MIT, https://github.com/pydantic/genai-prices) listed an id,
from its public history since June 2025; a model without a release day counts as old as that.

Left out on purpose: Artificial Analysis (its site terms), also where other tables repeat its figures (`aa_*` and
`gdpval_aa_elo` in BenchPress, its index in llm-stats, tau2 telecom as it runs it); SWE-bench (CC BY-NC 4.0); NoLiMa
(non-commercial research licence); ARC Prize, also where repeated (mirror without licence); Nejumi and the scraped Arena
pages (no licence, and the catalogue of Arena itself is there). LiveBench's python, javascript and typescript tasks changed
between its releases of January and June 2026 (one model's score moved by 9 to 30 points on all 24 models in both), so the
release is part of their key.
"""


if __name__ == "__main__":
    found = build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/corpus"))
    for name, n in sorted(found.items()):
        sys.stdout.write(f"{name:28} {n:6}\n")
    sys.stdout.write(f"{'all':28} {sum(found.values()):6}\n")
