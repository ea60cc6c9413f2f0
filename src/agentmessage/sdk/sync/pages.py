"""Lists that come in pages, read one by one or to the end."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from agentmessage.sdk.answers import Http, Meta, listed
from agentmessage.sdk.calls import Call
from agentmessage.sdk.sync.transport import Transport

T = TypeVar("T")


class Page(Generic[T]):
    """One page: `data`, `meta`, and a way to the pages behind it."""

    def __init__(
        self, transport: Transport, call: Call, kind: type[T], *, data: list[T], meta: Meta, http: Http
    ) -> None:
        self.data = data
        self.meta = meta
        self.http = http
        self._transport = transport
        self._call = call
        self._kind = kind

    @property
    def has_more(self) -> bool:
        """There is a page behind this one."""
        return self.meta.next_cursor is not None

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def next_page(self) -> "Page[T] | None":
        """The page behind this one, None after the last. Raises APIError and APIConnectionError."""
        if self.meta.next_cursor is None:
            return None
        return read_page(self._transport, self._kind, self._call.after(self.meta.next_cursor))

    def pages(self) -> Iterator["Page[T]"]:
        """This page and all behind it, each fetched when its turn comes."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def all(self) -> Iterator[T]:
        """Every row of this page and of all behind it."""
        for page in self.pages():
            for row in page.data:
                yield row


def read_page(transport: Transport, kind: type[T], call: Call) -> Page[T]:
    """The page that a call asks for. Raises APIError and APIConnectionError."""
    answer = transport.send(call)
    data, meta = listed(kind, answer)
    return Page(transport, call, kind, data=data, meta=meta, http=answer.http)
