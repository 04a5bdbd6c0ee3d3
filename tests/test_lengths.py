"""Token ratios of a use case: whose tokenizer counted, what the texts are, and own cases before public runs."""

from __future__ import annotations

from datetime import UTC, datetime
from math import exp

import pytest

from data.records import EndpointChoice, EvalResult, Evals, Model, Tokens, UseCase, Workload
from jobs.facts import Facts
from jobs.lengths import our_ratio, own_answers, token_ratios
from recommender.ratios import OTHER_ANSWER, OTHER_TOKENIZER, SAME, measured_ratio, prompt_ratio, texts_of, times

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KNOWN = {("new", "english"): (110.0, 110.0), ("new", "code"): (90.0, 90.0), ("new", "german"): (150.0, 150.0),
         ("old", "english"): (100.0, 100.0), ("old", "code"): (100.0, 100.0), ("old", "german"): (100.0, 100.0)}  # fmt: skip


def case(**changes: object) -> UseCase:
    load = {"calls_per_month": 1000, "input_tokens": Tokens(mean=1000), "output_tokens": Tokens(mean=100)}
    origins = {f"tokens.{k}": "x.yaml:1" for k in changes if k in ("language", "content")}
    evals = changes.pop("evals", Evals())
    return UseCase(slug="triage", title="t", tasks={"classification": 1.0}, channel="#c", workload=Workload(**{**load, **changes}), origins=origins,
                   evals=evals, current=EndpointChoice(written="a/now", model_id="a/now", endpoint_id="a:now"))  # fmt: skip


def facts() -> Facts:
    tokenizers = {"a/now": "cl100k", "b/new": "o200k", "a/old": "o200k", "c/unknown": None}
    models = {m: Model(model_id=m, maker=m[0], name=m[2:], tokenizer=t, source_id="x") for m, t in tokenizers.items()}
    return Facts(as_of=NOW, data_as_of=NOW, rates=[], endpoints={}, models=models, scores=[], benchmarks={}, first_seen={})  # fmt: skip


def test_the_kind_of_text_picks_the_ratio() -> None:
    """German: 150/100 and nothing else; code 90/100; where nobody said, all kinds with English in the middle."""
    assert prompt_ratio("new", "old", KNOWN, ("german",)) == (1.5, 1.5, 1.5)
    assert prompt_ratio("new", "old", KNOWN, ("code",)) == (0.9, 0.9, 0.9)
    assert prompt_ratio("new", "old", KNOWN, ("german", "code")) == (1.5, 0.9, 1.5)
    assert prompt_ratio("new", "old", KNOWN) == (1.1, 0.9, 1.5)
    assert prompt_ratio("new", "old", KNOWN, ("chinese",)) == (1.1, 0.9, 1.5)  # known of neither: as if nobody said
    assert prompt_ratio("new", None, KNOWN, ("german",)) is None


@pytest.mark.parametrize(
    ("content", "language", "texts"),
    [("prose", "de", ("german",)), ("prose", "de-AT", ("german",)), ("code", "de", ("code",)), ("json", "en", ("json",)),
     ("mixed", "ja", ("japanese", "code", "json")), ("prose", "fi", ()), ("mixed", "fi", ())],
)  # fmt: skip
def test_content_and_language_name_kinds_of_text(content: str, language: str, texts: tuple[str, ...]) -> None:
    assert texts_of(content, language) == texts


def test_a_language_that_is_written_moves_a_candidates_prompts() -> None:
    """o200k against cl100k: 208.1/259.9 in German, 212.3/212.3 in English (data/catalogue/tokenizers.yaml)."""
    row, now = ("b/new", ""), ("a/now", "")
    kind = {"same_model": False, "same_maker": False, "reasons": False}
    said, _ = token_ratios(case(language="de"), facts(), {}, row, now, **kind)
    unsaid, _ = token_ratios(case(), facts(), {}, row, now, **kind)
    assert said.mean == said.low == said.high == pytest.approx(208.1 / 259.9)
    assert unsaid.mean == pytest.approx(1.0)
    assert unsaid.low < said.low


def test_counts_of_another_models_tokenizer_are_turned_into_ours() -> None:
    """Counted by o200k, run on cl100k: our prompts are 259.9/208.1 longer, and a candidate on o200k needs what is written."""
    german = case(language="de", measured_on="a/old")
    assert our_ratio(german, facts()).mean == pytest.approx(259.9 / 208.1)
    assert our_ratio(case(), facts()) == SAME
    assert our_ratio(case(measured_on="c/unknown"), facts()) == OTHER_TOKENIZER
    kind = {"same_maker": False, "reasons": False}
    prompt, answer = token_ratios(german, facts(), {}, ("b/new", ""), ("a/now", ""), same_model=False, **kind)
    assert prompt == SAME
    assert answer.mean == pytest.approx(OTHER_ANSWER.mean * 259.9 / 208.1)
    ours = our_ratio(german, facts())
    assert token_ratios(german, facts(), {}, ("a/now", ""), ("a/now", ""), same_model=True, **kind) == (ours, ours)


def test_answers_counted_on_own_cases_outrank_public_runs() -> None:
    """3,900 against 2,050 tokens over 412 cases each; spread 1: error 1.2816 x (2/412)^0.5 = 8.93 %."""
    results = (EvalResult(model="a/now", score=0.9, n=412, output_tokens=2050), EvalResult(model="b/new", score=0.9, n=412, output_tokens=3900))  # fmt: skip
    mine = case(evals=Evals(results=results))
    found = own_answers(mine, "b/new", "a/now")
    assert found is not None
    assert found.mean == pytest.approx(3900 / 2050)
    assert found.high / found.mean == pytest.approx(exp(0.0893), abs=1e-4)
    _, answer = token_ratios(mine, facts(), {}, ("b/new", ""), ("a/now", ""), same_model=False, same_maker=False, reasons=True)  # fmt: skip
    assert answer == found
    assert own_answers(case(evals=Evals(results=results[:1])), "b/new", "a/now") is None


def test_more_cases_narrow_the_ratio_and_ends_stay_around_it() -> None:
    few, many = measured_ratio(200, 100, (20, 20), 1.0), measured_ratio(200, 100, (2000, 2000), 1.0)
    assert few.low < many.low < 2.0 < many.high < few.high
    assert times(few, SAME) == few
