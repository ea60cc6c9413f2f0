"""The carrier's routes for subscriptions: where it sends its notifications."""

from agentmessage.simulator.bandwidth.errors import Refusal
from agentmessage.simulator.bandwidth.xml import escape, optional, read, status_reply, text_of
from agentmessage.simulator.core.entities import Subscription
from agentmessage.simulator.core.http_types import Reply, xml_reply
from agentmessage.simulator.core.routing import Call, Refused, Route
from agentmessage.simulator.core.shared_state import Realm

_ANSWER = "SubscriptionsResponse"
_ORDER_TYPES = frozenset({"tnoptions", "orders", "disconnects"})
_INVALID: Refusal = ("16003", "The subscription needs an order type that is known, a URL and an expiry.")
_DUPLICATE: Refusal = ("16008", "Duplicate subscription already exists")
_MISSING: Refusal = ("16001", "The subscription does not exist")


class SubscriptionRoutes:
    """Keeps subscriptions."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def routes(self) -> list[Route]:
        """Every operation on subscriptions."""
        base = "/api/accounts/*/subscriptions"
        return [
            Route("POST", base, "subscriptions.create", self.create),
            Route("GET", base, "subscriptions.list", self.list_),
            Route("GET", f"{base}/*", "subscriptions.get", self.get),
            Route("DELETE", f"{base}/*", "subscriptions.delete", self.delete),
        ]

    def create(self, call: Call) -> Reply:
        """Subscribe to one order type."""
        document = read(call.request.body, "Subscription", _ANSWER)
        order_type = text_of(document, "OrderType")
        url = text_of(document, "CallbackSubscription/URL").strip('"')
        expiry = text_of(document, "CallbackSubscription/Expiry")
        if order_type not in _ORDER_TYPES or not url.startswith(("http://", "https://")) or not expiry.isdigit():
            raise Refused(status_reply(400, _ANSWER, _INVALID))
        account = call.account
        if any(known.order_type == order_type and known.url == url for known in account.subscriptions.values()):
            raise Refused(status_reply(409, _ANSWER, _DUPLICATE))
        credentials = "CallbackSubscription/CallbackCredentials/BasicAuthentication"
        subscription = Subscription(
            self._realm.dice.uuid("subscription", account.id, account.count("subscription")),
            order_type,
            url,
            text_of(document, f"{credentials}/Username"),
            text_of(document, f"{credentials}/Password"),
            int(expiry),
            call.at,
        )
        account.subscriptions[subscription.id] = subscription
        self._realm.touch(account, subscription)
        return Reply(201, {"location": f"http://simulator{call.request.path}/{subscription.id}"})

    def list_(self, call: Call) -> Reply:
        """Every subscription; passwords are not shown."""
        rows = "".join(map(_render, call.account.subscriptions.values()))
        return xml_reply(200, f"<{_ANSWER}><Subscriptions>{rows}</Subscriptions></{_ANSWER}>")

    def get(self, call: Call) -> Reply:
        """One subscription."""
        subscription = self._find(call)
        return xml_reply(200, f"<{_ANSWER}><Subscriptions>{_render(subscription)}</Subscriptions></{_ANSWER}>")

    def delete(self, call: Call) -> Reply:
        """End a subscription."""
        subscription = self._find(call)
        del call.account.subscriptions[subscription.id]
        self._realm.forget(call.account, "subscription", subscription.id)
        return Reply(200)

    def _find(self, call: Call) -> Subscription:
        subscription = call.account.subscriptions.get(call.tail[1])
        if subscription is None:
            raise Refused(status_reply(404, _ANSWER, _MISSING))
        return subscription


def _render(subscription: Subscription) -> str:
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
