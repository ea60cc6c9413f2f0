"""The one way out to carriers over HTTP: a request, an answer, or one of two ways in which a line breaks."""

from collections.abc import Mapping
from typing import Protocol

import aiohttp
from msgspec import Struct


class HttpAnswer(Struct, frozen=True):
    """What came back, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The connection could not be made: the other side has surely not heard us."""


class LineBroke(Exception):
    """We spoke and heard nothing back (time-out, reset, half an answer): it may or may not have been done."""


class HttpTransport(Protocol):
    """Makes one request; raises NotSent or LineBroke, never answers them as a status."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        """Send and read the whole answer (at most 16 MiB)."""
        ...


MAX_ANSWER_BYTES = 16 * 1024 * 1024


class AiohttpTransport:
    """The real one: pooled connections, redirects not followed, cookies not kept."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        """Send and read the whole answer (at most 16 MiB)."""
        session = self._open()
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(timeout_s, 5.0))
        try:
            async with session.request(
                method, url, data=body or None, headers=dict(headers), timeout=timeout, allow_redirects=False
            ) as answer:
                content = await answer.content.read(MAX_ANSWER_BYTES + 1)
                if len(content) > MAX_ANSWER_BYTES:
                    raise LineBroke("answer larger than 16 MiB")
                while chunk := await answer.content.read(MAX_ANSWER_BYTES + 1):
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise LineBroke("answer larger than 16 MiB")
                return HttpAnswer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LineBroke(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close pooled connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=64, resolver=aiohttp.ThreadedResolver()),
            )
        return self._session
