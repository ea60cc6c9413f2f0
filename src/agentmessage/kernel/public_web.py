"""Connections to strangers' servers that can never reach our own network.

An address that a customer gives may name anything, and its name may resolve to anything, also differently a moment
later. So it is judged where it cannot change any more: on the very address that a socket is about to be connected to.
"""

import ipaddress
import socket
from typing import Any

from aiohttp import TCPConnector


class NotPublic(OSError):
    """The address is private, loopback, link-local (where clouds keep their metadata) or otherwise not of the net."""


def is_public(host: str) -> bool:
    """Whether an IP address is one of the public internet; what an IPv6 address carries within is judged too."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if within is not None:
            return is_public(str(within))
        if address in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)))
    return address.is_global and not address.is_multicast


NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into IPv4 ones (RFC 6052)."""


def public_connector(*, allow_private: bool) -> TCPConnector:
    """A connector whose sockets refuse, with NotPublic, what is not public; `allow_private` is for development."""
    options: dict[str, Any] = {} if allow_private else {"socket_factory": _public_socket}
    return TCPConnector(use_dns_cache=False, force_close=True, limit=64, **options)


def _public_socket(info: tuple[int, int, int, str, tuple[str | int, ...]]) -> socket.socket:
    family, kind, protocol, _, address = info
    host = str(address[0])
    if not is_public(host):
        raise NotPublic(f"{host} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)
