"""Scores of one reading into the tables: what is believed, what is kept out and listed, and what a person accepted since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from data.errors import UsageError
from data.records import Benchmark, Capture, ScoreClaim
from data.store import Readable, Store
from data.tasks import load_benchmarks
from jobs.ingest import Added, add_scores, add_unmatched, score_of
from scraper.boards import slots
from scraper.doubts import Doubt, Key, Scale, weigh_boards
from scraper.match import Matcher, is_pointer
from scraper.source import Scored, Source

ACCEPTABLE = ("new version", "lost rows")


def write_scores(
    store: Store,
    source: Source,
    capture: Capture,
    claims: Sequence[ScoreClaim],
    missing: Iterable[str],
    matcher: Matcher,
    now: datetime,
) -> tuple[Added, list[str]]:
    """Inside the caller's transaction: scores of what is believed; the rest stays as claims, listed and said in a line each."""
    renamed = _accepted_versions(store, source.id)
    claims = [c.model_copy(update={"benchmark": renamed[c.benchmark]}) if c.benchmark in renamed else c for c in claims]
    moving = [c for c in claims if is_pointer(c.model_as_written)]
    claims = [c for c in claims if not is_pointer(c.model_as_written)]
    known = known_benchmarks(store, source, claims)

    def scale_of(benchmark: str) -> Scale | None:
        found = known.get(benchmark)
        return found.scale if found else None

    believed, doubts = weigh_boards(
        claims,
        before=last_good(store, source.id),
        scale_of=scale_of,
        identity=lambda c: _identity(matcher, c, source.id),
    )
    doubts += [Doubt("", "missing field", why) for why in missing]
    doubts += [
        Doubt(c.benchmark, "moving name", f"{c.model_as_written!r} moves, which model was run is not stated", (c,))
        for c in moving
    ]
    boards = {c.benchmark for c in believed}
    fresh = [{**known[b].model_dump(), "known_from": now} for b in sorted(boards)]
    store.insert("benchmark", fresh, unique=("benchmark",))
    added = add_scores(store, capture, believed, matcher)
    _keep_out(store, source.id, capture, doubts, now)
    return added, [line(d) for d in doubts]


def add_pointers(store: Store, matcher: Matcher, source_id: str, now: datetime) -> list[str]:
    """Rows for moving names whose meaning is new, inside the caller's transaction; a line for each that moved."""
    query = "select * from pointer qualify row_number() over (partition by name order by known_from desc) = 1"
    before = {r["name"]: r["model_id"] for r in store.rows(query)}
    fresh = {n: m for n, m in matcher.pointers().items() if before.get(n) != m}
    store.insert(
        "pointer", ({"name": n, "model_id": m, "source_id": source_id, "known_from": now} for n, m in fresh.items())
    )
    return [f"{n} now means {m}, {before[n]} before" for n, m in sorted(fresh.items()) if n in before]


def line(doubt: Doubt) -> str:
    where = f"{doubt.benchmark}: " if doubt.benchmark else ""
    stays = f"; {len(doubt.claims)} kept out, what stood before stays" if doubt.claims else ""
    return f"{where}{doubt.kind}: {doubt.why}{stays}"


def last_good(store: Readable, source_id: str) -> dict[str, dict[Key, float]]:
    """Benchmark -> the figures of the newest reading of it that was not kept out."""
    out: dict[str, dict[Key, float]] = {}
    for r in store.rows(
        """
        with shut as (
            select unnest(d.claim_ids) as claim_id from board_doubt d where d.source_id = ? and not exists (
                select 1 from board_verdict v where v.source_id = d.source_id and v.benchmark = d.benchmark
                    and v.kind = d.kind and v.decided_at >= d.known_from))
        select benchmark, model_as_written, metric, variant, value from score_claim
        where source_id = ? and claim_id not in (select claim_id from shut)
        qualify known_from = max(known_from) over (partition by benchmark)
        """,
        [source_id, source_id],
    ):
        out.setdefault(r["benchmark"], {})[r["model_as_written"], r["metric"], r["variant"]] = r["value"]
    return out


def known_benchmarks(store: Readable, source: Source, claims: Iterable[ScoreClaim]) -> dict[str, Benchmark]:
    """What the claims' benchmarks measure: as kept by hand, as an earlier reading said, or as the source file declares."""
    by_hand, told = load_benchmarks(), {r["benchmark"]: r for r in store.rows("select * from benchmark")}
    out: dict[str, Benchmark] = {}
    for benchmark in {c.benchmark for c in claims}:
        plain = benchmark.partition("@")[0]
        if found := by_hand.get(benchmark):
            out[benchmark] = found
        elif row := told.get(benchmark):
            out[benchmark] = Benchmark.model_validate({k: v for k, v in row.items() if k != "known_from"})
        elif (scored := declared(source, benchmark)) is not None:
            out[benchmark] = Benchmark(
                benchmark=benchmark,
                name=benchmark,
                scale=scored.scale,
                higher_is_better=not scored.lower_is_better,
                cluster=next((b.cluster for k, b in by_hand.items() if k.partition("@")[0] == plain), plain),
                link=source.url,
                n_items=scored.items,
            )
    return out


def declared(source: Source, benchmark: str) -> Scored | None:
    """What the source file says of a benchmark; a version that a person accepted is measured as its board is."""
    board = source.board
    if board is None:
        return None
    for scored in board.boards.values():
        if slots(scored.benchmark).fullmatch(benchmark) or slots(scored.benchmark).fullmatch(
            benchmark.rpartition("@")[0]
        ):
            return scored
    named = {board.benchmark, *board.columns.values(), *board.known}
    if benchmark in named or benchmark.rpartition("@")[0] in named - {None}:
        return Scored(benchmark=benchmark)
    return None


def accept(
    store: Store, source_id: str, benchmark: str, *, by: str, matcher: Matcher, now: datetime
) -> tuple[str, int]:
    """A person says that a board kept out is right: (id it counts under, scores added). Raises UsageError where none is.

    A new version of a test gets an id of its own with the day it was read; a board that lost its rows keeps its id.
    """
    found = store.rows(
        "select * from board_doubt d where source_id = ? and benchmark = ? and kind in ('new version', 'lost rows') "
        "and not exists (select 1 from board_verdict v where v.source_id = d.source_id and v.benchmark = d.benchmark "
        "and v.kind = d.kind and v.decided_at >= d.known_from) order by known_from desc limit 1",
        [source_id, benchmark],
    )
    if not found:
        raise UsageError(
            f"no board {benchmark!r} of {source_id!r} waits for a person.",
            where="board_doubts",
            fix="`undercut boards` lists them; other reasons are mended in the source file.",
        )
    doubt = found[0]
    day = doubt["known_from"].date().isoformat()
    becomes = f"{benchmark.partition('@')[0]}@{day}" if doubt["kind"] == "new version" else benchmark
    rows = store.rows(
        "select * from score_claim where source_id = ? and claim_id in (select unnest(?))",
        [source_id, doubt["claim_ids"]],
    )
    with store.transaction():
        verdict = {"source_id": source_id, "benchmark": benchmark, "kind": doubt["kind"], "becomes": becomes}
        store.insert("board_verdict", [{**verdict, "decided_at": now, "decided_by": by}])
        if becomes != benchmark:
            _copy_benchmark(store, benchmark, becomes, now)
        return becomes, _believe(store, source_id, rows, becomes, matcher, now)


def _believe(
    store: Store, source_id: str, rows: Sequence[dict[str, Any]], benchmark: str, matcher: Matcher, now: datetime
) -> int:
    claims, scores = [], []
    for r in rows:
        stated = {k: v for k, v in r.items() if k not in ("claim_id", "source_id", "known_from")}
        claim = ScoreClaim.model_construct(**stated | {"benchmark": benchmark})
        claims.append(_row(claim, source_id, now))
        match = matcher.match(claim.model_as_written, source_id)
        if match.model_id is not None:
            scores.append(score_of(claim, claim.content_id(), source_id, match.model_id, match.variant, now))
    store.insert("score_claim", claims, unique=("claim_id", "source_id"))
    return store.insert("score", ({**vars(s), "score_id": s.score_id} for s in scores))


def _copy_benchmark(store: Store, old: str, new: str, now: datetime) -> None:
    for row in store.rows("select * from benchmark where benchmark = ? limit 1", [old]):
        fresh = row | {"benchmark": new, "name": f"{row['name']} ({new.rpartition('@')[2]})", "known_from": now}
        store.insert("benchmark", [fresh], unique=("benchmark",))


def _keep_out(store: Store, source_id: str, capture: Capture, doubts: Sequence[Doubt], now: datetime) -> None:
    rows, unknown = [], {}
    for doubt in doubts:
        ids = [c.content_id() for c in doubt.claims]
        rows.append(
            {"source_id": source_id, "benchmark": doubt.benchmark, "kind": doubt.kind, "why": doubt.why,
             "capture": capture.sha256 or "", "claim_ids": ids, "known_from": now}
        )  # fmt: skip
        if doubt.kind == "unknown benchmark":
            unknown[doubt.benchmark] = ()
    store.insert(
        "score_claim", (_row(c, source_id, now) for d in doubts for c in d.claims), unique=("claim_id", "source_id")
    )
    store.insert("board_doubt", rows)
    add_unmatched(store, capture, unknown, "benchmark", now)


def _row(claim: ScoreClaim, source_id: str, now: datetime) -> dict[str, Any]:
    return {**vars(claim), "claim_id": claim.content_id(), "source_id": source_id, "known_from": now}


def _accepted_versions(store: Readable, source_id: str) -> dict[str, str]:
    query = (
        "select benchmark, becomes from board_verdict where source_id = ? and becomes <> benchmark order by decided_at"
    )
    out = {r["benchmark"]: r["becomes"] for r in store.rows(query, [source_id])}
    for first, then in out.items():  # a version of a version
        while then in out:
            then = out[then]
        out[first] = then
    return out


def _identity(matcher: Matcher, claim: ScoreClaim, source_id: str) -> str:
    found = matcher.match(claim.model_as_written, source_id)
    if found.model_id is None:
        return f"{claim.model_as_written} {claim.variant}"
    both = dict(p.split("=", 1) for p in claim.variant.split(";") if "=" in p) | dict(found.variant)
    return f"{found.model_id} {sorted(both.items())}"
