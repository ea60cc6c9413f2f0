"""The carrier's routes for subscriptions to notifications of orders."""

from agentmessage.simulator.bandwidth.errors import OrderError
from agentmessage.simulator.bandwidth.xml import escape, optional, read, status_response, text_of
from agentmessage.simulator.core.entities import OrderSubscription
from agentmessage.simulator.core.http_types import HttpResponse, xml_response
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, VendorRoute
from agentmessage.simulator.core.shared_state import SharedState

_RESPONSE_ROOT = "SubscriptionsResponse"
_ORDER_TYPES = frozenset({"tnoptions", "orders", "disconnects"})
_INVALID: OrderError = ("16003", "The subscription needs a known order type, a URL and an expiry.")
_DUPLICATE: OrderError = ("16008", "Duplicate subscription already exists")
_MISSING: OrderError = ("16001", "The subscription does not exist")


class SubscriptionRoutes:
    """HTTP for subscriptions."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    def routes(self) -> list[VendorRoute]:
        """Every operation on subscriptions."""
        base = "/api/accounts/*/subscriptions"
        return [
            VendorRoute("POST", base, "subscriptions.create", self.create),
            VendorRoute("GET", base, "subscriptions.list", self.list_),
            VendorRoute("GET", f"{base}/*", "subscriptions.get", self.get),
            VendorRoute("DELETE", f"{base}/*", "subscriptions.delete", self.delete),
        ]

    def create(self, call: ApiCall) -> HttpResponse:
        """Subscribe to one order type."""
        document = read(call.request.body, "Subscription", _RESPONSE_ROOT)
        order_type = text_of(document, "OrderType")
        url = text_of(document, "CallbackSubscription/URL").strip('"')
        expiry = text_of(document, "CallbackSubscription/Expiry")
        if order_type not in _ORDER_TYPES or not url.startswith(("http://", "https://")) or not expiry.isdigit():
            raise RequestRejected(status_response(400, _RESPONSE_ROOT, _INVALID))
        account = call.account
        if any(
            existing.order_type == order_type and existing.url == url for existing in account.subscriptions.values()
        ):
            raise RequestRejected(status_response(409, _RESPONSE_ROOT, _DUPLICATE))
        credentials = "CallbackSubscription/CallbackCredentials/BasicAuthentication"
        subscription = OrderSubscription(
            self._shared.random.uuid("subscription", account.id, account.count("subscription")),
            order_type,
            url,
            text_of(document, f"{credentials}/Username"),
            text_of(document, f"{credentials}/Password"),
            int(expiry),
            call.at,
        )
        account.subscriptions[subscription.id] = subscription
        self._shared.mark_changed(account, subscription)
        return HttpResponse(201, {"location": f"http://simulator{call.request.path}/{subscription.id}"})

    def list_(self, call: ApiCall) -> HttpResponse:
        """Every subscription; passwords are not shown."""
        rows = "".join(map(_render, call.account.subscriptions.values()))
        return xml_response(200, f"<{_RESPONSE_ROOT}><Subscriptions>{rows}</Subscriptions></{_RESPONSE_ROOT}>")

    def get(self, call: ApiCall) -> HttpResponse:
        """One subscription."""
        subscription = self._find(call)
        return xml_response(
            200, f"<{_RESPONSE_ROOT}><Subscriptions>{_render(subscription)}</Subscriptions></{_RESPONSE_ROOT}>"
        )

    def delete(self, call: ApiCall) -> HttpResponse:
        """End a subscription."""
        subscription = self._find(call)
        del call.account.subscriptions[subscription.id]
        self._shared.mark_deleted(call.account, "subscription", subscription.id)
        return HttpResponse(200)

    def _find(self, call: ApiCall) -> OrderSubscription:
        subscription = call.account.subscriptions.get(call.tail[1])
        if subscription is None:
            raise RequestRejected(status_response(404, _RESPONSE_ROOT, _MISSING))
        return subscription


def _render(subscription: OrderSubscription) -> str:
    credentials = (
        f"<CallbackCredentials><BasicAuthentication><Username>{escape(subscription.username)}</Username>"
        "</BasicAuthentication></CallbackCredentials>"
        if subscription.username
        else ""
    )
    return (
        f"<Subscription><SubscriptionId>{subscription.id}</SubscriptionId>"
        f"<OrderType>{subscription.order_type}</OrderType><CallbackSubscription><URL>{escape(subscription.url)}</URL>"
        f"<Expiry>{subscription.expiry_s}</Expiry>{optional('Status', subscription.status)}{credentials}"
        "</CallbackSubscription></Subscription>"
    )
