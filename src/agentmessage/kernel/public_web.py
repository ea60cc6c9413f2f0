"""Connections to strangers' servers that can never reach our own network.

An address that a customer gives may name anything, and its name may resolve to anything, also differently a moment
later. So it is judged where it cannot change any more: on the very address that a socket is about to be connected to.
"""

import asyncio
import socket
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from agentmessage.kernel.addresses import is_public

__all__ = ["IDLE_S", "NOT_PUBLIC", "Names", "NotPublic", "is_public", "keeping_connector", "public_connector"]

SLOW_NAME_S = 0.5
MOST_SLOW_NAMES = 10_000
ADDRESSES_KEPT_S = 10
IDLE_S = 4.0
"""How long an unused connection is kept: less than the five seconds after which common servers hang up."""

NOT_PUBLIC = "is not a public address"


class NotPublic(OSError):
    """The address is private, loopback, link-local (where clouds keep their metadata) or otherwise not of the net."""


def public_connector(*, allow_private: bool) -> TCPConnector:
    """A connector whose sockets refuse, with NotPublic, what is not public; `allow_private` is for development."""
    return TCPConnector(use_dns_cache=False, force_close=True, limit=64, **_sockets(allow_private=allow_private))


def keeping_connector(*, allow_private: bool, connections: int, names: AbstractResolver) -> TCPConnector:
    """As `public_connector`, for many requests to the same servers: connections and addresses are used again."""
    return TCPConnector(
        resolver=names,
        ttl_dns_cache=ADDRESSES_KEPT_S,
        keepalive_timeout=IDLE_S,
        limit=connections,
        **_sockets(allow_private=allow_private),
    )


class Names(AbstractResolver):
    """Looks names up in threads of its own. A name that took long waits among its like, and holds nobody else up."""

    def __init__(self) -> None:
        self._quick = ThreadPoolExecutor(32, thread_name_prefix="names")
        self._patient = ThreadPoolExecutor(16, thread_name_prefix="slow-names")
        self._slow: OrderedDict[str, None] = OrderedDict()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of a name. Raises OSError."""
        threads = self._patient if host in self._slow else self._quick
        started = time.monotonic()
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
            )
        finally:
            self._remember(host, is_slow=time.monotonic() - started > SLOW_NAME_S)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, protocol, _, address in found
        ]

    @override
    async def close(self) -> None:
        """Let go of the threads; none is waited for."""
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._patient.shutdown(wait=False, cancel_futures=True)

    def _remember(self, host: str, *, is_slow: bool) -> None:
        self._slow.pop(host, None)
        if is_slow:
            self._slow[host] = None
            if len(self._slow) > MOST_SLOW_NAMES:
                self._slow.popitem(last=False)


def _sockets(*, allow_private: bool) -> dict[str, Any]:
    return {} if allow_private else {"socket_factory": _public_socket}


def _public_socket(info: tuple[int, int, int, str, tuple[str | int, ...]]) -> socket.socket:
    family, kind, protocol, _, address = info
    host = str(address[0])
    if not is_public(host):
        raise NotPublic(f"{host} {NOT_PUBLIC}")
    return socket.socket(family=family, type=kind, proto=protocol)
