"""Looks whether a page that a draft names can be read by the public; never reaches our own network."""

import asyncio
from collections.abc import Mapping

import aiohttp

from agentmessage.campaigns.schemas import CheckedUrl
from agentmessage.kernel.public_web import NotPublic, public_connector

LIMIT_S = 3.0
MAX_REDIRECTS = 3
HEADERS = {"user-agent": "AgentMessage-review/1.0", "accept": "text/html,*/*;q=0.1"}


class PageReader:
    """Asks strangers' web servers; `allow_private` also asks private addresses, for development only."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    async def look_at(self, links: Mapping[str, str]) -> list[CheckedUrl]:
        """Ask for every page, all at once, each for at most three seconds; `links` by field."""
        if not links:
            return []
        async with aiohttp.ClientSession(
            connector=public_connector(allow_private=self._allow_private),
            timeout=aiohttp.ClientTimeout(total=LIMIT_S),
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session:
            return await asyncio.gather(*(_look(session, field, url) for field, url in links.items()))


async def _look(session: aiohttp.ClientSession, field: str, url: str) -> CheckedUrl:
    try:
        async with session.get(url, max_redirects=MAX_REDIRECTS) as answer:
            return CheckedUrl(
                field, url, answer.ok, answer.status, None if answer.ok else f"it answers {answer.status}"
            )
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
        return CheckedUrl(field, url, reachable=False, status=None, reason=_why(error))


def _why(error: Exception) -> str:
    """Why a page was not read, without telling what our network looks like."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {LIMIT_S:g} s"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name is not known"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotPublic):
        return "its address is not public"
    if isinstance(error, aiohttp.TooManyRedirects):
        return f"it redirects more than {MAX_REDIRECTS} times"
    if isinstance(error, aiohttp.InvalidURL):
        return "its address is not well-formed"
    return "it could not be connected to"
