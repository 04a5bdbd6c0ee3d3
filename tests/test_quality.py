"""The estimator keeps its promise on real tables, and says nothing where it knows nothing."""

import csv
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from data.errors import DataMissing, UsageError
from data.records import Benchmark, EvalResult, Score
from recommender.quality import ScoreEstimator, estimate_cells, fit_quality, judge

DAY = datetime(2026, 6, 1, tzinfo=UTC)
BOARDS = {b: Benchmark(benchmark=b, name=b) for b in ("a", "b", "c", "d")}


def score(model: str, board: str, value: float, **changes: object) -> Score:
    entry = {"model_id": model, "benchmark": board, "metric": "score", "value": value, "source_id": f"src-{board}"}
    return Score(**({**entry, "known_from": DAY, "claim_id": f"{model}{board}"} | changes))  # type: ignore[arg-type]


def table(models: int = 24) -> list[Score]:
    rng = np.random.default_rng(3)
    strength = np.linspace(-1.5, 1.5, models)
    return [
        score(f"m/{n:02d}", b, float(100 / (1 + np.exp(-(strength[n] + shift + rng.normal(0, 0.15))))))
        for n in range(models)
        for b, shift in (("a", 0.0), ("b", 0.5), ("c", -0.5), ("d", 0.2))
        if (n + ord(b)) % 5
    ]


WEIGHTS = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}


def p_of(better: str, now: str, **changes: object) -> float | None:
    fitted = fit_quality(table(), {}, BOARDS, as_of=DAY)
    assert fitted is not None
    found = judge(fitted, [(better, "")], (now, ""), WEIGHTS, **({"max_drop": 0.02} | changes))  # type: ignore[arg-type]
    return found[better, ""].p_ok if (better, "") in found else None


def test_stronger_is_probably_good_enough_and_weaker_is_not() -> None:
    strong, weak = p_of("m/20", "m/10"), p_of("m/04", "m/14")
    assert strong is not None and strong > 0.95
    assert weak is not None and weak < 0.05


def test_p_falls_as_the_demand_rises() -> None:
    loose, tight = p_of("m/11", "m/12", max_drop=0.10), p_of("m/11", "m/12", max_drop=0.0)
    assert loose is not None and tight is not None and loose > tight
    assert p_of("m/20", "m/10", floor=0.999) == 0.0


def test_a_model_without_scores_gets_neither_quality_nor_probability() -> None:
    assert p_of("m/unknown", "m/10") is None
    assert p_of("m/10", "m/unknown") is None


def test_one_board_is_not_enough_data() -> None:
    scores = [*table(), score("m/new", "a", 99.0)]
    fitted = fit_quality(scores, {}, BOARDS, as_of=DAY)
    assert fitted is not None
    found = judge(fitted, [("m/new", "")], ("m/10", ""), WEIGHTS, max_drop=0.02)["m/new", ""]
    assert (found.quality.grade, found.p_ok) == (None, None)


def test_makers_own_figures_are_weak_evidence() -> None:
    own = [s.model_copy(update={"self_reported": True}) for s in table()]
    fitted = fit_quality(own, {}, BOARDS, as_of=DAY)
    assert fitted is not None
    assert judge(fitted, [("m/20", "")], ("m/10", ""), WEIGHTS, max_drop=0.02)["m/20", ""].quality.grade == "D"


def test_own_evaluations_outrank_boards_by_their_size() -> None:
    fitted = fit_quality(table(), {}, BOARDS, as_of=DAY)
    assert fitted is not None
    bad = {"m/20": EvalResult(model="m/20", score=0.6, n=2000), "m/10": EvalResult(model="m/10", score=0.9, n=2000)}
    found = judge(fitted, [("m/20", "")], ("m/10", ""), WEIGHTS, max_drop=0.02, own=bad)["m/20", ""]
    assert found.quality.grade == "A"
    assert found.p_ok is not None and found.p_ok < 0.1


def test_what_was_learned_later_changes_no_earlier_answer() -> None:
    later = [score("m/20", "a", 1.0, known_from=datetime(2026, 7, 1, tzinfo=UTC), evaluated_on="2026-07-01")]
    asked = ([("m/20", "")], ("m/10", ""), WEIGHTS)
    answers = [
        judge(f, *asked, max_drop=0.02)
        for s in (table(), table() + later)
        if (f := fit_quality(s, {}, BOARDS, as_of=DAY))
    ]
    assert answers[0] == answers[1]


def spread_of(scores: list[Score], boards: dict[str, Benchmark], model: str) -> float:
    fitted = fit_quality(scores, {}, boards, as_of=DAY)
    assert fitted is not None
    found = judge(fitted, [(model, "")], None, {"a": 1.0}, max_drop=0.02)[model, ""].quality
    return found.high - found.low


def test_a_board_of_few_items_is_less_sure_than_one_of_many() -> None:
    few, many = ({b: v.model_copy(update={"n_items": n}) for b, v in BOARDS.items()} for n in (20, 20000))
    assert spread_of(table(), few, "m/12") > 3 * spread_of(table(), many, "m/12")
    own = [s.model_copy(update={"n_items": 20000}) for s in table()]
    assert spread_of(own, few, "m/12") == spread_of(table(), many, "m/12"), (
        "the score's own number of items counts first"
    )


def test_makers_own_figures_are_less_sure() -> None:
    own = [s.model_copy(update={"self_reported": True}) for s in table()]
    many = {b: v.model_copy(update={"n_items": 20000}) for b, v in BOARDS.items()}
    assert spread_of(own, many, "m/12") > 2 * spread_of(table(), many, "m/12")


def test_a_new_release_of_few_scores_is_told_by_the_recent_ones_and_an_old_one_is_not() -> None:
    released = {f"m/{n:02d}": f"{2024 + n // 12}-{n % 12 + 1:02d}-01" for n in range(24)}  # the later the stronger
    released |= {"m/new": "2026-01-01", "m/old": "2023-12-01"}
    scores = [*table(), *(score(m, b, 60.0) for m in ("m/new", "m/old") for b in ("a", "b"))]
    fitted = fit_quality(scores, released, BOARDS, as_of=DAY)
    assert fitted is not None
    assert fitted.is_newcomer(("m/new", "")) and not fitted.is_newcomer(("m/old", ""))
    asked = [("m/new", ""), ("m/old", "")]
    new, old = (judge(fitted, [r], None, WEIGHTS, max_drop=0.02)[r].quality for r in asked)
    assert new.mean > old.mean, "the same two scores, but newer models are expected higher"
    assert 0 <= new.low < new.mean < new.high <= 1


def test_lower_is_better_is_turned_round() -> None:
    boards = {b: v.model_copy(update={"higher_is_better": False}) for b, v in BOARDS.items()}
    fitted = fit_quality(table(), {}, boards, as_of=DAY)
    assert fitted is not None
    found = judge(fitted, [("m/20", "")], ("m/10", ""), WEIGHTS, max_drop=0.02)["m/20", ""]
    assert found.p_ok is not None and found.p_ok < 0.05


@pytest.mark.parametrize(
    "scores", [[], [score("m/1", "a", 50.0)], [score(f"m/{n}", "a", float("nan")) for n in range(20)]]
)
def test_too_little_is_nothing_not_a_number(scores: list[Score]) -> None:
    assert fit_quality(scores, {}, BOARDS, as_of=DAY) is None


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


def test_boards_of_one_cluster_do_not_count_twice() -> None:
    same = {b: BOARDS[b].model_copy(update={"cluster": "one"}) for b in ("a", "b", "c")} | {"d": BOARDS["d"]}
    apart, together = (fit_quality(table(), {}, boards, as_of=DAY) for boards in (BOARDS, same))
    assert apart is not None and together is not None
    row = ("m/14", "")
    weights = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}
    only_d = judge(apart, [row], None, {"d": 1.0}, max_drop=0.02)[row].quality.mean
    equal, clustered = (judge(f, [row], None, weights, max_drop=0.02)[row].quality.mean for f in (apart, together))
    assert abs(clustered - only_d) < abs(equal - only_d)


def test_an_elo_board_is_known_by_its_record_and_not_by_its_name() -> None:
    def mean(scale: str, name: str) -> float:
        scores = [score(f"m/{n:02d}", name, 1000.0 + 20 * n) for n in range(24)]
        scores += [score(f"m/{n:02d}", "a", 30.0 + n) for n in range(24)]
        boards = {name: Benchmark(benchmark=name, name=name, scale=scale), "a": BOARDS["a"]}  # type: ignore[arg-type]
        fitted = fit_quality(scores, {}, boards, as_of=DAY)
        assert fitted is not None
        return judge(fitted, [("m/23", "")], None, {name: 1.0}, max_drop=0.02)[("m/23", "")].quality.mean

    assert mean("elo", "duels") == pytest.approx(mean("elo", "arena"), abs=1e-9)
    assert mean("raw", "arena") != pytest.approx(mean("elo", "arena"), abs=0.02)
