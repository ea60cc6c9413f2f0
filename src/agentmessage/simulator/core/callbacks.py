"""Callbacks of the carrier and the registry to their customer, and the faults of callbacks."""

import base64
import hashlib
import heapq
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

import msgspec

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import FINAL, CarrierNumberOrder, LineOptionOrder, OrderSubscription
from agentmessage.simulator.core.faults import FaultHit
from agentmessage.simulator.core.http_types import OutgoingCallback
from agentmessage.simulator.core.shared_state import SharedState, stamp

_GARBLE = b"\x00<<not a notification>>"
_canonical = msgspec.json.Encoder(order="sorted")


def notify_order(
    shared: SharedState, account: SimulatedAccount, order: LineOptionOrder | CarrierNumberOrder, *, at: float
) -> None:
    """Notify the subscribers of the order's type of its state; of purchases and disconnections only when final."""
    kind = "tnoptions" if isinstance(order, LineOptionOrder) else order.kind
    if kind != "tnoptions" and order.state not in FINAL:
        return
    for subscription in account.subscriptions.values():
        if subscription.order_type == kind:
            body = _notification(order, kind, subscription, at)
            headers = {"content-type": "application/xml; charset=utf-8", **_basic(subscription)}
            forged = {**headers, "authorization": "Basic Zm9yZ2VkOmZvcmdlZA=="}
            _send(shared, account, _CallbackRequest(f"carrier.{kind}", subscription.url, headers, forged, body), at=at)


def notify_registry(
    shared: SharedState, account: SimulatedAccount, category: str, event: Mapping[str, object], *, at: float
) -> None:
    """Notify the registry's customer of an event of a brand or a campaign."""
    webhook = account.webhooks.get(category)
    if webhook is None:
        return
    # Flat objects of ASCII keys, strings, integers and booleans: sorted compact JSON is their RFC 8785 form.
    body = _canonical.encode(event)
    headers = {
        "content-type": "application/json; utf-8",
        "x-registry-signature": sign(shared.registry_secret, webhook.url, body),
    }
    forged = {**headers, "x-registry-signature": sign("forged", webhook.url, body)}
    _send(shared, account, _CallbackRequest(f"registry.{category}", webhook.url, headers, forged, body), at=at)


def sign(secret: str, url: str, canonical_body: bytes) -> str:
    """The registry's signature: base64 of HMAC-SHA1 over URL and body (docs/carriers/tcr.md, section 4)."""
    return base64.b64encode(hmac.new(secret.encode(), url.encode() + canonical_body, hashlib.sha1).digest()).decode()


def pop_due(shared: SharedState, until: float) -> list[OutgoingCallback]:
    """Take out the callbacks that are due, earliest first."""
    due: list[OutgoingCallback] = []
    while shared.callbacks and shared.callbacks[0][0] <= until:
        due.append(heapq.heappop(shared.callbacks)[2])
    return due


def _basic(subscription: OrderSubscription) -> dict[str, str]:
    if not subscription.username:
        return {}
    token = base64.b64encode(f"{subscription.username}:{subscription.password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


def _notification(
    order: LineOptionOrder | CarrierNumberOrder, kind: str, subscription: OrderSubscription, at: float
) -> bytes:
    key = f"<CustomerOrderId>{escape(order.key)}</CustomerOrderId>" if order.key else ""
    done = ""
    if isinstance(order, CarrierNumberOrder):
        numbers = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in order.done)
        done = f"<CompletedTelephoneNumbers>{numbers}</CompletedTelephoneNumbers>"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Notification>'
        f"<SubscriptionId>{subscription.id}</SubscriptionId><OrderType>{kind}</OrderType>"
        f"<OrderId>{order.id}</OrderId>{key}<Status>{order.state.value}</Status>"
        f"<Message>Order is {order.state.value.lower()}.</Message>{done}"
        f"<LastModifiedDate>{stamp(at)}</LastModifiedDate></Notification>"
    ).encode()


class _CallbackRequest(NamedTuple):
    """A callback before faults are applied; `forged` are headers without the right secret."""

    operation: str
    url: str
    headers: Mapping[str, str]
    forged: Mapping[str, str]
    body: bytes


def _send(shared: SharedState, account: SimulatedAccount, request: _CallbackRequest, *, at: float) -> None:
    def hit(fault: str) -> FaultHit | None:
        return shared.faults.hit(fault, operation=request.operation, account=account.id)

    serial = shared.count_callback()
    due = at + shared.random.within(shared.profile.callback, "callback", serial)
    if hit("callback_lost"):
        return
    if late := hit("callback_late"):
        due += late.seconds
    if hit("callback_reordered"):
        due += 1.0
    body = _GARBLE if hit("callback_garbled") else request.body
    if hit("callback_forged"):
        _queue(
            shared, due, OutgoingCallback(request.url, "POST", request.forged, body, datetime.fromtimestamp(due, UTC))
        )
    callback = OutgoingCallback(request.url, "POST", request.headers, body, datetime.fromtimestamp(due, UTC))
    for _ in range(3 if hit("callback_duplicated") else 1):
        _queue(shared, due, callback)


def _queue(shared: SharedState, due: float, callback: OutgoingCallback) -> None:
    heapq.heappush(shared.callbacks, (due, shared.next_serial(), callback))
