"""Mutated pages: `python -m tests.fuzz_pages --pages 2000 [--seed 1]` prints what broke and how often a price lied.

A mutation keeps the truth (cut, noise, columns or rows moved with their headers: every price must be one the whole page
states) or takes it away (unit words changed or removed: the old price per million tokens must not be claimed).
Shuffled cells make the page itself lie; what is read from those is counted apart.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable

from data.records import PriceClaim
from scraper.prices import read_prices
from tests.corpus import CorpusPage, corpus_pages, fault

LIMIT_S = 10.0
FAKE = "<script>var p={model:'x',price:'$99.99 / 1M tokens'}</script><!-- gpt-5 input $98.76 / 1M tokens -->"
CELLS = re.compile(r"(<t[dh][^>]*>.*?</t[dh]>)", re.S | re.I)
Mutation = Callable[[str, random.Random], str]


def cut(text: str, dice: random.Random) -> str:
    return text[: dice.randrange(len(text))]


def hole(text: str, dice: random.Random) -> str:
    start = dice.randrange(len(text))
    return text[:start] + text[start + dice.randrange(1, max(2, len(text) // 20)) :]


def noise(text: str, dice: random.Random) -> str:
    """Control and zero-width characters at twenty places."""
    for _ in range(20):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice("\x00\x01\x1b\u200b\ufeff\u2060\u202e") + text[at:]
    return text


def scripts(text: str, dice: random.Random) -> str:
    """Scripts and comments with prices of nothing, between elements."""
    places = [m.start() for m in re.finditer(r"<(?:div|p|section|table|h2)\b", text)] or [0]
    for at in sorted(dice.sample(places, min(3, len(places))), reverse=True):
        text = text[:at] + FAKE + text[at:]
    return text


def columns(text: str, dice: random.Random) -> str:
    """The last two columns of every table row change places, headers with them."""

    def swap(match: re.Match[str]) -> str:
        cells = CELLS.findall(match.group())
        if len(cells) < 3 or re.search(r"(col|row)span", match.group(), re.I):
            return match.group()
        parts = CELLS.split(match.group())
        parts[-2], parts[-4] = parts[-4], parts[-2]
        return "".join(parts)

    if re.search(r"(col|row)span", text, re.I):
        return text
    text = re.sub(r"<tr\b.*?</tr>", swap, text, flags=re.S | re.I)
    return re.sub(r"^\|(.+)\|([^|\n]+)\|([^|\n]+)\|[ \t]*$", r"|\1|\3|\2|", text, flags=re.M)


def rows(text: str, dice: random.Random) -> str:
    """Two neighbouring lines of a Markdown table, or rows of an HTML table, change places."""
    if re.search(r"rowspan", text, re.I):
        return text
    lines = text.split("\n")
    at = [n for n in range(len(lines) - 1) if all(x.startswith("|") and "$" in x for x in lines[n : n + 2])]
    for n in dice.sample(at, min(3, len(at))):
        lines[n], lines[n + 1] = lines[n + 1], lines[n]
    return "\n".join(lines)


def thousand(text: str, dice: random.Random) -> str:
    """Every unit of a million becomes one of a thousand."""
    text = re.sub(
        r"\b(?:1M|1 million|1,000,000|million|MTok|M)(?=\s*-?\s*(?:input |output |输入 |输出 )?tok)",
        "1K",
        text,
        flags=re.I,
    )
    return re.sub(r"/\s*MTok", "/ 1K tokens", text).replace("百万", "千")


def no_unit(text: str, dice: random.Random) -> str:
    """No unit is left in words."""
    text = re.sub(
        r"(?:per|/)\s*(?:1\s?M|1 million|1,000,000|million|M)?\s*-?\s*(?:input |output |输入 |输出 )?tok(?:en)?s?",
        " ",
        text,
        flags=re.I,
    )
    return re.sub(r"/\s*MTok|\bMTok\b|百万\s*tokens?|\d*万\s*tokens?|1M tokens|million tokens", " ", text, flags=re.I)


def shuffled(text: str, dice: random.Random) -> str:
    """The cells of some rows stand in another order than their headers say."""

    def mix(match: re.Match[str]) -> str:
        parts = CELLS.split(match.group())
        inner = parts[3::2]
        if len(inner) < 2 or dice.random() < 0.7:
            return match.group()
        dice.shuffle(inner)
        parts[3::2] = inner
        return "".join(parts)

    text = re.sub(r"<tr\b.*?</tr>", mix, text, flags=re.S | re.I)
    return re.sub(r"^\|([^|\n]+)\|([^|\n]*\$[^|\n]*)\|([^|\n]*\$[^|\n]*)\|", r"|\1|\3|\2|", text, count=5, flags=re.M)


TRUE: tuple[Mutation, ...] = (cut, hole, noise, scripts, columns, rows)
UNIT: tuple[Mutation, ...] = (thousand, no_unit)
LYING: tuple[Mutation, ...] = (shuffled,)
CHARSETS = ("utf-16", "latin-1", "gb18030", "shift_jis")


def facts(claims: tuple[PriceClaim, ...]) -> set[tuple[object, ...]]:
    return {(c.model_as_written, c.meter, c.tier, c.amount, c.currency, c.per, c.list_price) for c in claims}


def wrongs(
    kind: Mutation | str, claims: tuple[PriceClaim, ...], truth: tuple[PriceClaim, ...]
) -> set[tuple[object, ...]]:
    """The claims of a mutated page that its truth does not hold."""
    if kind in UNIT:
        old = {c for c in facts(truth) if c[5] == "per_mtok"}
        return facts(claims) & old
    return facts(claims) - facts(truth)


def run(pages: list[CorpusPage], count: int, seed: int, out: Callable[[str], object]) -> dict[str, Counter[str]]:
    """Counts by mutation: pages, claims, wrong prices, unproven ones, crashes, and pages over the time limit."""
    dice = random.Random(seed)
    truths = {p.page_id: read_prices(p.body, url=p.url).claims for p in pages}
    table: dict[str, Counter[str]] = defaultdict(Counter)
    slowest = 0.0
    for n in range(count):
        page = pages[n % len(pages)]
        kind = dice.choice((*TRUE, *UNIT, *LYING, "charset"))
        text = page.body.decode("utf-8", "replace")
        name = kind if isinstance(kind, str) else kind.__name__
        body = (
            text.encode(dice.choice(CHARSETS), "replace")
            if isinstance(kind, str)
            else kind(text, dice).encode("utf-8", "replace")
        )
        if kind in UNIT and body == page.body:
            continue  # the page names no unit in words
        line = table[name]
        line["pages"] += 1
        started = time.perf_counter()
        try:
            claims = read_prices(body, url=page.url).claims
        except Exception as error:  # the harness counts what must not happen
            line["crashes"] += 1
            out(f"crash {page.page_id} {name} #{n}: {error!r}")
            continue
        took = time.perf_counter() - started
        slowest = max(slowest, took)
        line["over the limit"] += took > LIMIT_S
        line["claims"] += len(claims)
        wrong = (
            wrongs(kind, claims, truths[page.page_id])
            if name != "charset"
            else charset_wrongs(claims, truths[page.page_id])
        )
        line["wrong"] += len(wrong)
        for one in sorted(map(str, wrong))[:3] if kind not in LYING else ():
            out(f"wrong {page.page_id} {name} #{n}: {one}")
        sample = claims if len(claims) <= 40 else dice.sample(claims, 40)
        for c in sample:
            if why := fault(body, c, page.url):
                line["unproven"] += 1
                out(f"unproven {page.page_id} {name} #{n}: {why}")
    out(f"slowest page {slowest:.2f} s")
    return table


def charset_wrongs(claims: tuple[PriceClaim, ...], truth: tuple[PriceClaim, ...]) -> set[tuple[object, ...]]:
    """Names may be spoilt by a wrong charset, numbers and what they mean may not."""

    def bare(x: tuple[PriceClaim, ...]) -> set[tuple[object, ...]]:
        return {f[1:] for f in facts(x)}

    return bare(claims) - bare(truth)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    table = run(list(corpus_pages()), options.pages, options.seed, (lambda _: None) if options.quiet else print)
    heads = ("pages", "claims", "wrong", "unproven", "crashes", "over the limit")
    print(f"{'mutation':10}" + "".join(f"{h:>16}" for h in heads))
    for name, line in table.items():
        print(f"{name:10}" + "".join(f"{line[h]:>16}" for h in heads))
    honest = [line for name, line in table.items() if name != "shuffled"]
    claims, wrong = sum(x["claims"] for x in honest), sum(x["wrong"] for x in honest)
    print(f"silently wrong: {wrong} of {claims} claims ({wrong / max(1, claims):.4%}), shuffled cells apart")
    return int(any(x["crashes"] or x["unproven"] or x["over the limit"] for x in table.values()))


if __name__ == "__main__":
    sys.exit(main())
