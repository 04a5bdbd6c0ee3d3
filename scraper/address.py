"""Where a request may go: http(s), and never into a private network."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from data.errors import HostFailed, PageChanged


def check_address(url: str) -> None:
    """Raises PageChanged for another scheme or what is no address. Where its name leads is asked by `resolve`."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:  # a port or an address that is none
        scheme, host = "", None
    if scheme not in ("http", "https") or not host:
        raise PageChanged(f"leads to {scheme or 'nowhere'}, not http(s).", where=url, fix="look up the page's address.")


def resolve(host: str, port: int, *, allow_private: bool = False) -> list[str]:
    """The addresses of a name, all of them public. Raises PageChanged where one is private, HostFailed where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a label too long or empty is no name
        raise HostFailed(f"no address for {host} ({error}).", where=host, fix="check the network.") from error
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        if not allow_private and not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise PageChanged(f"leads into a private network ({address}).", where=host, fix="declare a public address.")
    return addresses
