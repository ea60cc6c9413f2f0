"""One request as a handler sees it: who asks, what for, and the transaction to do it in."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import UUID

from agentmessage.kernel.db import CellDb, Cells, Executor, Tx
from agentmessage.kernel.tenant import Tenant
from agentmessage.web import idempotency
from agentmessage.web.types import Request

B = TypeVar("B", bound=Request)
Q = TypeVar("Q", bound=Request)


RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as ASGI has them; most requests are answered without reading more than one."""


def read_headers(raw: RawHeaders) -> Mapping[str, str]:
    """Headers as text, names in lower case, without the white space around a value; repeated ones are one list."""
    headers: dict[str, str] = {}
    for name, value in raw:
        known, text = name.decode("latin-1"), value.decode("latin-1").strip(" \t")
        headers[known] = f"{headers[known]}, {text}" if known in headers else text
    return headers


class Call(Generic[B, Q]):
    """A request that has passed authentication, scope and shape.

    `db` is the pool of the tenant's cell; `ids` are the path's UUIDs in order, `texts` what else is in it;
    `headers` have lower-case names.
    """

    __slots__ = (
        "_held",
        "_late_ids",
        "_raw_headers",
        "body",
        "cells",
        "claim",
        "db",
        "ids",
        "query",
        "ring",
        "tenant",
        "texts",
    )

    def __init__(
        self,
        *,
        tenant: Tenant,
        db: CellDb,
        cells: Cells,
        ids: tuple[UUID, ...],
        body: B,
        query: Q,
        raw_headers: RawHeaders,
        ring: Callable[[str, str], None],
        claim: idempotency.IdempotencyKey | None = None,
        texts: tuple[str, ...] = (),
        late_ids: Callable[[], tuple[UUID, ...]] | None = None,
    ) -> None:
        self.tenant = tenant
        self.db = db
        self.cells = cells
        self.ids = ids
        self.body = body
        self.query = query
        self._raw_headers = raw_headers
        self.ring = ring
        self.claim = claim
        self.texts = texts
        self._late_ids = late_ids
        self._held: Tx | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers (see `read_headers`)."""
        return read_headers(self._raw_headers)

    @property
    def id(self) -> UUID:
        """The path's first id. Raises what a malformed one is refused with, where the path is looked at last."""
        return (self._late_ids() if self._late_ids else self.ids)[0]

    @property
    def text(self) -> str:
        """The path's first parameter that is not a UUID."""
        return self.texts[0]

    @property
    def statements(self) -> Executor:
        """For an operation of one statement: the edge's transaction if it holds one, else the pool, which commits."""
        return self._held or self.db

    def hold(self, tx: Tx) -> None:
        """Work inside the edge's transaction, which commits once the answer is stored beside the work."""
        self._held = tx

    @asynccontextmanager
    async def transaction(self, *, subject: UUID | None = None) -> AsyncGenerator[Tx]:
        """Open the request's transaction; it commits when the block ends.

        With an Idempotency-Key the edge has opened it already and commits after the answer is stored in it. A route
        that waits claims the key here, under `subject`: the resource from which `resume` can tell the answer later.
        """
        if self._held is not None:
            yield self._held
            return
        async with self.db.transaction() as tx:
            if self.claim is not None and subject is not None:
                await idempotency.claim(tx, self.tenant.org_id, self.claim, subject=subject)
            yield tx

    def wake(self, bell: str) -> None:
        """After the commit: tell the workers of this cell that there is work (a hint; they also look by themselves)."""
        self.ring(self.tenant.cell, bell)
