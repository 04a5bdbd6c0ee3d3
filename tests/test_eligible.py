"""Constraints: yes, no or unknown, and unknown blocks."""

from datetime import date
from typing import Any

import pytest

from data.records import Endpoint, EndpointChoice, Model, Requirements, Ruling, Tokens, UseCase, Workload
from recommender.eligible import earliest, objections, ruling_ends, unmet

TODAY = date(2026, 11, 1)
MODEL = Model(model_id="acme/large-2", maker="acme", name="Large 2", released_on="2025-05")


def use_case(**changes: Any) -> UseCase:
    load = Workload(calls_per_month=1e5, input_tokens=Tokens(mean=900), output_tokens=Tokens(mean=40))
    entry: dict[str, Any] = {
        "slug": "triage",
        "title": "Triage",
        "tasks": {"classification": 1.0},
        "channel": "#ai",
        "current": EndpointChoice(written="acme/old", model_id="acme/old", endpoint_id="acme:old"),
        "workload": load,
    }
    return UseCase(**(entry | changes))


def endpoint(**changes: Any) -> Endpoint:
    entry: dict[str, Any] = {
        "endpoint_id": "acme:large-2",
        "model_id": "acme/large-2",
        "provider": "acme",
        "context_tokens": 128_000,
    }
    return Endpoint(**(entry | changes))


def why(need: dict[str, Any], host: dict[str, Any]) -> tuple[str, ...]:
    asked = use_case(require=Requirements(**need))
    return objections(asked, endpoint(**host), MODEL, "vendor", today=TODAY)


def test_nothing_asked_nothing_against() -> None:
    assert why({}, {}) == ()


@pytest.mark.parametrize(
    ("need", "host", "reason"),
    [
        ({"context_tokens": 200_000}, {"context_tokens": None}, "context: unknown, 200,000 tokens needed"),
        ({}, {"context_tokens": None}, "context: unknown, 940 tokens needed"),
        ({"context_tokens": 200_000}, {"context_tokens": 128_000}, "context: 128,000 tokens, 200,000 needed"),
        ({}, {"context_tokens": 512}, "context: 512 tokens, 940 needed"),
        ({}, {"max_output_tokens": 16}, "max_output: 16 tokens, 40 needed"),
        ({"features": ("json_schema",)}, {}, "features: json_schema unknown"),
        ({"features": ("tools",)}, {"features": {"tools": False}}, "features: tools not accepted"),
        ({"params": ("temperature",)}, {"params": {"temperature": False}}, "params: temperature not accepted"),
        ({"regions": ("eu",)}, {}, "regions: unknown, eu needed"),
        ({"regions": ("eu",)}, {"regions": ("us",)}, "regions: us, eu needed"),
        ({"regions": ("eu",)}, {"regions": ("europe-x",)}, "regions: europe-x, eu needed"),
        ({"retention": "zero"}, {"retention": "no-training"}, "retention: no-training, zero needed"),
        ({"retention": "no-training"}, {}, "retention: unknown, no-training needed"),
        ({"license": "open-weights"}, {}, "license: unknown"),
        ({"min_precision": "fp8"}, {"precision": "fp4"}, "min_precision: fp4, fp8 needed"),
        ({"min_precision": "fp8"}, {}, "min_precision: unknown, fp8 needed"),
        ({"first_party": True}, {}, "first_party: unknown"),
        ({"providers": ("aws",)}, {}, "providers: acme is not among aws"),
        ({"max_latency_s": 6.0}, {}, "max_latency_s: unknown, no source of ours states it"),
        ({}, {"deprecated": True}, "min_life_days: deprecated by its host"),
        ({}, {"retires_on": "2026-12-31"}, "min_life_days: retires on 2026-12-31, 180 days needed"),
        ({}, {"endpoint_id": "acme:large-2:free"}, "deny: matches *:free"),
        ({}, {"endpoint_id": "acme:large-3-preview"}, "deny: matches *-preview"),
    ],
)
def test_each_constraint_says_why(need: dict[str, Any], host: dict[str, Any], reason: str) -> None:
    assert why(need, host) == (reason,)


def test_the_prompt_must_fit_as_the_candidate_counts_it() -> None:
    long = use_case(
        workload=Workload(calls_per_month=1e5, input_tokens=Tokens(mean=1e5, p95=1.2e5), output_tokens=Tokens(mean=40))
    )
    same = objections(long, endpoint(), MODEL, "vendor", today=TODAY)
    longer = objections(long, endpoint(), MODEL, "vendor", today=TODAY, prompt_ratio=1.2)
    assert (same, longer) == ((), ("context: 128,000 tokens, 144,040 needed",))


def test_a_host_that_states_no_context_is_held_to_the_least_of_the_others() -> None:
    long = use_case(
        workload=Workload(calls_per_month=1e5, input_tokens=Tokens(mean=1e5), output_tokens=Tokens(mean=40))
    )
    silent = endpoint(context_tokens=None)
    assert objections(long, silent, MODEL, "vendor", today=TODAY, context_elsewhere=131_072) == ()
    assert objections(long, silent, MODEL, "vendor", today=TODAY, context_elsewhere=32_768) == (
        "context: unknown here and 32,768 tokens on another host, 100,040 needed",
    )
    asked = long.model_copy(update={"require": Requirements(context_tokens=120_000)})
    assert objections(asked, silent, MODEL, "vendor", today=TODAY, context_elsewhere=131_072) == (
        "context: unknown, 120,000 tokens needed",
    )


def test_a_tier_of_the_endpoint_in_use_is_asked_only_what_a_tier_changes() -> None:
    asked = use_case(
        require=Requirements(
            languages=("en",), regions=("eu",), retention="zero", context_tokens=10**6, max_latency_s=6.0
        )
    )
    assert objections(asked, endpoint(), MODEL, "tier", today=TODAY) == (
        "max_latency_s: unknown, no source of ours states it",
    )


@pytest.mark.parametrize(
    ("need", "host"),
    [
        ({"context_tokens": 200_000}, {"context_tokens": 200_000}),
        ({"features": ("tools",)}, {"features": {"tools": True}}),
        ({"regions": ("eu",)}, {"regions": ("us", "eu")}),
        ({"regions": ("eu",)}, {"regions": ("eu-west-1",)}),
        ({"regions": ("eu",)}, {"region": "eu"}),
        ({"retention": "no-training"}, {"retention": "zero"}),
        ({"min_precision": "fp8"}, {"precision": "bf16"}),
        ({"min_precision": "fp16"}, {"precision": "bf16"}),  # sixteen bits either way
        ({"min_precision": "bf16"}, {"precision": "fp16"}),
        ({"providers": ("aws",)}, {"provider": "aws"}),
        ({}, {"retires_on": "2027-12-31"}),
    ],
)
def test_a_constraint_that_is_met_says_nothing(need: dict[str, Any], host: dict[str, Any]) -> None:
    assert why(need, host) == ()


def test_a_model_without_a_release_date_is_as_old_as_its_first_record() -> None:
    young = MODEL.model_copy(update={"released_on": None})
    seen = {"today": TODAY, "first_seen": date(2026, 10, 30)}
    assert objections(use_case(), endpoint(), young, "vendor", **seen) == ("min_age_days: 2 days old, 14 needed",)
    assert objections(use_case(), endpoint(), young, "vendor", today=TODAY) == ("min_age_days: age unknown",)


def test_what_nobody_stated_is_unknown_and_a_warning_needs_no_check() -> None:
    need = {"retention": "zero", "regions": ("eu",), "features": ("tools",), "min_precision": "fp8"}
    assert why(need, {}) == (
        "features: tools unknown",
        "regions: unknown, eu needed",
        "retention: unknown, zero needed",
        "min_precision: unknown, fp8 needed",
    )
    assert why({}, {"deprecated": True, "checked_on": None}) == ("min_life_days: deprecated by its host",)


def test_an_endpoint_whose_model_nobody_knows_is_never_eligible() -> None:
    nobody = endpoint(model_id=None)
    assert objections(use_case(), nobody, None, "vendor", today=TODAY)[0].startswith("identity:")


def test_a_no_holds_until_its_day_and_only_for_its_scope() -> None:
    no = Ruling(model="acme/large-2", verdict="rejected", date="2026-09-01", why="no EU endpoint")
    asked = use_case(rulings=(no,))
    assert objections(asked, endpoint(), MODEL, "vendor", today=TODAY) == (
        "decisions: rejected until 2027-02-28 (no EU endpoint)",
    )
    assert objections(asked, endpoint(), MODEL, "vendor", today=date(2027, 3, 1)) == ()
    other_host = use_case(rulings=(no.model_copy(update={"via": "aws"}),))
    assert objections(other_host, endpoint(), MODEL, "vendor", today=TODAY) == ()


def test_later_holds_thirty_days() -> None:
    assert ruling_ends(Ruling(model="a/b", verdict="later", date="2026-10-01")) == date(2026, 10, 31)


def test_a_date_known_to_the_month_is_its_first_day() -> None:
    assert earliest("2025-05") == date(2025, 5, 1)
    assert earliest("2025") == date(2025, 1, 1)
    assert earliest(None) is None


@pytest.mark.parametrize(
    ("need", "host", "said"),
    [
        ({"regions": ("eu",)}, {"regions": ("us",)}, ("regions: us, eu needed",)),
        ({"regions": ("eu",)}, {}, ()),
        ({"features": ("tools", "vision")}, {"features": {"tools": False}}, ("features: tools not accepted",)),
        ({"context_tokens": 200_000}, {"context_tokens": 128_000}, ("context: 128,000 tokens, 200,000 needed",)),
        ({"min_age_days": 9999, "min_life_days": 9999, "max_latency_s": 1}, {"retires_on": "2026-11-02"}, ()),
    ],
)
def test_of_what_is_in_use_only_what_is_known_to_fail_is_said(
    need: dict[str, Any], host: dict[str, Any], said: tuple[str, ...]
) -> None:
    """Its end and its age are other messages; what nobody states is no fault of a model that works."""
    assert unmet(use_case(require=Requirements(**need)), endpoint(**host), MODEL) == said
