"""Where a request may go: http(s), and never into a private network."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from data.errors import HostFailed, PageChanged


def check_address(url: str, *, allow_private: bool = False) -> None:
    """Raises PageChanged for another scheme or a private address, HostFailed where the name has no address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PageChanged(
            f"leads to {parts.scheme or 'nowhere'}, not http(s).", where=url, fix="look up the page's address."
        )
    if allow_private:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HostFailed(f"no address for {parts.hostname} ({error}).", where=url, fix="check the network.") from error
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise PageChanged(
                f"leads into a private network ({address[0]}).", where=url, fix="declare a public address."
            )
