"""The only network: HTTP with robots.txt, validators, pacing, bounded retries and limits. One honest user agent.

A connection that outlives its time is cut, whatever it is doing: a host that sends a byte every few seconds, in its headers or
its robots.txt too, holds up nobody but itself.

Redirects stay on http(s) and never lead into private networks; nothing a page says becomes a URL to fetch. A name is resolved
once a request and the connection is made to the very address that was checked, so that a name cannot answer twice.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
import stamina
from protego import Protego

from data.errors import HostFailed, PageChanged
from scraper.address import check_address, resolve

AGENT = "undercut/0.1 (price watcher; reads robots.txt)"
MOST_BYTES = 20_000_000
TIMEOUT_S = 20.0
LONGEST_READ_S = 90.0
MOST_REDIRECTS = 5
PAUSE_S = 1.0
LONGEST_WAIT_S = 30.0
TRIES = 3
T = TypeVar("T")
PORTS = {"http": 80, "https": 443}
MOST_ADDRESSES = 4  # of a name, tried in turn


class _Again(Exception):
    """The host may answer better in a moment."""


@dataclass(frozen=True)
class Answer:
    """`body` is None where the host says nothing changed."""

    body: bytes | None
    status: int
    url: str
    etag: str | None = None
    last_modified: str | None = None

    @property
    def sha256(self) -> str | None:
        return hashlib.sha256(self.body).hexdigest() if self.body is not None else None


@dataclass
class Fetcher:
    """One client for a cycle. `allow_private` is for tests: loopback and private addresses are refused otherwise."""

    allow_private: bool = False
    pause_s: float = PAUSE_S
    tries: int = TRIES
    longest_s: float = LONGEST_READ_S
    _tls: ssl.SSLContext = field(default_factory=httpx2.create_ssl_context)  # 17 ms each: one for all
    _robots: dict[str, Protego | None] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        private: Mapping[str, str] | None = None,
    ) -> Answer:
        """Fetch a declared URL. `private` headers (a key) go to its own host over https and nowhere else.

        Raises HostFailed (try later) or PageChanged (the page is no longer what it was).
        """
        headers = {k: v for k, v in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if v}
        return self._tried(url, lambda: self._once(url, headers, private or {}))

    def _tried(self, url: str, ask: Callable[[], T]) -> T:
        """Asked again where the host may answer better in a moment. Raises HostFailed after the last try."""
        try:
            for attempt in stamina.retry_context(
                on=(_Again, httpx2.TransportError), attempts=self.tries, wait_max=5.0, timeout=60.0
            ):
                with attempt:
                    return ask()
        except (_Again, httpx2.TransportError) as error:
            said = str(error) or type(error).__name__
            raise HostFailed(
                f"unreachable ({said}).", where=url, fix="nothing changed; it is tried again next time."
            ) from error
        raise HostFailed("unreachable.", where=url, fix="try again later.")

    def check(self, url: str) -> None:
        """Whether a URL may be read at all. Raises PageChanged where its host's robots.txt or its address forbids it, HostFailed
        where nobody knows: the host does not give its rules now."""
        if not self._allowed(url):
            raise PageChanged("robots.txt disallows it.", where=url, fix="drop the source, or ask the host.")

    def _once(self, url: str, headers: dict[str, str], private: Mapping[str, str]) -> Answer:
        here = url
        for _ in range(MOST_REDIRECTS + 1):
            check_address(here)
            self.check(here)
            self._pace(here)
            own = dict(private) if self._may_know(here, url) else {}
            with self._stream(here, {**headers, **own}) as response:
                if response.has_redirect_location:
                    here = _joined(here, response.headers.get("location", ""))
                    continue
                return self._answer(response, here)
        raise PageChanged(f"more than {MOST_REDIRECTS} redirects.", where=url, fix="look up the page's new address.")

    @contextmanager
    def _stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """One request without redirects. Raises HostFailed where all of it takes longer than `longest_s`."""
        cut, behind = _Cut(self.longest_s), _behind_a_proxy(url)
        said = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate", **headers}
        try:
            with (
                httpx2.Client(timeout=TIMEOUT_S, headers=said, verify=self._tls, trust_env=behind) as client,
                closing(self._answered(client, url, cut, behind=behind)) as response,
            ):
                yield response
        except httpx2.TransportError as error:
            if cut.done:
                raise HostFailed(f"slower than {self.longest_s:.0f} s.", where=url, fix="try again later.") from error
            raise
        finally:
            cut.over()

    def _answered(self, client: httpx2.Client, url: str, cut: _Cut, *, behind: bool) -> httpx2.Response:
        """Asked at the addresses of its name that were checked, one after the other until one is connected; Host and
        certificate stay the name's. Raises what `resolve` raises."""
        try:
            named = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise PageChanged("leads to what is no address.", where=url, fix="look up the page's address.") from error
        host, trace = named.raw_host.decode("ascii"), {"trace": cut}
        addresses = resolve(host, named.port or PORTS[named.scheme], allow_private=self.allow_private)[:MOST_ADDRESSES]
        if behind:  # the operator's proxy resolves
            return client.send(client.build_request("GET", named, extensions=trace), stream=True)
        own, name = {"Host": named.netloc.decode("ascii")}, {**trace, "sni_hostname": host}
        while True:
            there = named.copy_with(host=addresses.pop(0))
            try:
                return client.send(client.build_request("GET", there, headers=own, extensions=name), stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if not addresses:
                    raise

    def _may_know(self, here: str, url: str) -> bool:
        """Whether a key for `url` may be sent here: the same host, and no line that others can read."""
        now, asked = urlsplit(here), urlsplit(url)
        return now.netloc == asked.netloc and (now.scheme == "https" or self.allow_private)

    def _answer(self, response: httpx2.Response, url: str) -> Answer:
        status = response.status_code
        etag, modified = response.headers.get("etag"), response.headers.get("last-modified")
        if status == 304:
            return Answer(None, status, url, etag, modified)
        if status == 429 or status >= 500:
            self._wait_as_told(response.headers.get("retry-after"))
            raise _Again(f"answered {status}")
        if status in (401, 403, 404, 410):
            raise PageChanged(f"answered {status}.", where=url, fix="look up the page's new address or its terms.")
        if status != 200:
            raise HostFailed(f"answered {status}.", where=url, fix="try again later.")
        body = _read(response, url)
        if not body.strip():
            raise PageChanged("the page is empty.", where=url, fix="look at it; nothing of it was stored.")
        return Answer(body, status, url, etag, modified)

    def _wait_as_told(self, retry_after: str | None) -> None:
        wait = seconds_until(retry_after)
        if wait > 0:
            time.sleep(min(wait, LONGEST_WAIT_S))

    def _pace(self, url: str) -> None:
        host = urlsplit(url).netloc
        wait = self._last.get(host, -1e9) + self.pause_s - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._last[host] = time.monotonic()

    def _allowed(self, url: str) -> bool:
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        if root not in self._robots:
            url_of_rules = f"{root}/robots.txt"
            self._robots[root] = self._tried(url_of_rules, lambda: self._rules(url_of_rules))
        rules = self._robots[root]
        return rules is None or rules.can_fetch(url, AGENT)

    def _rules(self, url: str) -> Protego | None:
        """The rules of a host, by RFC 9309, 2.3.1: redirects are followed, on other hosts too; none where it has no file (4xx:
        all is allowed). Raises _Again where it cannot give them now (5xx, 429: nothing is allowed)."""
        here = url
        for _ in range(MOST_REDIRECTS + 1):
            check_address(here)
            with self._stream(here, {}) as answer:
                if answer.has_redirect_location:
                    here = _joined(here, answer.headers.get("location", ""))
                    continue
                if answer.status_code == 429 or answer.status_code >= 500:
                    raise _Again(f"robots.txt answered {answer.status_code}")
                if answer.status_code != 200:
                    return None
                return Protego.parse(_read(answer, here).decode("utf-8", "replace")[:500_000])
        raise PageChanged(f"more than {MOST_REDIRECTS} redirects.", where=url, fix="ask the host for its rules.")


def _behind_a_proxy(url: str) -> bool:
    """Whether the environment (HTTPS_PROXY, NO_PROXY …) sends this address through a proxy of the operator's."""
    proxies, parts = getproxies(), urlsplit(url)
    return bool({parts.scheme, "all"} & proxies.keys()) and not proxy_bypass(parts.hostname or "")


class _Cut:
    """Ends the connections of a request when its time is over. httpx's `trace` extension tells which they are."""

    def __init__(self, seconds: float) -> None:
        self.done = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._sockets.append(
                info["return_value"].get_extra_info("socket").dup()
            )  # TLS takes the socket itself away
            if self.done:
                self._end()

    def over(self) -> None:
        self._timer.cancel()
        for one in self._sockets:
            one.close()

    def _end(self) -> None:
        self.done = True
        for one in self._sockets:
            with suppress(OSError):  # it was closed meanwhile
                one.shutdown(socket.SHUT_RDWR)


def seconds_until(retry_after: str | None) -> float:
    """Retry-After as seconds, of a number or of an HTTP date; 0 for none or nonsense."""
    if not retry_after:
        return 0.0
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _joined(here: str, location: str) -> str:
    try:
        return urljoin(here, location)
    except ValueError:
        raise PageChanged("leads to no address.", where=here, fix="look up the page's new address.") from None


def _codings(response: httpx2.Response) -> list[str]:
    return [c.strip().lower() for c in response.headers.get("content-encoding", "").split(",") if c.strip()]


def _read(response: httpx2.Response, url: str) -> bytes:
    """The body, within bounds of size, compressed and plain. What is compressed twice, or otherwise than asked for, could grow
    past every bound before it is counted."""
    coded = _codings(response)
    if len(coded) > 1 or {"br", "zstd"} & set(coded):
        said = f"compressed as {', '.join(coded)[:40]!r}, which nobody asked for."
        raise PageChanged(said, where=url, fix="look at it; nothing of it was stored.")
    size = response.headers.get("content-length", "")
    if size.isdecimal() and int(size) > MOST_BYTES:
        raise PageChanged(f"{int(size):,} bytes, over 20 MB.", where=url, fix="declare a smaller page.")
    parts, total = list[bytes](), 0
    for part in response.iter_bytes():
        total += len(part)
        if total > MOST_BYTES or response.num_bytes_downloaded > MOST_BYTES:
            raise PageChanged("over 20 MB.", where=url, fix="declare a smaller page.")
        parts.append(part)
    return b"".join(parts)
