"""`undercut db verify`: every rule the tables and kept bodies obey, asked one by one. Reports, repairs nothing.

A database and its bodies in, one finding a broken rule out: what is wrong, how often, an example, and the fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.errors import StoreError
from data.store import Keep, Readable
from scraper.capture import Bodies

RESTORE = "restore a backup (undercut db restore), or keep what is here and report it."
CLAIMS = "(select claim_id, source_id, capture from price_claim union all select claim_id, source_id, capture from score_claim)"
PLACE = (
    "endpoint_id",
    "meter",
    "tier",
    "context_min_tokens",
    "context_max_tokens",
    "time_window",
    "region",
    "unit",
    "source_id",
    "known_from",
)
RULES = {  # what is wrong: rows that show it, the thing in the column `what`; times are read as half-open intervals
    "a claim without the fetch it was read from": f"select claim_id as what from {CLAIMS} where capture not in (select sha256 from capture where sha256 is not null and outcome <> 'failed')",
    "a claim kept twice": f"select claim_id as what from {CLAIMS} group by claim_id, source_id having count(*) > 1",
    "a rate kept twice": "select rate_id as what from rate group by rate_id having count(*) > 1",
    "a rate without a claim": "select rate_id as what from rate where len(claim_ids) = 0",
    "a rate whose claim is missing": "select rate_id as what from (select rate_id, unnest(claim_ids) as claim_id from rate) "
    "where claim_id not in (select claim_id from price_claim)",
    "a rate of another price than its claims state": "select any_value(r.rate_id) as what from (select rate_id, known_from, usd_per_mtok, unnest(claim_ids) as claim_id from rate where usd_per_mtok is not null) r "
    "join price_claim c using (claim_id) group by r.rate_id, r.known_from, r.usd_per_mtok having not bool_or(coalesce(c.usd_per_mtok, r.usd_per_mtok) = r.usd_per_mtok)",
    "two prices of one source for the same time": "select a.rate_id as what from rate a join rate b on "
    + " and ".join(f"a.{k} is not distinct from b.{k}" for k in PLACE)
    + " and a.valid_from < b.valid_to and b.valid_from < a.valid_to and (a.usd_per_mtok, a.usd_per_unit) is distinct from (b.usd_per_mtok, b.usd_per_unit) "
    "where not a.withdrawn and not b.withdrawn and a.valid_to is not null and b.valid_to is not null",
    "a score kept twice": "select score_id as what from score group by score_id having count(*) > 1",
    "a score of another value than its claim": "select score_id as what from score s join score_claim c using (claim_id) where s.value <> c.value",
    "an exchange rate kept twice": "select currency || ' ' || day as what from fx_rate group by day, currency having count(*) > 1",
    "a score whose claim is missing": "select score_id as what from score where claim_id not in (select claim_id from score_claim)",
    "a held price whose claim is missing": "select claim_id as what from held where claim_id not in (select claim_id from price_claim)",
    "an answer about a price that was never held": "select claim_id as what from held_release where claim_id not in (select claim_id from held)",
    "a rate that ends before it begins": "select rate_id as what from rate where valid_to <= valid_from",
    "two words of one source from the same moment": "select any_value(rate_id) as what from rate where valid_from is null and valid_to is null "
    "group by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit, source_id, known_from "
    "having count(distinct (usd_per_mtok, usd_per_unit, withdrawn)) > 1",
    "a price below zero": "select rate_id as what from rate where usd_per_mtok < 0 or usd_per_unit < 0",
    "a decision on a rate that is missing": "select rec as what from (select rec, unnest(rate_ids) as rate_id from recommendation) "
    "where rate_id not in (select rate_id from rate)",
    "a decision on a score that is missing": "select rec as what from (select rec, unnest(score_ids) as score_id from recommendation) "
    "where score_id not in (select score_id from score)",
    "a decision without what it weighed": "select rec as what from recommendation where (run_id, use_case) not in (select (run_id, use_case) from candidate)",
    "a decision about a use case that was never registered": "select rec as what from recommendation where use_case not in (select use_case from use_case)",
    "a decision from facts of a later day": "select rec as what from recommendation where decided_at < data_as_of",
    "an answer to a finding that was never made": "select rec as what from feedback where rec like 'rec-%' and rec not in (select rec from recommendation)",
    "an alert kept twice": "select alert_id as what from alert group by alert_id having count(*) > 1",
    "a message kept twice": "select message_id as what from outbox group by message_id having count(*) > 1",
    "a message sent twice": "select message_id as what from outbox_event where outcome = 'sent' group by message_id having count(*) > 1",
    "an alert to be sent without its message": "select alert_id as what from alert where withheld_because is null and alert_id not in (select alert_id from outbox)",
    "a message without its alert": "select message_id as what from outbox where alert_id not in (select alert_id from alert)",
    "an event of no message": "select message_id as what from outbox_event where message_id not in (select message_id from outbox)",
}  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A rule that does not hold: how many rows or bodies, one of them, and the fix."""

    rule: str
    count: int
    example: str
    fix: str = RESTORE


def verify(store: Readable, kept: Keep | Path) -> Iterator[Broken]:
    """Every broken rule, none where all hold. Reads every kept body once. Raises StoreError where the file itself is damaged."""
    for rule, query in RULES.items():
        found = store.rows(f"select count(*) as n, min(what) as example from ({query})")[0]
        if found["n"]:
            yield Broken(rule, found["n"], str(found["example"]))
    yield from _bodies(store, kept)


def _bodies(store: Readable, kept: Keep | Path) -> Iterator[Broken]:
    """Bodies of every fetch that was read; a body that nothing names is waste and no fault."""
    bodies, bad = Bodies(kept), []
    for row in store.rows("select distinct sha256 from capture where sha256 is not null and outcome <> 'failed' order by 1"):  # fmt: skip
        try:
            bodies.get(row["sha256"])
        except StoreError as error:
            bad.append(f"{error.what} {row['sha256']}")
    if bad:
        fix = "restore it from a backup; figures stay, `undercut explain` cannot show their text until then."
        yield Broken("a kept body is missing or damaged", len(bad), bad[0], fix)
