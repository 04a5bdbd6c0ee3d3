"""price_history is the timeline of what price_asof answers, whatever the order, dates and doubts of the rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.store import Store, view_files
from tests.bench.bench_history import cycle
from tests.bench.history import Pace, fill, pace

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.integers(0, 20).map(lambda n: START + timedelta(days=n))
RATES = st.lists(
    st.fixed_dictionaries(
        {
            "endpoint_id": st.sampled_from(["a:b", "a:b", "a:c"]),
            "meter": st.sampled_from(["input", "input", "output"]),
            "known_from": DAYS.map(lambda day: day + timedelta(hours=6)),
            "valid_from": st.none() | DAYS,
            "valid_to": st.none() | DAYS,
            "usd_per_mtok": st.integers(1, 4).map(Decimal),
            "standing": st.sampled_from(["official", "single", "disputed"]),
            "source_id": st.sampled_from(["page", "mirror"]),
            "withdrawn": st.sampled_from([False, False, False, True]),
        }
    ).filter(lambda r: r["valid_to"] is None or r["valid_from"] is None or r["valid_from"] < r["valid_to"]),
    min_size=1,
    max_size=6,
    unique_by=lambda r: (
        r["endpoint_id"],
        r["meter"],
        r["known_from"],
        r["source_id"],
    ),  # one word a source and reading
)
IN_FORCE = (
    "select rate_id from price_history where (valid_from is null or valid_from < date '{day}' + 1) "
    "and (valid_to is null or valid_to >= date '{day}' + 1) order by rate_id"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("history")) as opened:
        for _, text in view_files():
            opened.con.execute(text)
        yield opened


@given(RATES)
@settings(deadline=None, max_examples=60)
def test_history_says_on_every_day_what_price_asof_says(store: Store, stated: list[dict[str, Any]]) -> None:
    store.con.execute("delete from rate")
    fixed = {"tier": "standard", "region": "global", "claim_ids": ["c"]}
    store.insert("rate", [{**fixed, **r, "rate_id": str(n)} for n, r in enumerate(stated)])
    first = max(r["known_from"] for r in stated)
    for n in range(30):
        day = (START + timedelta(days=n)).date()
        if day < first.date():  # before everything was known, price_asof looks ahead; a history does not
            continue
        then = store.rows(f"select rate_id from price_asof(date '{day}') order by rate_id")
        assert store.rows(IN_FORCE.format(day=day)) == then, (day, stated)


@given(RATES)
@settings(deadline=None, max_examples=30)
def test_periods_never_overlap_and_are_half_open(store: Store, stated: list[dict[str, Any]]) -> None:
    store.con.execute("delete from rate")
    fixed = {"tier": "standard", "region": "global", "claim_ids": ["c"]}
    store.insert("rate", [{**fixed, **r, "rate_id": str(n)} for n, r in enumerate(stated)])
    spans = store.rows("select * from price_history order by endpoint, meter, valid_from nulls first")
    for a, b in pairwise(spans):
        if (a["endpoint"], a["meter"]) != (b["endpoint"], b["meter"]):
            continue
        assert a["valid_to"] is not None
        assert a["valid_to"] <= b["valid_from"]
    assert all(s["valid_from"] is None or s["valid_to"] is None or s["valid_from"] < s["valid_to"] for s in spans)


@given(RATES)
@settings(deadline=None, max_examples=30)
def test_one_endpoint_alone_has_the_history_it_has_among_all(store: Store, stated: list[dict[str, Any]]) -> None:
    store.con.execute("delete from rate")
    fixed = {"tier": "standard", "region": "global", "claim_ids": ["c"]}
    store.insert("rate", [{**fixed, **r, "rate_id": str(n)} for n, r in enumerate(stated)])
    spans = store.rows("select * from price_history order by all")
    for endpoint in ("a:b", "a:c"):
        alone = store.rows(f"select * from price_history where endpoint = '{endpoint}' order by all")
        assert alone == [s for s in spans if s["endpoint"] == endpoint]


def test_who_asks_for_one_endpoint_reads_that_one_alone(tmp_path: Path) -> None:
    """Of a team's lake the views are computed as they are asked: the condition must reach the scan, through every window and join."""
    with Store(tmp_path) as opened:
        (text,) = (text for name, text in view_files() if name.startswith("010"))
        opened.con.execute(text)
        row = {"meter": "input", "tier": "standard", "region": "global", "claim_ids": ["c"], "standing": "single", "source_id": "s",
               "withdrawn": False, "known_from": START, "usd_per_mtok": 1}  # fmt: skip
        opened.insert("rate", [{**row, "rate_id": e, "endpoint_id": e} for e in "wxyz"])
        asked = "explain (format json) select * from price_periods where endpoint_id = 'x'"
        (plan,) = json.loads(opened.con.execute(asked).fetchall()[0][1])

    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node["children"]:
            yield from nodes(child)

    scans = [n["extra_info"] for n in nodes(plan) if str(n["extra_info"].get("Table", "")).endswith(".rate")]
    assert scans
    assert all("endpoint_id='x'" in str(s.get("Filters")) for s in scans)


def test_a_day_of_unchanged_pages_adds_no_claim_and_no_rate(tmp_path: Path) -> None:
    with Store(tmp_path) as opened:
        fill(opened, years=1, endpoints=30, providers=5)
        count = "select (select count(*) from price_claim) as claims, (select count(*) from rate) as rates"
        before = opened.rows(count)
        assert before[0]["claims"] > 0
        cycle(opened, changed=0)
        assert opened.rows(count) == before


def test_the_pace_without_the_record_is_that_of_the_record(tmp_path: Path, corpus: Path) -> None:
    measured, kept = pace(corpus / "prices" / "history.csv.gz"), pace(tmp_path / "none.csv.gz")
    assert kept == Pace()
    assert measured.changes_per_year == pytest.approx(kept.changes_per_year, rel=0.01)
    assert measured.meters_per_change == pytest.approx(kept.meters_per_change, rel=0.01)
