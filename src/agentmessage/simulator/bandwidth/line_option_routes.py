"""The carrier's `tnoptions` routes: submit an order, read its state, search orders."""

from xml.etree.ElementTree import Element

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.bandwidth.line_option_orders import LineOptionOrders
from agentmessage.simulator.bandwidth.xml import (
    error_list,
    escape,
    key_of,
    number_list,
    numbers_of,
    optional,
    read,
    require_members,
    status_response,
    text_of,
)
from agentmessage.simulator.core.entities import FINAL, LineOptionGroup, LineOptionOrder
from agentmessage.simulator.core.http_types import HttpResponse, xml_response
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, VendorRoute
from agentmessage.simulator.core.shared_state import SharedState, stamp

_RESPONSE_ROOT = "TnOptionOrderResponse"
_ACTIONS = frozenset({"asSpecified", "delete", "systemDefault", "off", "unchanged"})
_MAX_LISTED = 1000
_USER = "simulator"


class LineOptionRoutes:
    """HTTP for LineOptionOrders."""

    def __init__(self, shared: SharedState, orders: LineOptionOrders) -> None:
        self._shared = shared
        self._orders = orders

    def routes(self) -> list[VendorRoute]:
        """Every operation on line options."""
        base = "/api/accounts/*/tnoptions"
        return [
            VendorRoute("POST", base, "lines.submit", self.submit),
            VendorRoute("GET", base, "lines.find", self.find),
            VendorRoute("GET", f"{base}/*", "lines.order", self.get),
            VendorRoute("GET", f"{base}/*/history", "lines.history", self.history),
        ]

    def submit(self, call: ApiCall) -> HttpResponse:
        """Accept an order, or reject all of it."""
        document = read(call.request.body, "TnOptionOrder", _RESPONSE_ROOT)
        key = key_of(document, _RESPONSE_ROOT)
        groups = [_read_group(element) for element in document.iterfind("TnOptionGroups/TnOptionGroup")]
        numbers = [number for group in groups for number in group.numbers]
        require_members(numbers, self._shared.max_batch, _RESPONSE_ROOT)
        if key:
            self._count_key(call, key)
        order = self._orders.submit(call.account, key=key, groups=groups, at=call.at)
        return xml_response(201, f"<{_RESPONSE_ROOT}>{_render(call, order)}</{_RESPONSE_ROOT}>")

    def get(self, call: ApiCall) -> HttpResponse:
        """The state of an order."""
        return xml_response(200, _render(call, self._find(call)))

    def history(self, call: ApiCall) -> HttpResponse:
        """Every state of an order and when it began."""
        rows = "".join(
            f"<OrderHistory><OrderDate>{stamp(at)}</OrderDate><Note>Order is {state.lower()}.</Note>"
            f"<Author>{_USER}</Author><Status>{state.lower()}</Status></OrderHistory>"
            for at, state in self._find(call).history
        )
        return xml_response(200, f"<OrderHistoryWrapper>{rows}</OrderHistoryWrapper>")

    def find(self, call: ApiCall) -> HttpResponse:
        """Orders by key, number, state or the beginning of their id; unknown parameters are ignored."""
        account, query = call.account, call.query
        key, fragment = query.get("customerOrderId"), query.get("orderIdFragment")
        faults = self._shared.faults
        orders = list(account.line_orders.values())
        if key and not faults.hit("filter_ignored", operation="lines.find", account=account.id):
            orders = [account.line_orders[order_id] for order_id in account.orders_with_key("tnoptions", key)]
        if faults.hit("order_hidden", operation="lines.find", account=account.id):
            orders = []
        if status := query.get("status"):
            orders = [order for order in orders if order.state.value == status.upper()]
        if number := query.get("tn"):
            orders = [order for order in orders if any(member.endswith(number) for member in order.numbers())]
        if fragment:
            orders = [order for order in orders if order.id.startswith(fragment)]
        rows = "".join(_summary(call, order) for order in orders[-_MAX_LISTED:])
        return xml_response(
            200,
            f"<TnOptionOrderReportResponse><TnOptionOrders><TotalCount>{len(orders)}</TotalCount>{rows}"
            "</TnOptionOrders></TnOptionOrderReportResponse>",
        )

    def _find(self, call: ApiCall) -> LineOptionOrder:
        order = call.account.line_orders.get(call.tail[1])
        if order is None or self._shared.faults.hit("order_hidden", operation="lines.order", account=call.account.id):
            root = "TnOptionOrderReportResponse"
            text = "<ResponseStatus><Description>The resource does not exist</Description></ResponseStatus>"
            raise RequestRejected(xml_response(404, f"<{root}>{text}</{root}>"))
        return order

    def _count_key(self, call: ApiCall, key: str) -> None:
        existing = call.account.orders_with_key("tnoptions", key)
        if existing:
            call.account.count("repeated_line_key")
            if not self._shared.allows_duplicate_keys:
                raise RequestRejected(status_response(409, _RESPONSE_ROOT, errors.key_used(key, existing[0])))


def _read_group(element: Element) -> LineOptionGroup:
    settings = element.find("A2pSettings")
    numbers = numbers_of(element, "TelephoneNumbers", _RESPONSE_ROOT)
    sms = text_of(element, "Sms") or None
    if settings is None:
        return LineOptionGroup("unchanged", None, None, sms, numbers)
    action = text_of(settings, "Action") or "asSpecified"
    campaign = text_of(settings, "CampaignId") or None
    message_class = text_of(settings, "MessageClass") or None
    if action not in _ACTIONS or (action == "asSpecified") != (campaign is not None):
        raise RequestRejected(status_response(400, _RESPONSE_ROOT, errors.A2P_INVALID))
    if action == "asSpecified" and sms == "off":
        raise RequestRejected(status_response(400, _RESPONSE_ROOT, errors.SMS_OFF))
    return LineOptionGroup(action, campaign, message_class, sms, numbers)


def _render_group(group: LineOptionGroup) -> str:
    values = optional("CampaignId", group.campaign) + optional("MessageClass", group.message_class)
    settings = f"<A2pSettings><Action>{group.action}</Action>{values}</A2pSettings>"
    numbers = number_list("TelephoneNumbers", group.numbers)
    return f"<TnOptionGroup>{optional('Sms', group.sms)}{settings}{numbers}</TnOptionGroup>"


def _render(call: ApiCall, order: LineOptionOrder) -> str:
    is_final = order.state in FINAL
    warnings = "".join(
        f"<Warning><TelephoneNumber>{number[2:]}</TelephoneNumber><Description>{escape(text)}</Description></Warning>"
        for number, text in order.warnings.items()
    )
    return (
        f"<TnOptionOrder><OrderCreateDate>{stamp(order.created_at)}</OrderCreateDate>"
        f"<AccountId>{call.account.id}</AccountId><CreatedByUser>{_USER}</CreatedByUser><OrderId>{order.id}</OrderId>"
        f"<LastModifiedDate>{stamp(order.modified_at)}</LastModifiedDate>"
        f"<ProcessingStatus>{order.state.value}</ProcessingStatus>{optional('CustomerOrderId', order.key)}"
        f"<TnOptionGroups>{''.join(map(_render_group, order.groups))}</TnOptionGroups>"
        f"{error_list(order.errors if is_final else {})}"
        f"{f'<Warnings>{warnings}</Warnings>' if warnings and is_final else ''}</TnOptionOrder>"
    )


def _summary(call: ApiCall, order: LineOptionOrder) -> str:
    return (
        f"<TnOptionOrderSummary><accountId>{call.account.id}</accountId><CountOfTNs>{len(order.numbers())}</CountOfTNs>"
        f"<userId>{_USER}</userId>{optional('CustomerOrderId', order.key)}"
        f"<lastModifiedDate>{stamp(order.modified_at)}</lastModifiedDate><OrderDate>{stamp(order.created_at)}</OrderDate>"
        f"<OrderType>tn_option</OrderType><OrderStatus>{order.state.value}</OrderStatus><OrderId>{order.id}</OrderId>"
        "</TnOptionOrderSummary>"
    )
