"""What the `data` of every event is: the resource as it was at that moment, in the shape that its room prints."""

from collections.abc import Mapping

from agentmessage.billing.payments.schemas import AutoTopupResource, SubscriptionResource
from agentmessage.billing.schemas import WalletLevel
from agentmessage.brands.schemas import BrandResource
from agentmessage.campaigns.schemas import CampaignResource
from agentmessage.consent.schemas import ConsentResource
from agentmessage.inbound.schemas import InboundOut
from agentmessage.keys.schemas import ApiKeyResource
from agentmessage.lookups.schemas import LookupResource
from agentmessage.messages.schemas import MessageOut
from agentmessage.numbers.orders.schemas import BulkOrderOut, OrderFailedOut
from agentmessage.numbers.schemas import PhoneNumberOut
from agentmessage.optin.schemas import ChallengeResource
from agentmessage.organizations.schemas import OrganizationResource
from agentmessage.outbox.event_types import EventType
from agentmessage.web.types import Resource
from agentmessage.webhooks.schemas import ReceiverDisabled

BY_FAMILY: Mapping[str, type[Resource]] = {
    "phone_number": PhoneNumberOut,
    "brand": BrandResource,
    "campaign": CampaignResource,
    "api_key": ApiKeyResource,
    "wallet": WalletLevel,
    "subscription": SubscriptionResource,
    "organization": OrganizationResource,
    "message": MessageOut,
    "inbound_message": InboundOut,
    "contact": ConsentResource,
    "consent_pending": ChallengeResource,
    "lookup": LookupResource,
    "webhook_endpoint": ReceiverDisabled,
}
UNLIKE_THEIR_FAMILY: Mapping[EventType, type[Resource]] = {
    EventType.PHONE_NUMBER_BULK_ORDER_COMPLETED: BulkOrderOut,
    EventType.PHONE_NUMBER_ORDER_FAILED: OrderFailedOut,
    EventType.WALLET_AUTO_TOPUP_FAILED: AutoTopupResource,
    EventType.WALLET_AUTO_TOPUP_DISABLED: AutoTopupResource,
}

BODIES: Mapping[EventType, type[Resource]] = {
    kind: UNLIKE_THEIR_FAMILY.get(kind) or BY_FAMILY[kind.family] for kind in EventType
}
"""Read by the generated reference and by the tests, which hold what was really emitted to it."""
