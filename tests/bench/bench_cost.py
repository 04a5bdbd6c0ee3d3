"""Speed of the cost evaluator, printed as ratios of one run: `python -m tests.bench.bench_cost`.

Single prices against genai-prices on the same calls, and a whole table: 1,000 workloads on 5,000 endpoints.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from time import perf_counter

from genai_prices import Usage, calc_price

from data.records import Rate, Tokens, Workload
from recommender.cost import Desk, RateBook, cost_table, monthly_cost, price_call, price_line
from scraper.genai import load_package, package_rates

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLS = [
    ("openai", "gpt-4o"), ("openai", "gpt-6-sol"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-pro"),
    ("deepseek", "deepseek-v4-pro"), ("mistral", "mistral-large-latest"), ("groq", "llama-3.3-70b-versatile"),
]  # fmt: skip
say = print  # a benchmark prints
LEAST_RATIO, MOST_SECONDS = 10.0, 5.0


def per_second(work: Callable[[], object], times: int) -> float:
    """Best of five rounds: the machine is shared."""
    best = 0.0
    for _ in range(5):
        started = perf_counter()
        for _ in range(times):
            work()
        best = max(best, times / (perf_counter() - started))
    return best


def single() -> float:
    """Calls a second of ours by those of genai-prices, over the same mix of calls."""
    rates = package_rates()
    known = [(p, m) for p, m in CALLS if rates.get(f"{p}:{m}")]
    book = RateBook([r for p, m in known for r in rates[f"{p}:{m}"]], at=AT)
    counts = {"input": 12_000, "cached_input": 8_000, "output": 900}

    def ours() -> None:
        for provider, model in known:
            sheet = book.sheet(f"{provider}:{model}")
            assert sheet is not None
            price_call(sheet, counts, AT)

    desk = Desk(rates)

    def lines() -> None:
        for provider, model in known:
            price_line({"endpoint": f"{provider}:{model}", **counts, "at": "2026-11-20T12:00:00Z"}, desk)

    def theirs() -> None:
        for provider, model in known:
            usage = Usage(input_tokens=12_000, cache_read_tokens=8_000, output_tokens=900)
            calc_price(usage, model, provider_id=provider, genai_request_timestamp=AT)

    fast, whole, slow = (per_second(f, 300) * len(known) for f in (ours, lines, theirs))
    say(f"single prices a second: ours {fast:,.0f}, genai-prices {slow:,.0f}: {fast / slow:.1f} times")
    say(f"  as JSON lines, read and checked, with their rates: {whole:,.0f}: {whole / slow:.1f} times")
    return fast / slow


def table(workloads: int = 1_000, endpoints: int = 5_000) -> float:
    """Seconds for all workloads on all endpoints, the book and its sheets compiled within."""
    reading = load_package()
    rates: list[Rate] = list(reading.rates)
    for n in range(1, 9):  # the package knows some 2,150 endpoints: copies make up the rest
        if len({r.endpoint_id for r in rates}) >= endpoints:
            break
        rates += [
            r.model_copy(
                update={"endpoint_id": f"{r.endpoint_id}-{n}", "usd_per_mtok": (r.usd_per_mtok or 0) * Decimal(1 + n)}
            )
            for r in reading.rates
            if r.usd_per_mtok is not None
        ]
    kept = set(sorted({r.endpoint_id for r in rates})[:endpoints])
    rates = [r for r in rates if r.endpoint_id in kept]
    loads = [
        Workload(
            calls_per_month=1_000.0 * (1 + n % 97),
            input_tokens=Tokens(mean=130.0 * (1 + n), p50=100.0 * (1 + n), p95=300.0 * (1 + n)),
            output_tokens=Tokens(mean=50.0 * (1 + n % 31)),
            cached_share=(n % 10) / 10,
            hours_utc=(None, "07-18 Mon-Fri", "00-06")[n % 3],
        )
        for n in range(workloads)
    ]
    started = perf_counter()
    book = RateBook(rates, at=AT)
    compiled = perf_counter()
    found = cost_table(loads, book)
    ended = perf_counter()
    for row in (0, workloads // 2, workloads - 1):
        for column in range(0, len(found.endpoints), 501):
            one = monthly_cost(loads[row], book, found.endpoints[column])
            usd = float(found.usd_per_month[row, column])
            assert usd != usd if isinstance(one, str) else abs(usd - one.usd_per_month) <= 1e-9 * max(1.0, usd)
    say(
        f"table of {found.usd_per_month.shape[0]:,} use cases x {found.usd_per_month.shape[1]:,} endpoints: "
        f"{ended - started:.2f} s (rates in force {compiled - started:.2f} s), the same as one by one"
    )
    return ended - started


def growth() -> float:
    """Times as long for 10,000 use cases as for 1,000, and every power of ten before, printed."""
    seconds = {n: table(n) for n in (10, 100, 1_000, 10_000)}
    say("growth: " + ", ".join(f"{b:,} cost {seconds[b] / seconds[a]:.1f} times {a:,}" for a, b in pairwise(seconds)))
    return seconds[1_000]


if __name__ == "__main__":
    good = single() >= LEAST_RATIO and growth() <= MOST_SECONDS
    sys.exit(0 if good else 1)
