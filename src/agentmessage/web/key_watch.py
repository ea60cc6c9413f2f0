"""Tells requests that stay open when their key is revoked: one statement for all of them, twice a second."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import Unauthorized
from agentmessage.kernel.tasks import start_forever
from agentmessage.kernel.tenant import Tenant
from agentmessage.web import queries

T = TypeVar("T")

POLL_S = 0.5
"""Between looks; a request ends within a second of the revocation."""


class _Scopes(Struct, frozen=True):
    id: UUID
    scopes: list[str]


class WatchedKey:
    """A key in use by an open request; `changed` is set when it has changed."""

    def __init__(self, scopes: frozenset[str], changed: asyncio.Event) -> None:
        self.scopes = scopes
        self.is_valid = True
        self._changed = changed

    def invalidate(self) -> None:
        """It was revoked, rotated or given other scopes."""
        self.is_valid = False
        self._changed.set()


class KeyWatch:
    """Looks whether keys are still there, while any is in use by an open request."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._watched: dict[UUID, set[WatchedKey]] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, key_id: UUID, scopes: frozenset[str], changed: asyncio.Event) -> AsyncGenerator[WatchedKey]:
        """Watch a key within the block."""
        watched = WatchedKey(scopes, changed)
        self._watched.setdefault(key_id, set()).add(watched)
        if self._task is None:
            self._task = start_forever("key watch", self._poll)
        try:
            yield watched
        finally:
            same = self._watched[key_id]
            same.discard(watched)
            if not same:
                del self._watched[key_id]
            if not self._watched:
                await self._stop()

    async def run_while_valid(self, tenant: Tenant, work: Awaitable[T]) -> T:
        """What `work` answers; it is cancelled when the key that asks is lost first. Raises Unauthorized."""
        lost = asyncio.Event()
        working, losing = asyncio.ensure_future(work), asyncio.ensure_future(lost.wait())
        try:
            async with self.watch(_key_of(tenant), tenant.scopes, lost):
                await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Unauthorized
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)

    def invalidate(self, key_id: UUID) -> None:
        """A key is being revoked in this process: nothing waits for the next look."""
        for watched in self._watched.get(key_id, ()):
            watched.invalidate()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _poll(self) -> None:
        await asyncio.sleep(POLL_S)
        asked = {key_id: list(watched) for key_id, watched in self._watched.items()}
        directory = await self._cells.directory()
        found = await queries.list_key_scopes(directory, _Scopes, list(asked))
        scopes = {key.id: key.scopes for key in found}
        for key_id, watched in asked.items():
            for one in watched:
                if frozenset(scopes.get(key_id, ())) != one.scopes:
                    one.invalidate()


def _key_of(tenant: Tenant) -> UUID:
    if tenant.key_id is None:
        raise TypeError("no key asks")
    return tenant.key_id
