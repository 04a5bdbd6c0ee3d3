"""The hand-read pairs were labelled on the catalogue of 21 August 2026: judged on that day's catalogue, the rules hold.

The installed catalogue has grown since; a name labelled NONE then may be sold today, which is no wrong id.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from scraper.match import Matcher
from scraper.seed import load_first_seen

LABELLED = date(2026, 8, 21)


def verdicts(matcher: Matcher, pairs: list[dict[str, str]]) -> dict[str, int]:
    out = {"right": 0, "wrong id": 0, "missed": 0}
    for r in pairs:
        good = {r["canonical_id"], *filter(None, r["also_ok"].split("|"))} - {"NONE"}
        said = set(matcher.match(r["raw_name"], r["source"]).price_ids)
        out["right" if said & good or (not said and not good) else "wrong id" if said else "missed"] += 1
    return out


@pytest.mark.corpus
def test_on_the_catalogue_of_the_labels_the_rules_hold(corpus: Path) -> None:
    with (corpus / "matching" / "dev.csv").open(encoding="utf-8", newline="") as f:
        pairs = list(csv.DictReader(f))
    today = Matcher.from_package()
    seen = load_first_seen()
    then = Matcher.from_package(sold=lambda price_id: seen.get(price_id, date.max) <= LABELLED)
    found = verdicts(then, pairs)
    assert found["right"] / len(pairs) >= 0.97
    assert found["wrong id"] / len(pairs) <= 0.005
    new = verdicts(today, pairs)
    assert new["right"] / len(pairs) >= 0.97, "the grown catalogue"
