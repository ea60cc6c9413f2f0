"""The wire of phone numbers: requests, the resource, and what support asks for first."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.numbers.model import LineOptionStatus, NumberType
from agentmessage.web.pagination import OffsetQuery
from agentmessage.web.types import STORABLE, Label, Request, Resource, error_text
from agentmessage.web.webhook_urls import ClearableWebhookUrl


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
                extra=error_text("must be 1..100 characters"),
            ),
        ]
        | None
    ) = None


class NumberPatch(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change. Left out or null: unchanged. Empty text: cleared, but for `campaign_id` (use detach)."""

    inbound_url: ClearableWebhookUrl | UnsetType | None = UNSET
    status_url: ClearableWebhookUrl | UnsetType | None = UNSET
    label: Label | UnsetType | None = UNSET
    campaign_id: UUID | UnsetType | None = UNSET


class CampaignAttach(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The campaign that the number is to be on."""

    campaign_id: UUID


class CampaignNumberList(OffsetQuery, frozen=True):
    """Which of a campaign's numbers to list."""
