"""The carrier's `tnoptions` routes: hand an order over, ask where it stands, find it again."""

from xml.etree.ElementTree import Element

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.bandwidth.line_option_orders import LineOrders
from agentmessage.simulator.bandwidth.xml import (
    error_list,
    escape,
    key_of,
    number_list,
    numbers_of,
    optional,
    read,
    require_members,
    status_reply,
    text_of,
)
from agentmessage.simulator.core.entities import FINAL, Group, LineOrder
from agentmessage.simulator.core.http_types import Reply, xml_reply
from agentmessage.simulator.core.routing import Call, Refused, Route
from agentmessage.simulator.core.shared_state import Realm, stamp

_ANSWER = "TnOptionOrderResponse"
_ACTIONS = frozenset({"asSpecified", "delete", "systemDefault", "off", "unchanged"})
_MOST_LISTED = 1000
_USER = "simulator"


class LineRoutes:
    """Speaks for LineOrders."""

    def __init__(self, realm: Realm, orders: LineOrders) -> None:
        self._realm = realm
        self._orders = orders

    def routes(self) -> list[Route]:
        """Every operation on line options."""
        base = "/api/accounts/*/tnoptions"
        return [
            Route("POST", base, "lines.submit", self.submit),
            Route("GET", base, "lines.find", self.find),
            Route("GET", f"{base}/*", "lines.order", self.get),
            Route("GET", f"{base}/*/history", "lines.history", self.history),
        ]

    def submit(self, call: Call) -> Reply:
        """Take an order in, or refuse it whole."""
        document = read(call.request.body, "TnOptionOrder", _ANSWER)
        key = key_of(document, _ANSWER)
        groups = [_read_group(element) for element in document.iterfind("TnOptionGroups/TnOptionGroup")]
        numbers = [number for group in groups for number in group.numbers]
        require_members(numbers, self._realm.max_batch, _ANSWER)
        if key:
            self._count_key(call, key)
        order = self._orders.submit(call.account, key=key, groups=groups, at=call.at)
        return xml_reply(201, f"<{_ANSWER}>{_render(call, order)}</{_ANSWER}>")

    def get(self, call: Call) -> Reply:
        """Where an order stands."""
        return xml_reply(200, _render(call, self._find(call)))

    def history(self, call: Call) -> Reply:
        """Every state of an order and when it began."""
        rows = "".join(
            f"<OrderHistory><OrderDate>{stamp(at)}</OrderDate><Note>Order is {state.lower()}.</Note>"
            f"<Author>{_USER}</Author><Status>{state.lower()}</Status></OrderHistory>"
            for at, state in self._find(call).history
        )
        return xml_reply(200, f"<OrderHistoryWrapper>{rows}</OrderHistoryWrapper>")

    def find(self, call: Call) -> Reply:
        """Orders by key, number, state or the beginning of their id; parameters it does not know are ignored."""
        account, query = call.account, call.query
        key, fragment = query.get("customerOrderId"), query.get("orderIdFragment")
        faults = self._realm.faults
        orders = list(account.line_orders.values())
        if key and not faults.strikes("filter_ignored", operation="lines.find", account=account.id):
            orders = [account.line_orders[order_id] for order_id in account.orders_under("tnoptions", key)]
        if faults.strikes("order_hidden", operation="lines.find", account=account.id):
            orders = []
        if status := query.get("status"):
            orders = [order for order in orders if order.state.value == status.upper()]
        if number := query.get("tn"):
            orders = [order for order in orders if any(member.endswith(number) for member in order.numbers())]
        if fragment:
            orders = [order for order in orders if order.id.startswith(fragment)]
        rows = "".join(_summary(call, order) for order in orders[-_MOST_LISTED:])
        return xml_reply(
            200,
            f"<TnOptionOrderReportResponse><TnOptionOrders><TotalCount>{len(orders)}</TotalCount>{rows}"
            "</TnOptionOrders></TnOptionOrderReportResponse>",
        )

    def _find(self, call: Call) -> LineOrder:
        order = call.account.line_orders.get(call.tail[1])
        if order is None or self._realm.faults.strikes(
            "order_hidden", operation="lines.order", account=call.account.id
        ):
            root = "TnOptionOrderReportResponse"
            text = "<ResponseStatus><Description>The resource does not exist</Description></ResponseStatus>"
            raise Refused(xml_reply(404, f"<{root}>{text}</{root}>"))
        return order

    def _count_key(self, call: Call, key: str) -> None:
        present = call.account.orders_under("tnoptions", key)
        if present:
            call.account.count("repeated_line_key")
            if not self._realm.allows_duplicate_keys:
                raise Refused(status_reply(409, _ANSWER, errors.key_used(key, present[0])))


def _read_group(element: Element) -> Group:
    settings = element.find("A2pSettings")
    numbers = numbers_of(element, "TelephoneNumbers", _ANSWER)
    sms = text_of(element, "Sms") or None
    if settings is None:
        return Group("unchanged", None, None, sms, numbers)
    action = text_of(settings, "Action") or "asSpecified"
    campaign = text_of(settings, "CampaignId") or None
    message_class = text_of(settings, "MessageClass") or None
    if action not in _ACTIONS or (action == "asSpecified") != (campaign is not None):
        raise Refused(status_reply(400, _ANSWER, errors.A2P_VALUES))
    if action == "asSpecified" and sms == "off":
        raise Refused(status_reply(400, _ANSWER, errors.SMS_OFF))
    return Group(action, campaign, message_class, sms, numbers)


def _render_group(group: Group) -> str:
    values = optional("CampaignId", group.campaign) + optional("MessageClass", group.message_class)
    settings = f"<A2pSettings><Action>{group.action}</Action>{values}</A2pSettings>"
    numbers = number_list("TelephoneNumbers", group.numbers)
    return f"<TnOptionGroup>{optional('Sms', group.sms)}{settings}{numbers}</TnOptionGroup>"


def _render(call: Call, order: LineOrder) -> str:
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


def _summary(call: Call, order: LineOrder) -> str:
    return (
        f"<TnOptionOrderSummary><accountId>{call.account.id}</accountId><CountOfTNs>{len(order.numbers())}</CountOfTNs>"
        f"<userId>{_USER}</userId>{optional('CustomerOrderId', order.key)}"
        f"<lastModifiedDate>{stamp(order.modified_at)}</lastModifiedDate><OrderDate>{stamp(order.created_at)}</OrderDate>"
        f"<OrderType>tn_option</OrderType><OrderStatus>{order.state.value}</OrderStatus><OrderId>{order.id}</OrderId>"
        "</TnOptionOrderSummary>"
    )
