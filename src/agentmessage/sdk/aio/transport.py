"""Sends calls over HTTP until there is an answer to take, and keeps streams open."""

import asyncio
import functools
import itertools
import random
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from agentmessage.sdk.answers import OK, Answer
from agentmessage.sdk.calls import Call
from agentmessage.sdk.configuration import CONNECT_TIMEOUT_S, Configuration
from agentmessage.sdk.failures import APIConnectionError, APITimeoutError, ClientClosedError, ConfigurationError
from agentmessage.sdk.patience import after_answer, after_break

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

    async def send(self, call: Call) -> Answer:
        """Send it as often as it is worth. Raises APIConnectionError, APITimeoutError and ClientClosedError."""
        call = call.keyed()
        for attempt in itertools.count():
            try:
                answer = await self._exchange(call)
            except httpx2.RequestError as error:
                await self._pause_or_raise(call, attempt, error)
                continue
            pause = after_answer(
                call,
                status=answer.status,
                retry_after_s=answer.retry_after_s,
                attempt=attempt,
                max_retries=self.configuration.max_retries,
                chance=random.random(),  # noqa: S311 - jitter, not a secret
            )
            if pause is None:
                return answer
            await asyncio.sleep(pause)
        raise AssertionError("itertools.count() has no end")

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncGenerator[httpx2.Response]:
        """An answer whose body is still to come, a success. Raises APIError; httpx2.RequestError when it breaks."""
        self._require_open()
        async with self._http.stream(
            call.method,
            self.configuration.base_url + call.path,
            params=call.parameters(),
            headers={**self.configuration.headers(), **call.all_headers()},
            timeout=self._timeout(call),
        ) as response:
            if response.status_code not in OK:
                await response.aread()
                _answer(response).require_success()
            yield response

    async def upload(self, url: str, content: bytes, *, mime_type: str) -> Answer:
        """PUT bytes to a link, which is permission enough: no key goes with it. Raises APIConnectionError."""
        self._require_open()
        try:
            response = await self._http.put(
                url, content=content, headers={"Content-Type": mime_type}, timeout=self.configuration.timeout_s
            )
        except httpx2.RequestError as error:
            raise failure(error, tries=1) from error
        return _answer(response)

    async def _exchange(self, call: Call) -> Answer:
        self._require_open()
        response = await self._http.request(
            call.method,
            self.configuration.base_url + call.path,
            params=call.parameters(),
            content=call.content(),
            headers={**self.configuration.headers(), **call.all_headers()},
            timeout=self._timeout(call),
        )
        return _answer(response)

    async def _pause_or_raise(self, call: Call, attempt: int, error: httpx2.RequestError) -> None:
        if isinstance(error, FAULTY):
            raise ConfigurationError(f"The request cannot be sent: {error}.", "Check base_url.") from error
        pause = after_break(
            call,
            was_sent=not isinstance(error, NEVER_SENT),
            attempt=attempt,
            max_retries=self.configuration.max_retries,
            chance=random.random(),  # noqa: S311 - jitter, not a secret
        )
        if pause is None:
            raise failure(error, tries=attempt + 1, is_post=call.method == "POST") from error
        await asyncio.sleep(pause)

    def _require_open(self) -> None:
        if self._http.is_closed:
            raise ClientClosedError

    def _timeout(self, call: Call) -> httpx2.Timeout:
        return httpx2.Timeout(call.patience_s(self.configuration.timeout_s), connect=CONNECT_TIMEOUT_S)


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


def _answer(response: httpx2.Response) -> Answer:
    return Answer(
        response.status_code, {name.lower(): text for name, text in response.headers.items()}, response.content
    )
