"""What every resource does with a call: send it and read the answer as its kind."""

from typing import TypeVar

from agentmessage.sdk.answers import Rows, WithMeta, bare, nothing, one, perhaps, rows, with_meta
from agentmessage.sdk.calls import Call
from agentmessage.sdk.sync.lines import Lines
from agentmessage.sdk.sync.pages import Page, read_page
from agentmessage.sdk.sync.transport import Transport

T = TypeVar("T")
M = TypeVar("M")


class Resource:
    """A family of operations. All of them raise APIError, APIConnectionError and ClientClosedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _one(self, kind: type[T], call: Call) -> T:
        return one(kind, self._transport.send(call))

    def _perhaps(self, kind: type[T], call: Call) -> T | None:
        return perhaps(kind, self._transport.send(call))

    def _with_meta(self, kind: type[T], meta: type[M], call: Call) -> WithMeta[T, M]:
        return with_meta(kind, meta, self._transport.send(call))

    def _bare(self, kind: type[T], call: Call) -> T:
        return bare(kind, self._transport.send(call))

    def _rows(self, kind: type[T], call: Call) -> Rows[T]:
        return rows(kind, self._transport.send(call))

    def _page(self, kind: type[T], call: Call) -> Page[T]:
        return read_page(self._transport, kind, call)

    def _lines(self, kind: type[T], call: Call) -> Lines[T]:
        return Lines(self._transport, kind, call)

    def _nothing(self, call: Call) -> None:
        nothing(self._transport.send(call))
