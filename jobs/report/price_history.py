"""Recorded prices of an endpoint, or of a use case's two, as the report's chart and as a picture for Slack."""

from __future__ import annotations

from data.errors import DataMissing
from data.store import Readable
from jobs.report.figure import Figure, Row, drawn, sql_text
from jobs.report.sections import dollars
from jobs.trends.offers import recorded_prices


def price_png(store: Readable, what: str) -> bytes:
    """The price chart of a use case or an endpoint as PNG bytes. Raises DataMissing where neither has a price."""
    figure = price_history(store, what)
    if not figure.rows:
        raise DataMissing(f'no price is known of "{what}".', where="price chart", fix="a use case's slug or an endpoint of the view prices.")  # fmt: skip
    from jobs.report.charts import png

    return png(drawn(figure))


def price_history(store: Readable, what: str) -> Figure:
    """Steps of a use case's model in use and the recommended one, or of one endpoint: USD per million tokens, 3 in to 1 out.

    The past is the recorded history of the model, by its maker where there is one; the last point is today's price.
    """
    query = f"""select i.endpoint, c.model, (3 * i.usd_per_mtok + o.usd_per_mtok)::double / 4 as usd_per_mtok,
    (select max(data_as_of) from use_cases)::date as day
from prices i left join (select distinct endpoint, model from candidates) c on c.endpoint = i.endpoint
join prices o on o.endpoint = i.endpoint and o.meter = 'output' and o.tier = 'standard' and (o.band is null or o.band not like '>%')
where i.endpoint in ({", ".join(sql_text(e) for e in _endpoints(store, what))})
    and i.meter = 'input' and i.tier = 'standard' and (i.band is null or i.band not like '>%')
order by i.endpoint"""
    now, rows = store.rows(query), list[Row]()
    for r in now:
        past = recorded_prices("maker").get(r["model"]) or recorded_prices("any").get(r["model"], [])
        name = str(r["endpoint"])
        rows += [{"day": day, "usd_per_mtok": usd, "what": name} for day, usd in past if usd and day < r["day"]]
        rows.append({"day": r["day"], "usd_per_mtok": r["usd_per_mtok"], "what": name})
    said = ", ".join(f"{r['endpoint']} {dollars(r['usd_per_mtok'])}" for r in now)
    return Figure(f"prices-{what}", f"{what}: price history", "steps", query, rows,
                  f"Steps of recorded prices a million tokens, three of input to one of output; now {said}.",
                  "no price history is recorded")  # fmt: skip


def _endpoints(store: Readable, what: str) -> list[str]:
    pairs = store.rows(
        "select u.endpoint, r.to_endpoint from use_cases u left join recommendations r on r.rec = u.rec and r.state = 'open' "
        f"where u.use_case = {sql_text(what)}"
    )
    both = [e for p in pairs for e in (p["endpoint"], p["to_endpoint"]) if e]
    return list(dict.fromkeys(both)) or [what]
