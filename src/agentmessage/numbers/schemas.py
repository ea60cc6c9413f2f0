"""The wire of phone numbers: requests, the resource, and what support asks for first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.numbers.model import LineOptionStatus, NumberType
from agentmessage.web.paging import OffsetQuery
from agentmessage.web.receiver_urls import ClearableReceiverUrl
from agentmessage.web.wire import STORABLE, Label, Request, Resource, must


class PhoneNumberOut(Resource, frozen=True):
    """A phone number that the organization holds.

    `carrier_line_option_status`: null (no campaign wanted, none at the carrier), `pending` (carrier and wish differ, in
    either direction), `propagated` (the carrier has what is wanted), `failed` (blocked; see its carrier-line-option).
    """

    id: UUID
    number: str
    number_type: NumberType
    inbound_url: str | None
    status_url: str | None
    label: str | None
    campaign_id: UUID | None
    carrier_line_option_status: LineOptionStatus | None
    carrier_line_option_propagated_at: datetime | None
    sms_enabled: bool
    mms_enabled: bool
    created_at: datetime
    updated_at: datetime


class NumberList(OffsetQuery, frozen=True):
    """Which numbers to list."""

    number_type: NumberType | None = None
    campaign_id: UUID | None = None
    search: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=100,
                pattern=STORABLE,
                description="Part of the number or of the label.",
                extra=must("must be 1..100 characters"),
            ),
        ]
        | None
    ) = None


class NumberPatch(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change. Left out or null: unchanged. Empty text: cleared, but for `campaign_id` (use detach)."""

    inbound_url: ClearableReceiverUrl | UnsetType | None = UNSET
    status_url: ClearableReceiverUrl | UnsetType | None = UNSET
    label: Label | UnsetType | None = UNSET
    campaign_id: UUID | UnsetType | None = UNSET


class CampaignAttach(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The campaign that the number is to be on."""

    campaign_id: UUID


class LineTransition(Resource, frozen=True):
    """One step of the carrier side, newest first."""

    occurred_at: datetime
    phase: str
    generation: int
    note: str


class LineError(Resource, frozen=True):
    """Why the last attempt did not go through: its class, the carrier's own code and words, and what to do."""

    trouble: str
    carrier_code: str | None
    text: str | None
    fix: str


class LineOptionOut(Resource, frozen=True):
    """What is wanted at the carrier, what was seen there, and what happens next.

    `desired_*` are the wish; `observed_*` the last believable read. Campaigns are named by their id and by the
    registry's. `phase` is the reconciler's own state; `can_send` with its reason is the short answer.
    """

    phone_number_id: UUID
    number: str
    status: LineOptionStatus | None
    phase: str
    generation: int
    applied_generation: int
    desired_campaign_id: UUID | None
    desired_tcr_campaign_id: str | None
    observed_state: str
    observed_tcr_campaign_id: str | None
    observed_at: datetime | None
    operators: Mapping[str, str]
    attempts: int
    next_attempt_at: datetime | None
    last_error: LineError | None
    carrier_order_id: str | None
    can_send: bool
    reason: str
    transitions: Sequence[LineTransition]


class CampaignNumberList(OffsetQuery, frozen=True):
    """Which of a campaign's numbers to list."""
