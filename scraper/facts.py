"""Catalogues of models -> what they state of each endpoint: limits, features, parameters, precision, retirement. Pure.

Four shapes are read, told apart by their keys: models by provider, a flat map with a provider in each entry, a reseller's
list, and one model as several hosts serve it. Yes and no are kept as stated; what is not stated is absent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data.records import PRECISION_RANK

PROVIDERS = {  # spelling of a catalogue -> spelling of genai-prices
    "xai": "x-ai", "togetherai": "together", "together_ai": "together", "fireworks-ai": "fireworks",
    "fireworks_ai": "fireworks", "amazon-bedrock": "aws", "bedrock": "aws", "bedrock_converse": "aws",
    "google-vertex": "google", "gemini": "google", "vertex_ai-language-models": "google", "moonshot": "moonshotai",
    "cohere_chat": "cohere", "azure-cognitive-services": "azure",
}  # fmt: skip
BY_MODALITY = {"image": "vision", "audio": "audio", "pdf": "pdf", "file": "pdf", "video": "video"}
MODELS_DEV = {
    "tool_call": "features.tools",
    "structured_output": "features.json_schema",
    "temperature": "params.temperature",
}
LITELLM = {
    "supports_function_calling": "features.tools", "supports_parallel_function_calling": "features.parallel_tools",
    "supports_response_schema": "features.json_schema", "supports_vision": "features.vision",
    "supports_pdf_input": "features.pdf", "supports_audio_input": "features.audio",
    "supports_assistant_prefill": "features.prefill",
}  # fmt: skip
OPENROUTER_FEATURES = {
    "tools": "tools", "response_format": "json_mode", "structured_outputs": "json_schema", "logprobs": "logprobs",
    "seed": "seed",
}  # fmt: skip
OPENROUTER_PARAMS = ("temperature", "top_p", "top_k")
PARAMS = frozenset(OPENROUTER_PARAMS)  # request parameters of which a catalogue says who accepts them
DAY = re.compile(r"20\d\d-[01]\d-[0-3]\d")
MOST_TOKENS = 100_000_000
FAR = "2090-01-01"  # a retirement after this says "not planned"


@dataclass(frozen=True)
class CatalogueFact:
    """`model`: the id under which `provider` sells it, as written; `value`: tokens, bool, a word or an ISO date."""

    provider: str
    model: str
    field: str
    value: int | bool | str
    locator: str


@dataclass(frozen=True)
class FactReading:
    sha256: str
    facts: tuple[CatalogueFact, ...]


def read_facts(body: bytes) -> FactReading:
    """Every fact a catalogue states. Never raises on any bytes; a body of another shape gives none."""
    sha = hashlib.sha256(body).hexdigest()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return FactReading(sha, ())
    return FactReading(sha, tuple(_facts(data)))


def _facts(data: Any) -> Iterator[CatalogueFact]:
    if not isinstance(data, dict):
        return
    listed = data.get("data")
    if isinstance(listed, list):
        for n, entry in enumerate(listed):
            if isinstance(entry, dict) and isinstance(entry.get("supported_parameters"), list):
                yield from _reseller(entry, f"/data/{n}")
        return
    if isinstance(listed, dict) and isinstance(listed.get("endpoints"), list):
        yield from _hosts(listed)
        return
    for key, entry in data.items():
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("models"), dict):
            for name, model in entry["models"].items():
                if isinstance(model, dict):
                    yield from _by_provider(
                        str(entry.get("id", key)),
                        str(model.get("id", name)),
                        model,
                        f"/{_esc(key)}/models/{_esc(name)}",
                    )
        elif isinstance(entry.get("litellm_provider"), str):
            yield from _flat(str(key), entry)


def _by_provider(provider: str, model: str, said: Mapping[str, Any], at: str) -> Iterator[CatalogueFact]:
    """models.dev: limits, yes and no, modalities."""
    where = PROVIDERS.get(provider, provider)
    limit = said.get("limit") if isinstance(said.get("limit"), dict) else {}
    assert isinstance(limit, dict)
    yield from _tokens(where, model, "context_tokens", limit.get("context"), f"{at}/limit/context")
    yield from _tokens(where, model, "max_output_tokens", limit.get("output"), f"{at}/limit/output")
    yield from _yes_no(where, model, MODELS_DEV, said, at)
    modalities = said.get("modalities")
    if isinstance(modalities, dict) and isinstance(modalities.get("input"), list):
        for word in ("image", "audio", "pdf"):
            stated = word in modalities["input"]
            yield CatalogueFact(where, model, f"features.{BY_MODALITY[word]}", stated, f"{at}/modalities/input")


def _flat(key: str, said: Mapping[str, Any]) -> Iterator[CatalogueFact]:
    """LiteLLM's map: a provider in each entry, its prefix before the id."""
    if said.get("mode") not in (None, "chat", "responses", "completion"):
        return
    provider = str(said["litellm_provider"])
    where, model, at = PROVIDERS.get(provider, provider), key.removeprefix(f"{provider}/"), f"/{_esc(key)}"
    yield from _tokens(where, model, "context_tokens", said.get("max_input_tokens"), f"{at}/max_input_tokens")
    yield from _tokens(where, model, "max_output_tokens", said.get("max_output_tokens"), f"{at}/max_output_tokens")
    yield from _yes_no(where, model, LITELLM, said, at)
    yield from _retires(where, model, said.get("deprecation_date"), f"{at}/deprecation_date")


def _reseller(said: Mapping[str, Any], at: str) -> Iterator[CatalogueFact]:
    """OpenRouter's list: what its own endpoints take; a parameter that is not listed is not accepted."""
    model = str(said.get("id", ""))
    top = said.get("top_provider") if isinstance(said.get("top_provider"), dict) else {}
    assert isinstance(top, dict)
    yield from _tokens("openrouter", model, "context_tokens", said.get("context_length"), f"{at}/context_length")
    yield from _tokens(
        "openrouter",
        model,
        "max_output_tokens",
        top.get("max_completion_tokens"),
        f"{at}/top_provider/max_completion_tokens",
    )
    taken = {str(p) for p in said["supported_parameters"]}
    for word, name in OPENROUTER_FEATURES.items():
        yield CatalogueFact("openrouter", model, f"features.{name}", word in taken, f"{at}/supported_parameters")
    for word in OPENROUTER_PARAMS:
        yield CatalogueFact("openrouter", model, f"params.{word}", word in taken, f"{at}/supported_parameters")
    shape = said.get("architecture")
    if isinstance(shape, dict) and isinstance(shape.get("input_modalities"), list):
        for word in ("image", "audio", "file"):
            stated = word in shape["input_modalities"]
            yield CatalogueFact(
                "openrouter", model, f"features.{BY_MODALITY[word]}", stated, f"{at}/architecture/input_modalities"
            )
    yield from _retires("openrouter", model, said.get("expiration_date"), f"{at}/expiration_date")


def _hosts(said: Mapping[str, Any]) -> Iterator[CatalogueFact]:
    """One model as several hosts serve it behind the reseller: the precision of each, where a host has one alone."""
    model = str(said.get("id", ""))
    found: dict[str, set[tuple[str, int]]] = {}
    for n, entry in enumerate(said["endpoints"]):
        if isinstance(entry, dict) and isinstance(entry.get("provider_name"), str):
            host = re.sub(r"[^a-z0-9.-]", "", entry["provider_name"].casefold())
            found.setdefault(PROVIDERS.get(host, host), set()).add((str(entry.get("quantization")), n))
    for host, served in found.items():
        words = {w for w, _ in served}
        if len(words) == 1 and (word := words.pop()) in PRECISION_RANK:
            yield CatalogueFact(
                host, model, "precision", word, f"/data/endpoints/{min(n for _, n in served)}/quantization"
            )


def _tokens(provider: str, model: str, field: str, value: object, at: str) -> Iterator[CatalogueFact]:
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_TOKENS:
        yield CatalogueFact(provider, model, field, value, at)


def _yes_no(
    provider: str, model: str, fields: Mapping[str, str], said: Mapping[str, Any], at: str
) -> Iterator[CatalogueFact]:
    for key, field in fields.items():
        if isinstance(said.get(key), bool):
            yield CatalogueFact(provider, model, field, said[key], f"{at}/{key}")


def _retires(provider: str, model: str, value: object, at: str) -> Iterator[CatalogueFact]:
    found = DAY.match(str(value or ""))
    if found and found[0] < FAR:
        yield CatalogueFact(provider, model, "retires_on", found[0], at)


def _esc(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
