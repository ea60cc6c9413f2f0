"""Connections to strangers' servers that can never reach our own network.

An address that a customer gives may name anything, and its name may resolve to anything, also differently a moment
later. So it is judged where it cannot change any more: on the very address that a socket is about to be connected to.
"""

import socket
from typing import Any

from aiohttp import TCPConnector

from agentmessage.kernel.addresses import is_public

__all__ = ["NotPublic", "is_public", "public_connector"]


class NotPublic(OSError):
    """The address is private, loopback, link-local (where clouds keep their metadata) or otherwise not of the net."""


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
