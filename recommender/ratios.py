"""How many tokens a candidate needs where the model in use needs one: stated ranges until verbosity is measured.

Same weights, same tokens. Another model's tokenizer and answers differ; what is not measured is a range, never a point
that looks exact: prompts -15 % to +30 %, answers -30 % to +70 %. A setting that reasons where the model in use does not
multiplies the answer: the run cost of one model moves 6.9-fold (median) between its effort settings (SCIENCE 6).
"""

from __future__ import annotations

from recommender.cost import Ratio

SAME = Ratio()
OTHER_TOKENIZER = Ratio(1.0, 0.85, 1.30)
OTHER_ANSWER = Ratio(1.0, 0.70, 1.70)
REASONING_ANSWER = Ratio(3.0, 1.2, 7.0)


def ratios(*, same_model: bool, same_maker: bool, reasons: bool, reasons_now: bool) -> tuple[Ratio, Ratio]:
    """(prompt, answer) ratios of a candidate. `reasons`: its setting spends reasoning tokens; `reasons_now`: ours does."""
    if same_model:
        return SAME, SAME
    prompt = Ratio(1.0, 0.95, 1.10) if same_maker else OTHER_TOKENIZER
    return prompt, REASONING_ANSWER if reasons and not reasons_now else OTHER_ANSWER


def spends_reasoning(variant: str, known_variants: list[str]) -> bool:
    """Whether a setting spends reasoning tokens: it says so, or the model has such settings and none turns it off."""
    said = dict(p.split("=", 1) for p in variant.split(";") if "=" in p)
    if said.get("thinking") == "off" or said.get("effort") == "none":
        return False
    if said:
        return True
    return any("effort=" in v or ("thinking=" in v and "thinking=off" not in v) for v in known_variants)
