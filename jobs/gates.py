"""Bars for a build: what got worse since the baseline, with an exit code a pipeline can act on (PRODUCT.md, section 8).

Reads a published copy, fetches nothing, writes nothing but a baseline that is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.errors import UsageError
from data.records import Decision, Rate, UseCase
from jobs.facts import Facts
from recommender.budget import broken
from recommender.eligible import earliest

OVER, RETIRES, UNPRICED, BUDGET = "over", "retires", "unpriced", "budget"
EXIT = {UNPRICED: 12, RETIRES: 11, BUDGET: 13, OVER: 10}  # the first of these that applies
SAME = 0.01  # of a share: 20.4 % over is not worse than 20 %
STEPS_DAYS = (
    -1,
    7,
    30,
    90,
    180,
    365,
)  # what was accepted at 40 days is silent until 30, or until the day is moved below


@dataclass(frozen=True)
class Finding:
    """`value`: share over the best choice or the budget, or the days of `STEPS_DAYS` that life left fits in (as a negative);
    bigger is worse.
    """

    use_case: str
    kind: str
    value: float
    text: str

    @property
    def exit_code(self) -> int:
        return EXIT[self.kind]


def share(text: str) -> float:
    """`20%` or `0.2`. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    if not found:
        raise UsageError(f"{text!r} is no share.", where="--fail-over", fix="write 20% or 0.2.")
    if not found.group(2) and float(found.group(1)) > 1:
        raise UsageError(f"{text} is {float(found.group(1)):.0%}.", where="--fail-over", fix=f"write {text.strip()}%.")
    return float(found.group(1)) / (100 if found.group(2) else 1)


def days(text: str, option: str) -> int:
    """`60d`, `8w` or `60`. Raises UsageError."""
    found = re.fullmatch(r"(\d+)\s*([dw]?)", text.strip())
    if not found:
        raise UsageError(f"{text!r} is no number of days.", where=option, fix="write 60d.")
    return int(found.group(1)) * (7 if found.group(2) == "w" else 1)


def findings(
    decided: Iterable[tuple[UseCase, Decision]],
    facts: Facts,
    now: datetime,
    *,
    over: float | None,
    within_days: int | None,
    private: Collection[str] = (),
) -> list[Finding]:
    """Everything that fails a bar, in order of use case; `private`: those on contract prices, told without amounts."""
    standing = {r.rate_id: r for r in facts.rates}
    out: list[Finding] = []
    for case, d in decided:
        out.extend(
            f
            for f in (
                unpriced(case, d, standing),
                retires(case, d, facts, now, within_days),
                budget(case, d, private),
                costly(case, d, over, private),
            )
            if f
        )
    return out


def unpriced(case: UseCase, d: Decision, rates: Mapping[str, Rate]) -> Finding | None:
    if d.current.cost is None:
        return Finding(
            case.slug,
            UNPRICED,
            1.0,
            f"{d.current.endpoint_id} has no price: {'; '.join(d.current.reasons) or d.reason}",
        )
    disputed = sorted(i for i in d.current.cost.rate_ids if i in rates and rates[i].standing == "disputed")
    if disputed:
        return Finding(
            case.slug, UNPRICED, 1.0, f"{d.current.endpoint_id}: a price it is charged at is disputed ({disputed[0]})"
        )
    return None


def retires(case: UseCase, d: Decision, facts: Facts, now: datetime, within_days: int | None) -> Finding | None:
    """The endpoint in use or a fallback that leaves first, where that is within so many days."""
    if within_days is None:
        return None
    leaving = [
        (left, endpoint_id, role)
        for endpoint_id, role in ((d.current.endpoint_id, ""), *((f.endpoint_id, "fallback ") for f in case.fallbacks))
        if (left := _days_left(facts, endpoint_id, now)) is not None and left <= within_days
    ]
    if not leaving:
        return None
    left, endpoint_id, role = min(leaving)
    said = f"in {left} days" if left >= 0 else f"{-left} days ago"
    text = f"{role}{endpoint_id} retires {said}, on {facts.endpoints[endpoint_id].retires_on}"
    return Finding(case.slug, RETIRES, -float(next((s for s in STEPS_DAYS if left <= s), left)), text)


def unread(
    decided: Iterable[tuple[UseCase, Decision]],
    facts: Facts,
    read_at: Mapping[str, datetime],
    now: datetime,
    most_days: int,
) -> str | None:
    """Why the data is too old to say that nothing got worse: no news at all, or a price in use whose source went unread."""
    if (age := (now - facts.data_as_of).days) > most_days:
        return f"its newest price is {age} days old."
    source_of = {r.rate_id: r.source_id for r in facts.rates}
    for case, d in decided:
        for rate_id in d.current.cost.rate_ids if d.current.cost else ():
            source = source_of.get(rate_id, "")
            if source in read_at and (age := (now - read_at[source]).days) > most_days:
                return f"{source}, which prices {case.slug}, was last read {age} days ago."
    return None


def _days_left(facts: Facts, endpoint_id: str, now: datetime) -> int | None:
    endpoint = facts.endpoints.get(endpoint_id)
    gone = earliest(endpoint.retires_on) if endpoint else None
    return (gone - now.date()).days if gone else None


def budget(case: UseCase, d: Decision, private: Collection[str] = ()) -> Finding | None:
    """The limit that is passed most: a month, a call or an accepted outcome."""
    passed = broken(case.budget, d.current.cost) if d.current.cost is not None else []
    if not passed:
        return None
    said = ", ".join(
        f"{_money(b.spent_usd)} a{'n' * (b.per == 'outcome')} {b.per}, budget {_money(b.most_usd)}" for b in passed
    )
    return Finding(case.slug, BUDGET, passed[0].over_share, said if case.slug not in private else "over its budget")


def _money(usd: float) -> str:
    return f"${usd:,.0f}" if usd >= 100 else f"${usd:.3g}"


def costly(case: UseCase, d: Decision, over: float | None, private: Collection[str] = ()) -> Finding | None:
    """Only a candidate that passed every bar is a better choice."""
    if over is None or d.verdict != "switch" or d.best is None or d.best.cost is None or d.current.cost is None:
        return None
    best, cost = d.best.cost.usd_per_month, d.current.cost.usd_per_month
    if best <= 0 or cost / best - 1 <= over:
        return None
    text = f"{cost / best - 1:.0%} over {d.best.endpoint_id} ({d.rec})"
    if case.slug not in private:
        text = f"${cost:,.0f} a month, {cost / best - 1:.0%} over {d.best.endpoint_id} at ${best:,.0f} ({d.rec})"
    return Finding(case.slug, OVER, cost / best - 1, text)


def worse(found: Sequence[Finding], baseline: Mapping[str, float]) -> list[Finding]:
    """Findings that the baseline does not know, or knows as smaller."""
    return [
        f for f in found if f.value > baseline.get(key(f), float("-inf")) + (SAME if f.kind in (OVER, BUDGET) else 0)
    ]


def key(finding: Finding) -> str:
    return f"{finding.use_case}/{finding.kind}"


def read_baseline(path: Path | None) -> dict[str, float]:
    """What was accepted before; nothing for a file that is not there yet. Raises UsageError on another kind of file."""
    if path is None or not path.exists():
        return {}
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))["accepted"]
        return {str(k): float(v) for k, v in stated.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"no baseline: {error!r}", where=str(path), fix="write one with --accept.") from None


def write_baseline(path: Path, found: Sequence[Finding], now: datetime) -> None:
    accepted = {key(f): round(f.value, 4) for f in found}
    text = json.dumps(
        {"written_at": now.astimezone(UTC).isoformat(timespec="seconds"), "accepted": accepted},
        indent=1,
        sort_keys=True,
    )
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(path)


def exit_code(found: Sequence[Finding]) -> int:
    codes = {f.exit_code for f in found}
    return next((c for c in EXIT.values() if c in codes), 0)


def markdown(found: Sequence[Finding], decided: Sequence[tuple[UseCase, Decision]], as_of: datetime) -> str:
    """A summary for a pull request: what got worse, then one line a use case."""
    lines = ["### undercut", "", f"Prices as of {as_of.date().isoformat()}.", ""]
    lines += [f"- **{plain(f.use_case)}** {plain(f.text)}" for f in found] or ["Nothing got worse."]
    lines += ["", "| use case | now | $/month | verdict | best | $/month |", "| --- | --- | ---: | --- | --- | ---: |"]
    for case, d in decided:
        best = d.best if d.verdict in ("switch", "test", "wait") else None
        cells = (
            case.slug, d.current.endpoint_id, money(d.current.cost.usd_per_month if d.current.cost else None), d.verdict,
            best.endpoint_id if best else "", money(best.cost.usd_per_month if best and best.cost else None),
        )  # fmt: skip
        lines.append("| " + " | ".join(plain(c) for c in cells) + " |")
    return "\n".join(lines) + "\n"


def money(usd: float | None) -> str:
    return "" if usd is None else f"{usd:,.0f}"


def plain(text: str) -> str:
    """Text that cannot become markup, a link or a mention."""
    return re.sub(r"([\\`*_{}\[\]<>|~])", r"\\\1", text).replace("@", "@\u200b")
