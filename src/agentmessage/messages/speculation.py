"""Judging the next flush while one is being written.

    flush 1   read ─▶ judge ─▶ write, version a ▷ b ─▶ commit ─▶ return
    flush 2                    read ─▶ judge ─▶ (wait)         ─▶ write, version b ▷ c ─▶ commit ─▶ return
    flush 3                                                       read ─▶ judge ─▶ (wait) …

Flush 2 may read an organization at version a, before flush 1 is committed. Then the changes of flush 1, which this
process knows, are applied in history, and flush 2 is judged as of version b. It is written only if flush 1 left
version b; otherwise it is judged again, as any flush whose version is stale.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from random import getrandbits
from uuid import UUID

from agentmessage.compliance.model import ContactHistory, PendingFlush
from agentmessage.messages import replays
from agentmessage.messages.admission_queries import AccountUpdate, Admitted
from agentmessage.messages.draft import Draft
from agentmessage.messages.replays import Key

VERSION_BITS = 62


def new_version() -> int:
    """A version that no other flush of an organization leaves.

    Counting up would not do: a STOP between two flushes could leave the number that the second one expects.
    """
    return getrandbits(VERSION_BITS)


def pending_flushes(
    admitted: Iterable[Admitted], updates: Sequence[AccountUpdate], now: datetime
) -> Mapping[UUID, PendingFlush]:
    """What a flush that is about to be written changes, by organization."""
    histories: dict[UUID, dict[str, ContactHistory]] = {update.org_id: {} for update in updates}
    for row in admitted:
        if row.history is not None:
            histories[row.message.org_id][row.message.recipient] = row.history
    return {
        update.org_id: PendingFlush(
            update.version,
            update.next_version,
            update.admitted_microcents,
            update.second_tokens,
            update.minute_tokens,
            now,
            histories[update.org_id],
        )
        for update in updates
        if update.version is not None
    }


class Pipeline:
    """Keeps the flushes of one process in order: one is written, at most one more is judged meanwhile."""

    def __init__(self) -> None:
        self.pending: Mapping[UUID, PendingFlush] = {}
        self._keys: frozenset[Key] = frozenset()
        self._writing = asyncio.Lock()

    async def wait_for_keys(self, drafts: Sequence[Draft]) -> None:
        """Return once no flush is being written that stores a response for a key of these drafts."""
        if self._keys and not self._keys.isdisjoint(replays.keys_of(drafts)):
            async with self._writing:
                pass

    @asynccontextmanager
    async def writing(
        self, pending: Mapping[UUID, PendingFlush], keys: frozenset[Key], start_next: Callable[[], None]
    ) -> AsyncGenerator[None]:
        """Enter when the flush before is written. The next one may be judged from then on."""
        async with self._writing:
            self.pending, self._keys = pending, keys
            start_next()
            yield
