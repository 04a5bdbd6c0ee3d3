"""Tasks and benchmarks: strict files, weights that mean something, and evidence in the seed or a hole that is named."""

from collections import defaultdict
from pathlib import Path

import pytest

from data.errors import SourceError
from data.tasks import blend, load_benchmarks, load_tasks
from scraper.seed import load_seed

KEYS = {
    "support_chat", "classification", "extraction", "rag_qa", "summarization", "code_generation", "agentic_coding",
    "tool_use", "reasoning", "translation", "creative_writing", "long_context", "vision",
}  # fmt: skip
BOARDS = "one: {name: One}\ntwo: {name: Two}\n"


def folder(tmp_path: Path, tasks: str, benchmarks: str = BOARDS) -> Path:
    (tmp_path / "tasks.yaml").write_text(tasks, encoding="utf-8")
    (tmp_path / "benchmarks.yaml").write_text(benchmarks, encoding="utf-8")
    return tmp_path


def test_the_tasks_are_the_ones_the_registry_offers() -> None:
    assert set(load_tasks()) == KEYS


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{title: T, reason: R, weights: {one: 0}}", "weight of one is 0"),
        ("{title: T, reason: R, weights: {one: -1}}", "weight of one is -1"),
        ("{title: T, reason: R, weights: {one: true}}", "weight of one is True"),
        ("{title: T, reason: R, weights: {one: .nan}}", "weight of one is nan"),
        ("{title: T, reason: R, weights: {one: .inf}}", "weight of one is inf"),
        ("{title: T, reason: R, weights: {three: 1}}", "no benchmark 'three'"),
        ("{title: T, reason: R, weights: {one: 1}, shown: [three]}", "no benchmark 'three'"),
        ("{title: T, reason: R, weights: {one: 1}, shown: [one]}", "one is weighed and shown"),
        ("{title: T, reason: R, weights: {}}", "no weights"),
        ("{title: T, reason: R}", "no weights"),
        ("{title: T, weights: {one: 1}}", "no reason"),
        ("{title: T, reason: R, weigths: {one: 1}, weights: {one: 1}}", "no key 'weigths'"),
        ("just words", "no weights"),
    ],
)
def test_a_task_that_says_nothing_clear_is_refused_by_name(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(SourceError) as error:
        load_tasks(folder(tmp_path, f"chat: {entry}\n"))
    assert "chat" in str(error.value) and said in str(error.value)
    assert "tasks.yaml" in str(error.value) and "Fix:" in str(error.value)


@pytest.mark.parametrize(
    "entry",
    ["{name: One, scale: permille}", "{cluster: c}", "{name: One, weight: 2}", "{name: One, n_items: many}", "1"],
)
def test_a_benchmark_with_a_wrong_word_is_refused_by_name(tmp_path: Path, entry: str) -> None:
    with pytest.raises(SourceError, match="one") as error:
        load_benchmarks(folder(tmp_path, "", f"one: {entry}\n"))
    assert "benchmarks.yaml" in str(error.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"benchmarks\.yaml"):
        load_tasks(tmp_path)


def test_a_mix_of_tasks_keeps_the_shares(tmp_path: Path) -> None:
    tasks = load_tasks(
        folder(
            tmp_path,
            "a: {title: A, reason: R, weights: {one: 3, two: 1}}\nb: {title: B, reason: R, weights: {two: 7}}\n",
        )
    )
    assert blend(tasks, {"a": 0.6, "b": 0.4}) == pytest.approx({"one": 0.45, "two": 0.55})


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_task_has_three_independent_boards_of_twenty_models_or_names_its_hole(key: str) -> None:
    """Independent: another cluster, and not the maker's own figures; models: distinct names as written."""
    task, seed = load_tasks()[key], load_seed()
    clusters = {b.benchmark: b.cluster for b in seed.benchmarks}
    models: dict[str | None, set[str]] = defaultdict(set)
    for s in seed.stated:
        if s.claim.benchmark in task.weights and not s.claim.self_reported:
            models[clusters[s.claim.benchmark]].add(s.claim.model_as_written)
    enough = [c for c, names in models.items() if len(names) >= 20]
    assert len(enough) >= 3 or task.hole, f"{len(enough)} clusters and no word about it"
    assert key in {"translation", "vision"} or len(enough) >= 3


@pytest.mark.parametrize("key", sorted(KEYS))
def test_no_cluster_carries_more_than_half_a_task_unless_it_is_the_hole(key: str) -> None:
    task, facts = load_tasks()[key], load_benchmarks()
    share: dict[str, float] = defaultdict(float)
    for benchmark, weight in task.weights.items():
        share[facts[benchmark].cluster or benchmark] += weight / sum(task.weights.values())
    assert max(share.values()) <= 0.5 or task.hole


def test_grounding_tests_are_not_averaged() -> None:
    """They disagree (SCIENCE 6.2): one weighs, the others are shown."""
    facts = load_benchmarks()
    for task in load_tasks().values():
        grounding = {facts[b].cluster for b in task.weights} & {"vectara", "confabulations"}
        assert grounding <= {"vectara"}


def test_relevance_and_irrelevance_are_not_averaged() -> None:
    for task in load_tasks().values():
        kinds = {b.partition("@")[0] for b in task.weights}
        assert not {"bfcl_relevance_detection", "bfcl_irrelevance_detection"} <= kinds


def test_every_board_of_a_task_has_rows_in_the_seed_and_a_cluster() -> None:
    shipped = {b.benchmark for b in load_seed().benchmarks}
    for task in load_tasks().values():
        assert set(task.weights) | set(task.shown) <= shipped, task.key
    assert all(b.cluster and b.link for b in load_benchmarks().values())
