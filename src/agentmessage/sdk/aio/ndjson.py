"""Responses of any length as newline-delimited JSON, read row by row."""

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx2
import msgspec

from agentmessage.sdk._request import Request
from agentmessage.sdk.aio.transport import AsyncTransport, failure
from agentmessage.sdk.exceptions import InvalidResponseError

T = TypeVar("T")

NDJSON = "application/x-ndjson"


class AsyncRowStream(Generic[T]):
    """The rows of one response, read once. Use a `with` block if you may stop early.

    Raises APIError before the first row, and APIConnectionError if the connection is lost: it cannot be resumed.
    """

    def __init__(self, transport: AsyncTransport, kind: type[T], request: Request) -> None:
        self._rows = self._read(transport, msgspec.json.Decoder(kind), request)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await anext(self._rows)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._rows.aclose()

    async def _read(
        self, transport: AsyncTransport, decoder: msgspec.json.Decoder[T], request: Request
    ) -> AsyncGenerator[T, None]:
        request = msgspec.structs.replace(request, headers={"Accept": NDJSON})
        try:
            async with transport.stream(request) as response:
                pending = b""
                async for chunk in response.aiter_bytes():
                    # Only a line feed ends a row. In JSON strings, U+2028 and its like stand unescaped.
                    *rows, pending = (pending + chunk).split(b"\n")
                    for row in rows:
                        if row.strip():
                            yield decoder.decode(row)
                if pending.strip():
                    yield decoder.decode(pending)
        except httpx2.RequestError as error:
            raise failure(error, tries=1) from error
        except msgspec.DecodeError as error:
            raise InvalidResponseError(f"A row of the response cannot be parsed: {error}.", request_id="") from error
