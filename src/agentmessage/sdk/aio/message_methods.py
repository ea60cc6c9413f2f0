"""Operations on messages that take more than one request: waiting for a reply, uploading a file."""

import asyncio
import math
from datetime import datetime
from time import monotonic

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import perhaps
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models import InboundMessage, MediaType, MediaTypeWord, MediaUpload, Message

LONGEST_WAIT_S = 50
"""The platform answers by then whatever it is asked for: proxies in front of it give up after a minute."""

EARLY_S = 1.0
"""A platform that is about to restart answers at once; it is asked again after this."""


class AsyncMessageMethods(AsyncResource):
    """Operations on messages that take more than one request."""

    async def wait_for_reply(
        self,
        message: Message | None = None,
        *,
        from_: str | UnsetType = UNSET,
        to: str | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        timeout_s: float = 60.0,
    ) -> InboundMessage | None:
        """Wait for the next message from a contact. Returns None after `timeout_s`.

        With a sent `message`: the first message from its recipient to its sender since it was accepted, including one
        received before this call. Without: the first message that matches `from_` (the contact), `to` (your number)
        and `since` (the time of the last message you have read; default: the time of the call).

        Scope: `messages:read`. Raises ValidationFailedError, RateLimitedError.
        """
        if message is not None:
            from_, to, since = message.to, message.from_, message.created_at
        deadline = monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - monotonic())
            step_s = min(LONGEST_WAIT_S, math.ceil(left_s))
            query = {"from": from_, "to": to, "since": since, "timeout_s": step_s}
            response = await self._transport.send(Request("GET", "/v1/inbound-messages/wait", query=query))
            found = perhaps(InboundMessage, response)
            if found is not None or deadline - monotonic() <= 0:
                return found
            if since is UNSET:
                since = response.http.served_at or UNSET
            if deadline - monotonic() > left_s - step_s + EARLY_S:
                await asyncio.sleep(EARLY_S)

    async def upload_media(self, content: bytes, *, mime_type: MediaType | MediaTypeWord) -> MediaUpload:
        """Upload a file. Send its `media_id` in the `media` of a message within 30 minutes.

        Scope: `messages:send`. Raises ValidationFailedError, RateLimitedError, MmsDisabledError, or
        another APIError of the storage.
        """
        request = Request("POST", "/v1/messages/media-upload", body={"mime_type": mime_type, "byte_size": len(content)})
        upload = await self._one(MediaUpload, request)
        response = await self._transport.upload(upload.upload_url, content, mime_type=str(mime_type))
        response.require_success()
        return upload
