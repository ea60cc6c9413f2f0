"""What every resource does with a request: send it and read the response as its kind."""

from typing import TypeVar

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import Rows, WithMeta, bare, nothing, one, perhaps, rows, with_meta
from agentmessage.sdk.sync.ndjson import RowStream
from agentmessage.sdk.sync.pages import Page, read_page
from agentmessage.sdk.sync.transport import Transport

T = TypeVar("T")
M = TypeVar("M")


class Resource:
    """A family of operations. All of them raise APIError, APIConnectionError and ClientClosedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _one(self, kind: type[T], request: Request) -> T:
        return one(kind, self._transport.send(request))

    def _perhaps(self, kind: type[T], request: Request) -> T | None:
        return perhaps(kind, self._transport.send(request))

    def _with_meta(self, kind: type[T], meta: type[M], request: Request) -> WithMeta[T, M]:
        return with_meta(kind, meta, self._transport.send(request))

    def _bare(self, kind: type[T], request: Request) -> T:
        return bare(kind, self._transport.send(request))

    def _rows(self, kind: type[T], request: Request) -> Rows[T]:
        return rows(kind, self._transport.send(request))

    def _page(self, kind: type[T], request: Request) -> Page[T]:
        return read_page(self._transport, kind, request)

    def _lines(self, kind: type[T], request: Request) -> RowStream[T]:
        return RowStream(self._transport, kind, request)

    def _nothing(self, request: Request) -> None:
        nothing(self._transport.send(request))
