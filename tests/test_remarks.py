"""What explain says of an entry beyond its values (PRODUCT 2.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.records import Tokens
from jobs.explain import remarks_on
from jobs.remarks import share_above

ENTRY = """use_cases:
  contract-extraction:
    task: {extraction: 0.7, long_context: 0.3}
    team: legal-platform
    channel: "#legal-ai-costs"
    model: {id: anthropic/claude-sonnet-4-5, via: anthropic}
    traffic: 90k/month
    tokens: {in: {p50: 38k, p95: 180k}, out: 900}
    require: {context: 200k, params: [temperature]}
    evals:
      results:
        - {model: anthropic/claude-opus-4-6, score: 0.951, n: 412}
        - {model: google/gemini-3.1-pro-preview, score: 0.938, n: 412}
"""


def remarks(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "use_cases.yaml"
    file.write_text(text)
    return remarks_on([file], "contract-extraction")


def test_the_four_remarks_of_the_full_example(tmp_path: Path) -> None:
    step, params, evals, team = remarks(tmp_path, ENTRY)
    assert "200,000 sits on a price step" in step
    assert "about 4 % of the calls" in step
    assert "temperature shuts out" in params
    assert "gemini-3.1-pro-preview was tested, but require.deny *-preview" in evals
    assert "legal-platform" in team


def test_an_entry_without_surprises_gets_none(tmp_path: Path) -> None:
    plain = (
        ENTRY.split("    require:", maxsplit=1)[0]
        .replace("    team: legal-platform\n", "")
        .replace("{p50: 38k, p95: 180k}", "900")
    )
    assert [r for r in remarks(tmp_path, plain) if "price step" not in r] == []


@pytest.mark.parametrize(
    ("tokens", "step", "share"),
    [
        (Tokens(mean=1, p50=38_000, p95=180_000), 200_000, 0.0396),
        (Tokens(mean=1, p50=100, p95=200), 100, 0.5),
        (Tokens(mean=1, p50=100), 200, None),
        (Tokens(mean=1), 200, None),
    ],
)
def test_the_share_of_calls_above_a_step(tokens: Tokens, step: int, share: float | None) -> None:
    assert share_above(tokens, step) == (None if share is None else pytest.approx(share, abs=0.001))
