"""Small pages in the layouts that price pages come in, written by us and labelled by hand: the whole reading is compared.

A page without a line in labels.csv states no price of a model that can be proven: nothing may be read from it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from data.records import PriceClaim
from scraper.prices import read_prices
from tests.corpus import fault

PAGES = Path(__file__).parent / "pages"
FILES = sorted(f for f in PAGES.iterdir() if f.name != "labels.csv")


def row_of(page: str, c: PriceClaim) -> dict[str, str]:
    return {
        "page": page, "model": c.model_as_written, "model_id": c.model_id_as_written or "", "meter": c.meter, "tier": c.tier,
        "amount": str(c.amount), "currency": c.currency, "per": c.per, "list_price": "list" if c.list_price else "",
        "conditions": "; ".join(c.conditions),
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_page_is_read_as_a_person_reads_it(file: Path) -> None:
    with (PAGES / "labels.csv").open(encoding="utf-8") as labels:
        expected = [r for r in csv.DictReader(labels) if r["page"] == file.name]
    url = f"https://pages.test/{file.name}"
    body = file.read_bytes()
    claims = read_prices(body, url=url).claims
    assert sorted(map(str, (row_of(file.name, c) for c in claims))) == sorted(map(str, expected))
    assert [f for c in claims if (f := fault(body, c, url))] == []


def test_a_challenge_has_failed_and_a_page_of_plans_has_not() -> None:
    assert read_prices((PAGES / "challenge.html").read_bytes()).failed
    for name in ("plans.html", "gpu-hours.html", "blog.html", "leaderboard.html"):
        assert read_prices((PAGES / name).read_bytes()).failed is None
