"""A judgement says how good, how sure and on what evidence, and says nothing where there is not enough of it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from data.records import Benchmark, EvalResult, Grade, Score
from recommender.quality import Judgement, fit_quality, judge
from recommender.quality.draws import draw_scores

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


def judged(
    now: str = "m/10", *, own: dict[str, tuple[float, int]], of: str = "m/20", floor: float | None = None
) -> Judgement:
    fitted = fit_quality(table(), {}, BOARDS, as_of=DAY)
    results = {m: EvalResult(model=m, score=share, n=n) for m, (share, n) in own.items()}
    return judge(fitted, [(of, "")], (now, ""), WEIGHTS, max_drop=0.02, floor=floor, own=results)[of, ""]


def test_own_results_outrank_boards_by_their_size() -> None:
    """On the boards m/20 is far better than m/10; the team measured the reverse, on more and more cases."""
    p = [judged(own={"m/20": (0.6, n), "m/10": (0.9, n)}).p_ok for n in (5, 50, 500, 5000)]
    assert None not in p and p == sorted(p, reverse=True)  # type: ignore[type-var]
    assert p[0] > 0.9 and p[-1] < 0.05  # type: ignore[operator]


def test_a_comparison_is_as_large_as_the_smaller_of_its_sides() -> None:
    lopsided = judged(own={"m/20": (0.6, 5000), "m/10": (0.9, 5)})
    assert lopsided.p_ok is not None and lopsided.p_ok > 0.9
    assert lopsided.quality.grade == "B"


def test_own_results_of_one_side_compare_nothing_and_are_told() -> None:
    without, alone = judged(own={}), judged(own={"m/20": (0.1, 5000)})
    assert (alone.p_ok, alone.p_gain, alone.quality.grade) == (without.p_ok, without.p_gain, without.quality.grade)
    assert alone.quality.mean == without.quality.mean, "a share of the team's cases beside a share of boards misleads"
    assert "your own evaluation: 0.100 on 5000 cases" in alone.quality.notes[-1]


def test_own_results_of_the_model_in_use_alone_stand_beside_no_board() -> None:
    """Its pass rate is no share of boards: 0.99 of one's own cases is not better than 0.7 of public ones."""
    without = judged(of="m/10", own={})
    alone = judged(of="m/10", own={"m/10": (0.99, 5000)})
    assert (alone.quality.mean, alone.quality.own) == (without.quality.mean, False)
    assert "0.990 on 5000 cases" in alone.quality.notes[-1]


def test_a_candidate_without_own_results_meets_the_boards_of_the_model_in_use() -> None:
    own = {"m/10": (0.99, 500), "m/15": (0.98, 500)}
    mine, other, tested = (judged(of=m, own=own).quality for m in ("m/10", "m/20", "m/15"))
    assert mine.mean == 0.99
    assert mine.beside(other) == judged(of="m/10", own={}).quality.mean
    assert mine.beside(tested) == 0.99
    assert mine.model_copy(update={"boards_mean": None}).beside(other) is None, "unknown, and not the pass rate"


def test_own_results_need_no_board_beside_them() -> None:
    """What "your own evaluation would settle it" promises, for a model that no board knows, and where nothing can be fitted."""
    own = {m: EvalResult(model=m, score=s, n=400) for m, s in (("x/new", 0.9), ("x/now", 0.8), ("x/bad", 0.5))}
    rows = [("x/new", ""), ("x/bad", ""), ("x/untested", "")]
    for fitted in (fit_quality(table(), {}, BOARDS, as_of=DAY), None):
        found = judge(fitted, rows, ("x/now", ""), WEIGHTS, max_drop=0.02, own=own)
        assert ("x/untested", "") not in found
        assert found["x/new", ""].p_ok == pytest.approx(1, abs=1e-3) and found["x/bad", ""].p_ok == pytest.approx(0)
        assert found["x/now", ""].p_ok == 1.0
        assert {found[r].quality.grade for r in [("x/new", ""), ("x/now", "")]} == {"A"}


def test_all_right_on_ten_cases_is_no_certainty() -> None:
    own = {"x/new": EvalResult(model="x/new", score=1.0, n=10), "x/now": EvalResult(model="x/now", score=1.0, n=10)}
    found = judge(None, [("x/new", "")], ("x/now", ""), {}, max_drop=0.02, own=own)["x/new", ""]
    assert found.p_ok is not None and 0.5 < found.p_ok < 0.9
    assert found.quality.low < 1.0


def test_few_cases_of_the_model_in_use_make_the_comparison_unsure() -> None:
    def p(cases_now: int) -> float | None:
        own = {
            "x/new": EvalResult(model="x/new", score=0.85, n=9000),
            "x/now": EvalResult(model="x/now", score=0.8, n=cases_now),
        }
        return judge(None, [("x/new", "")], ("x/now", ""), {}, max_drop=0.0, own=own)["x/new", ""].p_ok

    few, many = p(10), p(9000)
    assert few is not None and few < 0.75
    assert many is not None and many > 0.99


def test_a_floor_holds_for_own_results_too() -> None:
    own = {"m/20": (0.9, 5000), "m/10": (0.9, 5000)}
    p = judged(own=own, floor=0.95).p_ok
    assert p is not None and p < 0.05


@pytest.mark.parametrize(
    ("boards", "sources", "maker_says", "cases", "grade"),
    [
        ("abc", 3, False, 0, "C"),
        ("abc", 3, True, 0, "D"),
        ("ab", 2, False, 0, "D"),
        ("ab", 1, False, 0, None),
        ("a", 1, False, 0, None),
        ("ab", 1, False, 199, "B"),
        ("abc", 3, False, 200, "A"),
    ],
)
def test_evidence_has_four_grades_and_none(
    boards: str, sources: int, maker_says: bool, cases: int, grade: Grade | None
) -> None:
    scores = [
        score("m/new", b, 60.0, source_id=f"src-{n % sources}", self_reported=maker_says) for n, b in enumerate(boards)
    ]
    fitted = fit_quality([*table(), *scores], {}, BOARDS, as_of=DAY)
    own = {m: EvalResult(model=m, score=0.7, n=cases) for m in ("m/new", "m/10")} if cases else {}
    found = judge(fitted, [("m/new", "")], ("m/10", ""), WEIGHTS, max_drop=0.02, own=own)["m/new", ""]
    assert found.quality.grade == grade
    assert (found.p_ok is None) == (grade is None), "no grade, no probability"


def test_a_comparison_is_no_better_than_the_evidence_of_the_model_in_use() -> None:
    weak = [score("m/now", b, 50.0) for b in "ab"]
    fitted = fit_quality([*table(), *weak], {}, BOARDS, as_of=DAY)
    found = judge(fitted, [("m/20", "")], ("m/now", ""), WEIGHTS, max_drop=0.02)
    assert found["m/20", ""].quality.grade == "D"


def test_the_task_s_weights_decide() -> None:
    scores = [
        *table(),
        *(score("m/x", b, v) for b, v in (("a", 90.0), ("b", 20.0))),
        *(score("m/y", b, 55.0) for b in "ab"),
    ]
    fitted = fit_quality(scores, {}, BOARDS, as_of=DAY)
    p = [
        judge(fitted, [("m/x", "")], ("m/y", ""), {"a": w, "b": 1 - w}, max_drop=0.02)["m/x", ""].p_ok
        for w in (0.9, 0.1)
    ]
    assert p[0] is not None and p[1] is not None and p[0] > 0.9 > 0.1 > p[1]


def test_the_error_of_the_model_in_use_counts_as_much_as_the_candidates() -> None:
    def p(candidate: int, now: int) -> float:
        sides = [score("m/x", b, 62.0, n_items=candidate) for b in "abcd"]
        sides += [score("m/y", b, 58.0, n_items=now) for b in "abcd"]
        fitted = fit_quality([*table(), *sides], {}, BOARDS, as_of=DAY)
        found = judge(fitted, [("m/x", "")], ("m/y", ""), WEIGHTS, max_drop=0.0)["m/x", ""].p_ok
        assert found is not None
        return found

    exact, unsure_now, unsure_both = p(20000, 20000), p(20000, 40), p(40, 40)
    assert exact > unsure_now + 0.02 > unsure_both + 0.02 > 0.52
    assert unsure_now == pytest.approx(p(40, 20000), abs=0.05)


def test_missing_cells_of_one_model_err_together_and_apart_from_the_model_in_use() -> None:
    rng = np.random.default_rng(1)
    boards = {f"b{n}": Benchmark(benchmark=f"b{n}", name=f"b{n}") for n in range(6)}
    strength = np.linspace(-1, 1, 30)
    scores = [
        score(f"m/{n:02d}", b, float(100 / (1 + np.exp(-strength[n] - rng.normal(0, 0.1)))))
        for n in range(30)
        for b in boards
        if n > 1 or b == "b0"
    ]
    fitted = fit_quality(scores, {}, boards, as_of=DAY)
    assert fitted is not None
    one, now = draw_scores(fitted, [("m/00", ""), ("m/01", "")], ["b1", "b2"])
    assert np.corrcoef(one.T)[0, 1] > 0.3, "one factor error for all of a model's missing cells"
    assert abs(np.corrcoef(one[:, 0], now[:, 0])[0, 1]) < 0.1, "each model has its own"
    assert np.array_equal(one, draw_scores(fitted, [("m/00", ""), ("m/01", "")], ["b1", "b2"])[0])


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
