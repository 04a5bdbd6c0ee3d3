"""`data/README.md` from the database itself: `python -m jobs.docs` (make docs) decides the demo and writes what it finds.

Views, columns and their meaning come from the comments in the views; the ten questions are the files of data/questions, each
with its result on the demo.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from data.store import Copy, Readable, published
from jobs.demo import run_demo
from jobs.report.sections import Section, heading, numeric, shown

ROOT = Path(__file__).parents[1]
README = ROOT / "data" / "README.md"
QUESTIONS = ROOT / "data" / "questions"
TEAM = ROOT / "data" / "team.md"  # when to move to a team's store, how, and what it costs; written by hand
MOST_ROWS, MOST_COLUMNS, MOST_TEXT = 5, 8, 48
EXAMPLE = {  # a view alone shows any rows; these are worth a look
    "prices": "select * from prices where endpoint = 'openai:gpt-4o' order by meter, tier",
    "price_history": "select * from price_history where endpoint = 'openai:gpt-5.6-terra' and before_usd_per_mtok is not null order by valid_from desc",
    "scores": "select * from scores where model = 'openai/gpt-4o' order by benchmark, source",
    "candidates": "select * from candidates where use_case = 'code-review' and on_frontier order by cost_usd_per_month",
    "recommendations": "select * from recommendations where state = 'open' order by saving_low_usd_per_month desc",
}
MACROS = {  # macro: what it is, an example of a call, the view whose columns and comments are its own
    "price_asof(day, known_at := …)": (
        "Prices in force on a day; with `known_at` as they were known at that instant, else as known now. Rows and columns as in `prices`.",
        "price_asof(date '2026-11-10', known_at := timestamptz '2026-11-10 12:00:00+00')",
        "prices",
    ),
    "recommendations_asof(day)": (
        "Recommendations as they stood at the end of a day. Rows and columns as in `recommendations`.",
        "recommendations_asof(date '2026-11-10')",
        "recommendations",
    ),
}
HEAD = """# The database

`market.duckdb` in the home folder (default `data/db`) is a finished read-only copy, replaced as a whole after every cycle. Open it with
the DuckDB CLI, Python, `undercut sql` or any tool that bundles DuckDB, at any moment, while the service writes its own file. A copy
that is open stays as it is until it is closed; what somebody writes into one is gone with the next. Money is in US dollars, times are
UTC, empty means unknown and never 0.

Views are the product: their names and columns stay, tables may change. `price_asof(day, known_at := …)` gives the prices in force on a
day, with `known_at` as they were known at an instant; `recommendations_asof(day)` the recommendations as they stood at its end.

This file is made by `make docs` from the comments in `data/views` and the demo's own database; the results are the demo's.
"""


def document(store: Readable) -> str:
    """The whole file."""
    parts = [HEAD, TEAM.read_text(encoding="utf-8"), *questions(store), *macros(store), *views(store)]
    return "\n".join(parts).rstrip() + "\n"


def questions(store: Readable) -> Iterator[str]:
    yield "## Ten questions\n"
    for file in sorted(QUESTIONS.glob("*.sql")):
        first, _, query = file.read_text(encoding="utf-8").partition("\n")
        yield f"### {first.removeprefix('-- ')}\n\n`undercut sql - < data/questions/{file.name}`\n\n```sql\n{query.strip()}\n```\n"
        yield table(store.rows(query))


def macros(store: Readable) -> Iterator[str]:
    """As of a day; a macro whose columns are no longer those of its view is an error."""
    yield "## As of a day\n"
    for name, (what, call, view) in MACROS.items():
        shape = [[r["column_name"] for r in store.rows(f"describe from {of}")] for of in (call, view)]
        if shape[0] != shape[1]:
            raise ValueError(f"{name} has other columns than {view}")
        yield f"### {name}\n\n{what}\n\n```sql\nselect * from {call} limit 1;\n```\n"


def views(store: Readable) -> Iterator[str]:
    yield "## Views\n"
    found = store.rows(
        "select view_name as name, comment from duckdb_views() where not internal and comment is not null order by view_name"
    )
    for v in found:
        columns = store.rows(
            "select column_name as column, data_type as type, comment as meaning from duckdb_columns() where table_name = ? order by column_index",
            [v["name"]],
        )
        yield f"### {v['name']}\n\n{v['comment']}\n"
        yield "| column | type | meaning |\n| --- | --- | --- |"
        yield (
            "\n".join(f"| `{c['column']}` | {c['type'].lower()} | {_cell(c['meaning'] or '')} |" for c in columns)
            + "\n"
        )
        query = EXAMPLE.get(v["name"], f"select * from {v['name']} order by all") + " limit 1"
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
        yield f"{column:<{wide}}  {_cut(shown(column, value), 90)}".rstrip()
    yield "```"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Up to five rows as Markdown, with how many more there are."""
    if not rows:
        return "*No row in the demo.*\n"
    section = Section("", "", rows=rows)
    columns = list(rows[0])[:MOST_COLUMNS]
    lines = [
        "| " + " | ".join(heading(section, c) for c in columns) + " |",
        "|" + "|".join(" ---: " if numeric(section, c) else " --- " for c in columns) + "|",
    ]
    lines += [
        "| " + " | ".join(_cell(_cut(shown(c, r[c]), MOST_TEXT)) for c in columns) + " |" for r in rows[:MOST_ROWS]
    ]
    more = len(rows) - MOST_ROWS
    return "\n".join(lines) + "\n" + (f"\n… and {more} more.\n" if more > 0 else "")


def without_results(text: str) -> list[str]:
    """What must be current in every checkout: headings, queries and columns; the demo's figures follow the day and the packages."""
    queries = re.findall(r"```sql\n.*?```", text, re.DOTALL)
    return [*queries, *(line for line in text.splitlines() if line.startswith(("#", "| `", "`undercut")))]


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
