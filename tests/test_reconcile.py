"""What must not be believed, and every way out of doubt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from data.records import Meter, PriceClaim, Rate, Tier
from jobs.cli import app
from jobs.replay import read_history, replay, sample_days
from jobs.witnesses import independent
from scraper.reconcile import Beliefs, Offer, Statement, offer_key, reconcile, settle
from scraper.reconcile.beliefs import key_text
from scraper.source import Source

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAGE = Source(id="acme", kind="official", name="Acme", url="https://acme.test/prices", provider="acme")
LIST = Source(id="list", kind="catalogue", name="A list", url="https://list.test/x.json")
OTHER = Source(id="other", kind="catalogue", name="Another list", url="https://other.test/x.json")


def offer(usd: str, meter: Meter = "input", tier: Tier = "standard", endpoint: str = "acme:m", **more: Any) -> Offer:
    claim = PriceClaim(
        capture="x", model_as_written="M", meter=meter, tier=tier, amount=Decimal(usd), currency="USD", per="per_mtok",
        quote=f"${usd}", locator="t", **more,
    )  # fmt: skip
    return Offer(claim, endpoint, Decimal(usd))


def rate(usd: str, meter: Meter = "input", tier: Tier = "standard", source: str = "acme", **more: Any) -> Rate:
    facts = {"standing": "official" if source == "acme" else "single", "known_from": NOW - timedelta(days=30)} | more
    return Rate(endpoint_id="acme:m", meter=meter, tier=tier, usd_per_mtok=Decimal(usd), source_id=source, **facts)


def told(found: Beliefs) -> list[tuple[str, str]]:
    return [(str(r.usd_per_mtok), r.standing) for r in found.rates]


def test_what_was_held_is_released_once_another_page_is_believed_to_say_it() -> None:
    text = key_text(PAGE.id, offer("0.25"))
    there = [rate("0.25", source="mirror", standing="official")]
    found = reconcile(PAGE, [offer("0.25")], there, now=NOW, earlier={text: NOW - timedelta(hours=1)})
    assert (found.held, found.released) == ((), ((text, "mirror says the same"),))
    assert reconcile(PAGE, [offer("0.25")], there, now=NOW).released == ()


@pytest.mark.parametrize("usd", ["0.0025", "0.025", "0.25", "25", "250", "2500", "2500000", "0.9", "4.1", "0"])
def test_a_slip_or_a_leap_on_the_makers_page_is_held_and_the_old_price_stands_disputed(usd: str) -> None:
    found = reconcile(PAGE, [offer(usd)], [rate("2.5")], now=NOW)
    assert told(found) == [("2.5", "disputed")]
    assert [h.new_amount for h in found.held] == [Decimal(usd)]
    assert "feedback" in found.held[0].release


def test_a_cut_of_80_percent_goes_through_on_the_second_reading_six_hours_later_and_not_before() -> None:
    cut = offer("0.5")
    seen = {key_text("acme", cut): NOW - timedelta(hours=5)}
    assert told(reconcile(PAGE, [cut], [rate("2.5", standing="disputed")], now=NOW, earlier=seen)) == []
    seen = {key_text("acme", cut): NOW - timedelta(hours=6)}
    assert told(reconcile(PAGE, [cut], [rate("2.5", standing="disputed")], now=NOW, earlier=seen)) == [
        ("0.5", "official")
    ]


def test_one_independent_witness_releases_a_cut_at_once() -> None:
    cut = offer("0.5")
    agreed = {offer_key(cut): frozenset([Decimal("0.5")])}
    assert told(reconcile(PAGE, [cut], [rate("2.5")], now=NOW, witnesses=agreed)) == [("0.5", "official")]
    assert told(reconcile(LIST, [cut], [rate("2.5", standing="disputed")], now=NOW, waiting=agreed)) == [
        ("0.5", "witnessed")
    ]


def test_no_list_overrules_the_makers_page() -> None:
    found = reconcile(LIST, [offer("2.4")], [rate("2.5")], now=NOW)
    assert (found.rates, found.held) == ((), ())
    assert found.notes


def test_two_lists_that_differ_make_a_dispute_and_a_third_decides_it() -> None:
    found = reconcile(LIST, [offer("2.4")], [rate("2.5", source="other")], now=NOW)
    assert told(found) == [("2.5", "disputed")]
    third = reconcile(
        LIST, [offer("2.4")], [rate("2.5", source="other", standing="disputed")], now=NOW,
        witnesses={offer_key(offer("2.4")): frozenset([Decimal("2.4")])},
    )  # fmt: skip
    assert told(third) == [("2.4", "witnessed")]


def test_a_list_may_change_its_own_mind() -> None:
    assert told(reconcile(LIST, [offer("2.4")], [rate("2.5", source="list")], now=NOW)) == [("2.4", "single")]


@pytest.mark.parametrize(
    ("new", "beside", "why"),
    [
        (offer("3", "cached_input"), [rate("2", "cached_input"), rate("2.5")], "above input"),
        (offer("3", tier="batch"), [rate("2", tier="batch"), rate("2.5")], "above standard"),
        (offer("1.25"), [rate("2.5"), rate("1.25", tier="batch")], "batch price"),
        (offer("3.5"), [rate("2.5"), rate("3.5", tier="priority")], "priority price"),
    ],
)
def test_a_column_that_slipped_is_seen_by_its_neighbours(new: Offer, beside: list[Rate], why: str) -> None:
    found = reconcile(PAGE, [new], beside, now=NOW)
    assert [r for r in found.rates if r.standing == "official"] == []
    assert why in found.held[0].why


@pytest.mark.parametrize(("usd", "why"), [("2.17", "EUR"), ("17.75", "CNY"), ("0.3521", "CNY"), ("2.3", None)])
def test_a_price_that_moved_by_an_exchange_rate_is_held(usd: str, why: str | None) -> None:
    per = {"EUR": Decimal("1.1520"), "CNY": Decimal("0.1408")}
    found = reconcile(PAGE, [offer(usd)], [rate("2.5")], now=NOW, usd_per=per)
    assert [h.why for h in found.held] == ([f"moved by the exchange rate of {why}: another currency?"] if why else [])


def test_a_first_sight_that_is_a_power_of_ten_beside_an_independent_list_is_held() -> None:
    new = offer("2500")
    found = reconcile(PAGE, [new], [], now=NOW, witnesses={offer_key(new): frozenset([Decimal("2.5")])})
    assert found.rates == ()
    assert "unit slip" in found.held[0].why
    assert reconcile(PAGE, [new], [], now=NOW, witnesses={offer_key(new): frozenset([Decimal("2.4")])}).held == ()


@pytest.mark.parametrize("usd", ["-1", "0"])
def test_no_witness_and_no_second_reading_make_a_price_of_what_is_none(usd: str) -> None:
    new = offer(usd)
    seen = {key_text("acme", new): NOW - timedelta(days=2)}
    agreed = {offer_key(new): frozenset([Decimal(usd)])}
    for source in (PAGE, LIST):
        found = reconcile(
            source, [new], [rate("2.5", source=source.id)], now=NOW, earlier=seen, witnesses=agreed, waiting=agreed
        )
        assert all(r.usd_per_mtok == Decimal("2.5") for r in found.rates)


def test_honest_exceptions_on_first_sight_are_believed() -> None:
    both = [offer("1"), offer("1", tier="batch"), offer("1", "cached_input")]
    assert len(reconcile(PAGE, both, [], now=NOW).rates) == 3


def test_half_a_page_that_moves_at_once_is_held_whole() -> None:
    ids = [f"acme:{n}" for n in range(8)]
    old = [rate("2").model_copy(update={"endpoint_id": i}) for i in ids]
    found = reconcile(PAGE, [offer("1.5", endpoint=i) for i in ids], old, now=NOW)
    assert told(found) == [("2", "disputed")] * 8
    assert len(found.held) == 8


amounts = st.decimals(min_value="0.001", max_value="900", places=3)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), amounts), max_size=12, unique_by=lambda x: x[0]), st.randoms())
def test_the_order_of_a_page_decides_nothing(rows: list[tuple[str, Decimal]], dice: Any) -> None:
    offers = [offer(str(usd), endpoint=f"acme:{n}") for n, usd in rows]
    old = [rate("2").model_copy(update={"endpoint_id": f"acme:{n}"}) for n in "abc"]
    mixed = offers.copy()
    dice.shuffle(mixed)

    def outcome(found: Beliefs) -> set[tuple[str, str, str]]:
        held = {(str(h.endpoint_id), "held", str(h.new_amount)) for h in found.held}
        return {(r.endpoint_id, r.standing, str(r.usd_per_mtok)) for r in found.rates} | held

    assert outcome(reconcile(PAGE, offers, old, now=NOW)) == outcome(reconcile(PAGE, mixed, old, now=NOW))


@given(amounts, st.sampled_from([10, 100, 1000, 1_000_000]), st.booleans(), st.sampled_from([PAGE, LIST]))
def test_a_unit_slip_is_never_published_unwitnessed(usd: Decimal, factor: int, up: bool, source: Source) -> None:
    slipped = usd * factor if up else usd / factor
    found = reconcile(source, [offer(str(slipped))], [rate(str(usd), source=source.id)], now=NOW)
    assert all(r.usd_per_mtok == usd for r in found.rates)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a-copy"]), amounts), min_size=1, max_size=6))
def test_catalogues_together_never_invent_a_price(rows: list[tuple[str, Decimal]]) -> None:
    today = date(2026, 11, 24)
    said = [Statement(s, usd, today, today) for s, usd in rows]
    found = settle(said, today, {"a-copy": "a"})
    assert found is not None
    assert found.usd_per_mtok is None or found.usd_per_mtok in {usd for _, usd in rows}
    if found.standing == "witnessed":
        assert len({"a" if s == "a-copy" else s for s, _ in rows}) > 1


def test_a_witnessed_price_rests_on_the_claims_of_those_that_say_it_and_of_no_one_else() -> None:
    today = date(2026, 11, 24)
    old = Statement("a", Decimal("2.5"), today, today - timedelta(days=2), ("of-a",))
    said = [old, *(Statement(s, Decimal("2.25"), today, today, (f"of-{s}",)) for s in ("a-copy", "b"))]
    found = settle(said, today, {"a-copy": "a"})
    assert found is not None
    assert (found.usd_per_mtok, found.standing, found.claim_ids) == (
        Decimal("2.25"),
        "witnessed",
        ("of-a-copy", "of-b"),
    )


@pytest.mark.parametrize(
    ("said", "lineage", "floating", "standing"),
    [
        ([("a", "1", 0, 0), ("b", "1.0000001", 0, 0)], {}, False, "witnessed"),
        ([("a", "1", 0, 0), ("a-copy", "1", 0, 0)], {"a-copy": "a"}, False, "single"),
        ([("a", "1", 0, 0), ("b", "1", 0, 40)], {}, False, "single"),
        ([("a", "1", 0, 0), ("b", "1", 0, 0), ("c", "2", 0, 0)], {}, False, "disputed"),
        ([("a", "1", 0, 0), ("b", "1", 200, 0)], {}, True, "disputed"),
        ([("a", "1", 0, 0), ("b", "1", 200, 0)], {}, False, "witnessed"),
    ],
)
def test_the_standing_of_what_catalogues_say(
    said: list[tuple[str, str, int, int]], lineage: Mapping[str, str], floating: bool, standing: str
) -> None:
    today = date(2026, 11, 24)
    statements = [Statement(s, Decimal(u), today - timedelta(days=d), today - timedelta(days=r)) for s, u, d, r in said]
    found = settle(statements, today, lineage, floating=floating)
    assert found is not None
    assert found.standing == standing
    assert (found.usd_per_mtok is None) == (standing == "disputed")


def test_a_copy_is_no_second_witness() -> None:
    copy = LIST.model_copy(update={"id": "copy", "copies": ("list",)})
    assert independent(LIST, OTHER)
    assert not independent(LIST, copy)
    assert not independent(copy, OTHER.model_copy(update={"copies": ("list",)}))


@pytest.mark.corpus
@pytest.mark.parametrize(("without", "least"), [((), 280), (("models.dev",), 280)])
def test_the_recorded_history_is_published_with_less_than_two_percent_of_errors(
    corpus: Path, without: tuple[str, ...], least: int
) -> None:
    rows = read_history(corpus / "prices" / "history.csv.gz")
    reports = replay(rows, "model-prices", without, sample_days(rows, "model-prices"))
    wrong, compared = (
        sum(c["witnessed"] for c in x) for x in ([r.wrong for r in reports], [r.compared for r in reports])
    )
    assert reports[-1].compared["witnessed"] >= least, "a bar that is met by publishing nothing is none"
    assert reports[-1].wrong["witnessed"] / reports[-1].compared["witnessed"] < 0.02
    assert compared > 3000
    assert wrong / compared < 0.02


@pytest.mark.corpus
def test_the_faults_on_record_are_not_published_as_witnessed(corpus: Path) -> None:
    rows = read_history(corpus / "prices" / "history.csv.gz")
    (report,) = replay(rows, "model-prices", (), [date(2026, 7, 1)])
    named = {cell[:2] for cell in report.differing}
    assert not named & {("openai", "o3"), ("minimax", "minimax-m2-7"), ("deepseek", "deepseek-v4-pro"), ("mistral", "mistral-large"),
                        ("google", "gemini-2-5-flash"), ("xai", "grok-4-20"), ("openai", "o4-mini")}  # fmt: skip


@pytest.mark.corpus
def test_the_future_of_a_history_changes_nothing_before_it(corpus: Path) -> None:
    rows = read_history(corpus / "prices" / "history.csv.gz")
    day = date(2026, 3, 1)
    poisoned = [r if r.day <= day else type(r)(**{**vars(r), "usd": {m: Decimal(77) for m in r.usd}}) for r in rows]
    assert replay(rows, "model-prices", (), [day]) == replay(poisoned, "model-prices", (), [day])


def test_a_file_that_is_no_history_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    result = CliRunner().invoke(app, ["reconcile", str(file)])
    assert result.exit_code != 0
    assert "not a price history" in str(result.exception)
