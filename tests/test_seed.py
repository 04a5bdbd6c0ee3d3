"""What ships: attributed, small, deterministic, and nothing whose terms forbid it."""

import csv
from pathlib import Path

import pytest

from data.catalogue.reader import read_yaml
from data.errors import SourceError
from data.tasks import benchmark_facts, blend, load_tasks
from jobs.seed import SEED, build
from scraper.seed import load_first_seen, load_releases, load_seed

TASKS = {
    "support_chat", "classification", "extraction", "rag_qa", "summarization", "code_generation", "agentic_coding", "tool_use",
    "reasoning", "translation", "creative_writing", "long_context", "vision",
}  # fmt: skip


def test_every_claim_leads_back_to_its_line() -> None:
    seed = load_seed()
    lines = seed.body.decode().splitlines()
    for stated in seed.stated[::97]:
        number = int(stated.claim.locator.removeprefix("line "))
        assert lines[number - 1] == stated.claim.quote
        row = dict(zip(next(csv.reader([lines[0]])), next(csv.reader([stated.claim.quote])), strict=True))
        assert (float(row["value"]), row["model_as_written"]) == (stated.claim.value, stated.claim.model_as_written)


def test_nothing_ships_whose_terms_forbid_it() -> None:
    seed = load_seed()
    sources = {s.source_id for s in seed.stated}
    assert sources.isdisjoint({"artificial_analysis", "swe_bench", "nolima", "arc_prize", "arena", "nejumi4"})
    boards = {s.claim.benchmark for s in seed.stated}
    assert not [b for b in boards if b.split("_", 1)[-1].startswith("aa_") or "gdpval" in b or "arc_agi" in b]
    attribution = (SEED / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(f"`{s}`" in attribution for s in sources)
    assert {str(k) for k in read_yaml(SEED / "sources.yaml")} == sources


def test_it_is_small_and_percentages_are_percentages() -> None:
    assert sum(f.stat().st_size for f in SEED.iterdir()) < 3_000_000
    scale = {b.benchmark: b.scale for b in load_seed().benchmarks}
    for s in load_seed().stated:
        assert scale[s.claim.benchmark] == "raw" or -1e-9 <= s.claim.value <= 100, s.claim


def test_releases_and_first_days_are_days() -> None:
    assert len(load_releases()) > 200
    assert len(load_first_seen()) > 2000


def test_there_are_the_thirteen_tasks_and_every_board_of_theirs_ships() -> None:
    tasks, shipped = load_tasks(), {b.benchmark for b in load_seed().benchmarks}
    assert set(tasks) == TASKS
    for task in tasks.values():
        assert task.reason
        assert set(task.weights) <= shipped
        clusters = {benchmark_facts()[b].get("cluster") for b in task.weights}
        assert len(clusters) >= 3, f"{task.key}: fewer than three independent boards"


def test_weights_of_mixed_tasks_add_up_to_one() -> None:
    mixed = blend(load_tasks(), {"extraction": 0.7, "long_context": 0.3})
    assert sum(mixed.values()) == pytest.approx(1)


def test_a_task_with_an_unknown_board_is_refused(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.yaml").write_text("a: {name: A}\n")
    (tmp_path / "tasks.yaml").write_text("t: {title: T, reason: R, weights: {b: 1}}\n")
    with pytest.raises(SourceError, match=r"tasks.yaml.*no benchmark 'b'"):
        load_tasks(tmp_path)


@pytest.mark.corpus
def test_the_shipped_seed_is_what_the_corpus_gives(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_bytes((SEED / "sources.yaml").read_bytes())
    counts = build(corpus, tmp_path)
    assert counts["livebench"] == 5184
    for name in ("scores.csv.gz", "released.csv", "first_seen.csv", "ATTRIBUTION.md"):
        assert (tmp_path / name).read_bytes() == (SEED / name).read_bytes(), name
