"""The evaluation of a finding: a command that a shell takes as one, names promptfoo knows or says that it does not."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

import pytest

from data.errors import DataMissing
from data.records import Candidate, Decision, Evals
from jobs.evaluation import evaluation, provider_of
from tests.test_eligible import use_case

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def candidate(endpoint: str, move: str | None = "vendor") -> Candidate:
    return Candidate.model_validate(
        {"use_case": "u", "endpoint_id": endpoint, "model_id": "a/b", "move": move, "eligible": True}
    )


def decision(best: str | None) -> Decision:
    return Decision(rec="rec-7f3c01", use_case="u", decided_at=NOW, data_as_of=NOW, verdict="switch", reason="",
                    current=candidate("openai:gpt-4o", None), best=candidate(best) if best else None)  # fmt: skip


def test_the_command_names_both_models_as_promptfoo_does() -> None:
    case = use_case()
    found = evaluation(case, decision("anthropic:claude-haiku-4-5"))
    assert shlex.split(found.command) == [
        "npx", "promptfoo", "eval", "-c", f"evals/{case.slug}.yaml", "-r", "openai:gpt-4o",
        "-r", "anthropic:messages:claude-haiku-4-5", "-o", "evals/rec-7f3c01.json",
    ]  # fmt: skip
    assert found.entry == "evals: {results: [evals/rec-7f3c01.json]}"
    assert all("apiBaseUrl" not in n for n in found.notes)


def test_a_host_that_promptfoo_does_not_know_is_said() -> None:
    found = evaluation(use_case(), decision("novita:zai-org/glm-5@eu"))
    assert "openai:chat:zai-org/glm-5" in found.command
    assert any("novita has no name of its own" in n for n in found.notes)


def test_the_teams_own_command_is_kept_and_gets_the_models() -> None:
    own = use_case().model_copy(update={"evals": Evals(run="promptfoo eval -c mine.yaml -o {out}")})
    assert evaluation(own, decision("openai:gpt-5")).command == (
        "promptfoo eval -c mine.yaml -o evals/rec-7f3c01.json -r openai:gpt-4o -r openai:gpt-5"
    )
    other = use_case().model_copy(update={"evals": Evals(run="make eval OUT={out}")})
    assert evaluation(other, decision("openai:gpt-5")).command == "make eval OUT=evals/rec-7f3c01.json"


@pytest.mark.parametrize("name", ["x;rm -rf ~", "$(reboot)", "`id`", "a b", "<!channel>", "x\ny", "'\""])
def test_no_name_of_a_model_becomes_a_command(name: str) -> None:
    words = shlex.split(evaluation(use_case(), decision(f"shop:{name}")).command)
    assert len(words) == 11
    assert all(c.isalnum() or c in "_.:/@+-" for c in provider_of(candidate(f"shop:{name}")))


def test_without_a_candidate_there_is_nothing_to_evaluate() -> None:
    with pytest.raises(DataMissing, match="names no candidate"):
        evaluation(use_case(), decision(None))
