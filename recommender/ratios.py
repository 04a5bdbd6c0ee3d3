"""How many tokens a candidate needs where the model in use needs one: as measured on common tests, else a stated range.

Same weights, same tokens. Another model's tokenizer and answers differ; what is not measured is a range, never a point
that looks exact: prompts -15 % to +30 %, answers -30 % to +70 %. A setting that reasons where the model in use does not
multiplies the answer: the run cost of one model moves 6.9-fold (median) between its effort settings (SCIENCE 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp

from recommender.cost import Ratio
from recommender.verbosity import Verbosity, relative

SAME = Ratio()
OTHER_TOKENIZER = Ratio(1.0, 0.85, 1.30)
OTHER_ANSWER = Ratio(1.0, 0.70, 1.70)
REASONING_ANSWER = Ratio(3.0, 1.2, 7.0)
LANGUAGES = {"en": "english", "de": "german", "zh": "chinese", "ja": "japanese"}
Z80 = 1.2816  # of a normal


def ratios(
    *,
    same_model: bool,
    same_maker: bool,
    reasons: bool,
    reasons_now: bool,
    measured: tuple[Mapping[str, Verbosity], Mapping[str, Verbosity]] | None = None,
    prompt: Ratio | None = None,
) -> tuple[Ratio, Ratio]:
    """(prompt, answer) ratios of a candidate. `reasons`: its setting spends reasoning tokens; `reasons_now`: ours does.

    `measured`: verbosity of the candidate and of the model in use, by group of tests; a common group settles the answer.
    `prompt`: the ratio of their tokenizers, where both are known.
    """
    if same_model:
        return SAME, SAME
    prompt = prompt or (Ratio(1.0, 0.95, 1.10) if same_maker else OTHER_TOKENIZER)
    if measured is not None and (answer := relative(*measured)) is not None:
        return prompt, answer
    return prompt, REASONING_ANSWER if reasons and not reasons_now else OTHER_ANSWER


def prompt_ratio(
    candidate: str | None,
    now: str | None,
    densities: Mapping[tuple[str, str], tuple[float, float]],
    texts: Sequence[str] = (),
) -> Ratio | None:
    """Tokens of the same text in two tokenizer families; None where one is not known.

    `densities`: (family, kind of text) -> (low, high) tokens per 1,000 characters. `texts`: the kinds that the prompts are
    of, the main one first; where nobody said, or the main one is not known of both, every kind that both know, English
    first. The range holds all of them; the mean is the first where both are measured (low and high alike), else the
    middle of the range: a rule of thumb is no measurement.
    """
    if candidate is None or now is None:
        return None
    if candidate == now:
        return SAME
    kinds = [k for family, k in densities if family == candidate and (now, k) in densities]
    main = texts[0] if texts and texts[0] in kinds else "english"
    if main not in kinds:
        return None
    some = [k for k in kinds if k in texts] if main in texts else kinds
    ends = {k: (densities[candidate, k], densities[now, k]) for k in some}
    low = min(a[0] / b[1] for a, b in ends.values())
    high = max(a[1] / b[0] for a, b in ends.values())
    (a_low, a_high), (b_low, b_high) = ends[main]
    exact = a_low == a_high and b_low == b_high
    return Ratio(a_low / b_low if exact else (low * high) ** 0.5, low, high)


def spends_reasoning(variant: str, known_variants: list[str]) -> bool:
    """Whether a setting spends reasoning tokens: it says so, or the model has such settings and none turns it off."""
    said = dict(p.split("=", 1) for p in variant.split(";") if "=" in p)
    if said.get("thinking") == "off" or said.get("effort") == "none":
        return False
    if said:
        return True
    return any("effort=" in v or ("thinking=" in v and "thinking=off" not in v) for v in known_variants)


def texts_of(content: str, language: str) -> tuple[str, ...]:
    """Kinds of text in prompts of this content and language, the main one first; none where that language is not known."""
    prose = LANGUAGES.get(language.partition("-")[0].casefold())
    if content in ("code", "json"):
        return (content,)
    if prose is None:
        return ()
    return (prose,) if content == "prose" else (prose, "code", "json")


def measured_ratio(candidate: float, now: float, cases: tuple[int, int], spread: float) -> Ratio:
    """Answers of a candidate relative to ours from mean lengths over own cases, with the 80 % error of the two means.

    `spread`: standard deviation of an answer's length as a share of its mean.
    """
    error = Z80 * spread * (1 / cases[0] + 1 / cases[1]) ** 0.5
    ratio = candidate / now
    return Ratio(ratio, ratio * exp(-error), ratio * exp(error))


def times(one: Ratio, other: Ratio) -> Ratio:
    """Two ratios after one another, their ends together: wider than the truth, never narrower."""
    return Ratio(*(a * b for a, b in zip(one, other, strict=True)))
