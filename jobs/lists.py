"""What lists of prices say about endpoints: they bear witness, and settle among themselves what no seller's page states.

A list states prices of many sellers. It counts for an endpoint only where it names the seller, or is asked about the one
that its name of the model leads to; a price under a condition that nobody understands counts for none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.records import PriceClaim, Rate
from data.store import Store
from jobs.ingest import add_rates
from jobs.offers import shape
from jobs.withdraw import believed_now, claim_from_row, gone_keys, naive
from scraper.match import Matcher
from scraper.reconcile import Key, Settled, Statement, key_of, restate, same, settle
from scraper.reconcile.consensus import ALIVE
from scraper.source import Source

# sellers as lists call them, where it is not the word of the price ids
SELLERS = {
    "gemini": "google", "google-ai-studio": "google", "xai": "x-ai", "mistral-ai": "mistral", "mistralai": "mistral",
    "moonshot": "moonshotai", "moonshot-ai": "moonshotai", "z-ai": "zai", "z.ai": "zai", "bedrock": "aws",
    "bedrock_converse": "aws", "amazon-bedrock": "aws", "amazon": "aws", "together_ai": "together",
    "togetherai": "together", "fireworks_ai": "fireworks", "fireworks-ai": "fireworks", "voyage": "voyageai",
    "cohere_chat": "cohere", "perplexity-ai": "perplexity",
}  # fmt: skip
LISTED = """
select c.*, n.read_on, min(c.known_from) over (partition by c.source_id, c.model_as_written, c.model_id_as_written,
    c.meter, c.tier, c.context_min_tokens, c.context_max_tokens, c.time_window, c.locator, c.amount) as stated_on,
    c.capture = n.sha256 as newest
from price_claim c join (
    select source_id, arg_max(sha256, fetched_at) as sha256, max(coalesce(as_of, fetched_at)) as read_on from capture
    where outcome <> 'failed' group by source_id) n on n.source_id = c.source_id
where n.read_on >= ? and c.source_id in (select unnest(?)) and not c.list_price and c.usd_per_mtok is not null
qualify newest"""


@dataclass(frozen=True)
class Listed:
    """One plain price of a list; `seller` None where it names none."""

    claim: PriceClaim
    source_id: str
    seller: str | None
    stated_on: datetime
    read_on: datetime
    claim_id: str

    @property
    def place(self) -> tuple[object, ...]:
        """Meter, tier, band and window: the key without its endpoint."""
        c = self.claim
        return (c.meter, c.tier, c.context_min_tokens, c.context_max_tokens, c.time_window)


def listed(store: Store, source_ids: Sequence[str], matcher: Matcher, now: datetime) -> Iterator[Listed]:
    """The plain prices in the newest bodies of these sources, of those that were read within 30 days."""
    sellers = {e.provider for e in matcher.endpoints()}
    for row in store.rows(LISTED, [naive(now - ALIVE), list(source_ids)]):
        claim = claim_from_row(row)
        seller, rest = seller_of(claim, sellers)
        shaped = shape(claim.model_copy(update={"conditions": rest}))
        if shaped is not None and claim.usd_per_mtok is not None:
            yield Listed(shaped, row["source_id"], seller, row["stated_on"], row["read_on"], row["claim_id"])


def seller_of(claim: PriceClaim, sellers: set[str]) -> tuple[str | None, tuple[str, ...]]:
    """(whose price it is, the conditions besides): by a word of its own, or by the branch of the list it stands on."""
    rest = tuple(c for c in claim.conditions if not c.startswith("provider "))
    named = next((c.removeprefix("provider ") for c in claim.conditions if c not in rest), None)
    if named is None:
        branch = re.match(r"/([^/]+)/", claim.locator)
        named = branch[1] if branch and SELLERS.get(branch[1].casefold(), branch[1].casefold()) in sellers else None
    return (SELLERS.get(named.casefold(), named.casefold()) if named else None), rest


class Namer:
    """Endpoints that a listed price may be of; every name is asked for once."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._asked: dict[tuple[str, str | None, str], frozenset[str]] = {}

    def endpoints(self, said: Listed) -> frozenset[str]:
        written = said.claim.model_id_as_written
        asked = (said.source_id, written, said.claim.model_as_written)
        if asked not in self._asked:
            found = {written} if written else set()
            for text in (t for t in asked[1:] if t):
                found.update(self._matcher.match(text, said.source_id).price_ids)
            self._asked[asked] = frozenset(found)
        ids = self._asked[asked]
        if said.seller is None:
            return ids
        own = frozenset(i for i in ids if i.partition(":")[0] == said.seller)
        exact = f"{said.seller}:{(written or '').rsplit('/', 1)[-1]}"
        return frozenset([exact]) if exact in own or self._matcher.has(exact) else own


def restand(store: Store, sources: Mapping[str, Source], matcher: Matcher, now: datetime) -> int:
    """Settle the rates that only lists state: witnessed, single or disputed; returns how many rows that added.

    What a seller's page states, released or withdrew is not theirs to settle.
    """
    lists = {s.id: s for s in sources.values() if s.kind == "catalogue" and s.provider is None}
    gone = gone_keys(store, sources, now)
    rates = {key_of(r): r for r in believed_now(store, now) if r.source_id in lists and r.standing != "official"}
    rates = {k: r for k, r in rates.items() if k not in gone}
    if not rates or len(lists) < 2:
        return 0
    said = _statements(store, lists, rates, matcher, now)
    lineage = {s.id: (s.copies or (s.id,))[0] for s in lists.values()}
    later = now + timedelta(microseconds=1)  # after what the readings themselves changed
    out = []
    for key, rate in rates.items():
        found = settle(said.get(key, ()), now.date(), lineage, floating=rate.endpoint_id.endswith("-latest"))
        if found is None:
            continue
        stood = Settled(rate.usd_per_mtok, rate.standing, "", (rate.source_id,))
        new = restate(stood, found)
        if new.standing != rate.standing or (new.standing == "witnessed" and not same_amount(new, rate)):
            changed = {} if same_amount(new, rate) else {"usd_per_mtok": new.usd_per_mtok, "claim_ids": new.claim_ids}
            out.append(rate.model_copy(update={"standing": new.standing, "known_from": later, **changed}))
    return add_rates(store, out)


def same_amount(settled: Settled, rate: Rate) -> bool:
    a, b = settled.usd_per_mtok, rate.usd_per_mtok
    return a is not None and b is not None and same(a, b)


def _statements(
    store: Store, lists: Mapping[str, Source], rates: Mapping[Key, Rate], matcher: Matcher, now: datetime
) -> dict[Key, list[Statement]]:
    """What each list says about the keys asked for; a list that says two things about one says nothing."""
    found: dict[tuple[Key, str], list[Statement]] = defaultdict(list)
    namer = Namer(matcher)
    places = {key[1:] for key in rates}
    for one in listed(store, list(lists), matcher, now):
        usd = one.claim.usd_per_mtok
        if one.place not in places or one.seller is None or usd is None:
            continue
        for endpoint in namer.endpoints(one):
            key = (endpoint, *one.place)
            if key in rates and rates[key].source_id != one.source_id:
                found[key, one.source_id].append(
                    Statement(one.source_id, usd, one.stated_on.date(), one.read_on.date(), (one.claim_id,))
                )
    read_on = {r["source_id"]: r["read_on"] for r in store.rows(READ_ON)}
    for key, rate in rates.items():
        if rate.source_id in read_on and rate.usd_per_mtok is not None:
            began = (rate.valid_from or rate.known_from).date()
            found[key, rate.source_id].append(
                Statement(rate.source_id, rate.usd_per_mtok, began, read_on[rate.source_id].date(), rate.claim_ids)
            )
    out: dict[Key, list[Statement]] = defaultdict(list)
    for (key, _), said in found.items():
        if all(same(s.usd_per_mtok, said[0].usd_per_mtok) for s in said):
            out[key].append(said[0])
    return out


READ_ON = """
select source_id, max(coalesce(as_of, fetched_at)) as read_on from capture where outcome <> 'failed' group by source_id"""
