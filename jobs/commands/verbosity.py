"""How long models answer, relative to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.out import Json, console, say


def register(app: typer.Typer) -> None:
    app.command()(verbosity)


def verbosity(
    model: Annotated[str | None, typer.Argument(help="Only models whose id contains this.")] = None,
    data: Annotated[Path | None, typer.Option(help="A published database.")] = None,
    as_json: Json = False,
) -> None:
    """Output tokens of models and settings, relative to the median one of linked tests, with an 80 % interval."""
    from datetime import UTC, datetime

    from data.errors import DataMissing
    from data.store import Copy, published
    from jobs.facts import facts_as_of
    from jobs.settings import settings
    from jobs.tokens import verbosities
    from scraper.match import Matcher

    path = data or settings().published
    with published(path) as con:
        facts = facts_as_of(Copy(con), datetime.now(UTC))
    if facts is None:
        raise DataMissing("no prices in it.", where=str(path), fix="run `undercut scrape` or `undercut demo`.")
    found = verbosities(facts.scores, facts.rates, facts.endpoints.values(), Matcher.from_package())
    shown = [(g, s, v) for s, groups in found.items() for g, v in groups.items() if model is None or model in s[0]]
    for group, (name, setting), v in sorted(shown, key=lambda row: (row[0], row[2].ratio)):
        if as_json:
            facts_of = {
                "tests": group,
                "model": name,
                "setting": setting,
                "ratio": v.ratio,
                "low": v.low,
                "high": v.high,
            }
            say({**facts_of, "runs": v.runs})
        else:
            line = f"{v.ratio:6.2f}  ({v.low:.2f} to {v.high:.2f})  {v.runs:2} runs  {name}  {setting}  [{group} ...]"
            console().print(line, markup=False)
    if not shown and not as_json:
        console().print("No run tells of it: neither tokens nor cost are stated anywhere.")
