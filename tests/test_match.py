"""Names: exact by structure. What identifies must agree; settings, hosts and spelling do not count; nothing is guessed."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.match import Matcher
from scraper.match.names import read, readings

MATCHER = Matcher.from_package()

SAME = {
    "anthropic:claude-sonnet-4-5": [
        "Claude Sonnet 4.5", "claude-sonnet-4-5", "claude-4.5-sonnet", "anthropic/claude-sonnet-4-5-20250929",
        "Claude Sonnet 4.5 (high reasoning)", "claude-sonnet-4-5-20250929_32K", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
    "openai:gpt-4o": ["GPT-4o", "gpt-4o-2024-08-06", "openai/gpt-4o", "GPT 4o (2024-11-20)", "gpt-4o (FC)"],
    "openai:gpt-5.2": ["gpt-5.2-high", "GPT-5.2 (xhigh)", "openai/gpt-5.2-low-2025-12-11", "gpt-5.2-2025-12-11-nothinking"],
    "openrouter:qwen/qwen3-32b": ["Qwen3 32B", "qwen/qwen3-32b", "Qwen3-32B (FC)", "Qwen3 32B (Reasoning)"],
    "openrouter:meta-llama/llama-3.3-70b-instruct": ["Llama 3.3 70B", "meta-llama/Llama-3.3-70B-Instruct"],
}  # fmt: skip
NOBODY = [
    "", "???", "gpt", "claude", "DeepSeek R1 + claude-3-5-sonnet-20241022", "QwQ + DeepSeek V2.5", "gemma2:27b-instruct-q8_0",
    "ollama/qwen2.5:32b", "gpt-4o-mini-nano-pro", "gpt-9.7", "claude-opus-44", "qwen3-33b", "llama-3.3-71b-instruct",
    "my-finetune-of-gpt-4o", "Llama-3.3-70B-Instruct-AWQ", "x" * 10_000, "gpt-4o\x00; drop table",
]  # fmt: skip


@pytest.mark.parametrize(("price_id", "name"), [(i, n) for i, names in SAME.items() for n in names])
def test_spellings_of_one_model_lead_to_one_entry(price_id: str, name: str) -> None:
    assert price_id in MATCHER.match(name).price_ids


@pytest.mark.parametrize("name", NOBODY)
def test_what_is_not_one_priced_model_is_nobody(name: str) -> None:
    found = MATCHER.match(name)
    assert (found.model_id, found.price_ids) == (None, ())


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("GPT-5 mini (minimal)", {"effort": "minimal"}),
        ("claude-opus-4-5-20251101-thinking-64k-low-effort", {"date": "20251101", "effort": "low", "thinking": "64k"}),
        ("Claude Opus 4 (no reasoning)", {"thinking": "off"}),
        ("deepseek-v3.2-thinking", {"thinking": "on"}),
        ("claude-opus-4-6-search", {"tool": "search"}),
        ("Command A (FC)", {"mode": "FC"}),
    ],
)
def test_a_run_setting_is_kept_apart_from_the_model(name: str, variant: dict[str, str]) -> None:
    found = MATCHER.match(name)
    assert found.model_id
    assert found.variant == variant


def test_a_last_word_that_belongs_to_the_model_is_not_a_setting() -> None:
    assert "mistral:magistral-medium" in MATCHER.match("Magistral Medium").price_ids
    assert "openrouter:qwen/qwen3-max" in MATCHER.match("qwen3-max").price_ids
    assert "moonshotai:kimi-k2-thinking" in MATCHER.match("Kimi K2 Thinking").price_ids


def test_one_host_and_region_or_a_list_never_a_silent_choice() -> None:
    assert MATCHER.resolve("openai/gpt-4o").endpoint_ids == ("openai:gpt-4o",)
    several = MATCHER.resolve("meta/llama-3.3-70b-instruct")
    assert len(several.endpoint_ids) > 5
    assert MATCHER.resolve("openai/gpt-4o", via="nowhere").endpoint_ids == ()
    assert MATCHER.resolve("openai/gpt-99").model_id is None


@given(
    st.sampled_from([n for names in SAME.values() for n in names]), st.sampled_from(["3", "mini", "70b", "pro", "v9"])
)
def test_one_more_identifying_word_never_keeps_the_answer(name: str, word: str) -> None:
    plain, longer = MATCHER.match(name), MATCHER.match(f"{name.split(' (', maxsplit=1)[0]}-{word}")
    assert longer.model_id is None or longer.model_id != plain.model_id


@given(st.sampled_from([n for names in SAME.values() for n in names]))
def test_case_and_separators_do_not_count(name: str) -> None:
    assert MATCHER.match(name.upper()).model_id == MATCHER.match(name).model_id
    assert MATCHER.match(name.replace("-", "_")).model_id in (MATCHER.match(name).model_id, None)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    assert readings(text)
    assert read(text) == read(text)
    MATCHER.match(text)


@pytest.mark.corpus
def test_hand_made_pairs(corpus: Path) -> None:
    """The labels are of an older catalogue: a name that was not priced then may be by now, so the bar allows for those."""
    right = wrong = total = 0
    with (corpus / "matching" / "dev.csv").open(encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            ids = set(MATCHER.match(row["raw_name"], row["source"]).price_ids)
            truth = {row["canonical_id"], *filter(None, row["also_ok"].split("|"))}
            total += 1
            right += not ids if row["canonical_id"] == "NONE" else bool(ids & truth)
            wrong += bool(ids) and not ids & truth
    assert right / total >= 0.94
    assert wrong / total <= 0.025
