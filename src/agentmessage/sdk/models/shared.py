"""Values that several families share. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class Channel(OpenEnum):
    """With media or without."""

    SMS = "sms"
    MMS = "mms"


ChannelWord = Literal["sms", "mms"]


class Encoding(OpenEnum):
    """Which characters a text needs; the coding of its price, stored and shown by these words."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class EventType(OpenEnum):
    """An event of one resource. The part before the first dot is its family."""

    PHONE_NUMBER_ORDERED = "phone_number.ordered"
    PHONE_NUMBER_UPDATED = "phone_number.updated"
    PHONE_NUMBER_RELEASED = "phone_number.released"
    PHONE_NUMBER_ORDER_FAILED = "phone_number.order.failed"
    PHONE_NUMBER_BULK_ORDER_COMPLETED = "phone_number.bulk_order.completed"
    PHONE_NUMBER_CAMPAIGN_ATTACHED = "phone_number.campaign.attached"
    PHONE_NUMBER_CAMPAIGN_DETACHED = "phone_number.campaign.detached"
    PHONE_NUMBER_CAMPAIGN_ASSIGNED = "phone_number.campaign.assigned"
    PHONE_NUMBER_CAMPAIGN_UNASSIGNED = "phone_number.campaign.unassigned"
    PHONE_NUMBER_CAMPAIGN_FAILED = "phone_number.campaign.failed"
    BRAND_CREATED = "brand.created"
    BRAND_UPDATED = "brand.updated"
    BRAND_DELETED = "brand.deleted"
    BRAND_VETTED = "brand.vetted"
    BRAND_VETTING_FAILED = "brand.vetting_failed"
    CAMPAIGN_CREATED = "campaign.created"
    CAMPAIGN_SHARED = "campaign.shared"
    CAMPAIGN_APPROVED = "campaign.approved"
    CAMPAIGN_REJECTED = "campaign.rejected"
    CAMPAIGN_SUSPENDED = "campaign.suspended"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_EXPIRED = "campaign.expired"
    API_KEY_CREATED = "api_key.created"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    LOOKUP_COMPLETED = "lookup.completed"
    WALLET_BALANCE_LOW = "wallet.balance_low"
    WALLET_BALANCE_ZERO = "wallet.balance_zero"
    WALLET_AUTO_TOPUP_FAILED = "wallet.auto_topup.failed"
    WALLET_AUTO_TOPUP_DISABLED = "wallet.auto_topup.disabled"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    ORGANIZATION_UPDATED = "organization.updated"
    MESSAGE_SENT = "message.sent"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_UNDELIVERED = "message.undelivered"
    MESSAGE_CANCELED = "message.canceled"
    INBOUND_MESSAGE_RECEIVED = "inbound_message.received"
    CONTACT_OPTED_IN = "contact.opted_in"
    CONTACT_OPTED_OUT = "contact.opted_out"
    CONSENT_PENDING_CONFIRMED = "consent_pending.confirmed"
    CONSENT_PENDING_EXPIRED = "consent_pending.expired"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint.disabled"


EventTypeWord = Literal[
    "phone_number.ordered",
    "phone_number.updated",
    "phone_number.released",
    "phone_number.order.failed",
    "phone_number.bulk_order.completed",
    "phone_number.campaign.attached",
    "phone_number.campaign.detached",
    "phone_number.campaign.assigned",
    "phone_number.campaign.unassigned",
    "phone_number.campaign.failed",
    "brand.created",
    "brand.updated",
    "brand.deleted",
    "brand.vetted",
    "brand.vetting_failed",
    "campaign.created",
    "campaign.shared",
    "campaign.approved",
    "campaign.rejected",
    "campaign.suspended",
    "campaign.resumed",
    "campaign.expired",
    "api_key.created",
    "api_key.rotated",
    "api_key.revoked",
    "lookup.completed",
    "wallet.balance_low",
    "wallet.balance_zero",
    "wallet.auto_topup.failed",
    "wallet.auto_topup.disabled",
    "subscription.past_due",
    "subscription.canceled",
    "organization.updated",
    "message.sent",
    "message.delivered",
    "message.failed",
    "message.undelivered",
    "message.canceled",
    "inbound_message.received",
    "contact.opted_in",
    "contact.opted_out",
    "consent_pending.confirmed",
    "consent_pending.expired",
    "webhook_endpoint.disabled",
]


class LineOptionStatus(OpenEnum):
    """What the customer sees of the carrier side; null when no campaign is wanted and none is there."""

    PENDING = "pending"
    PROPAGATED = "propagated"
    FAILED = "failed"


class NumberType(OpenEnum):
    """What kind of number it is."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"


NumberTypeWord = Literal["local", "toll_free", "short_code"]


class OptOutScope(OpenEnum):
    """How far a contact's STOP reaches, from the number that it was sent to."""

    NUMBER = "number"
    CAMPAIGN = "campaign"
    BRAND = "brand"
    ORGANIZATION = "organization"


OptOutScopeWord = Literal["number", "campaign", "brand", "organization"]


class Priority(OpenEnum):
    """Rank in the queue. Every priority has the same compliance checks."""

    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"


PriorityWord = Literal["high", "default", "low"]


class QuietHoursMode(OpenEnum):
    """What happens to a text inside quiet hours: refused, or accepted and sent at their end."""

    REJECT = "reject"
    DEFER = "defer"


QuietHoursModeWord = Literal["reject", "defer"]


class PhoneNumber(Model, frozen=True, kw_only=True):
    """A phone number that the organization holds.

    `carrier_line_option_status`: null (no campaign wanted, none at the carrier), `pending` (carrier and wish differ, in
    either direction), `propagated` (the carrier has what is wanted), `failed` (blocked; see its carrier-line-option).
    """

    id: str
    number: str
    number_type: NumberType
    inbound_url: str | None = None
    status_url: str | None = None
    label: str | None = None
    campaign_id: str | None = None
    carrier_line_option_status: LineOptionStatus | None = None
    carrier_line_option_propagated_at: datetime | None = None
    sms_enabled: bool
    mms_enabled: bool
    created_at: datetime
    updated_at: datetime
