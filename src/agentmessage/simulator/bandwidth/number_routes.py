"""The carrier's routes for numbers: what is for sale, buying, giving back, what is in service."""

from collections.abc import Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from agentmessage.simulator.bandwidth import errors as bandwidth_errors
from agentmessage.simulator.bandwidth.errors import Refusal
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.bandwidth.xml import (
    error_list,
    key_of,
    list_reply,
    number_list,
    numbers_of,
    optional,
    read,
    require_members,
    text_of,
)
from agentmessage.simulator.core.entities import FINAL, NumberOrder
from agentmessage.simulator.core.http_types import Reply, xml_reply
from agentmessage.simulator.core.inventory import AREA_CODES, TOLL_FREE_CODES, for_sale
from agentmessage.simulator.core.routing import Call, Refused, Route
from agentmessage.simulator.core.shared_state import Realm, stamp

_BUY = "OrderResponse"
_DROP = "DisconnectTelephoneNumberOrderResponse"
_MOST = 5000
_CODES = frozenset((*AREA_CODES, *TOLL_FREE_CODES))
_NOWHERE = ("lata", "rateCenter", "city", "state", "zip")
"""Criteria by place: accepted, and answered from all area codes, for the fictional numbers lie nowhere."""


class NumberRoutes:
    """Speaks for NumberOrders and the inventory."""

    def __init__(self, realm: Realm, orders: NumberOrders) -> None:
        self._realm = realm
        self._orders = orders

    def routes(self) -> list[Route]:
        """Every operation on numbers."""
        base = "/api/accounts/*"
        return [
            Route("GET", f"{base}/availableNumbers", "numbers.search", self.search),
            Route("POST", f"{base}/orders", "numbers.buy", self.buy),
            Route("GET", f"{base}/orders", "numbers.find", self.find),
            Route("GET", f"{base}/orders/*", "numbers.order", self.order),
            Route("POST", f"{base}/disconnects", "numbers.disconnect", self.disconnect),
            Route("GET", f"{base}/disconnects", "numbers.disconnects", self.disconnects),
            Route("GET", f"{base}/disconnects/*", "numbers.disconnection", self.disconnection),
            Route("GET", f"{base}/inserviceNumbers", "numbers.in_service", self.in_service),
        ]

    def search(self, call: Call) -> Reply:
        """What is for sale."""
        query = call.query
        quantity = _whole(query.get("quantity", "5000"), most=_MOST)
        wanted = _criteria(query)
        if quantity is None or wanted is None:
            code, text = bandwidth_errors.NO_CRITERION
            error = f"<Error><Code>{code}</Code><Description>{escape(text)}</Description></Error>"
            return xml_reply(400, f"<SearchResult>{error}</SearchResult>")
        numbers = for_sale(
            call.account, wanted.codes, prefix=wanted.prefix, digits=wanted.digits, quantity=quantity, at=call.at
        )
        if not numbers:
            return xml_reply(200, "<SearchResult/>")
        found = number_list("TelephoneNumberList", numbers)
        return xml_reply(200, f"<SearchResult><ResultCount>{len(numbers)}</ResultCount>{found}</SearchResult>")

    def buy(self, call: Call) -> Reply:
        """Order exactly the numbers that are named."""
        document = read(call.request.body, "Order", _BUY)
        site = text_of(document, "SiteId")
        if not site.isdigit():
            raise Refused(
                list_reply(400, _BUY, bandwidth_errors.SITE_INVALID if site else bandwidth_errors.SITE_MISSING)
            )
        order = self._take_in(call, document, "orders", "ExistingTelephoneNumberOrderType/TelephoneNumberList")
        return xml_reply(201, f"<{_BUY}>{_purchase(order)}<OrderStatus>{order.state.value}</OrderStatus></{_BUY}>")

    def order(self, call: Call) -> Reply:
        """Where a purchase stands."""
        order = self._find(call, "orders", _BUY)
        is_final = order.state in FINAL
        done = "".join(f"<TelephoneNumber><FullNumber>{n[2:]}</FullNumber></TelephoneNumber>" for n in order.done)
        failed = "".join(f"<FullNumber>{n[2:]}</FullNumber>" for n in order.errors)
        result = f"<CompletedNumbers>{done}</CompletedNumbers>" if done else ""
        if is_final and order.errors:
            result += f"{error_list(order.errors)}<FailedNumbers>{failed}</FailedNumbers>"
        return xml_reply(
            200,
            f"<{_BUY}><CompletedQuantity>{len(order.done)}</CompletedQuantity><CreatedByUser>simulator</CreatedByUser>"
            f"<LastModifiedDate>{stamp(order.modified_at)}</LastModifiedDate>{_purchase(order)}"
            f"<OrderStatus>{order.state.value}</OrderStatus>{result}"
            f"<FailedQuantity>{len(order.errors) if is_final else 0}</FailedQuantity></{_BUY}>",
        )

    def find(self, call: Call) -> Reply:
        """Purchases by the customer's key; rows do not name it."""
        account, query = call.account, call.query
        faults, key = self._realm.faults, query.get("customerOrderId")
        orders = [order for order in account.number_orders.values() if order.kind == "orders"]
        if key and not faults.strikes("filter_ignored", operation="numbers.find", account=account.id):
            orders = [account.number_orders[order_id] for order_id in account.orders_under("orders", key)]
        if faults.strikes("order_hidden", operation="numbers.find", account=account.id):
            orders = []
        return _listed(call, "orders", orders)

    def disconnect(self, call: Call) -> Reply:
        """Take numbers back."""
        document = read(call.request.body, "DisconnectTelephoneNumberOrder", _DROP)
        path = "DisconnectTelephoneNumberOrderType/TelephoneNumberList"
        order = self._take_in(call, document, "disconnects", path)
        return xml_reply(201, f"<{_DROP}>{_drop(order)}<OrderStatus>{order.state.value}</OrderStatus></{_DROP}>")

    def disconnects(self, call: Call) -> Reply:
        """Disconnections, without key or filter."""
        orders = [order for order in call.account.number_orders.values() if order.kind == "disconnects"]
        return _listed(call, "disconnects", orders)

    def disconnection(self, call: Call) -> Reply:
        """Where a disconnection stands."""
        order = self._find(call, "disconnects", _DROP)
        done = number_list("DisconnectedTelephoneNumberList", order.done)
        errors = error_list(order.errors if order.state in FINAL else {})
        return xml_reply(
            200, f"<{_DROP}>{done}{errors}{_drop(order)}<OrderStatus>{order.state.value}</OrderStatus></{_DROP}>"
        )

    def in_service(self, call: Call) -> Reply:
        """One page of the numbers in service."""
        query = call.query
        page, size = _whole(query.get("page", "1"), most=10**9), _whole(query.get("size", "300"), most=_MOST)
        if page is None or size is None:
            return Reply(404)
        numbers = call.account.numbers()
        if area_code := query.get("areacode"):
            numbers = [number for number in numbers if number.startswith(f"+1{area_code}")]
        shown = numbers[(page - 1) * size : page * size]
        if not shown:
            return Reply(204)
        if self._realm.faults.strikes("page_drift", operation="numbers.in_service", account=call.account.id):
            shown = shown[1:]
        links = _link(call, "first", 1, size)
        if page * size < len(numbers):
            links += _link(call, "next", page + 1, size)
        rows = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in shown)
        return xml_reply(
            200,
            f"<TNs><TotalCount>{len(numbers)}</TotalCount><Links>{links}</Links>"
            f"<TelephoneNumbers><Count>{len(shown)}</Count>{rows}</TelephoneNumbers></TNs>",
        )

    def _take_in(self, call: Call, document: Element, kind: str, path: str) -> NumberOrder:
        root = _BUY if kind == "orders" else _DROP
        key = key_of(document, root)
        numbers = numbers_of(document, path, root)
        require_members(numbers, _MOST, root)
        account = call.account
        if key and (present := account.orders_under(kind, key)):
            account.count("repeated_number_key")
            if not self._realm.allows_duplicate_keys:
                raise Refused(list_reply(409, root, bandwidth_errors.key_used(key, present[0])))
        order = NumberOrder(
            self._realm.dice.uuid("number_order", account.id, account.count("number_order")),
            kind,
            key,
            call.at,
            call.at,
            numbers,
            site_id=text_of(document, "SiteId"),
            peer_id=text_of(document, "PeerId"),
            name=text_of(document, "Name"),
            may_be_partial=text_of(document, "PartialAllowed") != "false",
        )
        self._orders.submit(account, order, at=call.at)
        return order

    def _find(self, call: Call, kind: str, root: str) -> NumberOrder:
        order = call.account.number_orders.get(call.tail[1])
        hidden = self._realm.faults.strikes("order_hidden", operation="numbers.order", account=call.account.id)
        if order is None or order.kind != kind or hidden:
            missing: Refusal = ("5035", f"{kind} order {call.tail[1]} not found.")
            raise Refused(list_reply(404, root, missing))
        return order


class _Wanted(NamedTuple):
    """Area codes, what follows them, and digits that must appear in the last seven."""

    codes: tuple[str, ...]
    prefix: str = ""
    digits: str = ""


def _criteria(query: Mapping[str, str]) -> _Wanted | None:
    """What a search asks for; None: no criterion that could be understood."""
    if wildcard := query.get("tollFreeWildCardPattern"):
        prefix = wildcard.rstrip("*")
        return _Wanted(tuple(code for code in TOLL_FREE_CODES if code.startswith(prefix))) if prefix else None
    pattern = query.get("localVanity") or query.get("tollFreeVanity") or ""
    if query.get("tollFreeVanity"):
        return _Wanted(TOLL_FREE_CODES, digits=pattern)
    prefix = query.get("npaNxxx") or query.get("npaNxx") or query.get("areaCode") or ""
    if prefix:
        codes = (prefix[:3],) if prefix[:3] in _CODES else ()
        return _Wanted(codes, prefix[3:], pattern)
    return _Wanted(AREA_CODES, digits=pattern) if any(query.get(name) for name in _NOWHERE) else None


def _whole(text: str, *, most: int) -> int | None:
    if not text.isdigit() or not 1 <= int(text) <= most:
        return None
    return int(text)


def _purchase(order: NumberOrder) -> str:
    numbers = number_list("TelephoneNumberList", order.numbers)
    return (
        f"<Order>{optional('CustomerOrderId', order.key)}<id>{order.id}</id>{optional('Name', order.name)}"
        f"<OrderCreateDate>{stamp(order.created_at)}</OrderCreateDate>{optional('PeerId', order.peer_id)}"
        "<BackOrderRequested>false</BackOrderRequested>"
        f"<ExistingTelephoneNumberOrderType>{numbers}</ExistingTelephoneNumberOrderType>"
        f"<PartialAllowed>{str(order.may_be_partial).lower()}</PartialAllowed>"
        f"{optional('SiteId', order.site_id)}</Order>"
    )


def _drop(order: NumberOrder) -> str:
    numbers = number_list("TelephoneNumberList", order.numbers)
    return (
        f"<orderRequest>{optional('CustomerOrderId', order.key)}<id>{order.id}</id>"
        f"<OrderCreateDate>{stamp(order.created_at)}</OrderCreateDate><DisconnectTelephoneNumberOrderType>"
        f"<DisconnectMode>normal</DisconnectMode>{numbers}</DisconnectTelephoneNumberOrderType></orderRequest>"
    )


def _link(call: Call, relation: str, page: int | str, size: int) -> str:
    link = f'Link=<http://simulator{call.request.path}?page={page}&size={size}>;rel="{relation}";'
    return f"<{relation}>{escape(link)}</{relation}>"


def _listed(call: Call, kind: str, orders: list[NumberOrder]) -> Reply:
    size = _whole(call.query.get("size", "300"), most=_MOST) or 300
    start = next((i for i, order in enumerate(orders) if order.id == call.query.get("page")), 0)
    shown = orders[start : start + min(size, 1000)]
    links = _link(call, "first", 1, size)
    if start + len(shown) < len(orders):
        links += _link(call, "next", orders[start + len(shown)].id, size)
    name = "orderId" if kind == "orders" else "OrderId"
    rows = "".join(
        f"<OrderIdUserIdDate><CountOfTNs>{len(order.numbers)}</CountOfTNs>"
        f"<lastModifiedDate>{stamp(order.modified_at)}</lastModifiedDate>"
        f"<OrderDate>{stamp(order.created_at)}</OrderDate>"
        f"<{name}>{order.id}</{name}><OrderStatus>{order.state.value}</OrderStatus><userId>simulator</userId>"
        "</OrderIdUserIdDate>"
        for order in shown
    )
    return xml_reply(
        200,
        f"<ResponseSelectWrapper><ListOrderIdUserIdDate><TotalCount>{len(orders)}</TotalCount><Links>{links}</Links>"
        f"{rows}</ListOrderIdUserIdDate></ResponseSelectWrapper>",
    )
