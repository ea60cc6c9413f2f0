"""Values of `inbound_messages`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import Channel
from agentmessage.sdk.open_enum import OpenEnum


class OptOutMethod(OpenEnum):
    """How a contact said stop: by a word of the list, or by a phrase."""

    KEYWORD = "keyword"
    NATURAL_LANGUAGE = "natural_language"


class Opt(Model, frozen=True, kw_only=True):
    """Whether the text asked to stop, in which word or phrase of the published list, and by which of the two."""

    detected: bool
    keyword: str | None = None
    method: OptOutMethod | None = None


class InboundMessage(Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A text that came in. `body` null: media only, or redacted; `redacted_at` says when.

    `segment_count` is what it was charged as. `bandwidth_message_id` and `bandwidth_received_at` are aliases of
    `carrier_message_id` and `carrier_received_at`, whatever the carrier.
    """

    id: str
    org_id: str
    phone_number_id: str
    from_: str
    to: str
    body: str | None = None
    channel: Channel
    media_urls: tuple[str, ...]
    segment_count: int
    opt_out: Opt
    carrier_message_id: str
    bandwidth_message_id: str
    carrier_received_at: datetime | None = None
    bandwidth_received_at: datetime | None = None
    received_at: datetime
    redacted_at: datetime | None = None
