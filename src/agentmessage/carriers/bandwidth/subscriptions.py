"""Telling Bandwidth where to call us back (contract, section 6)."""

from xml.etree.ElementTree import Element

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.callbacks import KINDS
from agentmessage.carriers.bandwidth.client import BandwidthClient
from agentmessage.carriers.bandwidth.codes import Operation
from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import Accepted, Answer, Refused

FOREVER_S = 3_122_064_000
"""99 years, the vendor's own example of a subscription that lasts."""

ALREADY_THERE = "16008"


class BandwidthSubscriptions:
    """CallbackSubscriber: one subscription for each order type that we listen to."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self._account = account
        self._client = BandwidthClient(account, transport)

    async def subscribe(self, url: str) -> Answer[None]:
        """Make the subscriptions that are missing; the credentials of existing ones are left as they are."""
        present = await self._client.get_xml("/subscriptions", _read_present, operation=Operation.SUBSCRIBE)
        if not isinstance(present, Accepted):
            return present
        for order_type in KINDS:
            if (order_type, url) in present.value:
                continue
            answer = await self._client.post_xml(
                "/subscriptions", self._document(order_type, url), _ignore, operation=Operation.SUBSCRIBE
            )
            if isinstance(answer, Accepted) or (isinstance(answer, Refused) and answer.code == ALREADY_THERE):
                continue
            return answer
        return Accepted(None)

    def _document(self, order_type: str, url: str) -> Element:
        root = Element("Subscription")
        xml.add(root, "OrderType", order_type)
        callback = xml.add(root, "CallbackSubscription")
        xml.add(callback, "URL", url)
        xml.add(callback, "Expiry", str(FOREVER_S))
        credentials = xml.add(xml.add(callback, "CallbackCredentials"), "BasicAuthentication")
        xml.add(credentials, "Username", self._account.callback_username)
        xml.add(credentials, "Password", self._account.callback_password)
        return root


def _read_present(root: Element) -> frozenset[tuple[str, str]]:
    """Order type and address of every callback subscription; addresses may come in quotes (vendor's example)."""
    if root.tag not in ("SubscriptionsResponse", "Empty"):
        raise Misunderstood("no SubscriptionsResponse")
    return frozenset(
        (xml.text_at(item, "OrderType"), xml.text_at(item, "CallbackSubscription/URL").strip('"'))
        for item in root.iter("Subscription")
    )


def _ignore(_root: Element) -> None:
    """The answer is a status and a Location; there is nothing in it that we need."""
