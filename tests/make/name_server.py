"""A DNS server on loopback: quick names, slow names, names with many addresses; and what it was asked."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

A, AAAA = 1, 28
NO_SUCH_NAME = 3


class NameServer(asyncio.DatagramProtocol):
    """Names that begin with `slow` are not answered until `release`; those of `addresses` have what is said there.

    Every other name below `.test` is 127.0.0.1, and there are no others.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, Sequence[str]] = {}
        self.asked: list[str] = []
        self.waiting = 0
        self.address = ""
        self._is_released = False
        self._held: list[tuple[bytes, Any]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._news = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.address = "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Any) -> None:
        name, kind, _ = _question(data)
        if kind == A:
            self.asked.append(name)
            self._news.set()
        if name.startswith("slow") and not self._is_released:
            self._held.append((data, addr))
        else:
            self._answer(data, addr)

    @property
    def slow(self) -> set[str]:
        """The slow names that were asked for."""
        return {name for name in self.asked if name.startswith("slow")}

    async def until_slow(self, count: int) -> None:
        """Wait until so many slow names were asked for."""
        async with asyncio.timeout(20):
            while len(self.slow) < count:
                self._news.clear()
                await self._news.wait()

    def release(self) -> None:
        """Answer what was held back, and hold nothing back any more."""
        self._is_released = True
        held, self._held = self._held, []
        for data, addr in held:
            self._answer(data, addr)

    def _answer(self, data: bytes, addr: Any) -> None:
        name, kind, end = _question(data)
        known = name in self.addresses or name.endswith(".test")
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        wanted = [one for one in self.addresses.get(name, ["127.0.0.1"]) if known and (":" in one) == (kind == AAAA)]
        records = b""
        for one in wanted if family else []:
            packed = socket.inet_pton(family, one)
            records += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(packed)) + packed
        flags = 0x8180 | (0 if known else NO_SUCH_NAME)
        head = data[:2] + struct.pack("!HHHHH", flags, 1, len(wanted), 0, 0)
        assert self._transport is not None
        self._transport.sendto(head + data[12:end] + records, addr)


def _question(data: bytes) -> tuple[str, int, int]:
    labels, place = [], 12
    while data[place]:
        labels.append(data[place + 1 : place + 1 + data[place]].decode())
        place += 1 + data[place]
    return ".".join(labels).lower(), struct.unpack("!H", data[place + 1 : place + 3])[0], place + 5


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """A name server that listens."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
