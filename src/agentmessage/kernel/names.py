"""Look-ups of host names that customers chose, shared out fairly between organizations.

They are made by c-ares and not by the threads of the event loop: a name server that is slow on purpose holds up neither
the database nor carriers, whose names are looked up elsewhere.
"""

import asyncio
import contextlib
import socket
import time
from collections import OrderedDict
from collections.abc import Generator, Hashable, Sequence
from contextvars import ContextVar
from typing import Any, cast

import aiodns
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from typing_extensions import override

from agentmessage.kernel.slots import FairSlots, TooManyWaiting

LOOKUPS = 96
"""Look-ups under way at once in a process; common forwarders take 100 to 150 of one client."""

LOOKUPS_PER_OWNER = 16
WAITING_PER_OWNER = 512
WAIT_S = 5.0
TIMEOUT_S = 5.0
KEPT_S = 10.0
MAX_NAMES = 10_000
MAX_ADDRESSES = 8
"""Addresses of one name that are tried; a name server can return thousands."""

FLUSH_AFTER = 10_000
"""Look-ups after which c-ares forgets its own cache, which has no bound but the answers' time to live."""

RETIRE_S = 60.0
TRY_S = 1.5
TRIES = 4
"""c-ares waits less than TRY_S where a server has been quick so far, and longer with each try."""

TIMED_OUT = cast("int", aiodns.error.ARES_ETIMEOUT)  # pyright: ignore[reportUnknownMemberType] - made at run time

_owner: ContextVar[Hashable] = ContextVar("owner", default=None)


class NamesBusy(OSError):
    """The owner's look-ups wait for too many that are slow. It says nothing about the name."""


class NameTimeout(OSError):
    """The name servers did not answer in time."""


@contextlib.contextmanager
def on_behalf_of(owner: Hashable) -> Generator[None]:
    """Count look-ups within the block, and in tasks that it starts, as those of an owner."""
    token = _owner.set(owner)
    try:
        yield
    finally:
        _owner.reset(token)


class _Found(Struct, frozen=True):
    addresses: Sequence[tuple[int, str]]
    good_until: float


class Names(AbstractResolver):
    """Resolves host names. `servers` are `host:port` of name servers; None: those of the system.

    Bound to the event loop of its first look-up. /etc/hosts is read first, as the system does.
    """

    def __init__(
        self,
        *,
        servers: Sequence[str] | None = None,
        lookups: int = LOOKUPS,
        per_owner: int = LOOKUPS_PER_OWNER,
        wait_s: float = WAIT_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._servers = servers
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._slots = FairSlots(lookups, per_owner=per_owner, waiting_per_owner=WAITING_PER_OWNER)
        self._known: OrderedDict[str, _Found] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Found]] = {}
        self._resolver: aiodns.DNSResolver | None = None
        self._retired: tuple[aiodns.DNSResolver, float] | None = None
        self._asked = 0
        self._is_closed = False

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, at most eight. Raises OSError; NamesBusy and NameTimeout are kinds of it."""
        found = self._recall(host) or await self._look_up(host)
        results = [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=own,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for own, address in found.addresses
            if family in (socket.AF_UNSPEC, own)
        ]
        if not results:
            raise OSError(None, "the name has no address")
        return results

    @override
    async def close(self) -> None:
        """Give up what is being looked up, and look up nothing any more."""
        self._is_closed = True
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        for resolver in (self._resolver, self._retired[0] if self._retired else None):
            if resolver is not None:
                await resolver.close()
        self._resolver = self._retired = None

    def _recall(self, host: str) -> _Found | None:
        found = self._known.get(host)
        return found if found is not None and found.good_until > time.monotonic() else None

    async def _look_up(self, host: str) -> _Found:
        asking = self._asking.get(host)
        if asking is None:
            owner = _owner.get()
            await self._take_slot(owner)
            # It may have been looked up, or be under way, since this owner began to wait.
            found, asking = self._recall(host), self._asking.get(host)
            if found is not None or asking is not None:
                self._slots.give_back(owner)
            if found is not None:
                return found
            if asking is None:
                asking = asyncio.create_task(self._ask(host))
                self._asking[host] = asking
                asking.add_done_callback(lambda task: self._ended(task, host, owner))
        try:
            return await asyncio.shield(asking)  # others may wait for the same name
        except asyncio.CancelledError:
            if asking.cancelled():
                raise OSError(None, "the resolver was closed") from None
            raise

    async def _take_slot(self, owner: Hashable) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.take(owner)
        except (TooManyWaiting, TimeoutError) as error:
            raise NamesBusy("too many slow names are being looked up") from error

    def _ended(self, task: asyncio.Task[_Found], host: str, owner: Hashable) -> None:
        del self._asking[host]
        self._slots.give_back(owner)
        if not task.cancelled():
            task.exception()  # whoever waited for it may have left

    async def _ask(self, host: str) -> _Found:
        resolver = await self._open()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await resolver.getaddrinfo(host, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise NameTimeout("the name servers did not answer in time") from error
        except aiodns.error.DNSError as error:
            if error.args[0] == TIMED_OUT:
                raise NameTimeout("the name servers did not answer in time") from error
            raise OSError(None, "the name is not known") from error
        nodes = cast("Sequence[Any]", answer.nodes)[:MAX_ADDRESSES]
        addresses = [(int(node.family), str(node.addr[0], "ascii")) for node in nodes]
        found = _Found(addresses, time.monotonic() + KEPT_S)
        self._known[host] = found
        self._known.move_to_end(host)
        if len(self._known) > MAX_NAMES:
            self._known.popitem(last=False)
        return found

    async def _open(self) -> aiodns.DNSResolver:
        """The resolver of now. After so many look-ups another takes its place, and its cache goes with it."""
        if self._is_closed:
            raise OSError(None, "the resolver was closed")
        now = time.monotonic()
        if self._retired is not None and now >= self._retired[1]:
            await self._retired[0].close()
            self._retired = None
        if self._resolver is not None and self._asked >= FLUSH_AFTER and self._retired is None:
            self._retired, self._resolver = (self._resolver, now + RETIRE_S), None
        if self._resolver is None:
            self._asked = 0
            self._resolver = aiodns.DNSResolver(nameservers=self._servers, timeout=TRY_S, tries=TRIES)
        self._asked += 1
        return self._resolver
