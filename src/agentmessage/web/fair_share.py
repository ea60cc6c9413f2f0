"""How much of a process one organization gets, while others use it too.

All requests of a process take turns on one event loop, and whoever is long on turn holds everybody up. A turn of up to
`FREE_S` costs nothing; what is longer is charged to the organization, which may use a quarter of the loop so. Beyond
that, and beyond a few large bodies at a time, its requests are answered 429 until the quarter has grown again.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from uuid import UUID

from agentmessage.kernel.errors import RateLimited
from agentmessage.web.buckets import Buckets

T = TypeVar("T")

FREE_S = 0.010
"""What an ordinary request needs at most in one turn; it is not charged, however many there are."""

SHARE = 0.25
BURST_S = 0.5
READ_EVERY_S = 0.002
LARGE_BYTES = 64 * 1024
MAX_LARGE = 8
"""Bodies over `LARGE_BYTES` of one organization at one time."""


class FairShare:
    """The turns of each organization in one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._turns = Buckets[UUID](capacity=BURST_S, per_second=SHARE, monotonic=monotonic)
        self._large: Counter[UUID] = Counter()
        self.read_at = 0.0
        self._processor_s = 0.0

    def require(self, org_id: UUID) -> None:
        """Refuse an organization that has used its share. Raises RateLimited."""
        if wait_s := self._turns.wait_s(org_id):
            raise RateLimited(retry_after_s=wait_s)

    @contextmanager
    def large(self, org_id: UUID) -> Generator[None]:
        """A large body, from its first byte until it is answered. Raises RateLimited when there are enough."""
        if self._large[org_id] >= MAX_LARGE:
            raise RateLimited(retry_after_s=1)
        self._large[org_id] += 1
        try:
            yield
        finally:
            self._large[org_id] -= 1
            if not self._large[org_id]:
                del self._large[org_id]

    def charged(self, org_id: UUID, work: Awaitable[T]) -> "Charged[T]":
        """Await this in place of `work`, and its long turns are charged."""
        return Charged(self, org_id, work)

    def read_processor(self, now: float) -> None:
        """Read the processor's clock, which costs ten times the wall's, for the turns that begin soon."""
        self.read_at, self._processor_s = now, time.thread_time()

    def end_long_turn(self, org_id: UUID) -> None:
        """A turn is over that took longer than a free one by the clock of the wall.

        It is charged in processor time: on a busy machine the wall would charge what other processes use. The reading
        before it is at most `READ_EVERY_S` older than the turn, and so much may be charged too much.
        """
        used_s = time.thread_time() - self._processor_s
        if used_s > FREE_S:
            self._turns.take(org_id, used_s - FREE_S)


class Charged(Generic[T]):
    """An awaitable that measures each turn of another one, from one wait to the next."""

    __slots__ = ("_org_id", "_share", "_work")

    def __init__(self, share: FairShare, org_id: UUID, work: Awaitable[T]) -> None:
        self._share = share
        self._org_id = org_id
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        turns: Any = self._work.__await__()
        go_on, told = turns.send, None
        while True:
            began = time.perf_counter()
            if began - self._share.read_at > READ_EVERY_S:
                self._share.read_processor(began)
            try:
                waits_for = go_on(told)
            except StopIteration as done:
                return done.value
            finally:
                if time.perf_counter() - began > FREE_S:
                    self._share.end_long_turn(self._org_id)
            try:
                told = yield waits_for
                go_on = turns.send
            except BaseException as error:  # noqa: BLE001 - whatever is thrown in is the work's own
                go_on, told = turns.throw, error
