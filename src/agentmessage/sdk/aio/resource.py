"""What every resource does with a request: send it and read the response as its kind."""

from typing import TypeVar

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import Rows, WithMeta, bare, nothing, one, perhaps, rows, with_meta
from agentmessage.sdk.aio.ndjson import AsyncRowStream
from agentmessage.sdk.aio.pages import AsyncPage, read_page
from agentmessage.sdk.aio.transport import AsyncTransport

T = TypeVar("T")
M = TypeVar("M")


class AsyncResource:
    """A family of operations. All of them raise APIError, APIConnectionError and ClientClosedError."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _one(self, kind: type[T], request: Request) -> T:
        return one(kind, await self._transport.send(request))

    async def _perhaps(self, kind: type[T], request: Request) -> T | None:
        return perhaps(kind, await self._transport.send(request))

    async def _with_meta(self, kind: type[T], meta: type[M], request: Request) -> WithMeta[T, M]:
        return with_meta(kind, meta, await self._transport.send(request))

    async def _bare(self, kind: type[T], request: Request) -> T:
        return bare(kind, await self._transport.send(request))

    async def _rows(self, kind: type[T], request: Request) -> Rows[T]:
        return rows(kind, await self._transport.send(request))

    async def _page(self, kind: type[T], request: Request) -> AsyncPage[T]:
        return await read_page(self._transport, kind, request)

    def _lines(self, kind: type[T], request: Request) -> AsyncRowStream[T]:
        return AsyncRowStream(self._transport, kind, request)

    async def _nothing(self, request: Request) -> None:
        nothing(await self._transport.send(request))
