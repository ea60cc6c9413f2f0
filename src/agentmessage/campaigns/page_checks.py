"""Checks whether the pages of a draft are public; never connects to our own network."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from http import HTTPStatus

import aiohttp
from msgspec import Struct
from yarl import URL

from agentmessage.campaigns.schemas import CheckedUrl
from agentmessage.kernel.names import Names, NamesBusy, NameTimeout, on_behalf_of
from agentmessage.kernel.safe_http import NOT_PUBLIC, TooMuch, exact_url, public_connector
from agentmessage.web.webhook_urls import page_url_error

LIMIT_S = 3.0
MAX_REDIRECTS = 3
MAX_CONNECTIONS = 256
HEADERS = {"user-agent": "AgentMessage-review/1.0", "accept": "text/html,*/*;q=0.1", "accept-encoding": "identity"}
REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


class PageChecker:
    """Requests pages from foreign web servers; `allow_private` permits private addresses, for development only.

    `names` resolves host names; the caller that passes it also closes it.
    """

    def __init__(self, *, allow_private: bool = False, names: Names | None = None) -> None:
        self.allow_private = allow_private
        self._names = names or Names()

    async def check(self, links: Mapping[str, str], *, owner: Hashable = None) -> list[CheckedUrl]:
        """Request every page at the same time, each for at most three seconds; `links` by field.

        Name look-ups count against the share of `owner`.
        """
        if not links:
            return []
        with on_behalf_of(owner):
            async with aiohttp.ClientSession(
                connector=public_connector(
                    allow_private=self.allow_private, names=self._names, connections=MAX_CONNECTIONS, keeps=False
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            ) as session:
                return await asyncio.gather(*(_check(session, field, url) for field, url in links.items()))


class _TooManyRedirects(Exception):
    pass


class _PageResponse(Struct, frozen=True):
    status: int
    location: str | None


async def _check(session: aiohttp.ClientSession, field: str, url: str) -> CheckedUrl:
    try:
        async with asyncio.timeout(LIMIT_S):
            status = await _follow(session, url)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError, _TooManyRedirects) as error:
        return CheckedUrl(field, url, reachable=False, status=None, reason=_reason(error))
    is_readable = status < HTTPStatus.BAD_REQUEST
    return CheckedUrl(
        field, url, reachable=is_readable, status=status, reason=None if is_readable else f"it answers {status}"
    )


async def _follow(session: aiohttp.ClientSession, url: str) -> int:
    """The status of a page after redirects; each redirect is validated like a URL of a customer."""
    for _ in range(MAX_REDIRECTS + 1):
        response = await _get(session, exact_url(url))
        if response.status not in REDIRECTS or response.location is None:
            return response.status
        url = str(URL(url).join(URL(response.location)).with_fragment(None))
        if page_url_error(url, allow_private=True) is not None:
            raise ValueError("a redirect leads to no address")
    raise _TooManyRedirects


async def _get(session: aiohttp.ClientSession, url: URL) -> _PageResponse:
    async with session.get(url, allow_redirects=False) as response:
        return _PageResponse(response.status, response.headers.get("location"))


def _reason(error: Exception) -> str:
    """Why a page was not read, without details of our network."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {LIMIT_S:g} s"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _NAME_REASONS.get(type(error.os_error), "its host name is not known")
    if isinstance(error, aiohttp.ClientConnectorError) and NOT_PUBLIC in str(error.os_error):
        return "its address is not public"
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "it could not be connected to")


_REASONS: Sequence[tuple[type[Exception], str]] = (
    (_TooManyRedirects, f"it redirects more than {MAX_REDIRECTS} times"),
    (TooMuch, "its answer has no end"),
    (aiohttp.ClientResponseError, "its answer is not HTTP"),
    (ValueError, "its address is not well-formed"),  # of aiohttp too: InvalidURL
)
_NAME_REASONS: Mapping[type[BaseException], str] = {
    NamesBusy: "it was not asked: too many slow host names of the organization are being looked up",
    NameTimeout: "its host name could not be looked up in time",
}
