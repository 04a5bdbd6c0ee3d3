"""A replay never looks ahead, counts candidates and not rows, and says nothing where it knows nothing."""

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from data.errors import UsageError
from jobs.backtest import load_world, price_timeline
from jobs.cli import app
from jobs.replay import row_of
from recommender.backtest import (
    AsOf,
    Claim,
    World,
    Years,
    claims_of,
    foresee,
    replay_years,
    said_and_seen,
    weigh_alerts,
    weigh_clauses,
)
from recommender.backtest.case import Case, cases_of
from recommender.backtest.follow import decided, follow
from recommender.backtest.rule import Answer, Choice, Clauses, answer, registered
from recommender.backtest.world import NEVER

START = date(2024, 1, 1).toordinal()
DAYS = 800
LAG = 30


def world(models: int = 140, boards: int = 6, seed: int = 3) -> World:
    """Models of one skill that rises with the release day, three scores of each known at release."""
    rng = np.random.default_rng(seed)
    released = np.sort(rng.integers(START, START + 700, models))
    skill = (released - START) / 300 + rng.normal(0, 0.6, models)
    logits = skill[:, None] - rng.normal(0.5, 0.5, boards) + rng.normal(0, 0.25, (models, boards))
    known = np.repeat(released[:, None] + LAG, boards, axis=1)
    for row in range(models):
        known[row, rng.permutation(boards)[:3]] = released[row]
    usd = np.full((models, DAYS), np.nan)
    for row in range(models):
        usd[row, released[row] - START :] = np.exp(rng.normal(0, 1.2))
    names = tuple(f"maker/m{n}" for n in range(models))
    return World(names, names, tuple(f"b{n}" for n in range(boards)), released, 100 / (1 + np.exp(-logits)), known, usd, START)  # fmt: skip


def poisoned(w: World, day: int) -> World:
    """Everything that became known after `day` turned into nonsense: scores, later prices."""
    usd = w.usd_per_mtok.copy()
    usd[:, day - START + 1 :] = 1e-6
    score = np.where(w.known_day > day, 99.9 - np.nan_to_num(w.score), w.score)
    return replace(w, score=score, usd_per_mtok=usd)


@pytest.fixture(scope="module")
def plain() -> World:
    return world()


def claims(w: World, until: int | None = None) -> list[Claim]:
    return claims_of(w, foresee(w, until=until), AsOf(w))


@pytest.fixture(scope="module")
def told(plain: World) -> list[Claim]:
    return claims(plain)


@pytest.mark.parametrize("day", [START + 360, START + 430, START + 611])
def test_a_poisoned_future_changes_no_earlier_prediction(plain: World, day: int) -> None:
    before, after = foresee(plain, until=day), foresee(poisoned(plain, day), until=day)
    assert len(before) > 50
    for a, b in zip(before, after, strict=True):
        assert (a.row, a.column, a.day, a.mean, a.spread, a.at) == (b.row, b.column, b.day, b.mean, b.spread, b.at)
        assert a.pool.tobytes() == b.pool.tobytes()


def test_a_poisoned_future_changes_no_probability_no_decision_and_no_incumbent(plain: World) -> None:
    day = START + 500
    one, two = claims(plain, day), claims(poisoned(plain, day), day)
    assert len(one) > 100
    said = [[(c.candidate, c.benchmark, c.need_points, c.p_ok, c.switch, c.price_share) for c in x] for x in (one, two)]
    assert said[0] == said[1]


def test_a_poisoned_future_changes_no_earlier_day_of_a_years_path(
    plain: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recommender.backtest import follow, year

    monkeypatch.setattr(follow, "run_of", lambda _world, _case, path: list(path))
    monkeypatch.setattr(year, "oracle", lambda *_: None)
    cases = year.cases_of(plain)[:18]
    monkeypatch.setattr(year, "cases_of", lambda _: cases)

    def paths(w: World) -> list[list[int]]:
        return year.Years(w, foresee(w), AsOf(w)).decided(Clauses(confidence=0.7))  # type: ignore[return-value]

    day = cases[0].start + 200
    one, two = paths(plain), paths(poisoned(plain, day))
    until = [day - c.start + 1 for c in cases]
    assert [p[:n] for p, n in zip(one, until, strict=True)] == [p[:n] for p, n in zip(two, until, strict=True)]
    assert any(len(set(p[:n])) > 1 for p, n in zip(one, until, strict=True))  # something was decided before that day
    assert one != two  # and the poison bites after it


def test_a_leak_of_one_day_would_be_seen(plain: World) -> None:
    """The poison test fails where a score is let in too early: the same replay that knows each score at release."""
    day = START + 500
    leaky = replace(plain, known_day=np.where(plain.known_day == NEVER, NEVER, plain.released[:, None]))
    rotten = poisoned(plain, day)
    rotten_leak = replace(rotten, known_day=leaky.known_day)
    asked = [(n, j) for n, j in np.argwhere(plain.known_day > day) if plain.released[n] <= day]
    assert asked
    for ask_world, differ in ((plain, False), (leaky, True)):
        clean = AsOf(ask_world)
        bad = AsOf(rotten_leak if differ else rotten)
        said = [[a.p_at_least(int(n), int(j), [50.0], day) for n, j in asked] for a in (clean, bad)]
        assert (said[0] != said[1]) is differ


def test_the_poison_does_bite_where_it_may(plain: World, told: list[Claim]) -> None:
    assert weigh_alerts(told) != weigh_alerts(claims(poisoned(plain, START + 300)))


def test_no_probability_from_fewer_than_sixty_outcomes(plain: World) -> None:
    early = [f for f in foresee(plain) if len(f.pool) < 60]
    assert early
    assert all(f.p_at_least(1.0) is None for f in early)


def test_precision_rises_with_p_always_is_the_base_rate_and_the_oracle_is_never_wrong(told: list[Claim]) -> None:
    lines = {x.rule: x for x in weigh_alerts(told)}
    everything, oracle = lines["always, when cheaper"], lines["oracle"]
    assert everything.alerts == len(told)
    assert everything.recall == 1.0
    assert everything.precision == pytest.approx(np.mean([c.good for c in told]))
    precision = [lines[f"undercut, P >= {p}"].precision or 0 for p in (0.5, 0.8, 0.95)]
    assert precision == sorted(precision)
    assert precision[0] > (everything.precision or 1)
    assert (oracle.precision, oracle.recall) == (1.0, 1.0)
    assert lines["never switch"].alerts == 0


def test_the_whole_rule_alerts_less_than_its_confidence_alone(told: list[Claim]) -> None:
    whole = [c for c in told if c.switch]
    assert whole
    assert all(c.p_ok >= 0.85 for c in whole)
    assert len(whole) < sum(c.p_ok >= 0.85 for c in told)  # the low end of the saving keeps some back


def test_the_fifths_rise_and_hold_all(told: list[Claim]) -> None:
    fifths = said_and_seen(told)
    assert [f.said for f in fifths] == sorted(f.said for f in fifths)
    assert np.mean([f.seen for f in fifths]) == pytest.approx(np.mean([c.good for c in told]), abs=0.01)


def test_where_any_score_is_good_enough_nothing_is_decided(told: list[Claim]) -> None:
    assert all(c.need_points > 0 for c in told)


@pytest.mark.parametrize(("usd", "p", "switches"), [(1.0, 0.9, True), (1.0, 0.8, False), (6.9, 0.99, False)])
def test_a_replayed_use_case_is_decided_by_the_products_own_rule(
    plain: World, usd: float, p: float, switches: bool
) -> None:
    """Not under the confidence asked, and not where the unknown length of answers could eat the saving."""
    now, candidate = Choice(0, 10.0, 1.0), Choice(1, usd, p)
    asked = Clauses(min_age_days=0)
    case = registered(plain, now, floor_points=50.0, clauses=asked)
    assert (answer(plain, case, now, [candidate], int(plain.released[1]), asked) == Answer(1)) is switches


def test_a_saving_that_only_its_middle_passes_is_held_for_the_digest(plain: World) -> None:
    now, candidate, day = Choice(0, 10.0, 1.0), Choice(1, 6.9, 0.99), int(plain.released[1])
    asked = Clauses(min_age_days=0)
    case = registered(plain, now, floor_points=50.0, clauses=asked)
    assert answer(plain, case, now, [candidate], day, asked) == Answer(1, held=True)
    assert answer(plain, case, now, [candidate], day, Clauses(min_age_days=0, low_end=False)) == Answer(1)


def one_candidate(usd: float, points: float) -> tuple[World, Case]:
    """An incumbent at $10 that scores 60, and a candidate released on the second day whose score is known at once."""
    known = np.array([[START], [START + 1]])
    prices = np.array([[10.0] * DAYS, [usd] * DAYS])
    w = World(("a/x", "b/y"), ("a/x", "b/y"), ("b",), known[:, 0], np.array([[60.0], [points]]), known, prices, START)
    return w, Case(0, START, 0, 60.0, 10.0)


def days_on_it(w: World, case: Case, clauses: Clauses, p: float = 0.6) -> int:
    run = decided(w, case, {}, {(1, 0, START + 1, case.need): p}, clauses)
    return round((1 - run.cost) / (1 - float(w.usd_per_mtok[1, 0]) / 10) * 365)


def test_each_lifted_clause_lets_its_own_switch_through_and_no_other() -> None:
    w, case = one_candidate(1.0, 58.5)
    assert (
        days_on_it(w, case, Clauses()) == 0
    )  # a measured score barely over the bar is 60 % likely to be truly over it
    assert days_on_it(w, case, Clauses(sampling_error=False)) == 365 - 15
    assert days_on_it(w, case, Clauses(sampling_error=False, min_age_days=0)) == 365 - 1
    assert days_on_it(w, case, Clauses(low_end=False, payback=False, waiting=False, cooldown=False)) == 0
    short, wrong = one_candidate(1.0, 57.5)
    assert days_on_it(short, wrong, Clauses(sampling_error=False)) == 0  # taken at its word, it falls short


def test_the_digest_is_followed_only_after_its_hold_and_only_where_that_is_asked() -> None:
    w, case = one_candidate(6.9, 80.0)
    assert days_on_it(w, case, Clauses(), p=0.99) == 0
    assert days_on_it(w, case, Clauses(digest=True), p=0.99) == 365 - 15 - 7
    assert days_on_it(w, case, Clauses(low_end=False), p=0.99) == 365 - 15


def test_lifting_a_clause_never_sends_less_and_what_cannot_matter_is_not_said(plain: World, told: list[Claim]) -> None:
    lines = {x.rule: x for x in weigh_clauses(plain, told, Years(plain, foresee(plain), AsOf(plain)))}
    whole = lines["the whole rule"].alerts
    assert whole is not None
    assert whole.alerts == sum(c.switch for c in told) > 0
    assert lines["measured scores taken as exact"].alerts is lines["no age asked"].alerts is None
    assert all(x.alerts.alerts >= whole.alerts for x in lines.values() if x.alerts is not None)
    assert all(
        x.year is not None and x.year.use_cases == lines["the whole rule"].year.use_cases for x in lines.values()
    )


def test_no_rule_beats_the_oracle_and_staying_saves_nothing(plain: World) -> None:
    lines = replay_years(Years(plain, foresee(plain), AsOf(plain)))
    by = {x.rule: x for x in lines}
    assert by["never switch"].cost == pytest.approx(1.0)
    assert (by["never switch"].saved, by["oracle"].regret) == (0.0, 0.0)
    assert by["measured only"].months_short == 0
    assert by["measured only"].undone == 0
    assert by["undercut, 0.95"].switches <= by["undercut, 0.7"].switches
    sound = [x for x in lines if x.months_short == 0]
    assert all(x.regret >= -1e-12 for x in sound)


def test_a_measured_switch_does_not_come_before_its_score(plain: World) -> None:
    case = cases_of(plain)[0]
    unmeasured = replace(plain, known_day=np.where(plain.known_day > case.start, NEVER, plain.known_day))
    assert follow(unmeasured, case, {}).cost == pytest.approx(1.0)
    assert decided(unmeasured, case, {}, {}, Clauses()).cost == pytest.approx(1.0)


def test_an_empty_replay_says_nothing() -> None:
    few = world(models=10)
    assert foresee(few) == []
    assert weigh_alerts([])[0].precision is None
    assert said_and_seen([]) == []
    assert replay_years(Years(few, [], AsOf(few))) == []


class Known:
    def match(self, name: str) -> object:
        return type("M", (), {"model_id": f"acme/{name}"})()


def stated(day: str, provider: str, usd: str, source: str = "models.dev", extra: str = "") -> dict[str, str]:
    return {"source": source, "observed_on": day, "provider": provider, "model_id": "one", "input_usd_per_mtok": usd,
            "output_usd_per_mtok": usd, "cached_input_usd_per_mtok": "", "extra_json": extra}  # fmt: skip


def test_the_makers_own_price_counts_and_a_zero_is_no_price() -> None:
    said = [
        stated("2026-01-01", "elsewhere", "1"),
        stated("2026-02-01", "acme", "4"),
        stated("2026-03-01", "acme", "0"),
    ]
    rows = [r for r in map(row_of, said) if r is not None]
    days = [(date.fromordinal(d).month, p) for d, p in price_timeline(rows, Known())["acme/one"]]
    assert days == [(1, 1.0), (2, 4.0), (3, 1.0)]


def test_a_table_that_is_none_is_refused_with_its_columns(tmp_path: Path) -> None:
    history, scores = tmp_path / "h.csv", tmp_path / "s.csv"
    with history.open("w", newline="") as f:
        out = csv.DictWriter(f, stated("", "", ""))
        out.writeheader()
        out.writerow(stated("2026-01-01", "openai", "1"))
    scores.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="release_date"):
        load_world(history, scores, lag_months=1, source="x")


def test_the_command_prints_json_lines(tmp_path: Path) -> None:
    history, scores = tmp_path / "h.csv", tmp_path / "s.csv"
    with history.open("w", newline="") as f:
        out = csv.DictWriter(f, stated("", "", ""))
        out.writeheader()
        out.writerow({**stated("2026-01-01", "openai", "1"), "model_id": "gpt-4o"})
    with scores.open("w", newline="") as f:
        f.write("source,benchmark,model_name_raw,score,unit,higher_is_better,settings_json\n")
        csv.writer(f).writerow(["x", "b", "gpt-4o", "50", "percent", "1", json.dumps({"release_date": "2024-05-13"})])
    done = CliRunner().invoke(
        app, ["backtest", str(history), str(scores), "--source", "x", "--lag-months", "1", "--json"]
    )
    assert done.exit_code == 0
    first = json.loads(done.stdout.splitlines()[0])
    assert (first["alerts"], first["precision"]) == (0, None)
