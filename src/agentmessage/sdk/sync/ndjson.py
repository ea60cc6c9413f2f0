"""Responses of any length as newline-delimited JSON, read row by row."""

from collections.abc import Generator
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx2
import msgspec

from agentmessage.sdk._request import Request
from agentmessage.sdk.exceptions import InvalidResponseError
from agentmessage.sdk.sync.transport import Transport, failure

T = TypeVar("T")

NDJSON = "application/x-ndjson"


class RowStream(Generic[T]):
    """The rows of one response, read once. Use a `with` block if you may stop early.

    Raises APIError before the first row, and APIConnectionError if the connection is lost: it cannot be resumed.
    """

    def __init__(self, transport: Transport, kind: type[T], request: Request) -> None:
        self._rows = self._read(transport, msgspec.json.Decoder(kind), request)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._rows.close()

    def _read(self, transport: Transport, decoder: msgspec.json.Decoder[T], request: Request) -> Generator[T, None]:
        request = msgspec.structs.replace(request, headers={"Accept": NDJSON})
        try:
            with transport.stream(request) as response:
                pending = b""
                for chunk in response.iter_bytes():
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
