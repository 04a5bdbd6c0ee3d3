"""The evaluation of a finding: a command that a shell takes as one, names promptfoo knows or says that it does not."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

import pytest

from data.errors import DataMissing
from data.records import Candidate, Decision, Evals
from jobs.evaluation import evaluation, provider_of
from scraper.match import Matcher
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
    assert any("novita is not among promptfoo's providers" in n for n in found.notes)


def test_the_teams_own_command_is_kept_and_gets_the_models() -> None:
    own = use_case().model_copy(update={"evals": Evals(run="promptfoo eval -c mine.yaml -o {out}")})
    assert evaluation(own, decision("openai:gpt-5")).command == (
        "promptfoo eval -c mine.yaml -o evals/rec-7f3c01.json -r openai:gpt-4o -r openai:gpt-5"
    )
    other = use_case().model_copy(update={"evals": Evals(run="make eval OUT={out}")})
    assert evaluation(other, decision("openai:gpt-5")).command == "make eval OUT=evals/rec-7f3c01.json"


@pytest.mark.parametrize("name", ["x;rm -rf ~", "$(reboot)", "`id`", "a b", "<!channel>", "x\ny", "'\"", "", "@eu\n"])
def test_a_name_that_no_command_should_carry_makes_none(name: str) -> None:
    """Not one made to fit either: it would evaluate another model, or none."""
    with pytest.raises(DataMissing, match="no name that a command can carry"):
        evaluation(use_case(), decision(f"shop:{name}"))
    with pytest.raises(DataMissing, match="no name that a command can carry"):
        provider_of(candidate(name))


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("azure:gpt-4o@eu", "azure:chat:gpt-4o"),
        ("aws:claude-x@us-east-1", "bedrock:claude-x"),
        ("cloudflare:@cf/meta/llama-3", "openai:chat:@cf/meta/llama-3"),
        ("google:claude-3@20240307", "google:claude-3@20240307"),
    ],
)
def test_only_a_region_is_taken_off_a_name(endpoint: str, said: str) -> None:
    assert provider_of(candidate(endpoint)) == said


def test_every_endpoint_of_the_catalogue_makes_a_whole_target_or_none() -> None:
    made = 0
    for e in Matcher.from_package().endpoints():
        try:
            target = provider_of(candidate(e.endpoint_id))
        except DataMissing:
            continue
        made += 1
        assert not target.endswith(":"), e.endpoint_id
        assert target.endswith(e.endpoint_id.partition(":")[2].removesuffix(f"@{e.region}"))
    assert made > 2_000


def test_without_a_candidate_there_is_nothing_to_evaluate() -> None:
    with pytest.raises(DataMissing, match="names no candidate"):
        evaluation(use_case(), decision(None))
