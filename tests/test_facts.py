"""Facts about endpoints: read in three shapes, kept with their origin, believed only where nobody contradicts."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from data.catalogue.reader import ABILITIES, HERE, load_catalogue
from data.errors import SourceError
from data.records import Endpoint, EndpointChoice, Model, Requirements, Tokens, UseCase, Workload
from data.store import published, rows
from jobs.endpoint_facts import merge, resolved
from jobs.scrape import Report, scrape_cycle
from recommender.eligible import objections
from scraper.facts import read_facts
from scraper.fetch import Fetcher
from scraper.match import Matcher
from scraper.source import Expect, Source, load_sources

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
MODELS_DEV = {
    "openai": {"id": "openai", "models": {
        "gpt-4o": {"id": "gpt-4o", "tool_call": True, "structured_output": True, "temperature": True,
                   "modalities": {"input": ["text", "image"], "output": ["text"]}, "limit": {"context": 128000, "output": 16000},
                   "cost": {"input": 2.5, "output": 10}},
        "gpt-nobody": {"id": "gpt-nobody", "tool_call": True, "limit": {"context": 1}, "cost": {"input": 1, "output": 1}}}},
    "xai": {"id": "xai", "models": {
        "grok-4.5": {"id": "grok-4.5", "tool_call": True, "temperature": True, "limit": {"context": 500000, "output": 0},
                     "cost": {"input": 3, "output": 15}}}},
}  # fmt: skip
LITELLM = {
    "sample_spec": {"litellm_provider": "one of https://docs.litellm.ai/docs/providers", "mode": "chat"},
    "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": 16384,
               "supports_function_calling": True, "supports_vision": False, "input_cost_per_token": 2.5e-06,
               "output_cost_per_token": 1e-05},
    "xai/grok-4.5": {"litellm_provider": "xai", "mode": "chat", "max_input_tokens": 256000, "supports_function_calling": True,
                     "deprecation_date": "2027-06-30", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05},
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "max_input_tokens": 8191},
}  # fmt: skip
OPENROUTER = {"data": [
    {"id": "openai/gpt-4o", "name": "OpenAI: GPT-4o", "context_length": 128000, "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
     "architecture": {"input_modalities": ["text", "image", "file"]}, "top_provider": {"max_completion_tokens": 16384},
     "supported_parameters": ["tools", "temperature", "response_format", "seed"], "expiration_date": None},
    {"id": "x-ai/grok-4.5", "name": "xAI: Grok 4.5", "context_length": 300000, "pricing": {"prompt": "0.000003", "completion": "0.000015"},
     "supported_parameters": ["tools"], "top_provider": {"max_completion_tokens": None}, "expiration_date": "2098-12-31"},
]}  # fmt: skip


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer() as running:
        yield running


def said(data: Any) -> dict[tuple[str, str, str], Any]:
    return {(f.provider, f.model, f.field): f.value for f in read_facts(json.dumps(data).encode()).facts}


def test_models_dev_states_limits_yes_and_no() -> None:
    found = said(MODELS_DEV)
    assert found["openai", "gpt-4o", "max_output_tokens"] == 16000
    assert found["openai", "gpt-4o", "features.vision"] is True
    assert found["openai", "gpt-4o", "features.audio"] is False
    assert found["x-ai", "grok-4.5", "context_tokens"] == 500000
    assert ("x-ai", "grok-4.5", "max_output_tokens") not in found, "0 says that nobody counted"
    assert ("x-ai", "grok-4.5", "features.vision") not in found, "not stated is not no"


def test_litellm_states_flags_and_retirement_and_a_sample_is_no_model() -> None:
    found = said(LITELLM)
    assert found["x-ai", "grok-4.5", "retires_on"] == "2027-06-30"
    assert found["openai", "gpt-4o", "features.vision"] is False
    assert {m for _, m, _ in found} == {"gpt-4o", "grok-4.5"}, "chat models alone"


def test_a_reseller_speaks_for_its_own_endpoints() -> None:
    found = said(OPENROUTER)
    assert {p for p, _, _ in found} == {"openrouter"}
    assert found["openrouter", "openai/gpt-4o", "features.json_schema"] is False, "not in its list of parameters"
    assert found["openrouter", "openai/gpt-4o", "params.temperature"] is True
    assert ("openrouter", "x-ai/grok-4.5", "retires_on") not in found, "a day that never comes"


def test_the_precision_of_a_host_is_known_where_it_serves_one_alone() -> None:
    served = [("Together", "fp8"), ("Novita", "fp8"), ("Novita", "bf16"), ("Fireworks", "unknown"), ("Groq", "fp32")]
    entries = [{"provider_name": p, "quantization": q, "context_length": 1000} for p, q in served]
    found = said({"data": {"id": "openai/gpt-oss-120b", "endpoints": entries}})
    assert found == {("together", "openai/gpt-oss-120b", "precision"): "fp8"}
    told = read_facts(json.dumps({"data": {"id": "openai/gpt-oss-120b", "endpoints": entries}}).encode())
    assert set(resolved(told.facts, Matcher.from_package())) == {("together:openai/gpt-oss-120b", "precision")}
    believed = merge(plain(), {"precision": {"openrouter-endpoints": "fp8"}}, frozenset())
    assert believed.precision == "fp8"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    read_facts(noise)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "data",
                        "models",
                        "litellm_provider",
                        "id",
                        "limit",
                        "supported_parameters",
                        "mode",
                        "endpoints",
                        "provider_name",
                    ]
                ),
                x,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_shape_breaks_the_reader(data: Any) -> None:
    read_facts(json.dumps(data).encode())


def plain(**facts: Any) -> Endpoint:
    return Endpoint(endpoint_id="openai:gpt-4o", provider="openai", **facts)


def test_lists_that_contradict_each_other_leave_it_unknown_and_the_smaller_limit_holds() -> None:
    told = {
        "features.vision": {"models-dev": "true", "litellm": "false"},
        "features.tools": {"models-dev": "true", "litellm": "true"},
        "context_tokens": {"models-dev": "200000", "litellm": "128000"},
        "precision": {"a": "fp8", "b": "bf16"},
    }
    found = merge(plain(context_tokens=1_000_000), told, frozenset())
    assert found.features == {"tools": True}
    assert found.context_tokens == 128000
    assert found.precision is None


def test_one_list_alone_retires_nobody() -> None:
    assert merge(plain(), {"retires_on": {"litellm": "2026-07-22"}}, frozenset()).retires_on is None
    two = {"retires_on": {"litellm": "2027-01-14", "models-dev": "2027-01-14"}}
    assert merge(plain(), two, frozenset()).retires_on == "2027-01-14"
    differ = {"retires_on": {"litellm": "2027-01-14", "models-dev": "2027-02-14"}}
    assert merge(plain(), differ, frozenset()).retires_on is None
    own = Endpoint(endpoint_id="openrouter:a/b", provider="openrouter")
    assert merge(own, {"retires_on": {"openrouter": "2026-12-01"}}, frozenset()).retires_on == "2026-12-01"


def test_what_a_person_took_from_a_page_wins() -> None:
    told = {"features.vision": {"models-dev": "false"}, "retires_on": {"litellm": "2027-06-30"}}
    hand = frozenset({"features.vision", "retires_on"})
    found = merge(plain(features={"vision": True}, retires_on="2027-01-14"), told, hand)
    assert (found.features, found.retires_on) == ({"vision": True}, "2027-01-14")


def cycle(server: HTTPServer, home: Path, day: int = 0, **bodies: Any) -> Report:
    server.clear_all_handlers()
    server.expect_request("/robots.txt").respond_with_data("")
    sources: dict[str, Source] = {}
    for name, body in bodies.items():
        source_id = name.replace("_", "-")
        server.expect_request(f"/{name}.json").respond_with_json(body)
        update = {"url": server.url_for(f"/{name}.json"), "expect": Expect(min_rows=1)}
        sources[source_id] = load_sources()[source_id].model_copy(update=update)
    fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
    return scrape_cycle(home, None, now=NOW + timedelta(days=day), sources=sources, fetcher=fetcher)


def ask(home: Path, query: str) -> list[dict[str, Any]]:
    with published(home / "market.duckdb") as con:
        return rows(con, query)


def test_a_cycle_keeps_facts_with_their_origin_and_believes_them(server: HTTPServer, tmp_path: Path) -> None:
    report = cycle(server, tmp_path, models_dev=MODELS_DEV, litellm=LITELLM, openrouter=OPENROUTER)
    assert {line.source: line.error for line in report.lines} == dict.fromkeys(
        ("models-dev", "litellm", "openrouter"), ""
    )
    told = ask(tmp_path, "select * from endpoint_facts where endpoint = 'x-ai:grok-4.5' and field = 'context_tokens'")
    assert {t["source"]: t["value"] for t in told} == {"models-dev": "500000", "litellm": "256000"}
    assert {t["believed"] for t in told} == {"256000"}
    assert all(t["link"] for t in told)
    own = ask(
        tmp_path,
        "select believed from endpoint_facts where endpoint = 'openrouter:x-ai/grok-4.5' and field = 'context_tokens'",
    )
    assert [o["believed"] for o in own] == ["300000"], "the seller's own word"
    hand = ask(tmp_path, "select * from endpoint_facts where endpoint = 'openai:gpt-4o' and field = 'retires_on'")
    assert [(h["source"], h["value"], h["checked_on"], h["believed"]) for h in hand] == [
        ("catalogue", "2027-01-14", "2026-11-24", "2027-01-14")
    ]
    assert ask(tmp_path, "select count(*) as n from endpoint_facts where endpoint like '%nobody%'")[0]["n"] == 0


def test_an_unchanged_catalogue_adds_no_fact_and_a_changed_one_only_the_difference(
    server: HTTPServer, tmp_path: Path
) -> None:
    cycle(server, tmp_path, litellm=LITELLM)
    assert [line.facts for line in cycle(server, tmp_path, 1, litellm=LITELLM).lines] == [0]
    moved = json.loads(json.dumps(LITELLM))
    moved["xai/grok-4.5"]["max_input_tokens"] = 128000
    assert [line.facts for line in cycle(server, tmp_path, 2, litellm=moved).lines] == [1]
    believed = ask(
        tmp_path, "select believed from endpoint_facts where endpoint = 'x-ai:grok-4.5' and field = 'context_tokens'"
    )
    assert believed == [{"believed": "128000"}]


@pytest.mark.corpus
def test_the_captured_list_says_what_most_of_its_endpoints_take(corpus: Path) -> None:
    body = gzip.decompress((corpus / "pages" / "openrouter" / "2026-08-22-models.json.gz").read_bytes())
    data = json.loads(body)
    inner = data.get("body", data)
    found = read_facts(inner.encode() if isinstance(inner, str) else json.dumps(inner).encode())
    matched = resolved(found.facts, Matcher.from_package())
    assert len({e for e, _ in matched}) > 200


KINDS = ("regions", "retention", "params", "precision", "retires_on")


def dated() -> dict[str, set[str]]:
    """Kind of fact -> endpoints that have one with link and day. `python -m tests.test_facts` prints how many."""
    catalogue, out = load_catalogue(), {kind: set[str]() for kind in (*KINDS, "any")}
    for e in Matcher.from_package().endpoints():
        for f in catalogue.pages_of(e.endpoint_id):
            out.setdefault(f.field.partition(".")[0], set()).add(e.endpoint_id)
            out["any"].add(e.endpoint_id)
    return out


def test_forty_endpoints_have_facts_with_a_link_and_a_day() -> None:
    catalogue = load_catalogue()
    matcher = Matcher.from_package()
    for f in catalogue.facts:
        assert f.link.startswith("https://") and "2026-11-24" <= f.checked_on <= "2026-12-31"
        assert any(fnmatchcase(e.endpoint_id, f.endpoint) for e in matcher.endpoints()), f"{f.endpoint} fits nothing"
    found = dated()
    assert len(found["params"]) >= 40 and len(found["retention"]) >= 40
    assert found["regions"] and found["precision"] and len(found["retires_on"]) >= 30
    named = {f.endpoint for f in catalogue.facts if "*" not in f.endpoint}
    assert len(named) >= 40, "not by patterns alone"


def test_no_undated_fact_of_a_person_is_believed() -> None:
    catalogue, matcher = load_catalogue(), Matcher.from_package()
    ours = {e.endpoint_id: e for e in matcher.endpoints()}
    undated = [e for e in catalogue.endpoints.values() if e.checked_on is None]
    assert undated, "the rule has something to hold"
    for claimed in undated:
        believed, told = ours[claimed.endpoint_id], catalogue.facts_of(claimed.endpoint_id)
        for ability in ABILITIES:
            nothing = {} if ability in ("features", "params") else None
            stated = told.get(ability, nothing)
            assert getattr(believed, ability) == (tuple(stated) if ability == "regions" and stated else stated)
            assert not any(f.partition(".")[0] == ability for f in matcher.by_hand(claimed.endpoint_id)) or told


@pytest.mark.parametrize(
    ("entry", "passes"),
    [("", False), (", checked_on: 2026-11-25", True)],
)
def test_an_undated_fact_passes_no_hard_constraint_and_a_dated_one_does(
    tmp_path: Path, entry: str, passes: bool
) -> None:
    shutil.copytree(HERE, tmp_path / "catalogue", ignore=shutil.ignore_patterns("__pycache__", "pages.yaml"))
    (tmp_path / "catalogue" / "endpoints.yaml").write_text(
        '"openai:gpt-4o": {retention: zero, regions: [eu], precision: bf16, features: {tools: true}, params: {top_p: true}, '
        f'max_output_tokens: 9000, deprecated: false, link: "https://acme.test"{entry}}}\n'
    )
    kept = load_catalogue(tmp_path / "catalogue").kept_of("openai:gpt-4o")
    here = Endpoint(
        endpoint_id="openai:gpt-4o", provider="openai", model_id="openai/gpt-4o", context_tokens=128_000, **kept
    )
    need = Requirements(
        retention="zero",
        regions=("eu",),
        min_precision="fp8",
        features=("tools",),
        params=("top_p",),
        max_output_tokens=8000,
    )
    load = Workload(calls_per_month=1e5, input_tokens=Tokens(mean=900), output_tokens=Tokens(mean=40))
    choice = EndpointChoice(written="a/b", model_id="a/b", endpoint_id="a:b")
    case = UseCase(
        slug="x", title="X", tasks={"coding": 1.0}, channel="#x", current=choice, workload=load, require=need
    )
    model = Model(model_id="openai/gpt-4o", maker="openai", name="gpt-4o", released_on="2024-05-13")
    against = objections(case, here, model, "vendor", today=NOW.date())
    blocked = {a.partition(":")[0] for a in against if "unknown" in a}
    every = {"retention", "regions", "min_precision", "features", "params", "max_output"}
    assert blocked == (set() if passes else every)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("p: {link: 'http://x.example', checked_on: 2026-01-01, by: page}", "no link"),
        ("p: {link: 'https://x.example', by: page}", "no link, day"),
        ("p: {link: 'https://x.example', checked_on: 2026-01-01, by: page, colour: {'a:b': 1}}", "no such fact"),
        (
            "p: {link: 'https://x.example', checked_on: 2026-01-01, by: page, retention: {'a:b': forever}}",
            "p.retention.a:b",
        ),
    ],
)
def test_a_page_without_a_day_or_with_a_word_of_its_own_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    from data.catalogue.reader import _page_facts

    (tmp_path / "pages.yaml").write_text(text)
    with pytest.raises(SourceError, match=wrong):
        _page_facts(tmp_path / "pages.yaml")


if __name__ == "__main__":
    for kind, endpoints in sorted(dated().items()):
        sys.stdout.write(f"{kind:20} {len(endpoints):5}\n")
