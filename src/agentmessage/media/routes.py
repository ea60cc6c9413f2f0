"""Announcing a file."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from agentmessage.kernel.errors import RateLimited, ValidationFailed
from agentmessage.media import operations
from agentmessage.media.errors import MediaQuotaExceeded, MmsDisabled
from agentmessage.media.file_types import MediaType
from agentmessage.media.model import MAX_BYTES, Kept, MediaLinks
from agentmessage.settings import Settings
from agentmessage.web.rate_limits import require_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Request, Resource, error_text

BUCKET = "media_uploads"
PER_MINUTE = 60


class MediaServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    media_links: MediaLinks
    settings: Settings


routes = Routes("Messages", needs=MediaServices)


class MediaUpload(Request, frozen=True):
    """A file that is about to be uploaded: its type, and at most how many bytes."""

    mime_type: MediaType
    byte_size: Annotated[
        int, Meta(ge=1, le=MAX_BYTES, examples=[183_500], extra=error_text(f"must be 1..{MAX_BYTES} bytes"))
    ]


class MediaUploadOut(Resource, frozen=True):
    """Where to PUT the file: once, before `expires_at`, at most `max_byte_size` bytes."""

    media_id: UUID
    upload_url: str
    expires_at: datetime
    max_byte_size: int


@routes.route(
    "POST",
    "/v1/messages/media-upload",
    scope="messages:send",
    answers={201: MediaUploadOut},
    refuses=[ValidationFailed, MediaQuotaExceeded, RateLimited, MmsDisabled],
    is_secret=True,
    example={"mime_type": "image/png", "byte_size": 183_500},
)
async def create_message_media_upload(call: Call[MediaUpload, NoInput], services: MediaServices) -> MediaUploadOut:
    """Get a link to upload a file to, which can then be sent as MMS.

    PUT the file's bytes to `upload_url`, without a key, within 30 minutes; the link works once. The bytes must be of
    the announced type and no more than announced. Then list `media_id` in `media` when sending. 60 a minute, and no
    more files and bytes than the installation keeps for one organization.
    """
    links = services.media_links
    if not links.is_enabled:
        raise MmsDisabled
    await require_token(call.db, call.tenant, BUCKET, per_minute=PER_MINUTE)
    async with call.transaction() as tx:
        made, token = await operations.announce(
            tx,
            call.tenant,
            mime_type=call.body.mime_type,
            byte_size=call.body.byte_size,
            quota=_quota(services.settings),
        )
    return MediaUploadOut(made.id, links.upload(call.tenant.cell, token), made.expires_at, MAX_BYTES)


def _quota(settings: Settings) -> Kept:
    return Kept(settings.media_max_files, settings.media_max_bytes)
