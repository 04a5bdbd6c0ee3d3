"""A few cycles with sixty sources: none fails, memory does not run away. `python -m tests.soak --cycles 1000` is the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.store import Store
from jobs.integrity import verify
from jobs.scrape import scrape_cycle
from scraper.fetch import Fetcher
from tests.soak import START, STEP, growth, pages, soak, source_of


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_cycles_leave_nothing_behind(tmp_path: Path, demo: Callable[[Path], Path]) -> None:
    found = soak(demo(tmp_path), 4)
    assert found.failed == 0
    assert found.mib[-1] < found.mib[0] * 1.25
    copies = [p for p in tmp_path.glob("market-*.duckdb") if not p.is_symlink()]
    assert len(copies) <= 3  # old published copies are removed


def test_growth_is_the_line_through_the_values() -> None:
    assert growth([100.0, 100.0, 100.0]) == pytest.approx(0)
    assert growth([90.0, 100.0, 110.0]) == pytest.approx(0.2)


def test_two_sources_that_serve_the_same_body_each_keep_what_they_say(tmp_path: Path) -> None:
    """Read every six hours for four days: neither is taken for a page that lists nothing any more, and each is quoted as itself."""
    with pages() as (address, turn):
        sources = {f"shop{n}": source_of(n, address) for n in (0, 30)}
        for n in range(17):
            turn[0] = n
            fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
            scrape_cycle(tmp_path, None, now=START + n * STEP, sources=sources, fetcher=fetcher)
    with Store(tmp_path) as store:
        bodies = store.rows(
            "select count(distinct sha256) as n, count(distinct (sha256, source_id)) as by_source from capture"
        )
        assert bodies == [{"n": 2, "by_source": 4}]
        assert store.rows("select * from rate where withdrawn") == []
        claims = store.rows("select source_id, count(*) as n from price_claim group by 1 order by 1")
        assert [c["n"] for c in claims] == [20, 20], "five models, two meters, two bodies"
        own = store.rows("select count(*) as n from rate r where not exists "
                         "(select 1 from price_claim c where c.source_id = r.source_id and list_contains(r.claim_ids, c.claim_id))")  # fmt: skip
        assert own == [{"n": 0}]
        assert list(verify(store, store.kept)) == []
