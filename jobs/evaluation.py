"""The evaluation that would settle a finding: how many cases, and the exact command for promptfoo. Runs nothing itself.

Names follow promptfoo's own (promptfoo.dev/docs/providers, docs/usage/command-line: -c, -r, -o). A host it does not know gets an
OpenAI-compatible entry with the address left open, never a guess.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from data.errors import DataMissing
from data.records import Candidate, Decision, UseCase
from recommender.decide import cases_needed

KNOWN = {
    "openai": "openai:", "anthropic": "anthropic:messages:", "google": "google:", "openrouter": "openrouter:",
    "mistral": "mistral:", "deepseek": "deepseek:", "groq": "groq:", "xai": "xai:", "x-ai": "xai:", "aws": "bedrock:",
    "azure": "azure:chat:", "cohere": "cohere:", "perplexity": "perplexity:", "cerebras": "cerebras:",
    "together": "togetherai:", "fireworks": "fireworks:",
}  # fmt: skip
SAFE = re.compile(r"[\w.:/@+-]+")


@dataclass(frozen=True)
class Evaluation:
    """`command` as it is typed; `notes` what must be filled in; `entry` the registry line that reads the result."""

    cases: int | None
    command: str
    entry: str
    notes: tuple[str, ...] = ()


def evaluation(case: UseCase, d: Decision) -> Evaluation:
    """The model in use against the candidate. Raises DataMissing where the decision names none."""
    if d.best is None:
        raise DataMissing(
            f"{d.rec} names no candidate to evaluate.", where=case.slug, fix=f"see undercut rank {case.slug}."
        )
    out = f"evals/{d.rec}.json"
    cases = cases_needed(case.quality.max_drop)
    entry = f"evals: {{results: [{out}]}}"
    if case.evals.run:
        command = case.evals.run.replace("{out}", out)
        both = [w for c in (d.current, d.best) for w in ("-r", provider_of(c))]
        added = f"{command} {shlex.join(both)}" if "promptfoo" in command and " -r" not in command else command
        return Evaluation(cases, added, entry)
    notes = [note for c in (d.current, d.best) if (note := _note(c))]
    notes.append(
        f"evals/{case.slug}.yaml holds your prompt and your labelled cases: npx promptfoo init writes a first one"
    )
    words = ["npx", "promptfoo", "eval", "-c", f"evals/{case.slug}.yaml", "-r", provider_of(d.current), "-r", provider_of(d.best), "-o", out]  # fmt: skip
    return Evaluation(cases, shlex.join(words), entry, tuple(dict.fromkeys(notes)))


def provider_of(c: Candidate) -> str:
    """The endpoint as promptfoo names it; a name with anything odd in it is quoted by the caller's shell rules."""
    provider, _, model = c.endpoint_id.partition(":")
    model = model.partition("@")[0]
    if not SAFE.fullmatch(model):
        model = re.sub(r"[^\w.:/@+-]", "_", model)
    return f"{KNOWN.get(provider, 'openai:chat:')}{model}"


def _note(c: Candidate) -> str | None:
    provider = c.endpoint_id.partition(":")[0]
    if provider in KNOWN:
        return None
    return f"{provider} has no name of its own in promptfoo: set apiBaseUrl to its OpenAI-compatible address in the file's providers"
