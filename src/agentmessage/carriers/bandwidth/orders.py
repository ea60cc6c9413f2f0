"""Line option orders as documents: built from changes, read into reports (contract, section 4)."""

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from msgspec import Struct

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.codes import Operation, refusal
from agentmessage.carriers.bandwidth.formats import to_e164
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import E164, LineChange, OrderReport, OrderState, Refused

ORDER_KEY = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
"""Our order keys; the vendor also allows a space (error 5052)."""

STATES = {
    "RECEIVED": OrderState.RECEIVED,
    "PROCESSING": OrderState.PROCESSING,
    "BACKORDERED": OrderState.PROCESSING,
    "COMPLETE": OrderState.COMPLETE,
    "PARTIAL": OrderState.PARTIAL,
    "FAILED": OrderState.FAILED,
}


def require_key(order_key: str) -> None:
    """Raise ValueError (a bug of ours) when the vendor could not take this key."""
    if not ORDER_KEY.fullmatch(order_key):
        raise ValueError(f"not an order key: {order_key!r}")


def build_order(order_key: str, changes: Sequence[LineChange], *, message_class: str) -> Element:
    """One order with one group per campaign, and one for all that leave theirs; groups and members keep their order."""
    members: dict[str | None, list[E164]] = {}
    for change in changes:
        members.setdefault(change.campaign, []).append(change.number)
    root = Element("TnOptionOrder")
    xml.add(root, "CustomerOrderId", order_key)
    groups = xml.add(root, "TnOptionGroups")
    for campaign, numbers in members.items():
        group = xml.add(groups, "TnOptionGroup")
        if campaign is not None:
            xml.add(group, "Sms", "on")  # without it the vendor refuses to provision (5132)
        settings = xml.add(group, "A2pSettings")
        xml.add(settings, "Action", "delete" if campaign is None else "asSpecified")
        if campaign is not None:
            xml.add(settings, "CampaignId", campaign)
            xml.add(settings, "MessageClass", message_class)
        holder = xml.add(group, "TelephoneNumbers")
        for number in numbers:
            xml.add(holder, "TelephoneNumber", number)
    return root


def read_order_id(root: Element) -> str:
    """The id of an order just made. Raises Misunderstood."""
    return xml.require_text(_order_in(root), "OrderId")


def read_report(root: Element) -> OrderReport:
    """Where an order stands. Raises Misunderstood on a state, a number or a failure that cannot be told apart."""
    order = _order_in(root)
    state = read_state(xml.require_text(order, "ProcessingStatus"))
    refused = dict(_refused(order))
    if state is OrderState.FAILED:
        refused = _all_refused(order, refused)
    return OrderReport(
        carrier_order_id=xml.require_text(order, "OrderId"),
        order_key=xml.text_at(order, "CustomerOrderId"),
        state=state,
        refused=refused,
        warned=dict(_warned(order)),
    )


def read_state(text: str) -> OrderState:
    """The state of any kind of order. Raises Misunderstood on a word that the contract does not know."""
    if (state := STATES.get(text.upper())) is None:
        raise Misunderstood(f"unknown order state {text[:40]!r}")
    return state


class Candidate(Struct, frozen=True):
    """A row of an order list; `order_key` is empty where the row does not name it."""

    carrier_order_id: str
    order_key: str


class Candidates(Struct, frozen=True):
    """Rows that may be the order looked for. `is_whole`: no further row could be."""

    rows: tuple[Candidate, ...]
    is_whole: bool


def read_candidates(root: Element, order_key: str, *, row_tags: Sequence[str], id_tags: Sequence[str]) -> Candidates:
    """Rows that name this key or none. Raises Misunderstood when the document is not an order list."""
    total = first_number(root, "TotalCount")
    rows = [_candidate(row, id_tags) for tag in row_tags for row in root.iter(tag)]
    fitting = tuple(row for row in rows if row.order_key in ("", order_key))
    return Candidates(rows=fitting, is_whole=len(rows) >= total)


def first_number(root: Element, tag: str) -> int:
    """The whole number in the first element with this tag. Raises Misunderstood."""
    element = xml.first(root, tag)
    text = "" if element is None else (element.text or "").strip()
    if not (text.isascii() and text.isdigit()):
        raise Misunderstood(f"{tag} is missing or no number")
    return int(text[:18])


def refusals(parent: Element, operation: Operation) -> Iterator[tuple[E164 | None, Refused]]:
    """Every error told in an order, with the number it is about, None when it is about all."""
    for error in parent.iterfind("ErrorList/Error"):
        said = refusal(xml.text_at(error, "Code"), xml.text_at(error, "Description"), operation)
        numbers = [to_e164(text) for text in xml.texts(error, "TelephoneNumber")]
        for number in numbers:
            yield number, said
        if not numbers:
            yield None, said


def _order_in(root: Element) -> Element:
    """The order itself: the examples show it bare, the schemas wrapped."""
    if (order := xml.first(root, "TnOptionOrder")) is None:
        raise Misunderstood("no TnOptionOrder in the answer")
    return order


def _refused(order: Element) -> Iterator[tuple[E164, Refused]]:
    failed = xml.text_at(order, "ProcessingStatus").upper() == "FAILED"
    for number, said in refusals(order, Operation.BIND):
        if number is not None:
            yield number, said
        elif not failed:
            raise Misunderstood("an error that names no number, in an order that has not failed whole")


def _all_refused(order: Element, refused: dict[E164, Refused]) -> dict[E164, Refused]:
    """A failed order refuses every member: with the member's own error, the order's, or no words at all."""
    whole = next(
        (said for number, said in refusals(order, Operation.BIND) if number is None), refusal("", "", Operation.BIND)
    )
    groups = order.find("TnOptionGroups")
    members = () if groups is None else (to_e164(text) for text in xml.texts(groups, "TelephoneNumber"))
    return dict.fromkeys(members, whole) | refused


def _warned(order: Element) -> Iterator[tuple[E164, str]]:
    for warning in order.iterfind("Warnings/Warning"):
        for text in xml.texts(warning, "TelephoneNumber"):
            yield to_e164(text), xml.text_at(warning, "Description")[:500]


def _candidate(row: Element, id_tags: Sequence[str]) -> Candidate:
    found = next((text for tag in id_tags if (text := xml.text_at(row, tag))), "")
    if not found:
        raise Misunderstood("a row without an order id")
    return Candidate(carrier_order_id=found, order_key=xml.text_at(row, "CustomerOrderId"))
