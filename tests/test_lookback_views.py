"""The views of falling prices: computed once a day, equal to their commands, contracts never in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
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


def test_contracts_are_not_in_what_is_shared() -> None:
    registry = load_cases([REGISTRY])
    case = registry.use_cases[0]
    secret = case.current.model_copy(
        update={"private_price": {"input_usd_per_mtok": Decimal("0.001")}, "discount_share": 0.9}
    )
    bare = at_list(type(registry)(**{**vars(registry), "use_cases": (case.model_copy(update={"current": secret}),)}))
    assert bare.use_cases[0].current.private_price == {}
    assert bare.use_cases[0].current.discount_share == 0
