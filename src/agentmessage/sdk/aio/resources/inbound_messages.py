"""The operations of `client.inbound_messages`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.inbound_messages import InboundMessage
from agentmessage.sdk.models.shared import Channel, ChannelWord


class AsyncInboundMessagesOperations(AsyncResource):
    """The operations of `client.inbound_messages`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        from_: str | UnsetType = UNSET,
        to: str | UnsetType = UNSET,
        phone_number_id: Id | UnsetType = UNSET,
        channel: Channel | ChannelWord | UnsetType = UNSET,
        opt_out: bool | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
    ) -> AsyncPage[InboundMessage]:
        """List the texts that came in, newest first.

        - `limit`: 1 to 100, 20 unless given.
        - `from_`: The contact. At most 32 characters.
        - `to`: Your number.
        - `opt_out`: Whether it asked to stop.
        - `since`: Received at or after this time.

        Scope: `messages:read`. Raises ValidationFailedError.
        """
        return await self._page(
            InboundMessage,
            Request(
                "GET",
                "/v1/inbound-messages",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "from": from_,
                    "to": to,
                    "phone_number_id": phone_number_id,
                    "channel": channel,
                    "opt_out": opt_out,
                    "since": since,
                },
            ),
        )

    async def wait(
        self,
        *,
        from_: str | UnsetType = UNSET,
        to: str | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        timeout_s: int | UnsetType = UNSET,
    ) -> InboundMessage | None:
        """Wait for a text.

        Answers as soon as one has come that fits, else `data: null` after `timeout_s`, and after 50 s at the latest.
        Without `since` it is the first that comes after the request; with `since` the oldest received after that time,
        so that a loop which sends the `received_at` of the last one misses none of a conversation (`from` and `to`
        given). One key can wait 100 times at once.

        - `from_`: The contact. At most 32 characters.
        - `to`: Your number.
        - `since`: Only texts received after this time; left out: after the request.
        - `timeout_s`: Seconds to wait at most; more than 50 are 50, so that a proxy in front does not give up. 0 to 60,
          30 unless given.

        Scope: `messages:read`. Raises ValidationFailedError, RateLimitedError.
        """
        return await self._perhaps(
            InboundMessage,
            Request(
                "GET",
                "/v1/inbound-messages/wait",
                query={"from": from_, "to": to, "since": since, "timeout_s": timeout_s},
            ),
        )

    async def get(self, inbound_message_id: Id) -> InboundMessage:
        """Read one text that came in.

        Scope: `messages:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(InboundMessage, Request("GET", f"/v1/inbound-messages/{segment(inbound_message_id)}"))
