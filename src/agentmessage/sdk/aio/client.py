"""The client: one platform, one key, and every family of operations as an attribute."""

from typing import Self

from agentmessage.sdk._retries import DEFAULT_RETRIES
from agentmessage.sdk.aio.resource_groups import AsyncResourceGroups
from agentmessage.sdk.aio.transport import AsyncTransport
from agentmessage.sdk.configuration import DEFAULT_TIMEOUT_S, configure


class AsyncAgentMessage(AsyncResourceGroups):
    """A client for one platform and one API key. Create it once, share it, and close it or use a `with` block.

    `api_key` and `base_url` default to AGENTMESSAGE_API_KEY and AGENTMESSAGE_BASE_URL, then to the address of
    `agentmessage up`. `timeout_s` is the timeout of one attempt. `max_retries` is the number of retries after a lost
    connection, 429, 502, 503 or 504. Raises ConfigurationError.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        max_retries: int = DEFAULT_RETRIES,
    ) -> None:
        configuration = configure(base_url=base_url, api_key=api_key, timeout_s=timeout_s, max_retries=max_retries)
        super().__init__(AsyncTransport(configuration))

    @property
    def base_url(self) -> str:
        """The base URL of the platform."""
        return self._transport.configuration.base_url

    def with_options(
        self, *, timeout_s: float | None = None, max_retries: int | None = None, api_key: str | None = None
    ) -> Self:
        """The same client over the same connections with other options; closing one closes both."""
        now = self._transport.configuration
        other = configure(
            base_url=now.base_url,
            api_key=api_key or now.api_key,
            timeout_s=now.timeout_s if timeout_s is None else timeout_s,
            max_retries=now.max_retries if max_retries is None else max_retries,
        )
        client = type(self).__new__(type(self))
        AsyncResourceGroups.__init__(client, self._transport.configured(other))
        return client

    async def aclose(self) -> None:
        """Close the connections. Later requests raise ClientClosedError."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
