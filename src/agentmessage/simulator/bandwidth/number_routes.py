"""The carrier's routes for numbers: search, purchase, disconnection, and the numbers in service."""

from collections.abc import Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from agentmessage.simulator.bandwidth import errors as bandwidth_errors
from agentmessage.simulator.bandwidth.errors import OrderError
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.bandwidth.xml import (
    error_list,
    error_list_response,
    key_of,
    number_list,
    numbers_of,
    optional,
    read,
    require_members,
    text_of,
)
from agentmessage.simulator.core.entities import FINAL, CarrierNumberOrder
from agentmessage.simulator.core.http_types import HttpResponse, xml_response
from agentmessage.simulator.core.inventory import AREA_CODES, TOLL_FREE_CODES, available_numbers
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, VendorRoute
from agentmessage.simulator.core.shared_state import SharedState, stamp

_PURCHASE_ROOT = "OrderResponse"
_DISCONNECT_ROOT = "DisconnectTelephoneNumberOrderResponse"
_MAX_PAGE = 5000
_CODES = frozenset((*AREA_CODES, *TOLL_FREE_CODES))
_PLACE_CRITERIA = ("lata", "rateCenter", "city", "state", "zip")
"""Search criteria by place: all area codes match, because fictional numbers have no place."""


class NumberRoutes:
    """HTTP for NumberOrders and the inventory."""

    def __init__(self, shared: SharedState, orders: NumberOrders) -> None:
        self._shared = shared
        self._orders = orders

    def routes(self) -> list[VendorRoute]:
        """Every operation on numbers."""
        base = "/api/accounts/*"
        return [
            VendorRoute("GET", f"{base}/availableNumbers", "numbers.search", self.search),
            VendorRoute("POST", f"{base}/orders", "numbers.buy", self.buy),
            VendorRoute("GET", f"{base}/orders", "numbers.find", self.find),
            VendorRoute("GET", f"{base}/orders/*", "numbers.order", self.order),
            VendorRoute("POST", f"{base}/disconnects", "numbers.disconnect", self.disconnect),
            VendorRoute("GET", f"{base}/disconnects", "numbers.disconnects", self.disconnects),
            VendorRoute("GET", f"{base}/disconnects/*", "numbers.disconnection", self.disconnection),
            VendorRoute("GET", f"{base}/inserviceNumbers", "numbers.in_service", self.in_service),
        ]

    def search(self, call: ApiCall) -> HttpResponse:
        """Numbers for sale."""
        query = call.query
        quantity = _whole_number(query.get("quantity", "5000"), max_value=_MAX_PAGE)
        criteria = _criteria(query)
        if quantity is None or criteria is None:
            code, text = bandwidth_errors.NO_CRITERION
            error = f"<Error><Code>{code}</Code><Description>{escape(text)}</Description></Error>"
            return xml_response(400, f"<SearchResult>{error}</SearchResult>")
        numbers = available_numbers(
            call.account, criteria.codes, prefix=criteria.prefix, digits=criteria.digits, quantity=quantity, at=call.at
        )
        if not numbers:
            return xml_response(200, "<SearchResult/>")
        found = number_list("TelephoneNumberList", numbers)
        return xml_response(200, f"<SearchResult><ResultCount>{len(numbers)}</ResultCount>{found}</SearchResult>")

    def buy(self, call: ApiCall) -> HttpResponse:
        """Order the given numbers."""
        document = read(call.request.body, "Order", _PURCHASE_ROOT)
        site = text_of(document, "SiteId")
        if not site.isdigit():
            raise RequestRejected(
                error_list_response(
                    400, _PURCHASE_ROOT, bandwidth_errors.SITE_INVALID if site else bandwidth_errors.SITE_MISSING
                )
            )
        order = self._submit(call, document, "orders", "ExistingTelephoneNumberOrderType/TelephoneNumberList")
        return xml_response(
            201,
            f"<{_PURCHASE_ROOT}>{_purchase(order)}<OrderStatus>{order.state.value}</OrderStatus></{_PURCHASE_ROOT}>",
        )

    def order(self, call: ApiCall) -> HttpResponse:
        """The state of a purchase."""
        order = self._find(call, "orders", _PURCHASE_ROOT)
        is_final = order.state in FINAL
        done = "".join(f"<TelephoneNumber><FullNumber>{n[2:]}</FullNumber></TelephoneNumber>" for n in order.done)
        failed = "".join(f"<FullNumber>{n[2:]}</FullNumber>" for n in order.errors)
        result = f"<CompletedNumbers>{done}</CompletedNumbers>" if done else ""
        if is_final and order.errors:
            result += f"{error_list(order.errors)}<FailedNumbers>{failed}</FailedNumbers>"
        return xml_response(
            200,
            f"<{_PURCHASE_ROOT}><CompletedQuantity>{len(order.done)}</CompletedQuantity><CreatedByUser>simulator</CreatedByUser>"
            f"<LastModifiedDate>{stamp(order.modified_at)}</LastModifiedDate>{_purchase(order)}"
            f"<OrderStatus>{order.state.value}</OrderStatus>{result}"
            f"<FailedQuantity>{len(order.errors) if is_final else 0}</FailedQuantity></{_PURCHASE_ROOT}>",
        )

    def find(self, call: ApiCall) -> HttpResponse:
        """Purchases by the customer's key; the rows do not contain it."""
        account, query = call.account, call.query
        faults, key = self._shared.faults, query.get("customerOrderId")
        orders = [order for order in account.number_orders.values() if order.kind == "orders"]
        if key and not faults.hit("filter_ignored", operation="numbers.find", account=account.id):
            orders = [account.number_orders[order_id] for order_id in account.orders_with_key("orders", key)]
        if faults.hit("order_hidden", operation="numbers.find", account=account.id):
            orders = []
        return _listed(call, "orders", orders)

    def disconnect(self, call: ApiCall) -> HttpResponse:
        """Disconnect numbers."""
        document = read(call.request.body, "DisconnectTelephoneNumberOrder", _DISCONNECT_ROOT)
        path = "DisconnectTelephoneNumberOrderType/TelephoneNumberList"
        order = self._submit(call, document, "disconnects", path)
        return xml_response(
            201,
            f"<{_DISCONNECT_ROOT}>{_disconnection(order)}<OrderStatus>{order.state.value}</OrderStatus></{_DISCONNECT_ROOT}>",
        )

    def disconnects(self, call: ApiCall) -> HttpResponse:
        """Every disconnection; there is no filter."""
        orders = [order for order in call.account.number_orders.values() if order.kind == "disconnects"]
        return _listed(call, "disconnects", orders)

    def disconnection(self, call: ApiCall) -> HttpResponse:
        """The state of a disconnection."""
        order = self._find(call, "disconnects", _DISCONNECT_ROOT)
        done = number_list("DisconnectedTelephoneNumberList", order.done)
        errors = error_list(order.errors if order.state in FINAL else {})
        return xml_response(
            200,
            f"<{_DISCONNECT_ROOT}>{done}{errors}{_disconnection(order)}<OrderStatus>{order.state.value}</OrderStatus></{_DISCONNECT_ROOT}>",
        )

    def in_service(self, call: ApiCall) -> HttpResponse:
        """One page of the numbers in service."""
        query = call.query
        page, size = (
            _whole_number(query.get("page", "1"), max_value=10**9),
            _whole_number(query.get("size", "300"), max_value=_MAX_PAGE),
        )
        if page is None or size is None:
            return HttpResponse(404)
        numbers = call.account.numbers()
        if area_code := query.get("areacode"):
            numbers = [number for number in numbers if number.startswith(f"+1{area_code}")]
        shown = numbers[(page - 1) * size : page * size]
        if not shown:
            return HttpResponse(204)
        if self._shared.faults.hit("page_drift", operation="numbers.in_service", account=call.account.id):
            shown = shown[1:]
        links = _link(call, "first", 1, size)
        if page * size < len(numbers):
            links += _link(call, "next", page + 1, size)
        rows = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in shown)
        return xml_response(
            200,
            f"<TNs><TotalCount>{len(numbers)}</TotalCount><Links>{links}</Links>"
            f"<TelephoneNumbers><Count>{len(shown)}</Count>{rows}</TelephoneNumbers></TNs>",
        )

    def _submit(self, call: ApiCall, document: Element, kind: str, path: str) -> CarrierNumberOrder:
        root = _PURCHASE_ROOT if kind == "orders" else _DISCONNECT_ROOT
        key = key_of(document, root)
        numbers = numbers_of(document, path, root)
        require_members(numbers, _MAX_PAGE, root)
        account = call.account
        if key and (existing := account.orders_with_key(kind, key)):
            account.count("repeated_number_key")
            if not self._shared.allows_duplicate_keys:
                raise RequestRejected(error_list_response(409, root, bandwidth_errors.key_used(key, existing[0])))
        order = CarrierNumberOrder(
            self._shared.random.uuid("number_order", account.id, account.count("number_order")),
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

    def _find(self, call: ApiCall, kind: str, root: str) -> CarrierNumberOrder:
        order = call.account.number_orders.get(call.tail[1])
        hidden = self._shared.faults.hit("order_hidden", operation="numbers.order", account=call.account.id)
        if order is None or order.kind != kind or hidden:
            missing: OrderError = ("5035", f"{kind} order {call.tail[1]} not found.")
            raise RequestRejected(error_list_response(404, root, missing))
        return order


class _SearchCriteria(NamedTuple):
    """Area codes, what follows them, and digits that must appear in the last seven."""

    codes: tuple[str, ...]
    prefix: str = ""
    digits: str = ""


def _criteria(query: Mapping[str, str]) -> _SearchCriteria | None:
    """The criteria of a search; None where there is none that is known."""
    if wildcard := query.get("tollFreeWildCardPattern"):
        prefix = wildcard.rstrip("*")
        return _SearchCriteria(tuple(code for code in TOLL_FREE_CODES if code.startswith(prefix))) if prefix else None
    pattern = query.get("localVanity") or query.get("tollFreeVanity") or ""
    if query.get("tollFreeVanity"):
        return _SearchCriteria(TOLL_FREE_CODES, digits=pattern)
    prefix = query.get("npaNxxx") or query.get("npaNxx") or query.get("areaCode") or ""
    if prefix:
        codes = (prefix[:3],) if prefix[:3] in _CODES else ()
        return _SearchCriteria(codes, prefix[3:], pattern)
    return _SearchCriteria(AREA_CODES, digits=pattern) if any(query.get(name) for name in _PLACE_CRITERIA) else None


def _whole_number(text: str, *, max_value: int) -> int | None:
    if not text.isdigit() or not 1 <= int(text) <= max_value:
        return None
    return int(text)


def _purchase(order: CarrierNumberOrder) -> str:
    numbers = number_list("TelephoneNumberList", order.numbers)
    return (
        f"<Order>{optional('CustomerOrderId', order.key)}<id>{order.id}</id>{optional('Name', order.name)}"
        f"<OrderCreateDate>{stamp(order.created_at)}</OrderCreateDate>{optional('PeerId', order.peer_id)}"
        "<BackOrderRequested>false</BackOrderRequested>"
        f"<ExistingTelephoneNumberOrderType>{numbers}</ExistingTelephoneNumberOrderType>"
        f"<PartialAllowed>{str(order.may_be_partial).lower()}</PartialAllowed>"
        f"{optional('SiteId', order.site_id)}</Order>"
    )


def _disconnection(order: CarrierNumberOrder) -> str:
    numbers = number_list("TelephoneNumberList", order.numbers)
    return (
        f"<orderRequest>{optional('CustomerOrderId', order.key)}<id>{order.id}</id>"
        f"<OrderCreateDate>{stamp(order.created_at)}</OrderCreateDate><DisconnectTelephoneNumberOrderType>"
        f"<DisconnectMode>normal</DisconnectMode>{numbers}</DisconnectTelephoneNumberOrderType></orderRequest>"
    )


def _link(call: ApiCall, relation: str, page: int | str, size: int) -> str:
    link = f'Link=<http://simulator{call.request.path}?page={page}&size={size}>;rel="{relation}";'
    return f"<{relation}>{escape(link)}</{relation}>"


def _listed(call: ApiCall, kind: str, orders: list[CarrierNumberOrder]) -> HttpResponse:
    size = _whole_number(call.query.get("size", "300"), max_value=_MAX_PAGE) or 300
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
    return xml_response(
        200,
        f"<ResponseSelectWrapper><ListOrderIdUserIdDate><TotalCount>{len(orders)}</TotalCount><Links>{links}</Links>"
        f"{rows}</ListOrderIdUserIdDate></ResponseSelectWrapper>",
    )
