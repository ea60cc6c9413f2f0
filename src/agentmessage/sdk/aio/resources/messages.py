"""The operations of `client.messages`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk._response import Rows
from agentmessage.sdk.aio.message_methods import AsyncMessageMethods
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.models.messages import (
    MediaType,
    MediaTypeWord,
    MediaUpload,
    Message,
    MessageBatch,
    MessageDraft,
    MessageStatus,
    MessageStatusWord,
    MessageTransition,
)
from agentmessage.sdk.models.shared import Priority, PriorityWord


class AsyncMessagesOperations(AsyncMessageMethods):
    """The operations of `client.messages`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        status: MessageStatus | MessageStatusWord | UnsetType = UNSET,
        from_: str | UnsetType = UNSET,
        to: str | UnsetType = UNSET,
        tag: str | UnsetType = UNSET,
    ) -> AsyncPage[Message]:
        """List messages, newest first.

        The next page's cursor is in the header `X-Next-Cursor`.

        - `limit`: 1 to 200, 50 unless given.
        - `tag`: A word of yours to find the message by. 1 to 64 characters.

        Scope: `messages:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Message,
            Request(
                "GET",
                "/v1/messages",
                query={"cursor": cursor, "limit": limit, "status": status, "from": from_, "to": to, "tag": tag},
            ),
        )

    async def send(
        self,
        *,
        from_: str,
        to: str,
        text: str | UnsetType | None = UNSET,
        media: Sequence[str] | UnsetType | None = UNSET,
        smart_encoding: bool | UnsetType | None = UNSET,
        priority: Priority | PriorityWord | UnsetType | None = UNSET,
        tag: str | UnsetType | None = UNSET,
        scheduled_at: datetime | UnsetType | None = UNSET,
        validity_s: int | UnsetType | None = UNSET,
        metadata: Mapping[str, str] | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Message:
        """Send one text.

        Accepted means that it is stored and will be sent; delivery follows as events.

        A message that may not be sent is rejected with the first reason; `POST /v1/guardrails/preflight` returns them
        all. In quiet hours whose mode is `defer` it is accepted, and `scheduled_at` is their end.

        - `from_`: One of your assigned numbers.
        - `text`: 1 to 1600 characters.
        - `media`: At most 10 items.
        - `smart_encoding`: Send typographic characters as plain ones where that saves a part. False unless given.
        - `priority`: Rank in the queue. Every priority has the same compliance checks. `default` unless given.
        - `tag`: A word of yours to find the message by. 1 to 64 characters.
        - `validity_s`: 60 to 172800, 14400 unless given.

        Scope: `messages:send`. Raises InvalidInputError, InsufficientCreditError, IdempotencyKeyReusedError,
        ValidationFailedError, SenderNotRegisteredError, LineTypeBlockedError, QuietHoursError,
        FrequencyCapExceededError, RateLimitedError, RecipientOptedOutError, ConsentRequiredError, ConsentStaleError,
        MmsDisabledError.
        """
        return await self._one(
            Message,
            Request(
                "POST",
                "/v1/messages",
                body={
                    "from": from_,
                    "to": to,
                    "text": text,
                    "media": media,
                    "smart_encoding": smart_encoding,
                    "priority": priority,
                    "tag": tag,
                    "scheduled_at": scheduled_at,
                    "validity_s": validity_s,
                    "metadata": metadata,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def send_batch(self, *, messages: Sequence[MessageDraft], idempotency_key: str | None = None) -> MessageBatch:
        """Send up to a thousand texts; each stands alone and is answered in its place.

        207: `results` has one entry for each message, in order, with the status that it would have had alone.

        - `messages`: Each a body of `POST /v1/messages`. 1 to 1000 items.

        Scope: `messages:send`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return await self._one(
            MessageBatch,
            Request("POST", "/v1/messages/batch", body={"messages": messages}, idempotency_key=idempotency_key),
        )

    async def get(self, message_id: Id) -> Message:
        """Get a message and its status.

        Scope: `messages:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(Message, Request("GET", f"/v1/messages/{segment(message_id)}"))

    async def cancel(self, message_id: Id) -> Message:
        """Cancel a message that is still queued; in practice a scheduled one.

        Canceling twice is harmless.

        Nothing is charged: queued messages carry no charge.

        Scope: `messages:send`. Raises ValidationFailedError, NotFoundError, MessageNotCancelableError.
        """
        return await self._one(Message, Request("DELETE", f"/v1/messages/{segment(message_id)}"))

    async def list_events(self, message_id: Id) -> Rows[MessageTransition]:
        """Every status of a message, oldest first, with its cause and the carrier's code and text.

        Scope: `messages:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._rows(MessageTransition, Request("GET", f"/v1/messages/{segment(message_id)}/events"))

    async def create_media_upload(
        self, *, mime_type: MediaType | MediaTypeWord, byte_size: int, idempotency_key: str | None = None
    ) -> MediaUpload:
        """Get a link to upload a file to, which can then be sent as MMS.

        PUT the file's bytes to `upload_url`, without a key, within 30 minutes; the link works once. The bytes must be
        of the announced type and no more than announced. Then list `media_id` in `media` when sending. 60 a minute, and
        no more files and bytes than the installation keeps for one organization.

        - `byte_size`: 1 to 1048576.

        Scope: `messages:send`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError,
        MediaQuotaExceededError, RateLimitedError, MmsDisabledError.
        """
        return await self._one(
            MediaUpload,
            Request(
                "POST",
                "/v1/messages/media-upload",
                body={"mime_type": mime_type, "byte_size": byte_size},
                idempotency_key=idempotency_key,
            ),
        )
