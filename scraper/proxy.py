"""The browser's only way out: a proxy on loopback that connects to public addresses alone.

Checking what a page asks for in the browser is not enough: it follows redirects by itself, opens WebSockets, and resolves a name
again after it was checked. Here every connection is made by us, to the very address that was checked.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit, urlunsplit

from data.errors import HostFailed, PageChanged

CONNECT_S = 20.0
CHUNK = 65_536
HOP_BY_HOP = frozenset(
    {"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
Resolve = Callable[[str, int], list[str]]  # raises PageChanged for a private address, HostFailed for none


class Proxy(ThreadingHTTPServer):
    """`refused`: what was asked for and not reached, in plain words, the first one first."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.resolve, self.refused = resolve, list[str]()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reach(self, host: str, port: int) -> socket.socket:
        """A connection to one of the addresses that were checked. Raises what `resolve` raises, or OSError."""
        failed: OSError = OSError(f"no address for {host}")
        for address in self.resolve(host, port):
            try:
                return socket.create_connection((address, port), timeout=CONNECT_S)
            except OSError as error:
                failed = error
        raise failed

    def handle_error(self, *_: object) -> None:
        """A line that the browser cut is no fault."""


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_CONNECT(self) -> None:
        """TLS and WebSockets: bytes both ways, read by nobody here."""
        host, _, port = self.path.rpartition(":")
        if (there := self._reached(host.strip("[]"), int(port) if port.isdigit() else 0)) is None:
            return
        with there:
            self.send_response(200, "Connection established")
            self.end_headers()
            back = threading.Thread(target=_pour, args=(there, self.connection), daemon=True)
            back.start()
            _pour(self.connection, there)
            back.join()
        self.close_connection = True

    def _forward(self) -> None:
        """Plain HTTP: one request on a connection of its own, so that the answer ends where the host ends it."""
        self.close_connection = True
        parts = urlsplit(self.path)
        if parts.scheme != "http" or not parts.hostname:
            self._refuse(f"leads to {parts.scheme or 'nowhere'}, not http(s).")
            return
        if (there := self._reached(parts.hostname, parts.port or 80)) is None:
            return
        size = self.headers.get("content-length", "0")
        body = self.rfile.read(int(size)) if size.isdigit() else b""
        kept = [(k, v) for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP]
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        lines = [f"{self.command} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in kept), "Connection: close", "", ""]
        with there:
            there.sendall("\r\n".join(lines).encode("latin-1") + body)
            _pour(there, self.connection)

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815

    def _reached(self, host: str, port: int) -> socket.socket | None:
        try:
            there = self.server.reach(host, port)
        except (PageChanged, HostFailed) as error:
            self._refuse(error.what)
        except (OSError, OverflowError) as error:
            self._refuse(f"no connection to {host} ({error}).")
        else:
            return there
        return None

    def _refuse(self, why: str) -> None:
        self.server.refused.append(why)
        self.close_connection = True
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _pour(here: socket.socket, there: socket.socket) -> None:
    here.settimeout(None)  # the page's own time limit ends it
    with suppress(OSError):
        while chunk := here.recv(CHUNK):
            there.sendall(chunk)
    with suppress(OSError):
        there.shutdown(socket.SHUT_WR)


@contextmanager
def proxy(resolve: Resolve) -> Iterator[Proxy]:
    """Runs one until the block ends."""
    with Proxy(resolve) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
