"""The table of everything that is served: routes of all rooms, and how waiting routes tell their answer again."""

from collections.abc import Sequence

from agentmessage.billing.payments.routes import RESUMES as TOPUP_RESUMES
from agentmessage.billing.payments.routes import routes as topup_routes
from agentmessage.billing.routes import routes as billing_routes
from agentmessage.brands.routes import routes as brand_routes
from agentmessage.campaigns.routes import RESUMES as CAMPAIGN_RESUMES
from agentmessage.campaigns.routes import routes as campaign_routes
from agentmessage.compliance.routes import routes as law_routes
from agentmessage.consent.routes import routes as consent_routes
from agentmessage.contacts.routes import routes as contact_routes
from agentmessage.conversations.routes import routes as conversation_routes
from agentmessage.events.routes import routes as event_routes
from agentmessage.guardrails.routes import routes as guardrail_routes
from agentmessage.inbound.routes import routes as inbound_routes
from agentmessage.keys.routes import routes as key_routes
from agentmessage.lookups.routes import RESUMES as LOOKUP_RESUMES
from agentmessage.lookups.routes import routes as lookup_routes
from agentmessage.media.routes import routes as media_routes
from agentmessage.messages.routes import routes as message_routes
from agentmessage.metrics.routes import routes as metric_routes
from agentmessage.numbers.orders.routes import RESUMES as NUMBER_RESUMES
from agentmessage.numbers.orders.routes import routes as number_order_routes
from agentmessage.numbers.routes import routes as number_routes
from agentmessage.optin.routes import routes as optin_routes
from agentmessage.organizations.routes import routes as organization_routes
from agentmessage.web import asgi
from agentmessage.web.route import Route
from agentmessage.webhooks.delivery_routes import routes as webhook_delivery_routes
from agentmessage.webhooks.routes import RESUMES as WEBHOOK_RESUMES
from agentmessage.webhooks.routes import routes as webhook_routes

asgi.RESUMES.update({**NUMBER_RESUMES, **CAMPAIGN_RESUMES, **LOOKUP_RESUMES, **WEBHOOK_RESUMES, **TOPUP_RESUMES})


def all_routes() -> Sequence[Route]:
    """Every operation of the API, in the order of the reference."""
    rooms = (
        number_order_routes,
        number_routes,
        brand_routes,
        campaign_routes,
        consent_routes,
        optin_routes,
        guardrail_routes,
        message_routes,
        media_routes,
        inbound_routes,
        conversation_routes,
        law_routes,
        lookup_routes,
        contact_routes,
        webhook_routes,
        webhook_delivery_routes,
        key_routes,
        topup_routes,
        billing_routes,
        organization_routes,
        event_routes,
        metric_routes,
    )
    return [route for room in rooms for route in room.declared]
