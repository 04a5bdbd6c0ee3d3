"""What today's bill, or that of the design, buys for a use case: costs from prices in force, success from a pilot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data.errors import DataMissing, UsageError
from data.records import Candidate, Cost, Tokens, UseCase
from data.store import identifier, table_file
from jobs.evals import known_model
from jobs.look_back import Standing, named
from jobs.results import PASSED, column
from recommender.abundance import Check, Ground, Items, Plan, count, fits, plans, too_small
from recommender.cost import monthly_cost
from scraper.match import Matcher

VERDICT_TOKENS = 50  # what a judging call answers: a verdict and half a sentence
Bill = Literal["today", "design"]


@dataclass(frozen=True)
class Pilot:
    """Runs of labelled items. `counts`: (right, tried) -> items; `check` where the file says what a check accepted."""

    model_id: str | None
    items: int
    runs: int
    counts: dict[tuple[int, int], int]
    check: Check | None


@dataclass(frozen=True)
class Planned:
    """The ground and every plan on it; `one_call` says whether nothing is worth a trial. `cheap`: the candidate they use."""

    use_case: str
    bill: Bill
    ground: Ground
    cheap: Candidate
    plans: tuple[Plan, ...]
    pilot: Pilot | None
    why_cheap: str

    @property
    def one_call(self) -> bool:
        return not any(p.trial for p in self.plans)


def planned(here: Standing, case: UseCase, bill: Bill, design_usd: float | None, pilot: Pilot | None) -> Planned:
    """Raises DataMissing where the model in use has no price, or the design no cost."""
    present, *ranked = here.candidates[case.slug]
    if present.cost is None:
        raise DataMissing(
            f"{present.endpoint_id} has no price, so there is no bill.", where=case.slug, fix="see undercut explain."
        )
    if bill == "design" and design_usd is None:
        raise DataMissing(
            "what a call cost at the design is not known.",
            where=case.slug,
            fix="write designed: {date, model, cost_per_call}.",
        )
    cheap, why = _cheap(here, case, present, ranked, pilot)
    assert cheap.cost is not None
    check = _judging(here, case, cheap)
    if check is None:
        check = cheap.cost.usd_per_call  # not known apart: never less than a whole call
    load = case.workload
    ground = Ground(
        calls_per_month=load.calls_per_month * (1 + load.retry_rate),
        bill_usd=design_usd if bill == "design" and design_usd is not None else present.cost.usd_per_call,
        dear=named(present),
        dear_usd=present.cost.usd_per_call,
        cheap=named(cheap),
        cheap_usd=cheap.cost.usd_per_call,
        check_usd=check,
        answer_tokens=load.output_tokens.mean,
        calls_per_minute=load.peak_calls_per_minute,
        max_latency_s=case.require.max_latency_s,
        dear_quality=_own_share(case, present),
        cheap_quality=_own_share(case, cheap),
        pilot=tuple(_fitted(pilot)),
        check=pilot.check if pilot else None,
    )
    return Planned(case.slug, bill, ground, cheap, tuple(plans(ground)), pilot, why)


def read_pilot(path: Path, matcher: Matcher) -> Pilot:
    """CSV, JSON Lines or Parquet, a row a run: item, passed, and where there are several model; accepted: what a check said.

    Raises UsageError with what is missing, and for a pilot too small to bear a model.
    """
    with table_file(path) as table:
        names = [
            r["name"] for r in table.rows("select column_name as name from duckdb_columns() where table_name = 'log'")
        ]
        item, passed = (
            column(names, "item", "case", "id", "test"),
            column(names, "passed", "pass", "correct", "success", "right"),
        )
        accepted, model = column(names, "accepted", "check"), column(names, "model", "provider", "model_id")
        if item is None or passed is None:
            said = ", ".join(names)[:200]
            raise UsageError(f"no column item, or none passed; it has {said}.", where=str(path), fix="a row a run: item, passed, accepted (what your check said).")  # fmt: skip
        wanted = [c for c in (item, passed, accepted, model) if c]
        rows = table.rows(
            f"select {', '.join(identifier(c) for c in wanted)} from log where {identifier(passed)} is not null"
        )
    models = {str(r[model]) for r in rows} if model else set()
    if len(models) > 1:
        raise UsageError(f"runs of {len(models)} models.", where=str(path), fix="one file a model.")
    trials = [(str(r[item]), _yes(r[passed])) for r in rows]
    counts = count(trials)
    if small := too_small(counts):
        raise UsageError(small + ".", where=str(path), fix="run every item of the pilot at least twice.")
    check = None
    if accepted:
        judged = [(ok, _yes(r[accepted])) for (_, ok), r in zip(trials, rows, strict=True) if r[accepted] is not None]
        right, wrong = [a for ok, a in judged if ok], [a for ok, a in judged if not ok]
        check = Check((sum(right) + 0.5) / (len(right) + 1), (sum(wrong) + 0.5) / (len(wrong) + 1))
    ident = known_model(matcher, next(iter(models))) if models else None
    if models and ident is None:
        raise UsageError(f"{next(iter(models))!r} is no model we know.", where=str(path), fix="write maker/model.")
    return Pilot(ident, len({i for i, _ in trials}), len(trials), dict(counts), check)


def _cheap(
    here: Standing, case: UseCase, present: Candidate, ranked: Sequence[Candidate], pilot: Pilot | None
) -> tuple[Candidate, str]:
    """The model that plans repeat: the pilot's, else the one recommended, else the likeliest cheaper one, else that in use."""
    if pilot is not None and pilot.model_id is not None:
        of = [c for c in (present, *ranked) if c.model_id == pilot.model_id and c.cost and (c.eligible or c is present)]
        if not of:
            raise DataMissing(f"{pilot.model_id} is not eligible for {case.slug}.", where="--pilot", fix=f"see undercut rank {case.slug}.")  # fmt: skip
        return min(of, key=_usd), "the pilot's model"
    d = here.decisions[case.slug]
    for c, why in ((d.best, "recommended"), (d.easier, "the easiest good move")):
        if c is not None and c.cost is not None and c.move != "tier":
            return c, f"{why}, {c.p_ok or 0:.0%} likely good enough alone"
    likely = [c for c in ranked if c.eligible and c.cost and (c.p_ok or 0) >= 0.5 and _usd(c) < _usd(present)]
    if likely:
        c = min(likely, key=_usd)
        return c, f"the cheapest that is more likely than not good enough ({c.p_ok or 0:.0%})"
    return present, "in use; nothing cheaper is likely good enough"


def _judging(here: Standing, case: UseCase, cheap: Candidate) -> float | None:
    """USD of a call that reads prompt and answer and says yes or no."""
    load = case.workload
    judge = load.model_copy(
        update={
            "input_tokens": Tokens(mean=load.input_tokens.mean + load.output_tokens.mean),
            "output_tokens": Tokens(mean=VERDICT_TOKENS),
            "reasoning_tokens": Tokens(mean=0),
            "images_per_call": 0,
        }
    )
    cost = monthly_cost(judge, here.book, cheap.endpoint_id, tier=cheap.tier)
    return cost.usd_per_call if isinstance(cost, Cost) else None


def _own_share(case: UseCase, c: Candidate) -> tuple[float, float, float] | None:
    """The share of the team's own cases a model gets right; a benchmark's score is not that, so it is not used."""
    own = next((r for r in case.evals.results if r.model == c.model_id), None)
    if own is None:
        return None
    wide = 1.2816 * (max(own.score * (1 - own.score), 1e-4) / own.n) ** 0.5
    return own.score, max(0.0, own.score - wide), min(1.0, own.score + wide)


def _fitted(pilot: Pilot | None) -> list[Items]:
    return fits(pilot.counts) if pilot else []


def _yes(value: object) -> bool:
    return str(value).strip().casefold() in PASSED


def _usd(c: Candidate) -> float:
    return c.cost.usd_per_month if c.cost else float("inf")
