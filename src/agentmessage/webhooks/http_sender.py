"""One signed request to a receiver, and what became of it; never raises, never follows, never waits for ever.

The URL and its server are untrusted. Addresses are checked at the socket
(`kernel.public_web`), no proxy, cookie or credential of ours goes along, and an answer is read to a bound only.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Mapping

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from agentmessage.events.model import ID_PREFIX
from agentmessage.kernel.clock import Clock, WallClock
from agentmessage.kernel.names import Names, NamesBusy, NameTimeout, on_behalf_of
from agentmessage.kernel.safe_http import IDLE_S, NOT_PUBLIC, NotPublic, TooMuch, exact_url, public_connector
from agentmessage.webhooks.model import EXCERPT_CHARS, MAX_ANSWER_BYTES, TIMEOUT_S, OutgoingRequest, Reply
from agentmessage.webhooks.signing import signature_headers

USER_AGENT = "AgentMessage-Webhooks/1.0"
MAX_CONNECTIONS = 4_096
MAX_SERVERS = 10_000
_FIXED = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": USER_AGENT}


class Sender:
    """Sends requests over connections that are kept. `allow_private` also to private addresses and over plain http.

    Bound to the event loop of its first request; `names`, which are closed with it, look host names up.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        names: AbstractResolver | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or WallClock()
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._names = names or Names()
        self._opened: aiohttp.ClientSession | None = None
        self._answered: dict[tuple[str | None, int | None], float] = {}

    async def send(self, request: OutgoingRequest) -> Reply:
        """Sign a request as of now, and send it; returns within ten seconds, whatever happens."""
        headers = _FIXED | signature_headers(
            request.secrets,
            message_id=f"{ID_PREFIX}{request.event_id}",
            timestamp=int(self._clock.now().timestamp()),
            body=request.body,
        )
        started = time.perf_counter()
        with on_behalf_of(request.org_id):
            answer = await self._ask(request, headers)
        return Reply(
            headers=headers if answer.was_asked else {},
            status=answer.status,
            time_ms=round((time.perf_counter() - started) * 1_000),
            excerpt=answer.excerpt,
            error=answer.error,
        )

    async def close(self) -> None:
        """Let go of every connection, and of the threads that look names up; nothing is sent any more."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
        await self._names.close()

    async def _ask(self, request: OutgoingRequest, headers: Mapping[str, str]) -> "_Answer":
        try:
            url = exact_url(request.url)
        except ValueError:
            return _Answer(error="the URL is not well-formed")
        fault = self._fault(url)
        if fault is not None:
            return _Answer(error=fault)
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    return await self._post(url, request.body, headers)
                except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                    if not self._may_have_kept(url):
                        raise
                # a kept connection was being closed while the request was on its way: it was not read, so send again
                return await self._post(url, request.body, headers)
        except (aiohttp.ClientError, ssl.SSLError, OSError, TimeoutError, ValueError) as error:
            is_ours = isinstance(error, aiohttp.ClientConnectorDNSError) and isinstance(error.os_error, NamesBusy)
            return _Answer(error=_words(error), was_asked=not is_ours)

    def _fault(self, url: URL) -> str | None:
        """Why a URL is not even tried."""
        if url.scheme != "https" and not (self._allow_private and url.scheme == "http"):
            return "the URL is not https"
        if not url.host:
            return "the URL names no host"
        if url.user is not None or url.password is not None:
            return "the URL carries a user name"
        return None

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> "_Answer":
        async with self._session().post(url, data=body, headers=headers, allow_redirects=False) as response:
            answer = _Answer(status=response.status, excerpt=await _excerpt(response))
        self._answered[url.host, url.port] = time.monotonic()
        if len(self._answered) > MAX_SERVERS:
            self._answered.clear()
        return answer

    def _may_have_kept(self, url: URL) -> bool:
        """Whether a server has answered so lately that a connection to it may have been used again."""
        return time.monotonic() - self._answered.get((url.host, url.port), -math.inf) < IDLE_S + self._timeout_s

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=public_connector(
                    allow_private=self._allow_private, names=self._names, connections=MAX_CONNECTIONS
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._opened


class _Answer(Struct, frozen=True):
    status: int | None = None
    excerpt: str | None = None
    error: str | None = None
    was_asked: bool = True


async def _excerpt(response: aiohttp.ClientResponse) -> str | None:
    """The beginning of an answer; what is longer than we read is cut off together with its connection."""
    read = bytearray()
    while part := await response.content.readany():
        read += part
        if len(read) > MAX_ANSWER_BYTES:
            response.close()
            break
    text = bytes(read[: EXCERPT_CHARS * 4]).decode("utf-8", "replace").replace("\0", "\ufffd")
    return text[:EXCERPT_CHARS] or None


def _words(error: Exception) -> str:
    """The error as the customer reads it; it names nothing of our network."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = error.certificate_error
        is_known = isinstance(reason, ssl.SSLCertVerificationError)
        return f"TLS: {reason.verify_message}" if is_known else "TLS: the certificate is not good"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return next(
            (words for kind, words in _NAME_WORDS if isinstance(error.os_error, kind)), "the host name is not known"
        )
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, _TLS):
        return _connecting(error.os_error)
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "no connection could be made")


def _connecting(error: OSError) -> str:
    """Several addresses that all failed come as one error, whose kind only its text shows."""
    if isinstance(error, NotPublic) or NOT_PUBLIC in str(error):
        return "the address is not public"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return "no connection could be made"


_TLS = aiohttp.ClientConnectorSSLError | ssl.SSLError
_NAME_WORDS = (
    (NamesBusy, "not tried: too many slow host names of the organization are being looked up"),
    (NameTimeout, "the host name could not be looked up in time"),
)
_WORDS = (
    (TimeoutError, f"timed out: no complete answer within {TIMEOUT_S:g} s"),
    (_TLS, "TLS: no secure connection could be agreed"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (TooMuch, "the answer has no end: more than 64 KiB, or more than 8 interim answers"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (aiohttp.InvalidURL, "the URL is not well-formed"),
    (OSError, "the connection was closed without an answer"),
    (ValueError, "the URL is not well-formed"),
)
