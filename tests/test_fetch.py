"""Where a fetch connects: the address that was checked, with the name's Host and certificate; nothing else is dialled."""

from __future__ import annotations

import gzip
import resource
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from data.errors import HostFailed, PageChanged
from scraper import fetch
from scraper.address import resolve
from scraper.browser import find_browser
from scraper.fetch import Fetcher
from scraper.gather import fetch_source
from scraper.source import Source

NAME, OTHER = "shop.test", "127.0.0.3"
LOOKUP = socket.getaddrinfo


@pytest.fixture(autouse=True)
def without_rules(httpserver: HTTPServer) -> None:
    """What nobody expected is not there: the host has no robots.txt unless a test gives it one."""
    httpserver.no_handler_status_code = 404


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A name server that leads a name elsewhere at every look but the first: what was checked is what `resolve` said."""

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        return LOOKUP(OTHER if host in (NAME, NAME.encode()) else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    def first(*addresses: str) -> list[str]:
        seen: list[str] = []
        monkeypatch.setattr(fetch, "resolve", lambda host, port, **_: seen.append(host) or [*addresses])
        return seen

    return first


@pytest.fixture
def inside(httpserver: HTTPServer) -> Iterator[socket.socket]:
    """What must not be reached: the same port on another address."""
    with socket.create_server((OTHER, httpserver.port)) as listening:
        listening.settimeout(0.1)
        yield listening
        with suppress(TimeoutError):
            listening.accept()
            pytest.fail("the address that nobody checked was dialled")


def told(request: Request) -> Response:
    return Response(request.headers["Host"])


def test_a_name_that_answers_twice_is_connected_where_it_was_checked(
    httpserver: HTTPServer, lying: Callable[..., list[str]], inside: socket.socket
) -> None:
    seen = lying("127.0.0.1")
    httpserver.expect_request("/robots.txt").respond_with_data("no such file", status=404)
    httpserver.expect_request("/p").respond_with_handler(told)
    got = Fetcher(pause_s=0, tries=1).get(f"http://{NAME}:{httpserver.port}/p")
    assert got.body == f"{NAME}:{httpserver.port}".encode(), "the host is asked by its name"
    assert seen == [NAME, NAME], "once for robots.txt, once for the page"


def test_a_redirect_is_checked_anew_and_an_address_that_is_down_gives_way_to_the_next(
    httpserver: HTTPServer, lying: Callable[..., list[str]], inside: socket.socket
) -> None:
    lying("127.0.0.9", "127.0.0.1")
    httpserver.expect_request("/p").respond_with_response(Response(status=302, headers={"Location": "/q"}))
    httpserver.expect_request("/q").respond_with_handler(told)
    got = Fetcher(pause_s=0, tries=1).get(f"http://{NAME}:{httpserver.port}/p")
    assert (got.url, got.body) == (
        f"http://{NAME}:{httpserver.port}/q",
        f"{NAME}:{httpserver.port}".encode(),
    )
    lying("127.0.0.9", "127.0.0.8")
    with pytest.raises(HostFailed, match="unreachable"):
        Fetcher(pause_s=0, tries=1).get(f"http://{NAME}:{httpserver.port}/p")


CLOSED = "User-agent: *\nDisallow: /\n"


def test_robots_txt_is_found_behind_redirects_on_another_host_too(httpserver: HTTPServer) -> None:
    with HTTPServer() as other:
        other.expect_request("/rules").respond_with_data(CLOSED)
        httpserver.expect_request("/p").respond_with_data("a page")
        for n, to in enumerate(["/moved/1", "/moved/2", other.url_for("/rules")]):
            from_ = f"/moved/{n}" if n else "/robots.txt"
            led = Response(status=301, headers={"Location": to})
            httpserver.expect_request(from_).respond_with_response(led)
        with pytest.raises(PageChanged, match=r"robots\.txt disallows"):
            Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p"))
    assert "/p" not in [request.path for request, _ in httpserver.log]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_while_a_host_cannot_give_its_rules_nothing_of_it_is_read(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_ordered_request("/robots.txt").respond_with_data("later", status=status)
    httpserver.expect_ordered_request("/robots.txt").respond_with_data("Disallow:")
    httpserver.expect_request("/p").respond_with_data("a page")
    with pytest.raises(HostFailed, match=f"robots.txt answered {status}"):
        Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p"))
    assert "/p" not in [request.path for request, _ in httpserver.log]
    assert Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p")).body == b"a page"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_host_without_rules_is_read(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data(CLOSED, status=status)
    httpserver.expect_request("/p").respond_with_data("a page")
    assert Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p")).body == b"a page"


def test_rules_that_lead_in_a_circle_or_out_of_the_web_forbid(httpserver: HTTPServer) -> None:
    for to, said in (("/robots.txt", "redirects"), ("file:///etc/passwd", "not http")):
        httpserver.clear()
        httpserver.expect_request("/robots.txt").respond_with_response(Response(status=301, headers={"Location": to}))
        with pytest.raises(PageChanged, match=said):
            Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p"))


def test_the_host_that_a_page_redirects_to_is_asked_for_its_rules_first(httpserver: HTTPServer) -> None:
    with HTTPServer() as other:
        other.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /closed\n")
        other.expect_request("/open").respond_with_data("a page")
        for path in ("/open", "/closed"):
            led = Response(status=302, headers={"Location": other.url_for(path)})
            httpserver.expect_request(path).respond_with_response(led)
        fetcher = Fetcher(allow_private=True, pause_s=0, tries=1)
        assert fetcher.get(httpserver.url_for("/open")).body == b"a page"
        with pytest.raises(PageChanged, match=r"robots\.txt disallows"):
            fetcher.get(httpserver.url_for("/closed"))
        assert "/closed" not in [request.path for request, _ in other.log]


@pytest.mark.browser
def test_of_a_rendered_page_nothing_is_kept_where_the_host_it_led_to_disallows_it(httpserver: HTTPServer) -> None:
    if find_browser() is None:
        pytest.skip("no browser found (apt-get install chromium, or playwright install chromium)")
    with HTTPServer() as other:
        other.expect_request("/robots.txt").respond_with_data(CLOSED)
        other.expect_request("/p").respond_with_data("<p>a page</p>", content_type="text/html")
        led = Response(status=302, headers={"Location": other.url_for("/p")})
        httpserver.expect_request("/p").respond_with_response(led)
        entry = {"id": "s", "kind": "official", "name": "S", "url": httpserver.url_for("/p"), "provider": "openai"}
        source = Source(**entry, renderer="browser", wait_for="p")
        with pytest.raises(PageChanged, match=r"robots\.txt disallows"):
            fetch_source(source, Fetcher(allow_private=True, pause_s=0, tries=1))


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["100.64.0.1"],
    ],
)
def test_a_name_with_one_private_address_is_refused_before_anything_is_dialled(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("dialled"))
    with pytest.raises(PageChanged, match="private network"):
        resolve(NAME, 80)
    with pytest.raises(PageChanged, match="private network"):
        Fetcher(pause_s=0, tries=1).get(f"http://{NAME}/p")


def test_the_operators_proxy_is_used_and_left_out_as_the_environment_says(
    httpserver: HTTPServer, lying: Callable[..., list[str]], inside: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying("127.0.0.1")
    httpserver.expect_request("/p").respond_with_handler(told)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    url = f"http://{NAME}:{httpserver.port}/p"
    with pytest.raises(HostFailed, match="unreachable"):
        Fetcher(pause_s=0, tries=1).get(url)
    monkeypatch.setenv("no_proxy", NAME)
    assert Fetcher(pause_s=0, tries=1).get(url).body


def certificate(folder: Path, name: str) -> Path:
    """A self-signed one for a name, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return file


@pytest.mark.parametrize(("held", "taken"), [(NAME, True), ("another.test", False)])
def test_the_certificate_asked_for_is_the_names_and_not_the_addresss(
    tmp_path: Path, lying: Callable[..., list[str]], held: str, taken: bool
) -> None:
    asked: list[str | None] = []
    file = certificate(tmp_path, held)
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(file)
    here.sni_callback = lambda _, name, __: asked.append(name)
    lying("127.0.0.1")
    with HTTPServer(host="127.0.0.1", ssl_context=here) as server:
        server.no_handler_status_code = 404
        server.expect_request("/p").respond_with_handler(told)
        fetcher = Fetcher(pause_s=0, tries=1, _tls=ssl.create_default_context(cafile=str(file)))
        url = f"https://{NAME}:{server.port}/p"
        if taken:
            assert fetcher.get(url).body == f"{NAME}:{server.port}".encode()
        else:
            with pytest.raises(HostFailed, match="unreachable"):
                fetcher.get(url)
    assert set(asked) == {NAME}


def zipped(megabytes: int, times: int = 1) -> bytes:
    """So many megabytes of nothing, compressed so many times."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join([packer.compress(bytes(1_000_000)) for _ in range(megabytes)]) + packer.flush()
    for _ in range(times - 1):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize(
    ("coding", "body", "said"),
    [
        ("gzip", zipped(30), "over 20 MB"),
        ("deflate", zlib.compress(bytes(30_000_000)), "over 20 MB"),
        ("gzip, gzip", zipped(600, 2), "compressed as 'gzip, gzip'"),
        ("br", b"\x00", "compressed as 'br'"),
        ("zstd", b"\x00", "compressed as 'zstd'"),
    ],
    ids=["gzip", "deflate", "twice", "br", "zstd"],
)
def test_a_compressed_bomb_fails_its_source_before_it_grows(
    httpserver: HTTPServer, coding: str, body: bytes, said: str
) -> None:
    assert len(body) < 40_000
    httpserver.expect_request("/bomb").respond_with_data(body, headers={"Content-Encoding": coding})
    httpserver.expect_request("/robots.txt").respond_with_data("", status=404)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PageChanged, match=said):
        Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/bomb"))
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_000
    assert grown_mb < 300


def test_only_what_we_can_unpack_within_bounds_is_asked_for(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("", status=404)
    httpserver.expect_request("/p", headers={"Accept-Encoding": "gzip, deflate"}).respond_with_data(
        gzip.compress(b"fine"), headers={"Content-Encoding": "gzip"}
    )
    assert Fetcher(allow_private=True, pause_s=0, tries=1).get(httpserver.url_for("/p")).body == b"fine"
