"""Finding, buying and giving back numbers (contract, section 3)."""

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote
from xml.etree.ElementTree import Element

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.client import BandwidthClient
from agentmessage.carriers.bandwidth.codes import Operation, refusal
from agentmessage.carriers.bandwidth.formats import to_e164, to_ten_digits
from agentmessage.carriers.bandwidth.order_search import pick_out
from agentmessage.carriers.bandwidth.orders import first_number, read_candidates, read_state, refusals, require_key
from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import (
    E164,
    Accepted,
    Answer,
    AvailableNumber,
    NumberPage,
    OrderState,
    PurchaseReport,
    Refused,
)

MAX_SEARCH = 5000
"""Most numbers of one search; the vendor's maximum."""

PAGE_SIZE = 500
"""Numbers of one page of the list in service (default there: 300; no maximum is published)."""

_NEXT = re.compile(r"[?&]page=([^&>;\s]+)")


class BandwidthNumbers:
    """NumberSource over `availableNumbers`, `orders`, `disconnects` and `inserviceNumbers`."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self._account = account
        self._client = BandwidthClient(account, transport)

    async def search(
        self, *, area_code: str | None, number_type: str, pattern: str | None, quantity: int
    ) -> Answer[Sequence[AvailableNumber]]:
        """What is for sale now; the pattern is matched on our side. Short codes are not sold here: nothing."""
        wanted = min(quantity if pattern is None else MAX_SEARCH, MAX_SEARCH)
        found: list[AvailableNumber] = []
        for criterion, value in self._criteria(area_code, number_type):
            answer = await self._client.get_xml(
                "/availableNumbers",
                _read_available,
                operation=Operation.SEARCH,
                **{criterion: value, "quantity": str(wanted)},
            )
            if not isinstance(answer, Accepted):
                return answer
            fitting = (number for number in answer.value if (pattern or "") in number)
            found += [AvailableNumber(number=number, number_type=number_type) for number in fitting]
            if len(found) >= quantity:
                break
        return Accepted(tuple(found[:quantity]))

    async def buy(self, order_key: str, numbers: Sequence[E164]) -> Answer[str]:
        """Order exactly these numbers, all or none."""
        require_key(order_key)
        root = Element("Order")
        xml.add(root, "CustomerOrderId", order_key)
        xml.add(root, "Name", order_key)
        _list_numbers(xml.add(root, "ExistingTelephoneNumberOrderType"), numbers)
        xml.add(root, "PartialAllowed", "false")
        xml.add(root, "SiteId", self._account.site_id)
        if self._account.peer_id:
            xml.add(root, "PeerId", self._account.peer_id)
        return await self._client.post_xml("/orders", root, _read_purchase_id, operation=Operation.BUY)

    async def read_purchase(self, carrier_order_id: str) -> Answer[PurchaseReport]:
        """Where a purchase stands."""
        return await self._client.get_xml(
            f"/orders/{quote(carrier_order_id, safe='')}",
            lambda root: read_purchase(root, carrier_order_id),
            operation=Operation.READ_ORDER,
        )

    async def find_purchase(self, order_key: str) -> Answer[PurchaseReport | None]:
        """Look a purchase up by our key: rows need not name it, so each candidate is read and compared."""
        require_key(order_key)
        listed = await self._client.get_xml(
            "/orders",
            lambda root: read_candidates(
                root, order_key, row_tags=("OrderIdUserIdDate",), id_tags=("orderId", "OrderId")
            ),
            operation=Operation.READ_ALL,
            page="1",
            size="100",
            customerOrderId=order_key,
        )
        if not isinstance(listed, Accepted):
            return listed
        return await pick_out(listed.value, order_key, self.read_purchase)

    async def disconnect(self, order_key: str, numbers: Sequence[E164]) -> Answer[str]:
        """Give numbers back."""
        require_key(order_key)
        root = Element("DisconnectTelephoneNumberOrder")
        xml.add(root, "CustomerOrderId", order_key)
        _list_numbers(xml.add(root, "DisconnectTelephoneNumberOrderType"), numbers)
        return await self._client.post_xml("/disconnects", root, _read_disconnect_id, operation=Operation.DISCONNECT)

    async def read_disconnection(self, carrier_order_id: str) -> Answer[PurchaseReport]:
        """Where a disconnection stands."""
        return await self._client.get_xml(
            f"/disconnects/{quote(carrier_order_id, safe='')}", read_disconnection, operation=Operation.READ_ORDER
        )

    async def read_in_service(self, page: str | None = None) -> Answer[NumberPage]:
        """One page of the numbers in service."""
        return await self._client.get_xml(
            "/inserviceNumbers", read_in_service, operation=Operation.READ_ALL, page=page or "1", size=str(PAGE_SIZE)
        )

    def _criteria(self, area_code: str | None, number_type: str) -> list[tuple[str, str]]:
        """The searches to make, one after the other, until enough is found."""
        if number_type == "toll_free":
            return [("tollFreeWildCardPattern", area_code or "8**")]
        if number_type == "local":
            return [("areaCode", code) for code in ((area_code,) if area_code else self._account.search_area_codes)]
        return []


def read_purchase(root: Element, carrier_order_id: str) -> PurchaseReport:
    """A number order as last told (the document does not repeat its own id). Raises Misunderstood."""
    if root.tag != "OrderResponse" or (order := root.find("Order")) is None:
        raise Misunderstood("no OrderResponse with an Order")
    done = [to_e164(text) for holder in root.iterfind("CompletedNumbers") for text in xml.texts(holder, "FullNumber")]
    return _report(
        root,
        carrier_order_id=carrier_order_id,
        order_key=xml.text_at(order, "CustomerOrderId"),
        done=done,
        members=[to_e164(text) for text in xml.texts(order, "TelephoneNumber")],
        operation=Operation.BUY,
    )


def read_disconnection(root: Element) -> PurchaseReport:
    """A disconnect order as last told. Raises Misunderstood."""
    if (order := root.find("orderRequest")) is None:
        raise Misunderstood("no orderRequest in the answer")
    gone = root.find("DisconnectedTelephoneNumberList")
    return _report(
        root,
        carrier_order_id=xml.require_text(order, "id"),
        order_key=xml.text_at(order, "CustomerOrderId"),
        done=[] if gone is None else [to_e164(text) for text in xml.texts(gone, "TelephoneNumber")],
        members=[to_e164(text) for text in xml.texts(order, "TelephoneNumber")],
        operation=Operation.DISCONNECT,
    )


def read_in_service(root: Element) -> NumberPage:
    """One page of numbers; an empty body (204) means that there are none. Raises Misunderstood."""
    if root.tag == "Empty":
        return NumberPage(numbers=(), next_page=None)
    if root.tag != "TNs":
        raise Misunderstood("no TNs in the answer")
    first_number(root, "TotalCount")
    numbers = tuple(to_e164(text) for text in xml.texts(root, "TelephoneNumber"))
    link = xml.text_at(root, "Links/next")
    if not link or not numbers:
        return NumberPage(numbers=numbers, next_page=None)
    if (match := _NEXT.search(link)) is None:
        raise Misunderstood("a link to the next page without its page")
    return NumberPage(numbers=numbers, next_page=match[1])


def _report(
    root: Element,
    *,
    carrier_order_id: str,
    order_key: str,
    done: Sequence[E164],
    members: Sequence[E164],
    operation: Operation,
) -> PurchaseReport:
    state = read_state(xml.require_text(root, "OrderStatus"))
    refused = dict(_refused(root, members, operation))
    if state in (OrderState.FAILED, OrderState.PARTIAL):
        told = refused.keys() | set(done)
        refused |= dict.fromkeys((number for number in members if number not in told), refusal("", "", operation))
    return PurchaseReport(
        carrier_order_id=carrier_order_id, order_key=order_key, state=state, done=tuple(done), refused=refused
    )


def _refused(root: Element, members: Sequence[E164], operation: Operation) -> Iterator[tuple[E164, Refused]]:
    """An error without a number speaks for every member that has none of its own."""
    told = list(refusals(root, operation))
    for number, said in told:
        if number is None:
            yield from ((member, said) for member in members)
    for number, said in told:
        if number is not None:
            yield number, said


def _list_numbers(parent: Element, numbers: Sequence[E164]) -> None:
    holder = xml.add(parent, "TelephoneNumberList")
    for number in numbers:
        xml.add(holder, "TelephoneNumber", to_ten_digits(number))


def _read_available(root: Element) -> tuple[E164, ...]:
    if root.tag != "SearchResult" or root.find("Error") is not None:
        raise Misunderstood("no SearchResult")
    return tuple(to_e164(text) for text in xml.texts(root, "TelephoneNumber"))


def _read_id(path: str) -> Callable[[Element], str]:
    return lambda root: xml.require_text(root, path)


_read_purchase_id = _read_id("Order/id")
_read_disconnect_id = _read_id("orderRequest/id")
