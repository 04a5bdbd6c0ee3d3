"""Bodies made to hurt: each is answered within seconds, with a reason and without a price nobody states."""

from __future__ import annotations

import pytest

from scraper.prices import read_prices

MEGA = 1_000_000
BOMBS = {
    "50 MB of text": b"$1 per 1M tokens " * (50 * MEGA // 17),
    "50 MB of elements": b"<div>" * (10 * MEGA),
    "19 MB of cells": b"<table><tr>" + b"<td>$1" * (19 * MEGA // 6),
    "19 MB of rows": b"<table>" + b"<tr><td>a<td>$1 / 1M tokens</tr>" * (19 * MEGA // 32),
    "19 MB of open brackets": b"[" * (19 * MEGA),
    "19 MB of nested objects": b'{"a":' * (19 * MEGA // 5),
    "19 MB of pipes": b"|" * (19 * MEGA),
    "a number of 19 MB": b"<table><tr><td>Model<td>Input</tr><tr><td>a<td>$" + b"1," * (19 * MEGA // 2),
    "one attribute of 19 MB": b'<div a="' + b"x" * (19 * MEGA) + b'">',
    "a sentence of 19 MB": b"<p>" + b"$1 / 1M tokens " * (19 * MEGA // 15),
    "400,000 records": b'{"models":[' + b'{"name":"a","pricing":{"input":"0.000001"}},' * 400_000 + b"{}]}",
    "100,000 levels": b"<div>" * 100_000 + b"<p>$1 / 1M tokens</p>",
    "spans without end": b"<table>" + b"<tr><td colspan=99999 rowspan=99999>$1 / 1M tokens" * 900,
}


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_and_gives_no_price(name: str) -> None:
    assert read_prices(BOMBS[name]).claims == ()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_many_small_tables_cost_no_more_than_their_number() -> None:
    row = "<table><tr><td>Model<td>Input / 1M tokens<tr><td>m{0}<td>$1</table>"
    page = "<html>" + "".join(row.format(n) for n in range(20_000))
    assert len(read_prices(page.encode()).claims) == 20_000
