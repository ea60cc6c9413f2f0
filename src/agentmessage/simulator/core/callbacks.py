"""Callbacks: what the carrier and the registry tell their customer, and how the telling goes wrong."""

import base64
import hashlib
import heapq
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

import msgspec

from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.entities import FINAL, LineOrder, NumberOrder, Subscription
from agentmessage.simulator.core.faults import Strike
from agentmessage.simulator.core.http_types import OutgoingCallback
from agentmessage.simulator.core.shared_state import Realm, stamp

_GARBLE = b"\x00<<not a notification>>"
_canonical = msgspec.json.Encoder(order="sorted")


def notify_order(realm: Realm, account: Account, order: LineOrder | NumberOrder, *, at: float) -> None:
    """Tell every subscriber of the order's type that it moved; purchases and disconnections only when final."""
    kind = "tnoptions" if isinstance(order, LineOrder) else order.kind
    if kind != "tnoptions" and order.state not in FINAL:
        return
    for subscription in account.subscriptions.values():
        if subscription.order_type == kind:
            body = _notification(order, kind, subscription, at)
            headers = {"content-type": "application/xml; charset=utf-8", **_basic(subscription)}
            forged = {**headers, "authorization": "Basic Zm9yZ2VkOmZvcmdlZA=="}
            _send(realm, account, _Letter(f"carrier.{kind}", subscription.url, headers, forged, body), at=at)


def notify_registry(realm: Realm, account: Account, category: str, event: Mapping[str, object], *, at: float) -> None:
    """Tell the registry's customer about a brand or a campaign."""
    webhook = account.webhooks.get(category)
    if webhook is None:
        return
    # Flat objects of ASCII keys, strings, integers and booleans: sorted compact JSON is their RFC 8785 form.
    body = _canonical.encode(event)
    headers = {
        "content-type": "application/json; utf-8",
        "x-registry-signature": sign(realm.registry_secret, webhook.url, body),
    }
    forged = {**headers, "x-registry-signature": sign("forged", webhook.url, body)}
    _send(realm, account, _Letter(f"registry.{category}", webhook.url, headers, forged, body), at=at)


def sign(secret: str, url: str, canonical_body: bytes) -> str:
    """The registry's signature: base64 of HMAC-SHA1 over address and body (docs/carriers/tcr.md, section 4)."""
    return base64.b64encode(hmac.new(secret.encode(), url.encode() + canonical_body, hashlib.sha1).digest()).decode()


def pop_due(realm: Realm, until: float) -> list[OutgoingCallback]:
    """Take out the callbacks that are due, earliest first."""
    due: list[OutgoingCallback] = []
    while realm.callbacks and realm.callbacks[0][0] <= until:
        due.append(heapq.heappop(realm.callbacks)[2])
    return due


def _basic(subscription: Subscription) -> dict[str, str]:
    if not subscription.username:
        return {}
    token = base64.b64encode(f"{subscription.username}:{subscription.password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


def _notification(order: LineOrder | NumberOrder, kind: str, subscription: Subscription, at: float) -> bytes:
    key = f"<CustomerOrderId>{escape(order.key)}</CustomerOrderId>" if order.key else ""
    done = ""
    if isinstance(order, NumberOrder):
        numbers = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in order.done)
        done = f"<CompletedTelephoneNumbers>{numbers}</CompletedTelephoneNumbers>"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Notification>'
        f"<SubscriptionId>{subscription.id}</SubscriptionId><OrderType>{kind}</OrderType>"
        f"<OrderId>{order.id}</OrderId>{key}<Status>{order.state.value}</Status>"
        f"<Message>Order is {order.state.value.lower()}.</Message>{done}"
        f"<LastModifiedDate>{stamp(at)}</LastModifiedDate></Notification>"
    ).encode()


class _Letter(NamedTuple):
    """A callback before chance has had its say: `forged` are the headers of somebody who does not know the secret."""

    operation: str
    url: str
    headers: Mapping[str, str]
    forged: Mapping[str, str]
    body: bytes


def _send(realm: Realm, account: Account, letter: _Letter, *, at: float) -> None:
    def strikes(fault: str) -> Strike | None:
        return realm.faults.strikes(fault, operation=letter.operation, account=account.id)

    serial = realm.count_callback()
    due = at + realm.dice.within(realm.profile.callback, "callback", serial)
    if strikes("callback_lost"):
        return
    if late := strikes("callback_late"):
        due += late.seconds
    if strikes("callback_reordered"):
        due += 1.0
    body = _GARBLE if strikes("callback_garbled") else letter.body
    if strikes("callback_forged"):
        _queue(realm, due, OutgoingCallback(letter.url, "POST", letter.forged, body, datetime.fromtimestamp(due, UTC)))
    callback = OutgoingCallback(letter.url, "POST", letter.headers, body, datetime.fromtimestamp(due, UTC))
    for _ in range(3 if strikes("callback_duplicated") else 1):
        _queue(realm, due, callback)


def _queue(realm: Realm, due: float, callback: OutgoingCallback) -> None:
    heapq.heappush(realm.callbacks, (due, realm.next_serial(), callback))
