"""A reading of boards against the last good one: what is believed, and what is kept out with the reason in one line.

Pure. A board is kept out whole where it lost half its models, changed its unit or jumped as a whole (a new version of the
test, not progress); single rows where they cannot be or contradict each other. What stood before stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.records import ScoreClaim

Kind = Literal[
    "unknown benchmark", "impossible", "duplicate", "lost rows", "new version", "missing field", "moving name"
]
Scale = Literal["percent", "raw", "elo"]
Key = tuple[str, str, str]  # model as written, metric, setting
FEWEST_BEFORE = 6  # models; below it a board may shrink and move as it likes
FEWEST_COMMON = 5
MOST_IMPOSSIBLE = 0.2  # of a board's rows; above it the whole board changed its unit
JUMPED = 0.5  # of the common models
MOVED = {"percent": 1.0, "elo": 15.0}  # points; less is a recount or the drift of a pool
MOVED_RAW = 0.02  # of the span of the board before


@dataclass(frozen=True)
class Doubt:
    """What is kept out of one board, and why in one line; `claims` is empty where nothing could be read."""

    benchmark: str
    kind: Kind
    why: str
    claims: tuple[ScoreClaim, ...] = ()


def key_of(claim: ScoreClaim) -> Key:
    return claim.model_as_written, claim.metric, claim.variant


def weigh_boards(
    claims: Iterable[ScoreClaim],
    *,
    before: Mapping[str, Mapping[Key, float]],
    scale_of: Callable[[str], Scale | None],
    identity: Callable[[ScoreClaim], str],
) -> tuple[list[ScoreClaim], list[Doubt]]:
    """(believed, doubts). `before`: benchmark -> the last good figures; `identity`: two names of one model give one text."""
    boards: dict[str, list[ScoreClaim]] = defaultdict(list)
    for claim in claims:
        boards[claim.benchmark].append(claim)
    believed: list[ScoreClaim] = []
    doubts: list[Doubt] = []
    for benchmark, rows in boards.items():
        scale = scale_of(benchmark)
        if scale is None:
            why = f"nobody has said what {benchmark!r} measures ({len(rows)} rows)"
            doubts.append(Doubt(benchmark, "unknown benchmark", why, tuple(rows)))
            continue
        whole = _whole(benchmark, rows, before.get(benchmark, {}), scale)
        if whole is not None:
            doubts.append(whole)
            continue
        kept, odd = _possible(benchmark, rows, scale)
        kept, double = _single(benchmark, kept, identity)
        believed.extend(kept)
        doubts.extend(odd + double)
    return believed, doubts


def _whole(benchmark: str, rows: Sequence[ScoreClaim], before: Mapping[Key, float], scale: Scale) -> Doubt | None:
    """Why the whole board is kept out, or nothing."""
    impossible = [r for r in rows if scale == "percent" and not 0 <= r.value <= 100]
    if len(impossible) > MOST_IMPOSSIBLE * len(rows):
        why = f"{len(impossible)} of {len(rows)} figures are no percentages (first: {_said(impossible[0])})"
        return Doubt(benchmark, "impossible", why, tuple(rows))
    was = {k[0] for k in before}
    now = {r.model_as_written for r in rows}
    if len(was) >= FEWEST_BEFORE and len(now) < 0.5 * len(was):
        return Doubt(benchmark, "lost rows", f"{len(now)} models, {len(was)} before", tuple(rows))
    common = [(r.value, before[key_of(r)]) for r in rows if key_of(r) in before]
    if len(common) < FEWEST_COMMON:
        return None
    if scale == "percent" and max(v for v, _ in common) <= 1 < max(old for _, old in common):
        return Doubt(benchmark, "impossible", "shares of one where percentages stood", tuple(rows))
    least = MOVED.get(scale) or MOVED_RAW * (max(before.values()) - min(before.values()))
    moved = [new - old for new, old in common if abs(new - old) > least]
    if len(moved) >= JUMPED * len(common):
        middle = sorted(moved)[len(moved) // 2]
        why = f"{len(moved)} of {len(common)} models moved at once (median {middle:+.3g})"
        return Doubt(benchmark, "new version", why, tuple(rows))
    return None


def _possible(benchmark: str, rows: Sequence[ScoreClaim], scale: Scale) -> tuple[list[ScoreClaim], list[Doubt]]:
    odd = [r for r in rows if scale == "percent" and not 0 <= r.value <= 100]
    doubts = [Doubt(benchmark, "impossible", f"{_said(r)} is no percentage", (r,)) for r in odd]
    return [r for r in rows if r not in odd] if odd else list(rows), doubts


def _single(
    benchmark: str, rows: Sequence[ScoreClaim], identity: Callable[[ScoreClaim], str]
) -> tuple[list[ScoreClaim], list[Doubt]]:
    """One figure a model and setting: said twice alike it counts once, said twice differently it counts not at all."""
    same: dict[tuple[str, str], list[ScoreClaim]] = defaultdict(list)
    for r in rows:
        same[identity(r), r.metric].append(r)
    kept: list[ScoreClaim] = []
    doubts: list[Doubt] = []
    for group in same.values():
        if len({r.value for r in group}) == 1:
            kept.append(group[0])
            continue
        said = ", ".join(_said(r) for r in group[:3])
        doubts.append(
            Doubt(benchmark, "duplicate", f"one model and setting with several figures: {said}", tuple(group))
        )
    return kept, doubts


def _said(r: ScoreClaim) -> str:
    return f"{r.model_as_written[:60]} {r.value:g}"
