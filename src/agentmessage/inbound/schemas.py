"""Texts in on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agentmessage.conversations.model import Channel, OptOutMethod
from agentmessage.conversations.schemas import Contact, Flag, NumberId, Party
from agentmessage.inbound.model import Inbound
from agentmessage.web.types import CursorText, Request, Resource, Utc, error_text

WAIT_MAX_S = 60


class OptOut(Resource, frozen=True):
    """Whether the text asked to stop, in which word or phrase of the published list, and by which of the two."""

    detected: bool
    keyword: str | None
    method: OptOutMethod | None


class InboundOut(Resource, frozen=True):
    """A text that came in. `body` null: media only, or redacted; `redacted_at` says when.

    `segment_count` is what it was charged as. `bandwidth_message_id` and `bandwidth_received_at` are aliases of
    `carrier_message_id` and `carrier_received_at`, whatever the carrier.
    """

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    from_: str = msgspec.field(name="from")
    to: str
    body: str | None
    channel: Channel
    media_urls: Sequence[str]
    segment_count: int
    opt_out: OptOut
    carrier_message_id: str
    bandwidth_message_id: str
    carrier_received_at: datetime | None
    bandwidth_received_at: datetime | None
    received_at: datetime
    redacted_at: datetime | None

    @classmethod
    def of(cls, inbound: Inbound) -> "InboundOut":
        """A stored text as its owner sees it."""
        method = None if inbound.opt_out_method is None else OptOutMethod(inbound.opt_out_method)
        return cls(
            inbound.id,
            inbound.org_id,
            inbound.phone_number_id,
            inbound.sender,
            inbound.recipient,
            inbound.body,
            Channel(inbound.channel),
            inbound.media_urls,
            inbound.segment_count,
            OptOut(inbound.opt_out_detected, inbound.opt_out_keyword, method),
            inbound.carrier_message_id,
            inbound.carrier_message_id,
            inbound.carrier_received_at,
            inbound.carrier_received_at,
            inbound.received_at,
            inbound.redacted_at,
        )


class InboundQuery(Request, frozen=True):
    """Filters of the list; all given ones must hold."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 20
    from_: Annotated[Contact, Meta(description="The contact.")] | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Annotated[Party, Meta(description="Your number.")] | UnsetType = UNSET
    phone_number_id: NumberId | UnsetType = UNSET
    channel: Annotated[Channel, Meta(extra=error_text("must be sms or mms"))] | UnsetType = UNSET
    opt_out: Annotated[Flag, Meta(description="Whether it asked to stop.")] | UnsetType = UNSET
    since: Annotated[Utc, Meta(description="Received at or after this time.")] | UnsetType = UNSET


class WaitQuery(Request, frozen=True):
    """What to wait for."""

    from_: Annotated[Contact, Meta(description="The contact.")] | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Annotated[Party, Meta(description="Your number.")] | UnsetType = UNSET
    since: (
        Annotated[Utc, Meta(description="Only texts received after this time; left out: after the request.")]
        | UnsetType
    ) = UNSET
    timeout_s: Annotated[
        int,
        Meta(
            ge=0,
            le=WAIT_MAX_S,
            description="Seconds to wait at most; more than 50 are 50, so that a proxy in front does not give up.",
            extra=error_text(f"must be an integer, 0..{WAIT_MAX_S}"),
        ),
    ] = 30
