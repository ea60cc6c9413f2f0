"""Looks whether a page that a draft names can be read by the public; never reaches our own network."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from http import HTTPStatus

import aiohttp
from msgspec import Struct
from yarl import URL

from agentmessage.campaigns.schemas import CheckedUrl
from agentmessage.kernel.names import Names, NamesBusy, NameTimeout, on_behalf_of
from agentmessage.kernel.safe_http import NOT_PUBLIC, TooMuch, exact_url, public_connector
from agentmessage.web.webhook_urls import page_fault

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


class PageReader:
    """Asks strangers' web servers; `allow_private` also asks private addresses, for development only.

    `names` looks host names up; whoever gives it closes it.
    """

    def __init__(self, *, allow_private: bool = False, names: Names | None = None) -> None:
        self.allow_private = allow_private
        self._names = names or Names()

    async def look_at(self, links: Mapping[str, str], *, owner: Hashable = None) -> list[CheckedUrl]:
        """Ask for every page, all at once, each for at most three seconds; `links` by field.

        `owner` is whose share of the name look-ups is used.
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
                return await asyncio.gather(*(_look(session, field, url) for field, url in links.items()))


class _TooManyRedirects(Exception):
    pass


class _Answer(Struct, frozen=True):
    status: int
    location: str | None


async def _look(session: aiohttp.ClientSession, field: str, url: str) -> CheckedUrl:
    try:
        async with asyncio.timeout(LIMIT_S):
            status = await _follow(session, url)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError, _TooManyRedirects) as error:
        return CheckedUrl(field, url, reachable=False, status=None, reason=_why(error))
    is_good = status < HTTPStatus.BAD_REQUEST
    return CheckedUrl(field, url, reachable=is_good, status=status, reason=None if is_good else f"it answers {status}")


async def _follow(session: aiohttp.ClientSession, url: str) -> int:
    """The status of a page, after redirects, of which each is as strictly read as a URL of a customer."""
    for _ in range(MAX_REDIRECTS + 1):
        answer = await _ask(session, exact_url(url))
        if answer.status not in REDIRECTS or answer.location is None:
            return answer.status
        url = str(URL(url).join(URL(answer.location)).with_fragment(None))
        if page_fault(url, allow_private=True) is not None:
            raise ValueError("a redirect leads to no address")
    raise _TooManyRedirects


async def _ask(session: aiohttp.ClientSession, url: URL) -> _Answer:
    async with session.get(url, allow_redirects=False) as answer:
        return _Answer(answer.status, answer.headers.get("location"))


def _why(error: Exception) -> str:
    """Why a page was not read, without telling what our network looks like."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {LIMIT_S:g} s"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _NAME_WORDS.get(type(error.os_error), "its host name is not known")
    if isinstance(error, aiohttp.ClientConnectorError) and NOT_PUBLIC in str(error.os_error):
        return "its address is not public"
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "it could not be connected to")


_WORDS: Sequence[tuple[type[Exception], str]] = (
    (_TooManyRedirects, f"it redirects more than {MAX_REDIRECTS} times"),
    (TooMuch, "its answer has no end"),
    (aiohttp.ClientResponseError, "its answer is not HTTP"),
    (ValueError, "its address is not well-formed"),  # of aiohttp too: InvalidURL
)
_NAME_WORDS: Mapping[type[BaseException], str] = {
    NamesBusy: "it was not asked: too many slow host names of the organization are being looked up",
    NameTimeout: "its host name could not be looked up in time",
}
