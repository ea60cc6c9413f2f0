"""Every family of operations as an attribute of the client. Generated from the contract by `tools/make_sdk.py`."""

from agentmessage.sdk.aio.resources.api_keys import AsyncApiKeysOperations
from agentmessage.sdk.aio.resources.audit_log import AsyncAuditLogOperations
from agentmessage.sdk.aio.resources.billing import AsyncBillingOperations
from agentmessage.sdk.aio.resources.brands import AsyncBrandsOperations
from agentmessage.sdk.aio.resources.campaigns import AsyncCampaignsOperations
from agentmessage.sdk.aio.resources.consent import AsyncConsentOperations
from agentmessage.sdk.aio.resources.contacts import AsyncContactsOperations
from agentmessage.sdk.aio.resources.conversations import AsyncConversationsOperations
from agentmessage.sdk.aio.resources.events import AsyncEventsOperations
from agentmessage.sdk.aio.resources.guardrails import AsyncGuardrailsOperations
from agentmessage.sdk.aio.resources.inbound_messages import AsyncInboundMessagesOperations
from agentmessage.sdk.aio.resources.lookups import AsyncLookupsOperations
from agentmessage.sdk.aio.resources.messages import AsyncMessagesOperations
from agentmessage.sdk.aio.resources.metrics import AsyncMetricsOperations
from agentmessage.sdk.aio.resources.organization import AsyncOrganizationOperations
from agentmessage.sdk.aio.resources.phone_numbers import AsyncPhoneNumbersOperations
from agentmessage.sdk.aio.resources.webhooks import AsyncWebhooksOperations
from agentmessage.sdk.aio.transport import AsyncTransport


class AsyncResourceGroups:
    """What a client can do."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self.api_keys = AsyncApiKeysOperations(transport)
        self.audit_log = AsyncAuditLogOperations(transport)
        self.billing = AsyncBillingOperations(transport)
        self.brands = AsyncBrandsOperations(transport)
        self.campaigns = AsyncCampaignsOperations(transport)
        self.consent = AsyncConsentOperations(transport)
        self.contacts = AsyncContactsOperations(transport)
        self.conversations = AsyncConversationsOperations(transport)
        self.events = AsyncEventsOperations(transport)
        self.guardrails = AsyncGuardrailsOperations(transport)
        self.inbound_messages = AsyncInboundMessagesOperations(transport)
        self.lookups = AsyncLookupsOperations(transport)
        self.messages = AsyncMessagesOperations(transport)
        self.metrics = AsyncMetricsOperations(transport)
        self.organization = AsyncOrganizationOperations(transport)
        self.phone_numbers = AsyncPhoneNumbersOperations(transport)
        self.webhooks = AsyncWebhooksOperations(transport)
