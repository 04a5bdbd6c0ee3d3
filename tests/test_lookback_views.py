"""The views of falling prices: computed once a day, equal to their commands, contracts never in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.store import Copy, Store, published
from jobs.abundance import keep
from jobs.audit import audit, audit_caches
from jobs.evals import load_cases
from jobs.look_back import at_list, look
from jobs.trends.forecast import own_cuts
from jobs.trends.table import ours

REGISTRY = Path(__file__).parents[1] / "use_cases.yaml"
VIEWS = ("price_trends", "bands", "compromises", "caches")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo: Callable[[Path], Path]) -> Path:
    folder = tmp_path_factory.mktemp("views")
    return demo(folder)


def test_every_row_equals_what_the_commands_say(home: Path) -> None:
    with published(home / "market.duckdb") as con:
        rows = {v: Copy(con).rows(f"select * from {v}") for v in VIEWS}
    day = rows["price_trends"][0]["as_of"]
    trends = ours(None, day)
    assert [(r["definition"], r["benchmark"], r["level"], r["factor_per_year"]) for r in rows["price_trends"]] == [
        (t.definition, t.benchmark, t.level, t.factor_per_year) for t in trends
    ]
    here = look(
        home / "market.duckdb", [REGISTRY], datetime(day.year, day.month, day.day, 12, tzinfo=UTC), lambda _: None
    )
    case = here.case("contract-extraction")
    assert [r["verdict"] for r in rows["caches"]] == [c.paid.verdict for c in audit_caches(here, case)]
    found = audit(here, case, own_cuts(day).factor_per_year)
    assert [r["why"] for r in rows["compromises"]] == [c.why for c in found.compromises]


def test_floors_never_rise_and_no_month_lies_ahead(home: Path) -> None:
    with published(home / "market.duckdb") as con:
        rising = Copy(con).rows(
            "select * from (select *, lag(usd_per_mtok) over w as before, lag(cost_usd_per_task) over w as task_before from bands "
            "window w as (partition by benchmark, level order by month)) "
            "where usd_per_mtok > before or cost_usd_per_task > task_before or month > as_of"
        )
    assert rising == []


def test_a_day_is_computed_once(home: Path) -> None:
    with Store(home) as store:
        day = store.rows("select max(as_of) as day from price_trend")[0]["day"]
        now = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        assert keep(store, load_cases([REGISTRY]), now) is False


def test_contracts_are_not_in_what_is_shared(demo: Callable[[Path], Path], tmp_path: Path) -> None:
    """The same entry with a contract and without: what is kept for reports is the same to the cent, what its team sees is not."""
    entry = """use_cases:
  secret-deal:
    task: classification
    model: {MODEL}
    fallbacks: [{MODEL}]
    traffic: 20k/day
    tokens: {in: 900, out: 40}
    channel: "#x"
"""
    kept, own, now = {}, {}, datetime(2026, 11, 12, tzinfo=UTC)
    for name, model in (("plain", "openai/gpt-4o"), ("contract", "{id: openai/gpt-4o, discount: 0.3717}")):
        file = tmp_path / f"{name}.yaml"
        file.write_text(entry.replace("{MODEL}", model))
        home = demo(tmp_path / name)
        cost = look(home / "market.duckdb", [file], now, lambda _: None).decisions["secret-deal"].current.cost
        assert cost is not None
        own[name] = cost.usd_per_month
        with Store(home) as store:
            assert keep(store, load_cases([file]), now)
            query = "select * from {} where use_case = 'secret-deal' order by all"
            kept[name] = [store.rows(query.format(t)) for t in ("forecast", "plan_option")]
    assert kept["contract"] == kept["plain"]
    assert all(kept["plain"]), "there is something to compare"
    assert own["contract"] < 0.7 * own["plain"]
    bare = at_list(load_cases([tmp_path / "contract.yaml"])).use_cases[0]
    assert [c.discount_share for c in (bare.current, *bare.fallbacks)] == [0, 0]
