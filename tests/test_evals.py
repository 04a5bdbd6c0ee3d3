"""A team's own results, in the files that evaluation tools write; they outrank public scores by their size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import RegistryError, UsageError
from data.store import table_file
from jobs.evals import load_cases
from jobs.results import read_results
from scraper.match import Matcher

PROMPTFOO: dict[str, Any] = {
    "evalId": "x",
    "results": {"version": 3, "results": [
        {"provider": {"id": "openai:chat:gpt-4o"}, "success": n % 4 != 0, "score": 1} for n in range(40)
    ] + [{"provider": {"id": "anthropic:messages:claude-sonnet-4-5"}, "success": n % 5 != 0} for n in range(40)]},
}  # fmt: skip
INSPECT = {
    "version": 2, "status": "success", "eval": {"task": "triage", "model": "openai/gpt-4o"},
    "results": {"total_samples": 200, "completed_samples": 180, "scores": [{"name": "match", "metrics": {"accuracy": {"name": "accuracy", "value": 0.85}}}]},
}  # fmt: skip
HARNESS = {
    "results": {"a": {"alias": "a", "acc,none": 0.5, "acc_stderr,none": 0.01}, "b": {"exact_match,strict-match": 0.75}},
    "n-samples": {"a": {"original": 100, "effective": 100}, "b": {"original": 300, "effective": 300}},
    "config": {"model": "openai-chat-completions", "model_args": "model=gpt-4o,num_concurrent=4"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PROMPTFOO, [("anthropic:messages:claude-sonnet-4-5", 0.8, 40), ("openai:chat:gpt-4o", 0.75, 40)]),
        (INSPECT, [("openai/gpt-4o", 0.85, 180)]),
        (HARNESS, [("gpt-4o", 0.6875, 400)]),
    ],
)
def test_a_tools_file_gives_model_share_and_cases(
    tmp_path: Path, data: Any, found: list[tuple[str, float, int]]
) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(data))
    assert read_results(file) == found


def test_tables_of_cases_and_of_scores(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("model,passed\n" + "gpt-4o,true\n" * 30 + "gpt-4o,false\n" * 10)
    assert read_results(cases) == [("gpt-4o", 0.75, 40)]
    cases.write_text("model,passed,n\ngpt-4o,true,10\ngpt-4o,false,90\n")
    assert read_results(cases) == [("gpt-4o", 0.1, 100)], "a row may stand for several cases"
    scores = tmp_path / "scores.csv"
    scores.write_text("model,score,n\ngpt-4o,0.9,100\ngpt-4o-mini,0.8,50\ngpt-4o,0.8,100\n")
    assert read_results(scores) == [("gpt-4o", pytest.approx(0.85), 200), ("gpt-4o-mini", 0.8, 50)]
    with table_file(cases) as table:
        table.con.execute(f"copy log to '{tmp_path / 'cases.parquet'}' (format parquet)")
    assert read_results(tmp_path / "cases.parquet") == read_results(cases)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{}", "no results of promptfoo"),
        ("a.json", "{broken", "not readable"),
        ("a.json", json.dumps({"eval": {"model": "x"}}), "half a result file"),
        ("a.csv", "who,what\na,b\n", "no column of models"),
        ("a.csv", "model,score\ngpt-4o,87\n", "no share from 0 to 1"),
        ("a.csv", "model,score\ngpt-4o,good\n", "no share from 0 to 1"),
        ("a.csv", "model,pass,count\ngpt-4o,80,100\n", "neither a pass nor a fail"),
        ("a.csv", "model,score,n\ngpt-4o,0.5,-3\n", "no number of cases"),
        ("a.csv", "model,score,n\ngpt-4o,0.5,0\n", "no number of cases"),
    ],
)
def test_a_file_that_does_not_say_it_is_refused_with_its_name(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        read_results(file)
    assert str(file) in str(caught.value)


def registry(folder: Path, results: str) -> Path:
    file = folder / "use_cases.yaml"
    file.write_text(
        "use_cases:\n  triage:\n    task: classification\n    model: openai/gpt-4o\n    traffic: 20k/day\n"
        f"    tokens: {{in: 900, out: 40}}\n    channel: '#x'\n    evals: {{results: [{results}]}}\n"
    )
    return file


def test_a_registry_reads_its_files_beside_it_and_its_own_lines_win(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(PROMPTFOO))
    (tmp_path / "more.csv").write_text("model,score,n\nclaude-sonnet-4-5,0.9,160\n")
    matcher = Matcher.from_package()
    file = registry(tmp_path, "run.json, more.csv, {model: gpt-4o, score: 0.5, n: 10}")
    (case,) = load_cases([file], matcher).use_cases
    known = {r.model: (round(r.score, 3), r.n) for r in case.evals.results}
    assert known[matcher.match("gpt-4o").model_id or ""] == (0.5, 10)
    assert known[matcher.match("claude-sonnet-4-5").model_id or ""] == (0.88, 200)


@pytest.mark.parametrize(
    ("results", "said"),
    [("gone.json", "no such result file"), ("{model: nobody-9, score: 0.5, n: 10}", "no model that is known")],
)
def test_a_missing_file_and_an_unknown_model_stop_the_registry(tmp_path: Path, results: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_cases([registry(tmp_path, results)], Matcher.from_package())


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ("score: 0.95, n: 500, date: 2026-10-02", "score: 0.2, n: 5, date: 2024-01-02", 0.95),
        ("score: 0.2, n: 5, date: 2024-01-02", "score: 0.95, n: 500, date: 2026-10-02", 0.95),
        ("score: 0.95, n: 500, date: 2026-10-02", "score: 0.2, n: 5", None),
        ("score: 0.95, n: 500, date: 2026-10-02", "score: 0.2, n: 5, date: 2026-10-02", None),
        ("score: 0.95, n: 500", "score: 0.95, n: 500", None),
    ],
)  # fmt: skip
def test_of_two_results_of_a_model_the_newer_counts_and_without_days_none(
    tmp_path: Path, first: str, second: str, wins: float | None
) -> None:
    """Not the one that stands last: five cases of two years ago would outweigh five hundred of this month."""
    results = f"{{model: openai/gpt-4o, {first}}}, {{model: gpt-4o, {second}}}"
    if wins is None:
        with pytest.raises(RegistryError, match="results on lines 8 and 8, and no date says which is newer"):
            load_cases([registry(tmp_path, results)])
    else:
        (only,) = load_cases([registry(tmp_path, results)]).use_cases[0].evals.results
        assert only.score == wins


DECISIONS = "decisions: [{{model: {}, verdict: rejected, date: 2026-11-20{}}}]"


def entry(folder: Path, line: str) -> Path:
    file = registry(folder, "")
    file.write_text(file.read_text().replace("evals: {results: []}", line))
    return file


@pytest.mark.parametrize("written", ["qwen/qwen3-32b", "Qwen3-32B", "Qwen/Qwen3-32B"])
def test_a_no_holds_however_its_model_and_host_are_written(tmp_path: Path, written: str) -> None:
    (case,) = load_cases([entry(tmp_path, DECISIONS.format(written, ", via: Bedrock"))]).use_cases
    assert [(r.model, r.via) for r in case.rulings] == [("qwen/qwen3-32b", "aws")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (DECISIONS.format("no/such-model", ""), "no/such-model is not in the catalogue"),
        (DECISIONS.format("Qwen3-32B", ", via: bedrok"), "no host 'bedrok' sells anything that is known"),
        ("require: {providers: [nosuch]}", "no host 'nosuch' sells anything"),
        ("require: {providers: [openrooter]}", "openrouter"),
    ],
)
def test_a_name_that_nobody_knows_is_told_and_never_an_empty_word(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(RegistryError, match=said) as caught:
        load_cases([entry(tmp_path, line)])
    (only,) = caught.value.problems
    assert only.line == 8


def test_a_no_says_what_it_may_have_meant(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="nearest names are"):
        load_cases([entry(tmp_path, DECISIONS.format("qwen3-33b", ""))])


@pytest.mark.parametrize(
    ("written", "meant"),
    [("[xai]", ("x-ai",)), ("[xAI, X.AI, x-ai]", ("x-ai",)), ("[bedrock, vertex, azure]", ("aws", "google", "azure")), ("[nebius]", ("nebius",))],
)  # fmt: skip
def test_hosts_are_known_by_the_names_people_use(tmp_path: Path, written: str, meant: tuple[str, ...]) -> None:
    (case,) = load_cases([entry(tmp_path, f"require: {{providers: {written}}}")]).use_cases
    assert case.require.providers == meant


def test_a_design_on_a_model_older_than_the_catalogue_is_a_warning_and_counts_of_one_are_an_error(
    tmp_path: Path,
) -> None:
    (only,) = load_cases([entry(tmp_path, "designed: {date: 2022-05-01, model: acme/old-thing}")]).warnings
    assert (only.key, only.message) == ("triage.designed.model", "acme/old-thing is not in the catalogue.")
    file = registry(tmp_path, "")
    file.write_text(file.read_text().replace("out: 40}", "out: 40, measured_on: no/such-model}"))
    with pytest.raises(RegistryError, match=r"measured_on: no/such-model is not in the catalogue"):
        load_cases([file])
