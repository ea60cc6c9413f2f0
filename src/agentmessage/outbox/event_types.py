"""Every event type, the family it belongs to, and what its `data` is."""

from enum import StrEnum


class EventType(StrEnum):
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

    @property
    def family(self) -> str:
        """The kind of resource that the event is about."""
        return self.value.partition(".")[0]


EVENT_JOBS: dict[EventType, tuple[str, ...]] = {
    EventType.CAMPAIGN_APPROVED: ("numbers.campaign_changed",),
    EventType.CAMPAIGN_REJECTED: ("numbers.campaign_changed",),  # an operator may reject what it had approved
    EventType.CAMPAIGN_SUSPENDED: ("numbers.campaign_changed",),
    EventType.CAMPAIGN_RESUMED: ("numbers.campaign_changed",),
    EventType.CAMPAIGN_EXPIRED: ("numbers.campaign_changed",),
    EventType.CONTACT_OPTED_OUT: ("messages.cancel_opted_out",),
    EventType.PHONE_NUMBER_UPDATED: ("webhooks.reopen",),
}
"""Jobs that an event starts. Their key is the resource's id, their argument `resource_id`."""
