"""Sends requests over HTTP, retries them, and opens streams."""

import asyncio
import functools
import itertools
import random
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import OK, Response
from agentmessage.sdk._retries import pause_after_connection_error, pause_after_response
from agentmessage.sdk.configuration import CONNECT_TIMEOUT_S, Configuration
from agentmessage.sdk.exceptions import APIConnectionError, APITimeoutError, ClientClosedError, ConfigurationError

NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
FAULTY = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)

PROXY_FIX = "Correct or unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; for a SOCKS proxy install httpx2[socks]."


class AsyncTransport:
    """One pool of connections to one platform. Redirects are not followed: a key goes nowhere else."""

    def __init__(self, configuration: Configuration, http: httpx2.AsyncClient | None = None) -> None:
        self.configuration = configuration
        self._http = http or _open()

    def configured(self, configuration: Configuration) -> "AsyncTransport":
        """The same connections with another configuration."""
        return AsyncTransport(configuration, self._http)

    async def aclose(self) -> None:
        """Close the connections; what is under way is cut."""
        await self._http.aclose()

    async def send(self, request: Request) -> Response:
        """Send it as often as it is worth. Raises APIConnectionError, APITimeoutError and ClientClosedError."""
        request = request.keyed()
        for attempt in itertools.count():
            try:
                response = await self._exchange(request)
            except httpx2.RequestError as error:
                await self._pause_or_raise(request, attempt, error)
                continue
            pause = pause_after_response(
                request,
                status=response.status,
                retry_after_s=response.retry_after_s,
                attempt=attempt,
                max_retries=self.configuration.max_retries,
                chance=random.random(),  # noqa: S311 - jitter, not a secret
            )
            if pause is None:
                return response
            await asyncio.sleep(pause)
        raise AssertionError("itertools.count() has no end")

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[httpx2.Response]:
        """A response whose body is still to come, a success. Raises APIError; httpx2.RequestError when it breaks."""
        self._require_open()
        async with self._http.stream(
            request.method,
            self.configuration.base_url + request.path,
            params=request.parameters(),
            headers={**self.configuration.headers(), **request.all_headers()},
            timeout=self._timeout(request),
        ) as response:
            if response.status_code not in OK:
                await response.aread()
                _read_response(response).require_success()
            yield response

    async def upload(self, url: str, content: bytes, *, mime_type: str) -> Response:
        """PUT bytes to a link, which is permission enough: no key goes with it. Raises APIConnectionError."""
        self._require_open()
        try:
            response = await self._http.put(
                url, content=content, headers={"Content-Type": mime_type}, timeout=self.configuration.timeout_s
            )
        except httpx2.RequestError as error:
            raise failure(error, tries=1) from error
        return _read_response(response)

    async def _exchange(self, request: Request) -> Response:
        self._require_open()
        response = await self._http.request(
            request.method,
            self.configuration.base_url + request.path,
            params=request.parameters(),
            content=request.content(),
            headers={**self.configuration.headers(), **request.all_headers()},
            timeout=self._timeout(request),
        )
        return _read_response(response)

    async def _pause_or_raise(self, request: Request, attempt: int, error: httpx2.RequestError) -> None:
        if isinstance(error, FAULTY):
            raise ConfigurationError(f"The request cannot be sent: {error}.", "Check base_url.") from error
        pause = pause_after_connection_error(
            request,
            was_sent=not isinstance(error, NEVER_SENT),
            attempt=attempt,
            max_retries=self.configuration.max_retries,
            chance=random.random(),  # noqa: S311 - jitter, not a secret
        )
        if pause is None:
            raise failure(error, tries=attempt + 1, is_post=request.method == "POST") from error
        await asyncio.sleep(pause)

    def _require_open(self) -> None:
        if self._http.is_closed:
            raise ClientClosedError

    def _timeout(self, request: Request) -> httpx2.Timeout:
        return httpx2.Timeout(request.attempt_timeout_s(self.configuration.timeout_s), connect=CONNECT_TIMEOUT_S)


def _open() -> httpx2.AsyncClient:
    """A pool of connections. Raises ConfigurationError for a proxy setting that cannot be used."""
    try:
        return httpx2.AsyncClient(follow_redirects=False, verify=_trusted())
    except (ImportError, ValueError, httpx2.InvalidURL) as error:  # SOCKS without its package; no URL at all
        raise ConfigurationError(f"The proxy that the environment names cannot be used: {error}.", PROXY_FIX) from error


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: read once, since reading them takes longer than all else about a client."""
    return httpx2.create_ssl_context()


def failure(error: httpx2.RequestError, *, tries: int, is_post: bool = False) -> APIConnectionError:
    """The exception of a request without a response."""
    was_sent = not isinstance(error, NEVER_SENT)
    message = f"No response after {tries} {'try' if tries == 1 else 'tries'}: {error or type(error).__name__}."
    kind = APITimeoutError if isinstance(error, httpx2.TimeoutException) else APIConnectionError
    return kind(message, may_have_happened=was_sent, is_post=is_post)


def _read_response(response: httpx2.Response) -> Response:
    return Response(
        response.status_code, {name.lower(): text for name, text in response.headers.items()}, response.content
    )
