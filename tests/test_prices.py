"""Reading price pages: whole pages against labels, every claim re-read, and what must never become a price."""

import gzip
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.prices import read_prices, reread

BIN = Path(sys.executable).parent
PERFECT = ["openai-2026-08-21", "anthropic-2026-08-21", "openrouter-2026-08-22"]


def facts(page: str) -> set[tuple[str, str, str, str, str, str]]:
    """(model, meter, tier, amount, currency, per) of every claim."""
    found = read_prices(page.encode()).claims
    return {(c.model_as_written, c.meter, c.tier, str(c.amount), c.currency, c.per) for c in found if not c.list_price}


@pytest.mark.corpus
@pytest.mark.parametrize("mode", ["", "--generic"])
def test_three_pages_in_three_formats_are_read_perfectly(corpus: Path, mode: str) -> None:
    command = f"{BIN / 'undercut'} extract {{file}} --url {{url}} --json {mode}"
    words = [sys.executable, str(corpus.parent / "score" / "pages.py"), "--command", command, "--least-f1", "1.0"]
    done = subprocess.run(
        words + [w for p in PERFECT for w in ("--page", p)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "3 pages, 3 perfect" in done.stdout
    assert "ambiguous 0" in done.stdout


@pytest.mark.corpus
def test_every_claim_of_the_corpus_is_found_again_at_its_place(corpus: Path) -> None:
    checked = 0
    for file in sorted((corpus / "pages").rglob("*.*")):
        if "benchmarks" in file.parts or file.suffix in (".csv",) or file.name == "README.md":
            continue
        body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for claim in read_prices(body, url=file.name).claims[::23]:
            assert reread(body, claim.locator, file.name) == claim.quote, (file.name, claim.locator)
            checked += 1
    assert checked > 50


def test_a_table_with_a_unit_in_its_header_and_a_currency_in_its_cells() -> None:
    page = "# Prices\n\n| Model | Input (per 1M tokens) | Output (per 1M tokens) |\n| --- | --- | --- |\n| big-1 | $2.50 | $10 |\n"
    assert facts(page) == {
        ("big-1", "input", "standard", "2.50", "USD", "per_mtok"),
        ("big-1", "output", "standard", "10", "USD", "per_mtok"),
    }


def test_free_is_zero_and_says_so_and_a_dash_is_nothing() -> None:
    page = "# Prices in USD\n\n| Model | Input per 1M tokens | Output per 1M tokens |\n| --- | --- | --- |\n| tiny-1 | Free | - |\n"
    (only,) = read_prices(page.encode()).claims
    assert (only.meter, only.amount, "free" in only.conditions) == ("input", 0, True)


def test_spans_headings_and_tiers() -> None:
    page = """<h1>Prices</h1><p>Prices per 1M tokens.</p><h2>Batch</h2><table>
    <tr><th rowspan=2>Model</th><th colspan=2>Short context</th></tr><tr><th>Input</th><th>Output</th></tr>
    <tr><td>big-1</td><td><s>$4</s> $2</td><td>$8<sup>1</sup></td></tr></table>"""
    assert facts(page) == {
        ("big-1", "input", "batch", "2", "USD", "per_mtok"),
        ("big-1", "output", "batch", "8", "USD", "per_mtok"),
    }


@pytest.mark.parametrize(
    "page",
    [
        "| Model | Input | Output |\n| --- | --- | --- |\n| big-1 | 2.50 | 10 |\n",  # no unit, no currency
        "| Model | Context | Limit |\n| --- | --- | --- |\n| big-1 | 128K | 500 |\n",  # sizes are no prices
        "| Model | Input tokens |\n| --- | --- |\n| big-1 | 290 tokens |\n",
        "## Worked example\n\n| Item | Input cost per 1M tokens |\n| --- | --- |\n| 50,000 x | $5 |\n",
        "| Plan | Price |\n| --- | --- |\n| Team | $25 per user |\n",
        "<!-- | big-1 | $3 / 1M input tokens | -->",
    ],
)
def test_what_is_no_offer_is_no_claim(page: str) -> None:
    assert facts(page) == set()


def test_copies_that_disagree_are_believed_neither() -> None:
    row = "| Model | Input / 1M tokens |\n| --- | --- |\n| big-1 | ${} |\n\n"
    assert facts(row.format(2) + row.format(3)) == set()


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_any_bytes_are_answered(body: bytes) -> None:
    read_prices(body)


PAGE = "# Prices in USD\n\n| Model | Input per 1M tokens | Output per 1M tokens |\n| --- | --- | --- |\n| big-1 | $2.50 | $10.00 |\n| small-1 | $0.15 | $0.60 |\n"


def test_a_page_cut_anywhere_states_nothing_that_was_not_in_it() -> None:
    whole = facts(PAGE)
    chance = random.Random(5)
    for _ in range(200):
        cut = chance.randrange(len(PAGE))
        for claim in read_prices(PAGE[:cut].encode()).claims:
            assert claim.quote in PAGE[:cut]
            assert isinstance(claim.amount, Decimal)
    assert len(whole) == 4
