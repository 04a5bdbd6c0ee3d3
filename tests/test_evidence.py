"""Every claim of the corpus is re-read from the kept body: no number without the place it stands in."""

from __future__ import annotations

import pytest

from scraper.prices import read_prices
from tests.corpus import CORPUS, CorpusPage, bare, corpus_pages, fault, stands_in

pytestmark = pytest.mark.corpus
PAGES = list(corpus_pages()) if CORPUS.is_dir() else []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.page_id)
def test_every_claim_is_found_again_at_its_locator_and_its_quote_stands_in_the_body(page: CorpusPage) -> None:
    claims = read_prices(page.body, url=page.url).claims
    seen = stands_in(page.body)
    faults = [f for c in claims if (f := fault(page.body, c, page.url))]
    assert faults == []
    assert [c.quote for c in claims if bare(c.quote) not in seen] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.page_id)
def test_no_two_prices_for_one_thing_under_the_same_conditions(page: CorpusPage) -> None:
    told: dict[tuple[object, ...], object] = {}
    for c in read_prices(page.body, url=page.url).claims:
        key = (
            c.model_as_written,
            c.model_id_as_written,
            c.meter,
            c.tier,
            c.currency,
            c.per,
            c.conditions,
            c.list_price,
        )
        assert told.setdefault(key, c.amount) == c.amount, key
