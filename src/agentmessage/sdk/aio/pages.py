"""Lists in pages, read page by page or to the end."""

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import Http, Meta, listed
from agentmessage.sdk.aio.transport import AsyncTransport

T = TypeVar("T")


class AsyncPage(Generic[T]):
    """One page: `data`, `meta`, and access to the next pages."""

    def __init__(
        self, transport: AsyncTransport, request: Request, kind: type[T], *, data: list[T], meta: Meta, http: Http
    ) -> None:
        self.data = data
        self.meta = meta
        self.http = http
        self._transport = transport
        self._request = request
        self._kind = kind

    @property
    def has_more(self) -> bool:
        """True if there is a next page."""
        return self.meta.next_cursor is not None

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    async def next_page(self) -> "AsyncPage[T] | None":
        """The next page; None after the last. Raises APIError and APIConnectionError."""
        if self.meta.next_cursor is None:
            return None
        return await read_page(self._transport, self._kind, self._request.after(self.meta.next_cursor))

    async def pages(self) -> AsyncIterator["AsyncPage[T]"]:
        """This page and all after it, each fetched when it is reached."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def all(self) -> AsyncIterator[T]:
        """Every row of this page and of all after it."""
        async for page in self.pages():
            for row in page.data:
                yield row


async def read_page(transport: AsyncTransport, kind: type[T], request: Request) -> AsyncPage[T]:
    """The page that a request asks for. Raises APIError and APIConnectionError."""
    response = await transport.send(request)
    data, meta = listed(kind, response)
    return AsyncPage(transport, request, kind, data=data, meta=meta, http=response.http)
