"""Lengths of answers and tokens of a text: measured where something states them, a range or nothing elsewhere."""

from __future__ import annotations

import math
import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import DataMissing, SourceError
from jobs.tokenizers import KINDS, SAMPLES, densities, measure
from jobs.tokens import SEED, STATED, build, setting, stated_runs
from recommender.cost import Ratio
from recommender.ratios import OTHER_ANSWER, OTHER_TOKENIZER, SAME, prompt_ratio, ratios
from recommender.verbosity import Run, fit, relative, runs_by_cost
from scraper.match import Matcher


def exact(subject: str, test: str, tokens: float) -> Run:
    return Run((subject, ""), test, tokens, tokens)


def board(scale: dict[str, float], noise: float, seed: int = 7, tests: int = 6) -> list[Run]:
    draw = random.Random(seed)
    return [
        exact(s, f"t{t}", 1000 * 3**t * x * math.exp(draw.gauss(0, noise)))
        for t in range(tests)
        for s, x in scale.items()
    ]


def test_the_ratio_of_two_models_comes_back_whatever_the_size_of_the_test() -> None:
    scale = {"a": 1.0, "b": 2.0, "c": 4.0, "d": 0.5, "e": 1.0}
    found = fit(board(scale, 0.0))
    answer = relative(found["c", ""], found["a", ""])
    assert answer is not None and answer.mean == pytest.approx(4.0)
    noisy = fit(board(scale, 0.3))
    answer = relative(noisy["c", ""], noisy["a", ""])
    assert answer is not None and answer.low < 4.0 < answer.high


def test_the_interval_holds_four_of_five_pairs_on_a_test_that_was_left_out() -> None:
    scale = {f"m{n}": math.exp(random.Random(n).gauss(0, 0.8)) for n in range(24)}
    hit = asked = 0
    for seed in range(8):
        runs = board(scale, 0.4, seed)
        found = fit(r for r in runs if r.test != "t5")
        truth = {r.subject: r.middle for r in runs if r.test == "t5"}
        for (a, of_a), (b, of_b) in combinations(sorted(truth.items()), 2):
            if (said := relative(found[a], found[b])) is not None:
                asked += 1
                hit += said.low <= math.exp(of_a - of_b) <= said.high
    assert 0.78 <= hit / asked <= 0.95, "normal rests; the heavier tails of real runs take it to 0.80"


def test_one_run_is_less_sure_than_six() -> None:
    scale = {f"m{n}": 1.0 + n for n in range(20)}
    runs = [r for r in board(scale, 0.3) if r.test == "t0" or int(r.subject[0][1:]) % 2]
    found = {s[0]: v for s, groups in fit(runs).items() for v in groups.values()}
    six = [v.sd for s, v in found.items() if int(s[1:]) % 2]
    one = [v.sd for s, v in found.items() if not int(s[1:]) % 2]
    assert {v.runs for v in found.values()} == {1, 6}
    assert sum(one) / len(one) > sum(six) / len(six)


def test_tests_that_share_nobody_do_not_compare_and_two_in_common_are_no_link() -> None:
    left = board({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "x": 1.0, "y": 1.0}, 0.0, tests=1)
    right = [exact(s, "other", 10.0) for s in ("e", "f", "g", "h", "x", "y")]
    found = fit([*left, *right])
    assert relative(found["a", ""], found["e", ""]) is None
    assert set(found["x", ""]) == {"other", "t0"}


def test_a_cost_gives_bounds_and_never_more_than_it_buys() -> None:
    costs = {("a", ""): (1.0, 1e-6, 1e-5), ("b", ""): (10.0, 1e-6, 1e-5), ("free", ""): (0.0, 1e-6, 1e-5)}
    a, b = runs_by_cost(costs, "t")
    assert (a.low, a.high) == (0.0, pytest.approx(1e5))
    assert (b.low, b.high) == (pytest.approx(9e5), pytest.approx(1e6))
    assert runs_by_cost({}, "t") == []


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("tuv"), st.floats(0, 1e9)), max_size=40))
def test_no_runs_break_the_fit(table: list[tuple[str, str, float]]) -> None:
    for groups in fit(exact(*row) for row in table).values():
        assert all(0 <= v.low <= v.ratio <= v.high for v in groups.values())


def test_a_measured_length_replaces_the_stated_range_and_the_same_weights_answer_alike() -> None:
    found = fit(board({"a": 1.0, "b": 2.0, "c": 4.0, "d": 0.5}, 0.1))
    pair = (found["c", ""], found["a", ""])
    plain = {"same_model": False, "same_maker": False, "reasons": False, "reasons_now": False}
    assert ratios(**plain)[1] == OTHER_ANSWER
    assert ratios(**plain, measured=pair)[1].mean == pytest.approx(4.0, rel=0.3)
    assert ratios(**plain, measured=({}, found["a", ""]))[1] == OTHER_ANSWER, "unknown is a range"
    assert ratios(**{**plain, "same_model": True}, measured=pair) == (SAME, SAME)


def test_only_effort_and_thinking_move_the_length() -> None:
    assert setting("effort=high;harness=diff;thinking=16k") == "effort=high;thinking=16k"


def test_the_shipped_runs_are_known_models_and_rebuild(corpus: Path, tmp_path: Path) -> None:
    runs = list(stated_runs(Matcher.from_package()))
    assert len(runs) >= 100 and len({r.test for r in runs}) == 3
    assert all(10 < r.low < 100_000 for r in runs), "tokens of an item"
    build(corpus, tmp_path)
    assert (tmp_path / STATED).read_bytes() == (SEED / STATED).read_bytes()


def test_tokens_by_family_are_measured_or_say_whose_word_they_are() -> None:
    found = densities()
    for family in ("o200k", "cl100k", "tekken"):
        assert {k for f, k in found if f == family} == set(KINDS)
        assert all(d.measured for (f, _), d in found.items() if f == family)
    assert not found["gemini", "english"].measured and found["gemini", "english"].by.startswith("https://")
    assert ("gemini", "code") not in found, "not stated is not known"
    assert all((SAMPLES / f"{kind}.txt").stat().st_size > 800 for kind in KINDS)


def test_the_measurements_are_what_the_packages_count() -> None:
    try:
        counted = list(measure())
    except DataMissing:
        pytest.skip("the optional extra `tokens` is not installed")
    kept = densities()
    assert {(d.family, d.kind): d.low for d in counted} == {k: d.low for k, d in kept.items() if d.measured}


def test_two_tokenizers_compare_by_what_both_know() -> None:
    known = {k: (d.low, d.high) for k, d in densities().items()}
    assert prompt_ratio("o200k", "o200k", {}) == SAME
    assert prompt_ratio("o200k", None, known) is None
    assert prompt_ratio("o200k", "llama3", known) is None
    between = prompt_ratio("cl100k", "o200k", known)
    assert between is not None and between.mean == pytest.approx(1.0)
    assert between.high > 1.4, "Chinese takes 1.45 times the tokens in the older one"
    stated = prompt_ratio("gemini", "o200k", known)
    assert stated is not None and stated.low < stated.mean < stated.high
    rule = prompt_ratio("deepseek", "o200k", {**known, ("deepseek", "english"): (255.0, 345.0)})
    assert rule is not None and rule.low < 1 < rule.mean < 1.3 < rule.high, "a rule of thumb widens, it does not settle"
    plain = {"same_model": False, "same_maker": False, "reasons": False, "reasons_now": False}
    assert ratios(**plain, prompt=Ratio(1.2, 1.1, 1.3))[0].mean == 1.2
    assert ratios(**plain)[0] == OTHER_TOKENIZER


@pytest.mark.parametrize("text", ["a: {measured: {english: 200}}", "a: {by: me, stated: {english: [1, 2]}}", "a: {by: p, measured: {poems: 3}}", "a: {by: p, measured: {english: -1}}"])  # fmt: skip
def test_a_figure_without_a_witness_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizers.yaml").write_text(text)
    with pytest.raises(SourceError):
        densities(tmp_path)
