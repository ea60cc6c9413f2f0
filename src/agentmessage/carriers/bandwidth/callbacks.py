"""Order notifications (contract, section 6). The poll is the truth; these only say where to look."""

import hmac
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.http_request import Misunderstood, basic
from agentmessage.carriers.protocols import Callback, ForgedCallback, Hint, OrderHint, OrderKind, UnreadableCallback

KINDS = {
    "tnoptions": OrderKind.LINE_OPTIONS,
    "orders": OrderKind.PURCHASE,
    "disconnects": OrderKind.DISCONNECTION,
}
"""Order types that we listen to, by the vendor's word."""

MAX_BODY_BYTES = 1024 * 1024
"""Of a notification: a purchase lists every number of it."""


class BandwidthCallbacks:
    """CallbackReader of one account.

    The vendor sends its first request without credentials and repeats it only after a 401 with
    `WWW-Authenticate: Basic`: whoever receives the callback has to answer ForgedCallback like that.
    """

    def __init__(self, account: BandwidthAccount) -> None:
        self._credentials = credentials_of(basic(account.callback_username, account.callback_password))
        self.max_body_bytes = MAX_BODY_BYTES
        self.is_proven_by_headers = True

    def admit(self, headers: Mapping[str, str]) -> None:
        """See CallbackReader: the credentials are all the proof there is."""
        require_credentials(headers, self._credentials)

    def read(self, callback: Callback) -> Sequence[Hint]:
        """The order that moved; nothing, when it is of a kind that we did not ask about."""
        self.admit(callback.headers)
        try:
            return _hints(xml.parse(callback.body))
        except Misunderstood as error:
            raise UnreadableCallback(str(error)) from error


def require_credentials(headers: Mapping[str, str], expected: bytes) -> None:
    """Refuse other credentials than those agreed on. Raises ForgedCallback."""
    if not hmac.compare_digest(credentials_of(headers.get("authorization", "")), expected):
        raise ForgedCallback("wrong or missing Basic credentials")


def credentials_of(header: str) -> bytes:
    """An Authorization header as two are compared: its scheme in lower case (RFC 9110, section 11.1)."""
    scheme, _, value = header.strip().partition(" ")
    return f"{scheme.lower()} {value.strip()}".encode("utf-8", "replace")


def _hints(notification: Element) -> Sequence[Hint]:
    if notification.tag != "Notification":
        raise Misunderstood("no Notification")
    kind = KINDS.get(xml.require_text(notification, "OrderType").lower())
    if kind is None:
        return ()
    order_id = xml.require_text(notification, "OrderId")
    return (OrderHint(carrier_order_id=order_id, order_key=xml.text_at(notification, "CustomerOrderId"), kind=kind),)
