"""Tells requests that stay open when their key is revoked: one statement for all of them, twice a second."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Cells
from agentmessage.kernel.tasks import forever
from agentmessage.web import queries

if TYPE_CHECKING:
    from agentmessage.web.authentication import Known

LOOK_S = 0.5
"""Between looks; a request ends within a second of the revocation."""


class _Scopes(Struct, frozen=True):
    id: UUID
    scopes: list[str]


class WatchedKey:
    """A key in use by an open request; `news` is set when it has changed."""

    def __init__(self, known: "Known", news: asyncio.Event) -> None:
        self.known = known
        self.is_good = True
        self._news = news

    def lose(self) -> None:
        """It was revoked, rotated or given other scopes."""
        self.is_good = False
        self._news.set()


class KeyWatch:
    """Looks whether keys are still there, while any is in use by an open request."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._watched: dict[UUID, set[WatchedKey]] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, known: "Known", news: asyncio.Event) -> AsyncGenerator[WatchedKey]:
        """Watch a key within the block."""
        watched = WatchedKey(known, news)
        self._watched.setdefault(known.principal.key_id, set()).add(watched)
        if self._task is None:
            self._task = forever("key watch", self._look)
        try:
            yield watched
        finally:
            same = self._watched[known.principal.key_id]
            same.discard(watched)
            if not same:
                del self._watched[known.principal.key_id]
            if not self._watched:
                await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        await asyncio.sleep(LOOK_S)
        asked = {key_id: list(watched) for key_id, watched in self._watched.items()}
        directory = await self._cells.directory()
        found = await queries.list_key_scopes(directory, _Scopes, list(asked))
        scopes = {key.id: key.scopes for key in found}
        for key_id, watched in asked.items():
            for one in watched:
                if frozenset(scopes.get(key_id, ())) != one.known.scopes:
                    one.lose()
