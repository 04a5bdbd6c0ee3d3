"""What holds for any prices, any slips and any order: no unwitnessed slip is published, nothing is lost, order decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from data.records import Rate
from jobs.replay import Row, replay
from scraper.reconcile import Offer, Settled, Statement, key_of, key_text, offer_key, reconcile, restate, same, settle
from scraper.reconcile.guards import SLIPS, alike
from tests.test_reconcile import LIST, NOW, PAGE, offer, rate

amounts = st.decimals(min_value="0.01", max_value="90", places=2)
slips = st.sampled_from([*SLIPS, *(1 / s for s in SLIPS)])
sources = st.sampled_from([PAGE, LIST])
meters = st.sampled_from(["input", "output", "cached_input"])
tiers = st.sampled_from(["standard", "batch", "priority"])


class Memory:
    """What a database would keep of one source between readings."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self.rates = {key_of(r): r for r in rates}
        self.runs: dict[str, datetime] = {}

    def read(self, source: Any, offers: Sequence[Offer], now: datetime, **more: Any) -> Any:
        texts = {key_text(source.id, o) for o in offers}
        self.runs = {t: since for t, since in self.runs.items() if t in texts}  # only what is said without a break
        found = reconcile(source, offers, list(self.rates.values()), now=now, earlier=self.runs, **more)
        for r in found.rates:
            self.rates[key_of(r)] = r
        held = {h.claim_id for h in found.held}
        self.runs |= {key_text(source.id, o): now for o in offers if o.claim_id in held}
        for text, _ in found.released:
            self.runs.pop(text, None)
        return found


@given(amounts, st.lists(st.one_of(st.none(), slips), min_size=1, max_size=12), st.integers(1, 48))
def test_a_page_that_slips_now_and_then_never_publishes_the_slip(usd: Decimal, said: list[Any], hours: int) -> None:
    memory, now = Memory([rate(str(usd))]), NOW
    last = None
    for slip in said:
        slip = None if last is not None else slip  # never twice in a row
        last, now = slip, now + timedelta(hours=hours)
        memory.read(PAGE, [offer(str(usd * slip if slip else usd))], now)
        assert [r.usd_per_mtok for r in memory.rates.values()] == [usd]


@given(amounts, slips, st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_a_page_that_says_it_again_within_six_hours_has_said_it_once(
    usd: Decimal, slip: Decimal, minutes: list[int]
) -> None:
    memory, new = Memory([rate(str(usd))]), offer(str(usd * slip))
    start = now = NOW
    for step in minutes:
        memory.read(PAGE, [new], now)
        believed = next(iter(memory.rates.values()))
        assert (believed.usd_per_mtok == usd) == (now - start < timedelta(hours=6))
        now += timedelta(minutes=step)


@given(amounts, amounts)
def test_whatever_the_sellers_page_says_for_six_hours_goes_through(old: Decimal, new: Decimal) -> None:
    memory = Memory([rate(str(old))])
    memory.read(PAGE, [offer(str(new))], NOW)
    memory.read(PAGE, [offer(str(new))], NOW + timedelta(hours=6))
    (believed,) = memory.rates.values()
    assert (believed.usd_per_mtok, believed.standing) == (new, "official")


cells = st.tuples(st.sampled_from(["acme:a", "acme:b", "acme:c"]), meters, tiers)
pages = st.dictionaries(cells, amounts, max_size=14)


@given(pages, pages, sources, st.booleans())
def test_every_offer_is_believed_or_held_or_overruled_and_no_rate_vanishes(
    before: dict[Any, Decimal], after: dict[Any, Decimal], source: Any, same_source: bool
) -> None:
    by = source.id if same_source else "acme"
    old = [
        rate(str(u), meter, tier, source=by).model_copy(update={"endpoint_id": e})
        for (e, meter, tier), u in before.items()
    ]
    offers = [offer(str(u), meter, tier, endpoint=e) for (e, meter, tier), u in after.items()]
    found = reconcile(source, offers, old, now=NOW)
    believed = {key_of(r): r for r in (*old, *found.rates)}
    held = {h.claim_id for h in found.held}
    overruled = sum(note.endswith("the makers' pages say") for note in found.notes)
    for o in offers:
        stands = alike(believed[offer_key(o)].usd_per_mtok, o.usd_per_mtok) if offer_key(o) in believed else False
        assert stands or o.claim_id in held or overruled
    assert {key_of(r) for r in old} <= believed.keys()
    for r in old:
        kept = believed[key_of(r)]
        assert kept.usd_per_mtok in {r.usd_per_mtok, *(o.usd_per_mtok for o in offers if offer_key(o) == key_of(r))}
        doubted = any(h.endpoint_id == r.endpoint_id and (h.meter, h.tier) == (r.meter, r.tier) for h in found.held)
        assert not doubted or kept.standing == "disputed"


@given(pages, pages, st.randoms())
def test_the_order_of_offers_and_of_rates_decides_nothing(
    before: dict[Any, Decimal], after: dict[Any, Decimal], dice: Any
) -> None:
    old = [rate(str(u), meter, tier).model_copy(update={"endpoint_id": e}) for (e, meter, tier), u in before.items()]
    offers = [offer(str(u), meter, tier, endpoint=e) for (e, meter, tier), u in after.items()]
    told = []
    for _ in range(2):
        found = reconcile(PAGE, offers, old, now=NOW)
        told.append((sorted(map(repr, found.rates)), sorted(map(repr, found.held)), found.notes))
        dice.shuffle(old)
        dice.shuffle(offers)
    assert told[0] == told[1]


@given(amounts, amounts, slips)
def test_a_list_never_moves_a_sellers_price_without_the_seller(usd: Decimal, other: Decimal, slip: Decimal) -> None:
    for new in (other, usd * slip):
        found = reconcile(LIST, [offer(str(new))], [rate(str(usd))], now=NOW)
        assert all(r.usd_per_mtok == usd for r in found.rates)


statements = st.lists(
    st.builds(
        lambda s, usd, since, read: Statement(s, usd, NOW.date() - timedelta(since + read), NOW.date() - timedelta(read)),
        st.sampled_from("abcdef"), st.sampled_from([Decimal(1), Decimal("1.0000001"), Decimal(2), Decimal(10)]),
        st.integers(0, 200), st.integers(0, 60),
    ), max_size=6, unique_by=lambda s: s.source_id,
)  # fmt: skip


@given(statements, st.booleans(), st.randoms())
def test_the_order_of_lists_decides_nothing_and_two_lines_make_a_witness(
    said: list[Statement], floating: bool, dice: Any
) -> None:
    lineage = {"b": "a", "c": "a"}
    mixed = said.copy()
    dice.shuffle(mixed)
    found = settle(said, NOW.date(), lineage, floating=floating)
    assert found == settle(mixed, NOW.date(), lineage, floating=floating)
    if found is not None and found.standing == "witnessed":
        assert len({lineage.get(s, s) for s in found.sources}) > 1


settled = st.builds(
    lambda usd, standing, who: Settled(None if standing == "disputed" else usd, standing, "", tuple(who)),
    amounts, st.sampled_from(["single", "disputed", "witnessed"]), st.sets(st.sampled_from("abc"), min_size=1),
)  # fmt: skip


@given(st.lists(settled, min_size=1, max_size=8))
def test_another_price_takes_two_witnesses_or_the_one_who_said_it(found: list[Any]) -> None:
    stands = None
    for one in found:
        new = restate(stands, one)
        if stands is not None and stands.usd_per_mtok is not None:
            assert new.usd_per_mtok is not None, "what was believed does not vanish"
            moved = not same(new.usd_per_mtok, stands.usd_per_mtok)
            assert not moved or one.standing == "witnessed" or set(one.sources) & set(stands.sources)
        stands = new


rows_of_days = st.lists(
    st.builds(
        lambda day, source, name, usd: Row(date(2026, 1, 1) + timedelta(day), source, "acme", name, ("acme", name), {"input": usd}, False, False),
        st.integers(0, 20), st.sampled_from(["truth", "a", "b", "c"]), st.sampled_from(["x", "y"]), st.sampled_from([Decimal(1), Decimal(2), Decimal(10)]),
    ), min_size=1, max_size=30, unique_by=lambda r: (r.day, r.source, r.name),
)  # fmt: skip


@settings(max_examples=60)
@given(rows_of_days, st.randoms())
def test_the_order_of_readings_within_a_day_decides_nothing(history: list[Row], dice: Any) -> None:
    days = [date(2026, 1, 1) + timedelta(n) for n in (5, 12, 20)]
    mixed = history.copy()
    dice.shuffle(mixed)
    assert replay(sorted(history, key=lambda r: r.day), "truth", (), days) == replay(
        sorted(mixed, key=lambda r: r.day), "truth", (), days
    )
