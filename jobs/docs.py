"""`data/README.md` from the database itself: `python -m jobs.docs` (make docs) decides the demo and writes what it finds.

Views, columns and their meaning come from the comments in the views; the ten questions are the files of data/questions, each
with its result on the demo.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from data.store import Copy, Readable, published, view_files
from jobs.demo import run_demo

ROOT = Path(__file__).parents[1]
README = ROOT / "data" / "README.md"
QUESTIONS = ROOT / "data" / "questions"
TEAM = ROOT / "data" / "team.md"  # when to move to a team's store, how, and what it costs; written by hand
MOST_ROWS, MOST_COLUMNS, MOST_TEXT = 5, 8, 48
EXAMPLE = {  # a view alone shows any rows; these are worth a look
    "prices": "select * from prices where endpoint = 'openai:gpt-4o' order by meter, tier, band",
    "price_history": "select * from price_history where endpoint = 'openai:gpt-5.6-terra' and before_usd_per_mtok is not null order by valid_from desc, meter, context_min_tokens",
    "scores": "select * from scores where model = 'openai/gpt-4o' order by benchmark, source, variant, metric",
    "candidates": "select * from candidates where use_case = 'code-review' and on_frontier and p_ok > 0.5 order by cost_usd_per_month",
    "recommendations": "select * from recommendations where state = 'open' order by saving_low_usd_per_month desc, rec",
}
MACROS = {  # macro: what it is, an example of a call, the view whose columns and comments are its own, which rows are worth a look
    "price_asof(day, known_at := …)": (
        "Prices in force on a day; with `known_at` as they were known at that instant, else as known now. Rows and columns as in `prices`.",
        "price_asof(date '2026-11-10', known_at := timestamptz '2026-11-10 12:00:00+00')",
        "prices",
        "where endpoint = 'zhipuai:GLM-5' order by meter",
    ),
    "recommendations_asof(day)": (
        "Recommendations as they stood at the end of a day. Rows and columns as in `recommendations`.",
        "recommendations_asof(date '2026-11-10')",
        "recommendations",
        "where state = 'open' order by saving_low_usd_per_month desc",
    ),
}
HEAD = """# The database

`market.duckdb` in the home folder (default `data/db`) is a finished read-only copy, replaced as a whole after every cycle. Open it at any
moment, while the service writes its own file, with whatever bundles DuckDB 1.5 or 2.0:

```
undercut sql "select * from prices where endpoint = 'openai:gpt-4o'"
duckdb -readonly data/db/market.duckdb
python -c "import duckdb; duckdb.connect('data/db/market.duckdb', read_only=True).sql('from use_cases').show()"
undercut db export FOLDER        every view as FOLDER/VIEW.parquet, for everything else
```

A copy that is open stays as it is until it is closed: connect again to see the next cycle. What somebody writes into one is gone with the
next. Views are the product: their names and columns stay, tables may change.

Money is in US dollars, `mtok` is a million tokens, times are UTC. An empty cell is null: not known, or not there, never 0. An `endpoint`
is a model as sold, `provider:model id` with `@region` unless global; a `model` is `maker/model`; a `meter` is what is counted (`input`,
`cached_input`, `output`, …); a `tier` is `standard`, `batch`, `flex` or `priority`; a `rec` is a recommendation. Every column says what it
means: `select column_name, data_type, comment from duckdb_columns() where table_name = 'prices'`.

This file is made by `make docs` from the comments in `data/views` and the demo's own database; the results are the demo's.
"""


def document(store: Readable) -> str:
    """The whole file."""
    parts = [HEAD, *index(store), *questions(store), *macros(store), *views(store), TEAM.read_text(encoding="utf-8")]
    return "\n".join(parts).rstrip() + "\n"


def described(store: Readable) -> dict[str, str]:
    """View -> its comment, in the order of the files of data/views: prices, use cases and decisions, sources, what was computed."""
    found = store.rows(
        "select view_name as name, comment from duckdb_views() where not internal and comment is not null"
    )
    comments = {v["name"]: v["comment"] for v in found}
    made = [name for _, text in view_files() for name in re.findall(r"^create view (\w+)", text, re.MULTILINE)]
    return {name: comments[name] for name in made if name in comments}


def index(store: Readable) -> Iterator[str]:
    yield "## What there is\n"
    yield "| view | what it holds |\n| --- | --- |"
    rows = (
        f"| [{name}](#{name}) | {_cell(comment.split(' From: ')[0])} |" for name, comment in described(store).items()
    )
    yield "\n".join(rows) + "\n"


def questions(store: Readable) -> Iterator[str]:
    yield "## Ten questions\n"
    for file in sorted(QUESTIONS.glob("*.sql")):
        first, _, query = file.read_text(encoding="utf-8").partition("\n")
        yield f"### {first.removeprefix('-- ')}\n\n`undercut sql - < data/questions/{file.name}`\n\n```sql\n{query.strip()}\n```\n"
        yield table(store.rows(query))


def macros(store: Readable) -> Iterator[str]:
    """As of a day; a macro whose columns are no longer those of its view is an error."""
    yield "## As of a day\n"
    for name, (what, call, view, worth) in MACROS.items():
        shape = [[r["column_name"] for r in store.rows(f"describe from {of}")] for of in (call, view)]
        if shape[0] != shape[1]:
            raise ValueError(f"{name} has other columns than {view}")
        query = f"select * from {call} {worth} limit 1"
        yield f"### {name}\n\n{what}\n\n```sql\n{query};\n```\n"
        yield "\n".join(one(store.rows(query))) + "\n"


def views(store: Readable) -> Iterator[str]:
    yield "## Views\n"
    for name, comment in described(store).items():
        columns = store.rows(
            "select column_name as column, data_type as type, comment as meaning from duckdb_columns() where table_name = ? order by column_index",
            [name],
        )
        yield f"### {name}\n\n{comment}\n"
        yield "| column | type | meaning |\n| --- | --- | --- |"
        yield (
            "\n".join(f"| `{c['column']}` | {c['type'].lower()} | {_cell(c['meaning'] or '')} |" for c in columns)
            + "\n"
        )
        query = EXAMPLE.get(name, f"select * from {name} order by all") + " limit 1"
        yield f"```sql\n{query};\n```\n"
        yield "\n".join(one(store.rows(query))) + "\n"


def one(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The first row, a line a column; an empty view says so."""
    if not rows:
        yield "*No row in the demo.*"
        return
    yield "```"
    wide = max(map(len, rows[0]))
    for column, value in rows[0].items():
        yield f"{column:<{wide}}  {_cut(said(value), 90)}".rstrip()
    yield "```"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Up to five rows as Markdown, with how many more there are."""
    if not rows:
        return "*No row in the demo.*\n"
    columns = list(rows[0])[:MOST_COLUMNS]
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join(" ---: " if any(_number(r[c]) for r in rows) else " --- " for c in columns) + "|",
    ]
    lines += ["| " + " | ".join(_cell(_cut(said(r[c]), MOST_TEXT)) for c in columns) + " |" for r in rows[:MOST_ROWS]]
    more = len(rows) - MOST_ROWS
    return "\n".join(lines) + "\n" + (f"\n… and {more} more.\n" if more > 0 else "")


def without_results(text: str) -> str:
    """All that must be current in every checkout: the file without what stands between a query and the next heading, since the
    demo's figures follow the day and the packages."""
    return re.sub(r"(^```sql\n.*?^```\n).*?(?=^#|\Z)", r"\1\n", text, flags=re.DOTALL | re.MULTILINE)


def said(value: object) -> str:
    """A cell as the DuckDB command line shows it, figures to six digits; empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(said(v) for v in value) + "]"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_demo(Path(folder), [ROOT / "use_cases.yaml"])
        with published(Path(folder) / "market.duckdb") as con:
            README.write_text(document(Copy(con)), encoding="utf-8")


if __name__ == "__main__":
    main()
