"""A sample of the mutated pages; `python -m tests.fuzz_pages --pages 2000` runs them all."""

from __future__ import annotations

import pytest

from tests.corpus import CORPUS, corpus_pages
from tests.fuzz_pages import LYING, run

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project (../shared/corpus)")
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_a_mutated_page_never_crashes_hangs_or_gives_an_unproven_price_and_hardly_ever_a_wrong_one(seed: int) -> None:
    told: list[str] = []
    small = [p for p in corpus_pages() if len(p.body) < 1_500_000]
    table = run(small, 60, seed, told.append)
    for line in table.values():
        assert not line["crashes"] and not line["unproven"] and not line["over the limit"], told
    honest = [line for name, line in table.items() if name not in {m.__name__ for m in LYING}]
    claims, wrong = sum(x["claims"] for x in honest), sum(x["wrong"] for x in honest)
    assert claims > 500
    assert wrong / claims < 0.01, told
