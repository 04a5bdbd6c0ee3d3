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
from jobs.messages.blocks import name
from recommender.decide import cases_needed

KNOWN = {
    "openai": "openai:", "anthropic": "anthropic:messages:", "google": "google:", "openrouter": "openrouter:",
    "mistral": "mistral:", "deepseek": "deepseek:", "groq": "groq:", "xai": "xai:", "x-ai": "xai:", "aws": "bedrock:",
    "azure": "azure:chat:", "cohere": "cohere:", "perplexity": "perplexity:", "cerebras": "cerebras:",
    "together": "togetherai:", "fireworks": "fireworks:",
}  # fmt: skip
SAFE = re.compile(r"[\w.:/@+-]+")
REGION = re.compile(r"(?<=.)@[a-z][a-z0-9-]*$")  # `gpt-4o@eu`; the model `@cf/meta/llama` begins with the sign


@dataclass(frozen=True)
class Evaluation:
    """`command` as it is typed; `hosts` and `notes` what must be filled in; `entry` the registry line that reads the result."""

    cases: int | None
    command: str
    entry: str
    notes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


def evaluation(case: UseCase, d: Decision) -> Evaluation:
    """The model in use against the candidate. Raises DataMissing where the decision names none, or one without a usable name."""
    if d.best is None:
        raise DataMissing(
            f"{d.rec} names no candidate to evaluate.", where=case.slug, fix=f"see undercut rank {case.slug}."
        )
    out = f"evals/{d.rec}.json"
    cases = cases_needed(case.quality.max_drop)
    entry = f"evals: {{results: [{out}]}}"
    if case.evals.run:
        command = case.evals.run.replace("{out}", out)
        if "promptfoo" not in command or " -r" in command:
            return Evaluation(cases, command, entry)
        both = [w for c in (d.current, d.best) for w in ("-r", provider_of(c))]
        return Evaluation(cases, f"{command} {shlex.join(both)}", entry)
    hosts = tuple(dict.fromkeys(note for c in (d.current, d.best) if (note := _note(c))))
    cases_file = (
        f"evals/{case.slug}.yaml holds your prompt and your labelled cases: npx promptfoo init writes a first one"
    )
    words = ["npx", "promptfoo", "eval", "-c", f"evals/{case.slug}.yaml", "-r", provider_of(d.current), "-r", provider_of(d.best), "-o", out]  # fmt: skip
    return Evaluation(cases, shlex.join(words), entry, (*hosts, cases_file), hosts)


def provider_of(c: Candidate) -> str:
    """The endpoint as promptfoo names it. Raises DataMissing where it names no model, or one that no command should carry:
    a name that was made up to fit would evaluate another model, or none."""
    provider, _, rest = c.endpoint_id.partition(":")
    model = REGION.sub("", rest)
    if not model or not SAFE.fullmatch(model):
        raise DataMissing(
            f"{name(c.endpoint_id)} is no name that a command can carry.", where=c.use_case,
            fix="name the model in the evaluation's own file.",
        )  # fmt: skip
    return f"{KNOWN.get(provider, 'openai:chat:')}{model}"


def _note(c: Candidate) -> str | None:
    provider = c.endpoint_id.partition(":")[0]
    if provider in KNOWN:
        return None
    return f"{name(provider, 30)} is not among promptfoo's providers: set apiBaseUrl to its OpenAI-compatible address in that file"
