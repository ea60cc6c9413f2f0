"""The operations of `client.conversations`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.conversations import Conversation, ConversationMessage


class AsyncConversationsOperations(AsyncResource):
    """The operations of `client.conversations`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        phone_number_id: Id | UnsetType = UNSET,
        contact_number: str | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        opted_in: bool | UnsetType = UNSET,
    ) -> AsyncPage[Conversation]:
        """List conversations, the one that was last spoken in first.

        One in which somebody speaks while you page moves to the front: read the first page again, or ask with `since`.

        - `limit`: 1 to 200, 50 unless given.
        - `contact_number`: At most 32 characters.
        - `since`: Last spoken in at or after this time.
        - `opted_in`: Whether the contact has opted in.

        Scope: `conversations:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Conversation,
            Request(
                "GET",
                "/v1/conversations",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "phone_number_id": phone_number_id,
                    "contact_number": contact_number,
                    "since": since,
                    "opted_in": opted_in,
                },
            ),
        )

    async def list_messages(
        self, conversation_id: str, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET
    ) -> AsyncPage[ConversationMessage]:
        """List the texts of one conversation in both directions, oldest first.

        - `limit`: 1 to 200, 50 unless given.

        Scope: `conversations:read`. Raises InvalidInputError, NotFoundError, ValidationFailedError.
        """
        return await self._page(
            ConversationMessage,
            Request(
                "GET",
                f"/v1/conversations/{segment(conversation_id)}/messages",
                query={"cursor": cursor, "limit": limit},
            ),
        )
