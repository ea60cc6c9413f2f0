"""The table of everything that is served: the routes of each room, and what its handlers need besides the database."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from agentmessage.app.providers.carriers import CarrierSet
from agentmessage.billing import routes as billing
from agentmessage.billing.payments import routes as topups
from agentmessage.billing.payments.provider import PaymentProvider
from agentmessage.brands import routes as brands
from agentmessage.campaigns import routes as campaigns
from agentmessage.campaigns.page_checks import PageChecker
from agentmessage.compliance import routes as compliance
from agentmessage.consent import routes as consent
from agentmessage.contacts import routes as contacts
from agentmessage.conversations import routes as conversations
from agentmessage.events import routes as events
from agentmessage.events import stream
from agentmessage.events.tails import Tails
from agentmessage.guardrails import routes as guardrails
from agentmessage.inbound import long_poll
from agentmessage.inbound import routes as inbound
from agentmessage.kernel.encryption import SecretBox
from agentmessage.keys import routes as keys
from agentmessage.lookups import routes as lookups
from agentmessage.media import routes as media
from agentmessage.media.model import MediaLinks
from agentmessage.messages import routes as messages
from agentmessage.metrics import routes as metrics
from agentmessage.numbers import routes as numbers
from agentmessage.numbers.orders import routes as number_orders
from agentmessage.optin import routes as optin
from agentmessage.optin.tokens import FormSigner
from agentmessage.organizations import routes as organizations
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings
from agentmessage.sms.segments import Layouts
from agentmessage.web.authentication import Authenticator
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.route import BoundRoute, Route, Routes
from agentmessage.webhooks import delivery_routes as webhook_deliveries
from agentmessage.webhooks import routes as webhooks
from agentmessage.webhooks.test_event import RequestSender

S = TypeVar("S")


class Services(Struct, frozen=True, kw_only=True):
    """Everything that handlers of any room need besides the database; each room names its own part of it."""

    settings: Settings
    authenticator: Authenticator
    bells: Bells
    carriers: Mapping[str, CarrierSet]
    admissions: messages.AdmissionRegistry
    event_streams: OpenRequests
    form_signer: FormSigner
    is_draining: Callable[[], bool]
    layouts: Layouts
    media_links: MediaLinks
    pages: PageChecker
    payments: Mapping[str, PaymentProvider]
    public_url: str
    secret_box: SecretBox
    tails: Tails
    waits: long_poll.Waits
    webhook_sender: RequestSender


class Room(Generic[S]):
    """The routes of a room, and how its services are taken from those of the application."""

    def __init__(self, routes: Routes[S], services: Callable[[Services], S]) -> None:
        self.routes = routes
        self._services = services

    def bind(self, services: Services) -> Sequence[BoundRoute]:
        """The room's routes, ready to be served."""
        return self.routes.bind(self._services(services))


def _no_services(_: Services) -> None:
    return None


# Not annotated: as `Room[Any]` the types of a room and of its services would not be compared.
ROOMS = (
    Room(
        number_orders.routes,
        lambda app: number_orders.OrderServices(app.settings, app.carriers, app.bells, app.is_draining),
    ),
    Room(numbers.routes, lambda app: numbers.NumberServices(app.settings)),
    Room(brands.routes, lambda app: brands.BrandServices(app.secret_box)),
    Room(campaigns.routes, lambda app: campaigns.CampaignServices(app.pages)),
    Room(consent.routes, lambda app: consent.ConsentServices(app.settings)),
    Room(optin.routes, lambda app: optin.OptInServices(app.settings, app.layouts, app.form_signer, app.public_url)),
    Room(guardrails.routes, _no_services),
    Room(messages.routes, lambda app: messages.MessageServices(app.admissions, app.media_links)),
    Room(media.routes, lambda app: media.MediaServices(app.media_links, app.settings)),
    Room(inbound.routes, lambda app: long_poll.WaitServices(app.bells, app.waits, app.is_draining)),
    Room(conversations.routes, _no_services),
    Room(compliance.routes, lambda app: compliance.PreflightServices(app.settings, app.layouts, app.media_links)),
    Room(lookups.routes, lambda app: lookups.LookupServices(app.carriers)),
    Room(contacts.routes, _no_services),
    Room(webhooks.routes, lambda app: webhooks.WebhookServices(app.settings, app.secret_box, app.webhook_sender)),
    Room(webhook_deliveries.routes, _no_services),
    Room(keys.routes, lambda app: keys.KeyServices(app.authenticator)),
    Room(topups.routes, lambda app: topups.TopupServices(app.settings, app.payments)),
    Room(billing.routes, lambda app: billing.BillingServices(app.settings)),
    Room(organizations.routes, _no_services),
    Room(events.routes, lambda app: stream.StreamServices(app.event_streams, app.tails, app.authenticator)),
    Room(metrics.routes, _no_services),
)


def all_routes() -> Sequence[Route]:
    """Every operation of the API, in the order of the reference."""
    return [route for room in ROOMS for route in room.routes.declared]


def bound_routes(services: Services) -> Sequence[BoundRoute]:
    """Every operation of the API, ready to be served."""
    return [route for room in ROOMS for route in room.bind(services)]
