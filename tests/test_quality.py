"""The estimator keeps its promise on real tables, and says nothing where it knows nothing."""

import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from data.errors import DataMissing, UsageError
from recommender.quality import ScoreEstimator, estimate_cells


@pytest.mark.parametrize(
    "table",
    [
        np.full((5, 3), np.nan),
        np.full((5, 3), 50.0),
        np.array([[100.0, 0.0], [np.nan, 50.0]]),
        np.array([[1200.0, np.nan], [1300.0, 50.0], [np.nan, 60.0]]),
    ],
)
def test_odd_tables_give_finite_answers(table: np.ndarray) -> None:
    estimator = ScoreEstimator().fit(table)
    value, low, high = estimator.interval(table)
    assert np.isfinite(value).all()
    assert (low <= value + 1e-9).all() and (value <= high + 1e-9).all()


def test_an_empty_table_is_never_answered_with_a_number() -> None:
    assert estimate_cells([], []) == []
    with pytest.raises(DataMissing, match="no known scores"):
        estimate_cells([], [("m", "b")])


@pytest.mark.parametrize("text", ["nan", "inf", "n/a", ""])
def test_a_score_that_is_no_number_says_where(text: str) -> None:
    rows = [{"model": m, "benchmark": "b", "score": v, "scale": "percent"} for m, v in (("m1", "3"), ("m2", text))]
    with pytest.raises(UsageError, match="m2 on b"):
        estimate_cells(rows, [("m1", "b")])


def test_percentages_stay_within_0_and_100() -> None:
    known = [
        {"model": f"m{n}", "benchmark": b, "score": str(90 + n % 10), "scale": "percent"}
        for n in range(12)
        for b in "abc"
    ]
    (answer,) = estimate_cells(known[:-1], [("m11", "c")])
    assert 0 <= answer.low <= answer.value <= answer.high <= 100


@pytest.mark.corpus
@pytest.mark.slow
def test_published_folds_are_beaten_and_the_interval_keeps_its_promise(corpus: Path) -> None:
    folder = corpus / "quality"

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    models = {r["row"]: r for r in rows("benchpress2026_models.csv")}
    boards = {r["col"]: r["benchmark_id"] for r in rows("benchpress2026_benchmarks.csv")}
    raw = {"chatbot_arena_elo", "codeforces_rating", "gdpval_aa_elo", "swelancer_freelance_dollars", "vending_bench_2"}
    released = {m["model_id"]: m["release_date"] for m in models.values()}
    truth = {(r["model_id"], r["benchmark_id"]): r["score"] for r in rows("benchpress2026_scores.csv")}
    folds: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for r in rows("benchpress2026_folds.csv"):
        folds.setdefault((r["seed"], r["fold"]), []).append((models[r["row"]]["model_id"], boards[r["col"]]))
    errors, covered, widths = [], [], []
    for cells in list(folds.values())[:3]:
        held = set(cells)
        known = [
            {
                "model": m,
                "benchmark": b,
                "score": s,
                "scale": "raw" if b in raw else "percent",
                "released": released.get(m, ""),
            }
            for (m, b), s in truth.items()
            if (m, b) not in held
        ]
        for cell, answer in zip(cells, estimate_cells(known, cells), strict=True):
            real = float(truth[cell])
            errors.append(abs(real - answer.value))
            covered.append(answer.low <= real <= answer.high)
            widths.append(answer.high - answer.low)
    assert np.median(errors) <= 4.40
    assert 0.87 <= np.mean(covered) <= 0.93
    assert np.median(widths) <= 28


def test_too_few_scores_to_calibrate_are_refused_rather_than_falsely_sure() -> None:
    known = [{"model": "m1", "benchmark": "a", "score": "50", "scale": "percent"}]
    with pytest.raises(DataMissing, match="1 known scores"):
        estimate_cells(known, [("m2", "a")])


def test_newcomers_get_wider_intervals_where_new_releases_surprise_and_none_where_there_are_too_few() -> None:
    rng = np.random.default_rng(5)
    age = np.linspace(-1.5, 0.5, 80)
    strength = age + rng.normal(0, 0.3, 80)
    strength[age > 0.2] += rng.normal(0, 1.5, int((age > 0.2).sum()))  # new releases no longer follow the old pattern
    points = 100 / (1 + np.exp(-(strength[:, None] + rng.normal(0, 0.5, (80, 9)) * (1 + 3 * (age > 0.2))[:, None])))
    estimator = ScoreEstimator(level=0.8).fit(points, age=age, percent=np.ones(9, dtype=bool))
    estimator.calibrate_newcomers(points, age)
    assert estimator.newcomer_quantile_ > estimator.quantile_
    few = ScoreEstimator(level=0.8).fit(points[:12], age=age[:12]).calibrate_newcomers(points[:12], age[:12], shown=8)
    assert few.newcomer_quantile_ == few.quantile_


def recent(makers: list[str], *, lead: float = 0.0, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """(rows, 8) points of models released evenly over two years; those of maker "b" are ahead by `lead` on benchmark 0."""
    rng = np.random.default_rng(7)
    age = np.linspace(-1.5, 0.5, rows)
    logit = (age + rng.normal(0, 0.3, rows))[:, None] + rng.normal(0, 0.2, (rows, 8))
    logit[:, 0] += lead * np.array([m == "b" for m in makers])
    return 100 / (1 + np.exp(-logit)), age


def told(estimator: ScoreEstimator, shown: np.ndarray, maker: str, age: float = 0.6) -> np.ndarray:
    return estimator.interval(shown[None], np.array([age]), newcomers=True, makers=[maker])[0][0]


def test_what_sets_a_maker_apart_is_expected_of_its_next_model_and_of_nobody_elses() -> None:
    makers = ["a", "b"] * 30
    points, age = recent(makers, lead=1.0)
    estimator = ScoreEstimator().fit(points, age=age).calibrate_newcomers(points, age, makers=makers)
    shown = np.full(8, np.nan)
    shown[[2, 4, 6]] = 60.0
    assert told(estimator, shown, "b")[0] > told(estimator, shown, "a")[0] + 3
    assert np.array_equal(told(estimator, shown, ""), told(estimator, shown, "c"))


def test_a_maker_s_usual_lead_on_one_benchmark_is_no_sign_of_strength_on_the_others() -> None:
    makers = ["a", "b"] * 30
    points, age = recent(makers, lead=1.0)
    estimator = ScoreEstimator().fit(points, age=age).calibrate_newcomers(points, age, makers=makers)
    plain, ahead = np.full(8, np.nan), np.full(8, np.nan)
    plain[[0, 2]] = 60.0, 60.0
    ahead[[0, 2]] = 80.3, 60.0  # a logit more, as this maker's models are used to
    assert told(estimator, ahead, "b")[5] == pytest.approx(told(estimator, plain, "a")[5], abs=0.8)


def test_a_makers_later_models_and_the_model_itself_say_nothing_about_it() -> None:
    makers = ["a", "b"] * 30
    points, age = recent(makers, lead=1.0)
    estimator = ScoreEstimator().fit(points, age=age).calibrate_newcomers(points, age, makers=makers)
    shown = np.full(8, np.nan)
    shown[[2, 4, 6]] = 60.0
    assert np.array_equal(told(estimator, shown, "b", age=-1.5), told(estimator, shown, "", age=-1.5))


def test_a_score_near_the_end_of_its_scale_is_believed_less_by_the_half_that_counts_items() -> None:
    points, age = recent([""] * 60)
    estimator = ScoreEstimator().fit(points, age=age).calibrate_newcomers(points, age)
    new = estimator.newcomers_
    shown = np.full((1, 8), np.nan)
    shown[0, [2, 4, 6]] = (50.0, 50.0, 0.0)
    exact, counted = (
        new.expected(n, shown, np.array([0.6])).mean @ new.models[n].loadings.T
        for n in (new.items.index(np.inf), new.items.index(100.0))
    )
    assert counted[0, 0] > exact[0, 0]


def test_a_new_release_asked_for_without_calibration_is_refused() -> None:
    points, age = recent([""] * 60)
    with pytest.raises(NotFittedError):
        ScoreEstimator().fit(points, age=age).interval(points, age, newcomers=True)


@parametrize_with_checks([ScoreEstimator()])
def test_it_is_a_scikit_learn_estimator(estimator: ScoreEstimator, check: Callable[[ScoreEstimator], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
