"""How well the length of answers is foretold: each test left out in turn, ratios of all pairs of models on it. Run by itself.

python -m tests.bench.bench_verbosity
"""

from __future__ import annotations

import math
import sys
from itertools import combinations
from statistics import median

from jobs.ingest import score_of
from jobs.tokens import runs_of
from recommender.ratios import OTHER_ANSWER
from recommender.verbosity import fit, relative
from scraper.genai import load_package
from scraper.match import Matcher
from scraper.seed import load_seed


def main() -> None:
    matcher = Matcher.from_package()
    scores = []
    for stated in load_seed().stated:
        found = matcher.match(stated.claim.model_as_written)
        if stated.claim.cost_usd and found.model_id:
            day = load_seed().captures[0].fetched_at
            scores.append(score_of(stated.claim, "-", stated.source_id, found.model_id, found.variant, day))
    runs = runs_of(scores, load_package().rates, matcher.endpoints(), matcher)
    said = f"{len(runs)} runs of {len({r.subject[0] for r in runs})} models on {len({r.test for r in runs})} tests\n"
    hit = pairs = stated_range = 0
    error, blind = [], []
    for test in sorted({r.test for r in runs}):
        found_by = fit(r for r in runs if r.test != test)
        truth = {r.subject: r.middle for r in runs if r.test == test and r.subject in found_by}
        for (a, of_a), (b, of_b) in combinations(sorted(truth.items()), 2):
            ratio = relative(found_by[a], found_by[b])
            if ratio is None:
                continue
            true = math.exp(of_a - of_b)
            pairs += 1
            hit += ratio.low <= true <= ratio.high
            stated_range += OTHER_ANSWER.low <= true <= OTHER_ANSWER.high
            error.append(abs(math.log(true / ratio.mean)))
            blind.append(abs(math.log(true)))
    said += f"{pairs} pairs on tests left out: the 80 % interval holds {hit / pairs:.3f}, the stated range {stated_range / pairs:.3f}\n"
    said += (
        f"median factor of error {math.exp(median(error)):.2f}, without any knowledge {math.exp(median(blind)):.2f}\n"
    )
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
