"""What every resource does with a call: send it and read the answer as its kind."""

from typing import TypeVar

from agentmessage.sdk.aio.lines import AsyncLines
from agentmessage.sdk.aio.pages import AsyncPage, read_page
from agentmessage.sdk.aio.transport import AsyncTransport
from agentmessage.sdk.answers import Rows, WithMeta, bare, nothing, one, perhaps, rows, with_meta
from agentmessage.sdk.calls import Call

T = TypeVar("T")
M = TypeVar("M")


class AsyncResource:
    """A family of operations. All of them raise APIError, APIConnectionError and ClientClosedError."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _one(self, kind: type[T], call: Call) -> T:
        return one(kind, await self._transport.send(call))

    async def _perhaps(self, kind: type[T], call: Call) -> T | None:
        return perhaps(kind, await self._transport.send(call))

    async def _with_meta(self, kind: type[T], meta: type[M], call: Call) -> WithMeta[T, M]:
        return with_meta(kind, meta, await self._transport.send(call))

    async def _bare(self, kind: type[T], call: Call) -> T:
        return bare(kind, await self._transport.send(call))

    async def _rows(self, kind: type[T], call: Call) -> Rows[T]:
        return rows(kind, await self._transport.send(call))

    async def _page(self, kind: type[T], call: Call) -> AsyncPage[T]:
        return await read_page(self._transport, kind, call)

    def _lines(self, kind: type[T], call: Call) -> AsyncLines[T]:
        return AsyncLines(self._transport, kind, call)

    async def _nothing(self, call: Call) -> None:
        nothing(await self._transport.send(call))
