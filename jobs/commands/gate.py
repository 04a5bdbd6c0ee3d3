"""The part of `check` that a pipeline uses: bars, a baseline, an exit code."""

from __future__ import annotations

from pathlib import Path

import typer

from jobs.commands.out import console, progress, say


def gate(
    *,
    data: Path | None,
    files: list[Path],
    fail_over: str | None,
    fail_in: str | None,
    max_age: str | None,
    baseline: Path | None,
    accept: bool,
    summary: Path | None,
    as_json: bool,
) -> None:
    """Silent and 0 where nothing is worse than the baseline; else names it and exits 3, 12, 11, 13 or 10."""
    from datetime import UTC, datetime

    from data.errors import DataMissing
    from data.store import Copy, published
    from jobs import gates
    from jobs.answered import with_answers
    from jobs.check import decide_all, waiting
    from jobs.evals import load_cases
    from jobs.facts import facts_as_of
    from jobs.settings import settings
    from jobs.shared import at_list_prices

    now = datetime.now(UTC)
    path = data or settings().published
    over = gates.share(fail_over) if fail_over else None
    within = gates.days(fail_in, "--fail-in") if fail_in else None
    oldest = gates.days(max_age, "--max-age") if max_age else None
    known = gates.read_baseline(baseline)
    registry = load_cases(files)
    with published(path) as con, progress(quiet=True) as tell:
        facts = facts_as_of(Copy(con), now)
        if facts is None:
            raise DataMissing("no prices in it.", where=str(path), fix="run `undercut scrape` first.")
        read_at = {
            r["source"]: r["last_success_at"].replace(tzinfo=UTC)
            for r in Copy(con).rows("select source, last_success_at from sources where last_success_at is not null")
        }
        answered = with_answers(Copy(con), registry)
        decided, _, listed = decide_all(answered, facts, now, tell, waiting_since=waiting(Copy(con)))
    if oldest is not None and (why := gates.unread(decided, facts, read_at, now, oldest)):
        raise DataMissing(why, where=str(path), fix="run `undercut scrape`, or raise --max-age.")
    found = gates.findings(decided, facts, now, over=over, within_days=within, private=listed.keys())
    new = gates.worse(found, known)
    if accept and baseline:
        gates.write_baseline(baseline, found, now)
        new = []
    if summary:
        summary.write_text(
            gates.markdown(new, [(c, at_list_prices(d, listed.get(c.slug))) for c, d in decided], facts.data_as_of),
            encoding="utf-8",
        )
    code = gates.exit_code(new)
    if as_json:
        say(
            {
                "exit_code": code,
                "worse": [{**vars(f), "exit_code": f.exit_code} for f in new],
                "all": [vars(f) for f in found],
            }
        )
    else:
        for f in new:
            console().print(f"{f.use_case}: {f.text}", markup=False)
    raise typer.Exit(code)
