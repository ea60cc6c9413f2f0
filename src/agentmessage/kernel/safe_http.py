"""Connections to strangers' servers that can never reach our own network.

An address that a customer gives may name anything, and its name may resolve to anything, also differently a moment
later. So it is judged where it cannot change any more: on the very address that a socket is about to be connected to.
Names are looked up by `kernel.names`.
"""

import functools
import re
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from typing_extensions import override
from yarl import URL

from agentmessage.kernel.ip_addresses import is_public

__all__ = ["IDLE_S", "NOT_PUBLIC", "NotPublic", "TooMuch", "exact_url", "is_public", "public_connector"]

IDLE_S = 4.0
"""How long an unused connection is kept: less than the five seconds after which common servers hang up."""

MAX_RAW_BYTES = 64 * 1024
"""Bytes of one answer that are parsed, whatever they are: status lines, headers, chunk extensions, trailers, body."""

MAX_BODY_BYTES = 16 * 1024
"""A body of which so much has come is cut where the limit is reached, and does not count as broken."""

MAX_INTERIM = 8
"""Answers of the 100s before the final one."""

PIECE_BYTES = 4 * 1024
"""Bytes that are parsed before the limits are looked at again."""

_PRINTABLE = re.compile(r"[!-~]+")

NOT_PUBLIC = "is not a public address"


class NotPublic(OSError):
    """The address is private, loopback, link-local (where clouds keep their metadata) or otherwise not of the net."""


class TooMuch(aiohttp.ClientPayloadError):
    """The server sends without end: more than one of our requests is worth."""


def public_connector(
    *, allow_private: bool, names: AbstractResolver, connections: int, keeps: bool = True
) -> TCPConnector:
    """A connector whose sockets refuse, with NotPublic, what is not public, and whose answers are bounded.

    `allow_private` is for development. `keeps`: connections are used again.
    """
    kept: dict[str, Any] = {"keepalive_timeout": IDLE_S} if keeps else {"force_close": True}
    guarded: dict[str, Any] = {} if allow_private else {"socket_factory": _public_socket}
    # `names` remembers addresses itself, so that no owner waits in another's queue
    return _Connector(resolver=names, use_dns_cache=False, limit=connections, **kept, **guarded)


@functools.lru_cache(maxsize=4_096)
def exact_url(text: str) -> URL:
    """A URL whose request line is byte for byte what was given. Raises ValueError.

    yarl changes escapes that mean the same, and drops a `?` with nothing behind it, even when told that all is encoded.
    So path and query are given to it as one path.
    """
    parts = urlsplit(text)
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("the URL has characters that a request line has not")
    url = URL.build(scheme=parts.scheme, authority=parts.netloc, path=_target(text, parts), encoded=True)
    if url.port == 0:  # yarl looks at the port only now; one that is no port raises ValueError
        raise ValueError("the URL has no usable port")
    return url


def _target(text: str, parts: SplitResult) -> str:
    """What stands in the request line: all behind the host, but for a fragment."""
    behind = text[text.index("//") + 2 + len(parts.netloc) :].partition("#")[0]
    return behind if behind.startswith("/") else f"/{behind}"


class _Connector(TCPConnector):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - aiohttp leaves a tuple open
        # aiohttp has no public way to choose the protocol; tests of endless answers fail where this has no effect
        factory: Any = functools.partial(_BoundedHandler, loop=self._loop)
        self._factory = factory


class _BoundedHandler(ResponseHandler):
    """Counts the bytes of each answer before they are parsed, and hangs up on a server that sends too much.

    aiohttp's own limits are for each line and each header; there may be any number of interim answers, chunk extensions
    and trailers, and what came in one read is parsed at once.
    """

    _left = MAX_RAW_BYTES
    _interim = 0

    @override
    def set_response_params(self, **params: Any) -> None:
        """A request begins: its answer has the whole of the limits."""
        self._left = MAX_RAW_BYTES
        self._interim = 0
        super().set_response_params(**params)

    @override
    def data_received(self, data: bytes) -> None:
        for start in range(0, max(len(data), 1), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self._left -= len(piece)
            if self._left >= 0:
                super().data_received(piece)
            if self._left < 0 or self._interim > MAX_INTERIM:
                self._hang_up()
            if (error := self.exception()) is not None:
                self._break_off(error)  # aiohttp itself lets a reader of the body wait when a trailer is malformed
            if error is not None or self.transport is None:
                return

    @override
    def feed_data(self, data: Any, size: int = 0) -> None:
        self._interim += 100 <= data[0].code < 200  # noqa: PLR2004 - the class of interim answers
        super().feed_data(data, size)

    def _hang_up(self) -> None:
        payload, transport = self._payload, self.transport
        self.force_close()
        if payload is not None and not payload.is_eof() and payload.total_bytes > MAX_BODY_BYTES:
            payload.feed_eof()
        else:
            self._buffer.clear()
            self.set_exception(TooMuch("the answer has no end"))
            self._break_off(self.exception())
        self._payload = self.transport = None
        if transport is not None:
            transport.abort()

    def _break_off(self, error: BaseException | None) -> None:
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            known = error if isinstance(error, aiohttp.ClientError) else aiohttp.ClientPayloadError("not well-formed")
            payload.set_exception(known)


def _public_socket(info: tuple[int, int, int, str, tuple[str | int, ...]]) -> socket.socket:
    family, kind, protocol, _, address = info
    host = str(address[0])
    if not is_public(host):
        raise NotPublic(f"{host} {NOT_PUBLIC}")
    return socket.socket(family=family, type=kind, proto=protocol)
