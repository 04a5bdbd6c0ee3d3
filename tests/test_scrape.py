"""The whole cycle over HTTP on a local server: what is written, what a second cycle adds, and what a bad page may not do."""

import gzip
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import jobs.scrape
from data.errors import PageChanged, UsageError
from data.store import Store, published, rows
from jobs.scrape import Report, scrape_cycle
from scraper.address import check_address
from scraper.fetch import Fetcher
from scraper.source import Expect, Hints, Source, load_sources

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
PAGES = {
    "openai": "openai/2026-08-21-api-pricing.html.gz",
    "anthropic": "anthropic/2026-08-21-docs-pricing.md",
    "openrouter": "openrouter/2026-08-22-models.json.gz",
    "livebench": "benchmarks/livebench/2026-01-08-table.csv",
    "aider": "benchmarks/aider/2025-10-04-polyglot_leaderboard.yml",
}
SMALL = """# Prices
All prices are in USD.

| Model | Input | Cached input | Output |
| --- | --- | --- | --- |
| gpt-4o | ${input} / 1M tokens | $1.25 / 1M tokens | $10.00 / 1M tokens |
| gpt-4o-mini | $0.15 / 1M tokens | $0.075 / 1M tokens | $0.60 / 1M tokens |
| gpt-nobody-knows | $1 / 1M tokens | - | $2 / 1M tokens |
"""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer() as running:
        running.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /secret\n")
        yield running


def body_of(corpus: Path, file: str) -> bytes:
    raw = (corpus / "pages" / file).read_bytes()
    return gzip.decompress(raw) if file.endswith(".gz") else raw


def cycle(home: Path, sources: dict[str, Source], now: datetime = NOW) -> Report:
    fetcher = Fetcher(allow_private=True, pause_s=0, tries=2)
    return scrape_cycle(home, None, now=now, sources=sources, fetcher=fetcher)


def small(server: HTTPServer, path: str = "/prices", **changes: Any) -> dict[str, Source]:
    entry = {"id": "shop", "kind": "official", "name": "Shop", "url": server.url_for(path), "provider": "openai"}
    return {"shop": Source(**(entry | changes))}


def ask(home: Path, query: str) -> list[dict[str, Any]]:
    with published(home / "market.duckdb") as con:
        return rows(con, query)


@pytest.mark.corpus
def test_five_captured_pages_go_through_the_whole_cycle(corpus: Path, server: HTTPServer, tmp_path: Path) -> None:
    sources = {}
    for source_id, file in PAGES.items():
        suffix = Path(file.removesuffix(".gz")).suffix
        server.expect_request(f"/{source_id}{suffix}").respond_with_data(body_of(corpus, file))
        source = load_sources()[source_id]
        sources[source_id] = source.model_copy(update={"url": server.url_for(f"/{source_id}{suffix}")})
    report = cycle(tmp_path, sources)
    assert {line.source: (line.outcome, line.error) for line in report.lines} == dict.fromkeys(PAGES, ("new", ""))
    assert report.exit_code == 0
    prices = ask(tmp_path, "select endpoint, meter, tier, usd_per_mtok::double as usd, standing from prices")
    stated = {(p["endpoint"], p["meter"], p["tier"]): (p["usd"], p["standing"]) for p in prices}
    assert stated["openai:gpt-4o", "input", "standard"] == (2.5, "official")
    assert stated["openai:gpt-4o", "output", "batch"] == (5.0, "official")
    assert stated["anthropic:claude-opus-4-6", "cache_write_1h", "standard"] == (10.0, "official")
    assert stated["openrouter:openai/gpt-4o", "input", "standard"][0] == 2.5
    scores = ask(tmp_path, "select source, count(*) as n from scores group by 1")
    assert {s["source"] for s in scores} == {"livebench", "aider"}
    again = cycle(tmp_path, sources, NOW + timedelta(days=1))
    assert {line.outcome for line in again.lines} == {"unchanged"}
    assert sum(line.claims + line.rates + line.scores for line in again.lines) == 0


def test_a_home_that_never_saw_the_demo_can_decide(server: HTTPServer, tmp_path: Path) -> None:
    from jobs.check import check_cycle
    from jobs.evals import load_cases

    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    cycle(tmp_path, small(server))
    with Store(tmp_path) as store:
        done = check_cycle(store, load_cases([Path("use_cases.yaml")]), now=NOW)
        assert {c.slug: d.current.cost is not None for c, d in done.decisions}["support-triage"]
        assert {d.verdict for _, d in done.decisions} <= {"unknown", "keep", "switch", "test", "wait"}
        before = store.rows("select count(*) as n from endpoint")[0]["n"]
    cycle(tmp_path, small(server), NOW + timedelta(days=1))
    with Store(tmp_path) as store:
        assert store.rows("select count(*) as n from endpoint")[0]["n"] == before, "the catalogue is written once"


def test_an_unchanged_page_costs_one_request_and_adds_nothing(server: HTTPServer, tmp_path: Path) -> None:
    asked: list[str | None] = []

    def answer(request: Request) -> Response:
        asked.append(request.headers.get("If-None-Match"))
        return (
            Response(status=304)
            if asked[-1] == '"v1"'
            else Response(SMALL.replace("{input}", "2.50"), headers={"ETag": '"v1"'})
        )

    server.expect_request("/prices").respond_with_handler(answer)
    sources = small(server)
    assert cycle(tmp_path, sources).lines[0].rates == 6
    second = cycle(tmp_path, sources, NOW + timedelta(hours=6)).lines[0]
    assert (second.outcome, second.claims, second.rates) == ("unchanged", 0, 0)
    assert asked == [None, '"v1"']
    assert [u["name"] for u in ask(tmp_path, "select name from unmatched")] == ["gpt-nobody-knows"]


def test_a_plausible_change_is_believed_at_once_and_history_keeps_the_old_one(
    server: HTTPServer, tmp_path: Path
) -> None:
    for n, price in enumerate(("2.50", "2.00")):
        server.clear_all_handlers()
        server.expect_request("/robots.txt").respond_with_data("")
        server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", price))
        cycle(tmp_path, small(server), NOW + timedelta(days=n))
    now = ask(
        tmp_path, "select usd_per_mtok::double as usd from prices where endpoint = 'openai:gpt-4o' and meter = 'input'"
    )
    then = ask(
        tmp_path,
        "select usd_per_mtok::double as usd from price_asof(date '2026-11-02', known_at := timestamp '2026-11-01 12:00:00') "
        "where endpoint = 'openai:gpt-4o' and meter = 'input'",
    )
    assert (now[0]["usd"], then[0]["usd"]) == (2.0, 2.5)


def test_a_deep_cut_is_held_then_goes_through_on_the_second_reading(server: HTTPServer, tmp_path: Path) -> None:
    price = {"now": "2.50"}
    server.expect_request("/prices").respond_with_handler(lambda _: Response(SMALL.replace("{input}", price["now"])))
    sources = small(server)
    cycle(tmp_path, sources)
    price["now"] = "0.50"
    held = cycle(tmp_path, sources, NOW + timedelta(days=1)).lines[0]
    assert held.held == 1
    query = (
        "select usd_per_mtok::double as usd, standing from prices where endpoint = 'openai:gpt-4o' and meter = 'input'"
    )
    assert ask(tmp_path, query) == [{"usd": 2.5, "standing": "disputed"}]
    assert ask(tmp_path, "select why from quarantine") == [{"why": "moved by -80 %"}]
    too_soon = cycle(tmp_path, sources, NOW + timedelta(days=1, hours=5)).lines[0]
    assert (too_soon.rates, too_soon.held) == (0, 0)
    cycle(tmp_path, sources, NOW + timedelta(days=1, hours=7))
    assert ask(tmp_path, query) == [{"usd": 0.5, "standing": "official"}]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response("", 200), "empty"),
        (Response("gone", 404), "404"),
        (Response("down", 500), "500"),
        (Response("<html><title>Just a moment</title><body>Verify you are human</body></html>", 200), "challenge"),
        (Response("# Prices\nWe moved.", 200), "rows"),
        (Response(SMALL.replace("{input}", "9999"), 200), "9999 USD"),
        (Response(b"x" * 20_000_001, 200), "20 MB"),
    ],
)
def test_a_bad_page_is_a_failure_and_stores_nothing(
    server: HTTPServer, tmp_path: Path, answer: Response, said: str
) -> None:
    server.expect_request("/prices").respond_with_response(answer)
    report = cycle(tmp_path, small(server, expect=Expect(min_rows=3)))
    assert report.exit_code == 21
    assert said in report.lines[0].error
    with Store(tmp_path) as store:
        counts = store.rows("select (select count(*) from price_claim) as claims, (select count(*) from rate) as rates")
    assert counts == [{"claims": 0, "rates": 0}]


def test_one_failing_source_does_not_stop_the_others(server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    sources = small(server) | {"gone": small(server, "/gone")["shop"].model_copy(update={"id": "gone"})}
    report = cycle(tmp_path, sources)
    assert ({line.source: line.outcome for line in report.lines}, report.exit_code) == (
        {"shop": "new", "gone": "failed"},
        20,
    )


def test_robots_redirect_loops_and_private_networks_are_respected(server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request("/loop").respond_with_response(Response(status=302, headers={"Location": "/loop"}))
    server.expect_request("/file").respond_with_response(
        Response(status=302, headers={"Location": "file:///etc/passwd"})
    )
    for path, said in (("/secret", "robots.txt"), ("/loop", "redirects"), ("/file", "not http")):
        assert said in cycle(tmp_path, small(server, path)).lines[0].error
    guarded = scrape_cycle(tmp_path, None, now=NOW, sources=small(server), fetcher=Fetcher(pause_s=0, tries=1))
    assert "private network" in guarded.lines[0].error


@pytest.mark.parametrize(
    "where", ["http://a:99999/", "http://[::1", "http://[", "http://:x/", "//", "http://a\\@b:80:90/"]
)
def test_a_redirect_to_what_is_no_address_fails_the_source_and_nothing_else(
    server: HTTPServer, tmp_path: Path, where: str
) -> None:
    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    with socket.create_server(("127.0.0.1", 0)) as lying:

        def answer() -> None:
            for _ in range(4):
                with suppress(OSError), lying.accept()[0] as line:
                    asked = line.recv(65_536)
                    body = b"404 No\r\n" if b"robots.txt" in asked else f"302 Found\r\nLocation: {where}\r\n".encode()
                    line.sendall(b"HTTP/1.1 " + body + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        bad = Source(
            id="bad", kind="official", name="Bad", url=f"http://127.0.0.1:{lying.getsockname()[1]}/p", provider="x"
        )
        lines = {line.source: line.outcome for line in cycle(tmp_path, {"bad": bad, **small(server)}).lines}
    assert lines == {"bad": "failed", "shop": "new"}
    with pytest.raises(PageChanged, match="not http"):
        check_address(where)


@pytest.mark.parametrize("wait", ["\u00b2", "Mon, 01 Jan 0001 00:00:00 -0000"])
def test_a_time_to_wait_that_is_none_fails_its_source_and_the_next_one_is_read(
    server: HTTPServer, tmp_path: Path, wait: str
) -> None:
    server.expect_request("/bad").respond_with_response(Response(status=503, headers={"Retry-After": wait}))
    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    bad = small(server, "/bad")["shop"].model_copy(update={"id": "a-bad"})
    lines = {line.source: line for line in cycle(tmp_path, {"a-bad": bad, **small(server)}).lines}
    assert {i: line.outcome for i, line in lines.items()} == {"a-bad": "failed", "shop": "new"}
    assert "answered 503" in lines["a-bad"].error


def test_a_fault_of_ours_in_one_source_is_recorded_and_ends_no_cycle(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    sources = {"a-bad": small(server)["shop"].model_copy(update={"id": "a-bad"}), **small(server)}
    real = jobs.scrape.fetch_source

    def broken(source: Source, *given: Any, **named: Any) -> Any:
        if source.id == "a-bad":
            raise ZeroDivisionError("by nobody")
        return real(source, *given, **named)

    monkeypatch.setattr(jobs.scrape, "fetch_source", broken)
    report = cycle(tmp_path, sources)
    assert ([(line.source, line.outcome) for line in report.lines], report.exit_code) == (
        [("a-bad", "failed"), ("shop", "new")],
        20,
    )
    assert report.lines[0].error.startswith("ZeroDivisionError: by nobody (test_scrape.py:")
    with Store(tmp_path) as store:
        (run,) = store.rows("select outcome, detail from run where source_id = 'a-bad'")
        assert run["outcome"] == "failed" and "by nobody" in run["detail"]
        assert store.rows("select outcome from capture where source_id = 'a-bad'") == [{"outcome": "failed"}]
    assert ask(tmp_path, "select count(*) > 0 as any from prices") == [{"any": True}]
    monkeypatch.setattr(jobs.scrape, "fetch_source", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        cycle(tmp_path, sources, NOW + timedelta(days=1))


def test_an_unknown_source_is_named_with_the_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="openai"):
        scrape_cycle(tmp_path, ["nobody"], now=NOW)


@pytest.mark.browser
def test_a_page_that_fills_its_table_by_script_is_rendered(server: HTTPServer, tmp_path: Path) -> None:
    from scraper.browser import find_browser

    if find_browser() is None:
        pytest.skip("no browser found (apt-get install chromium, or playwright install chromium)")
    page = """<!doctype html><title>Prices</title><h1>Prices in USD</h1><table id="t"></table><script>
    setTimeout(() => { document.querySelector('#t').innerHTML = '<tr><th>Model</th><th>Input / 1M tokens</th>' +
    '<th>Output / 1M tokens</th></tr><tr class="row"><td>gpt-4o</td><td>$2.50</td><td>$10.00</td></tr>' }, 300)</script>"""
    server.expect_request("/prices").respond_with_data(page, content_type="text/html")
    static = cycle(tmp_path / "static", small(server))
    assert static.lines[0].outcome == "failed"
    rendered = cycle(tmp_path / "browser", small(server, renderer="browser", wait_for="tr.row"))
    assert (rendered.lines[0].outcome, rendered.lines[0].rates) == ("new", 2)
    late = cycle(tmp_path / "late", small(server, "/nothing", renderer="browser", wait_for="tr.row"))
    assert late.lines[0].outcome == "failed"


@pytest.mark.browser
def test_a_page_that_hangs_for_ever_is_cut_off_stops_nobody_else_and_leaves_no_process(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scraper import browser, gather

    if browser.find_browser() is None:
        pytest.skip("no browser found (apt-get install chromium, or playwright install chromium)")
    seen: list[int] = []
    below = browser._below

    def told(pid: int) -> list[int]:
        seen.extend(found := below(pid))
        return found

    monkeypatch.setattr(browser, "_below", told)
    monkeypatch.setattr(gather, "render", partial(browser.render, longest_s=15))
    page = "<!doctype html><p class=row>here</p><script>setTimeout(() => { for (;;) {} }, 0)</script>"
    server.expect_request("/stuck").respond_with_data(page, content_type="text/html")
    server.expect_request("/prices").respond_with_data(SMALL.replace("{input}", "2.50"))
    stuck = small(server, "/stuck", id="stuck", renderer="browser", wait_for="tr.row")["shop"]
    lines = {line.source: line for line in cycle(tmp_path, {"stuck": stuck, **small(server)}).lines}
    assert (lines["stuck"].outcome, lines["shop"].outcome) == ("failed", "new")
    assert "slower than 15 s" in lines["stuck"].error
    assert len(seen) > 2, "the browser's own processes were there to be ended"
    deadline = time.monotonic() + 10
    while (alive := [pid for pid in seen if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive == []


def _runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.browser
def test_a_rendered_page_obeys_robots_and_asks_for_no_pictures_or_files(server: HTTPServer, tmp_path: Path) -> None:
    from scraper.browser import _wanted

    def asked(url: str, kind: str = "fetch") -> Any:
        return SimpleNamespace(url=url, resource_type=kind)

    assert [_wanted(asked(u)) for u in ("http://a/table.json", "file:///etc/passwd", "ftp://a/x")] == [
        True,
        False,
        False,
    ]
    assert not _wanted(asked("http://a/a.png", "image"))
    line = cycle(tmp_path, small(server, "/secret", renderer="browser", wait_for="tr.row")).lines[0]
    assert "robots.txt" in line.error


ASKS = """<!doctype html><title>Prices</title><script>
const inside = PORT, own = location.host, say = (what, text) => {
  const p = document.createElement('p'); p.className = what; p.textContent = text; document.body.append(p) };
const ask = (what, url, more) => fetch(url, more).then(r => r.text().then(t => say(what, r.status + t))).catch(() => say(what, 'refused'));
const dial = (what, url) => new Promise(done => { const w = new WebSocket(url), end = t => { say(what, t); done() };
  w.onopen = () => end('open'); w.onerror = () => end('refused') });
onload = async () => {
  await ask('own', '/table'); await ask('direct', `http://127.0.0.1:${inside}/x`, {mode: 'no-cors'});
  await ask('named', `http://localhost:${inside}/x`, {mode: 'no-cors'}); await ask('led', '/leads'); await ask('twice', '/twice');
  await ask('tls', `https://127.0.0.1:${inside}/x`, {mode: 'no-cors'}); await dial('socket', `ws://127.0.0.1:${inside}/x`);
  await dial('socket6', `ws://[::1]:${inside}/x`);
  const frame = document.createElement('iframe'); frame.src = '/leads'; frame.onload = () => say('done', 'yes'); document.body.append(frame);
}</script><body>"""


@pytest.mark.browser
def test_a_rendered_page_reaches_no_private_address_by_redirect_socket_or_name(server: HTTPServer) -> None:
    """Real Chromium: only the page's own server stands for the public web, everything else on loopback is private."""
    from scraper.address import resolve
    from scraper.browser import _render, find_browser

    if (found := find_browser()) is None:
        pytest.skip("no browser found (apt-get install chromium, or playwright install chromium)")

    def reach(host: str, port: int) -> list[str]:
        return resolve(host, port, allow_private=port == server.port)

    dialled: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.1)
        port = inside.getsockname()[1]
        secret = {"Location": f"http://127.0.0.1:{port}/secret"}
        server.expect_request("/prices").respond_with_data(ASKS.replace("PORT", str(port)), content_type="text/html")
        server.expect_request("/table").respond_with_data("fine")
        server.expect_request("/leads").respond_with_response(Response(status=302, headers=secret))
        server.expect_request("/twice").respond_with_response(Response(status=307, headers={"Location": "/leads"}))
        body, status, there = _render(server.url_for("/prices"), "p.done", found, reach)
        with pytest.raises(PageChanged, match="private network"):
            _render(server.url_for("/leads"), None, found, reach)
        with suppress(TimeoutError):
            while True:
                dialled.append(inside.accept()[1][1])
    said = dict(re.findall(r'<p class="(\w+)">([^<]*)</p>', body.decode()))
    assert (status, there) == (200, server.url_for("/prices"))
    assert said.pop("own") == "200fine"
    assert said.pop("done") == "yes"
    assert said == {k: "refused" if k in ("tls", "socket", "socket6", "led", "twice") else said[k] for k in said}
    assert set(said) == {"direct", "named", "led", "twice", "tls", "socket", "socket6"}
    assert dialled == [], "not one connection"


def test_a_price_whose_currency_was_only_inferred_never_becomes_a_rate(server: HTTPServer, tmp_path: Path) -> None:
    body = '{"data": [{"id": "gpt-4o", "name": "GPT-4o", "pricing": {"prompt": "0.0000025", "completion": "0.00001"}}]}'
    server.expect_request("/prices").respond_with_data(body)
    line = cycle(tmp_path, small(server)).lines[0]
    assert (line.claims, line.rates) == (2, 0)
    told = small(server, read=Hints(currency="USD", per="per_token"))
    assert cycle(tmp_path / "told", told).lines[0].rates == 2


@pytest.mark.corpus
def test_a_tuned_models_price_is_not_the_base_models(corpus: Path, server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request("/openai.html").respond_with_data(body_of(corpus, PAGES["openai"]))
    source = load_sources()["openai"].model_copy(update={"url": server.url_for("/openai.html")})
    cycle(tmp_path, {"openai": source})
    query = "select usd_per_mtok::double as usd from prices where endpoint = 'openai:{}' and meter = 'input' and tier = 'standard'"
    assert [ask(tmp_path, query.format(m)) for m in ("o4-mini", "gpt-4.1")] == [[{"usd": 1.1}], [{"usd": 2.0}]]


def test_a_cut_that_an_independent_list_states_too_goes_through_at_once_and_one_that_a_copy_states_does_not(
    server: HTTPServer, tmp_path: Path
) -> None:
    price = {"now": "2.50"}
    server.expect_request("/prices").respond_with_handler(lambda _: Response(SMALL.replace("{input}", price["now"])))
    listed = '{"prices": [{"id": "gpt-4o", "name": "gpt-4o", "vendor": "x", "input": 0.4, "output": 10}]}'.replace(
        '"vendor": "x", ', ""
    )
    server.expect_request("/list").respond_with_data(listed)
    told = {"read": Hints(currency="USD", per="per_mtok"), "kind": "catalogue", "id": "list", "provider": None}
    for copies, outcome in (((), 0.4), (("shop",), 2.5)):
        home = tmp_path / str(len(copies))
        price["now"] = "2.50"
        shop = small(server)
        cycle(home, shop)
        sources = {"list": small(server, "/list", **told, copies=copies)["shop"], **shop}
        price["now"] = "0.40"
        cycle(home, sources, NOW + timedelta(hours=1))
        query = "select usd_per_mtok::double as usd from prices where endpoint = 'openai:gpt-4o' and meter = 'input'"
        assert ask(home, query) == [{"usd": outcome}]


def test_a_model_is_gone_after_three_good_fetches_over_72_hours_without_it_and_not_before(
    server: HTTPServer, tmp_path: Path
) -> None:
    whole = SMALL.replace("{input}", "2.50")
    without = "\n".join(line for line in whole.splitlines() if "gpt-4o-mini" not in line)
    page = {"now": Response(whole)}
    server.expect_request("/prices").respond_with_handler(lambda _: page["now"])
    query = "select count(*) as n from prices where endpoint = 'openai:gpt-4o-mini' and source = 'shop'"
    sources = small(server)
    cycle(tmp_path, sources)
    assert ask(tmp_path, query) == [{"n": 3}]
    steps = [
        (1, without, 3),
        (2, None, 3),
        (30, without, 3),
        (50, without, 3),
        (74, without, 0),
        (100, without, 0),
        (120, whole, 3),
    ]
    for hours, text, left in steps:
        page["now"] = Response("down", 404) if text is None else Response(text)
        cycle(tmp_path, sources, NOW + timedelta(hours=hours))
        assert (hours, ask(tmp_path, query)) == (hours, [{"n": left}])
