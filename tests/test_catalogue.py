"""Facts kept by hand: every one has a page to check it against; a faulty file says where and how to mend it."""

from datetime import date
from pathlib import Path

import pytest

from data.catalogue import load_catalogue
from data.errors import SourceError
from scraper.match import Matcher

CATALOGUE = load_catalogue()
MATCHER = Matcher.from_package()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "makers.yaml").write_text("acme: {families: [roadrunner], tiers: [swift], providers: [acme]}\n")
    (tmp_path / "models.yaml").write_text(
        'acme/roadrunner-1: {released_on: 2025-01, link: "https://acme.test/models"}\n'
    )
    (tmp_path / "endpoints.yaml").write_text(
        '"acme:roadrunner-1": {regions: [eu], link: "https://acme.test/regions"}\n'
    )
    (tmp_path / "aliases.yaml").write_text("Roadrunner One: roadrunner-1\n")
    return tmp_path


def test_a_catalogue_is_what_its_files_say(folder: Path) -> None:
    found = load_catalogue(folder)
    assert found.models["acme/roadrunner-1"].released_on == "2025-01"
    assert found.models["acme/roadrunner-1"].open_weights is None
    assert found.endpoints["acme:roadrunner-1"].regions == ("eu",)
    assert found.endpoints["acme:roadrunner-1"].features == {}
    assert found.aliases == {"roadrunner one": "roadrunner-1"}
    assert (found.families, found.tiers) == ({"roadrunner": "acme"}, {"swift": "roadrunner"})
    assert found.links["acme/roadrunner-1"] == "https://acme.test/models"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("models.yaml", "acme/x: {released_on: 2025-01}", "acme/x.link"),
        ("models.yaml", 'acme/x: {link: "http://acme.test"}', "acme/x.link"),
        ("models.yaml", 'acme/x: {release: 2025, link: "https://acme.test"}', "acme/x.release"),
        ("models.yaml", "roadrunner: {}", "roadrunner"),
        ("models.yaml", "acme/x: 2025-01-01", "acme/x"),
        ("endpoints.yaml", '"acme:x": {retention: forever, link: "https://acme.test"}', "acme:x.retention"),
        ("endpoints.yaml", '"acme:x": {max_output_tokens: lots, link: "https://acme.test"}', "acme:x.max_output_tokens"),
        ("endpoints.yaml", "- a list", "not a map"),
        ("endpoints.yaml", "a: [unclosed", "not readable"),
    ],
)  # fmt: skip
def test_a_faulty_entry_is_named_with_its_file(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text + "\n")
    with pytest.raises(SourceError) as error:
        load_catalogue(folder)
    assert message in str(error.value)
    assert file in str(error.value)
    assert "Fix:" in str(error.value)


def test_hand_facts_speak_of_models_and_endpoints_that_exist() -> None:
    models = {m.model_id for m in MATCHER.models()}
    assert set(CATALOGUE.models) <= models
    assert all(MATCHER.has(e) for e in CATALOGUE.endpoints)
    assert len(CATALOGUE.models) >= 250
    assert len(CATALOGUE.endpoints) >= 40


def test_release_dates_are_days_or_months_that_have_been() -> None:
    for m in CATALOGUE.models.values():
        assert m.released_on, m.model_id
        stated = date.fromisoformat(m.released_on + "-01"[: 10 - len(m.released_on)])
        assert date(2020, 1, 1) < stated < date(2026, 12, 1), m.model_id


@pytest.mark.parametrize(("written", "meant"), sorted(CATALOGUE.aliases.items()))
def test_an_alias_leads_to_the_model_it_names(written: str, meant: str) -> None:
    assert MATCHER.match(meant).model_id
    assert MATCHER.match(written).model_id == MATCHER.match(meant).model_id


def test_facts_of_a_host_are_merged_over_the_package() -> None:
    found = {e.endpoint_id: e for e in MATCHER.endpoints()}
    four_o = found["openai:gpt-4o"]
    assert (four_o.model_id, four_o.first_party, four_o.retention) == ("openai/gpt-4o", True, "no-training")
    assert four_o.context_tokens  # the package's
    assert four_o.features == {}  # written down, never compared with its page
    assert found["aws:regional.anthropic.claude-opus-4-1-20250805-v1:0"].regions == ("us",)
    assert four_o.regions is None  # unknown is not everywhere
    assert found["openai:gpt-oss-120b"].first_party is False  # open weights; their maker sells no endpoint
