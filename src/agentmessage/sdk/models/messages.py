"""Values of `messages`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import Channel, Encoding, Priority, PriorityWord
from agentmessage.sdk.open_enum import OpenEnum


class MediaType(OpenEnum):
    """What can be sent; read in any case, and without its parameters."""

    IMAGE_JPEG = "image/jpeg"
    IMAGE_PNG = "image/png"
    IMAGE_GIF = "image/gif"
    IMAGE_BMP = "image/bmp"
    IMAGE_TIFF = "image/tiff"
    IMAGE_WEBP = "image/webp"
    VIDEO_MP4 = "video/mp4"
    VIDEO_3GPP = "video/3gpp"
    VIDEO_QUICKTIME = "video/quicktime"
    AUDIO_MPEG = "audio/mpeg"
    AUDIO_WAV = "audio/wav"
    AUDIO_AMR = "audio/amr"
    AUDIO_OGG = "audio/ogg"
    APPLICATION_PDF = "application/pdf"
    TEXT_VCARD = "text/vcard"
    TEXT_CALENDAR = "text/calendar"


MediaTypeWord = Literal[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/webp",
    "video/mp4",
    "video/3gpp",
    "video/quicktime",
    "audio/mpeg",
    "audio/wav",
    "audio/amr",
    "audio/ogg",
    "application/pdf",
    "text/vcard",
    "text/calendar",
]


class MessageStatus(OpenEnum):
    """How far a message has come, in order of time."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    CANCELED = "canceled"


MessageStatusWord = Literal["queued", "sending", "sent", "delivered", "failed", "undelivered", "canceled"]


class BatchError(Model, frozen=True, kw_only=True):
    """The error of one message, as its own response would have had it."""

    code: str
    message: str
    details: Mapping[str, str] | None = None
    retry_after_s: int | None = None


class MessageError(Model, frozen=True, kw_only=True):
    """Why a message did not arrive: our code, and the carrier's own code and text."""

    code: str
    carrier_code: str | None = None
    carrier_text: str | None = None


class Message(Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A message.

    `bandwidth_message_id` is an alias of `carrier_message_id`; `appended_text` is what a guardrail added.

    `cost_cents` is what it costs or has cost, rounded up; queued messages carry no charge yet.
    """

    id: str
    from_: str
    to: str
    text: str | None = None
    appended_text: str | None = None
    channel: Channel
    media: tuple[str, ...]
    priority: Priority
    status: MessageStatus
    error: MessageError | None = None
    tag: str | None = None
    metadata: Mapping[str, Any] | None = None
    phone_number_id: str
    campaign_id: str | None = None
    kind: str
    segment_count: int
    encoding: Encoding
    smart_encoding: bool
    cost_cents: int
    carrier_message_id: str | None = None
    bandwidth_message_id: str | None = None
    scheduled_at: datetime | None = None
    expires_at: datetime
    created_at: datetime
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    redacted_at: datetime | None = None


class BatchResult(Model, frozen=True, kw_only=True):
    """The result of one message of a batch. `status` is what it would have been alone."""

    status: int
    message: Message | None = None
    error: BatchError | None = None


class MessageBatch(Model, frozen=True, kw_only=True):
    """All results of a batch, in order."""

    accepted: int
    refused: int
    results: tuple[BatchResult, ...]


class MediaUpload(Model, frozen=True, kw_only=True):
    """Where to PUT the file: once, before `expires_at`, at most `max_byte_size` bytes."""

    media_id: str
    upload_url: str
    expires_at: datetime
    max_byte_size: int


MessageDraft = TypedDict(
    "MessageDraft",
    {
        "from": str,
        "to": str,
        "text": NotRequired[str | None],
        "media": NotRequired[Sequence[str] | None],
        "smart_encoding": NotRequired[bool | None],
        "priority": NotRequired[Priority | PriorityWord | None],
        "tag": NotRequired[str | None],
        "scheduled_at": NotRequired[datetime | None],
        "validity_s": NotRequired[int | None],
        "metadata": NotRequired[Mapping[str, str] | None],
    },
)
"""One message to one recipient. Accepted means stored and queued, not delivered.

    `text` is required unless there is `media`. `scheduled_at` lies one minute to thirty days ahead. A message that the
    carrier has not accepted `validity_s` seconds after it was due fails as expired. Null means unset, as in resources.
    """


class MessageTransition(Model, frozen=True, kw_only=True):
    """One status of a message and its cause. `code` and `text` are the carrier's own, if it sent any."""

    status: str
    cause: str
    at: datetime
    code: str | None = None
    text: str | None = None
