"""Every family of operations as an attribute of the client. Generated from the contract by `tools/make_sdk.py`."""

from agentmessage.sdk.sync.resources.api_keys import ApiKeysOperations
from agentmessage.sdk.sync.resources.audit_log import AuditLogOperations
from agentmessage.sdk.sync.resources.billing import BillingOperations
from agentmessage.sdk.sync.resources.brands import BrandsOperations
from agentmessage.sdk.sync.resources.campaigns import CampaignsOperations
from agentmessage.sdk.sync.resources.consent import ConsentOperations
from agentmessage.sdk.sync.resources.contacts import ContactsOperations
from agentmessage.sdk.sync.resources.conversations import ConversationsOperations
from agentmessage.sdk.sync.resources.events import EventsOperations
from agentmessage.sdk.sync.resources.guardrails import GuardrailsOperations
from agentmessage.sdk.sync.resources.inbound_messages import InboundMessagesOperations
from agentmessage.sdk.sync.resources.lookups import LookupsOperations
from agentmessage.sdk.sync.resources.messages import MessagesOperations
from agentmessage.sdk.sync.resources.metrics import MetricsOperations
from agentmessage.sdk.sync.resources.organization import OrganizationOperations
from agentmessage.sdk.sync.resources.phone_numbers import PhoneNumbersOperations
from agentmessage.sdk.sync.resources.webhooks import WebhooksOperations
from agentmessage.sdk.sync.transport import Transport


class ResourceGroups:
    """What a client can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.api_keys = ApiKeysOperations(transport)
        self.audit_log = AuditLogOperations(transport)
        self.billing = BillingOperations(transport)
        self.brands = BrandsOperations(transport)
        self.campaigns = CampaignsOperations(transport)
        self.consent = ConsentOperations(transport)
        self.contacts = ContactsOperations(transport)
        self.conversations = ConversationsOperations(transport)
        self.events = EventsOperations(transport)
        self.guardrails = GuardrailsOperations(transport)
        self.inbound_messages = InboundMessagesOperations(transport)
        self.lookups = LookupsOperations(transport)
        self.messages = MessagesOperations(transport)
        self.metrics = MetricsOperations(transport)
        self.organization = OrganizationOperations(transport)
        self.phone_numbers = PhoneNumbersOperations(transport)
        self.webhooks = WebhooksOperations(transport)
