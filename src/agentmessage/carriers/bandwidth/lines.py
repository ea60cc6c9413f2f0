"""Which campaign a number is on: orders that settle later, and two lists that tell (contract, sections 4 and 5)."""

from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct

from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.client import BandwidthClient
from agentmessage.carriers.bandwidth.codes import Operation
from agentmessage.carriers.bandwidth.formats import to_e164
from agentmessage.carriers.bandwidth.order_search import pick_out
from agentmessage.carriers.bandwidth.orders import (
    build_order,
    read_candidates,
    read_order_id,
    read_report,
    require_key,
)
from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.http_request import Misunderstood, decode_json
from agentmessage.carriers.protocols import (
    Accepted,
    Answer,
    LineChange,
    LinePage,
    LineReading,
    OrderReport,
)

MAX_MEMBERS = 1000
"""Most members of one order. The vendor publishes none for this order type (sibling orders: 5,000)."""

PAGE_SIZE = 250
"""Records of one page; the vendor's maximum."""


class _Record(Struct, rename="camel"):
    phone_number: str
    status: str = ""
    campaign_id: str | None = None  # the key is absent while the number is on no campaign


class _Totals(Struct, rename="camel"):
    total_elements: int


class _Records(Struct):
    data: list[_Record]
    page: _Totals


class BandwidthLines:
    """LineOptions over `tnoptions` orders and the 10DLC number lists."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self._client = BandwidthClient(account, transport)
        self._message_class = account.message_class

    @property
    def max_batch(self) -> int:
        """Most members of one order."""
        return MAX_MEMBERS

    async def submit(self, order_key: str, changes: Sequence[LineChange]) -> Answer[str]:
        """Hand over one order with binds and unbinds of any number of campaigns.

        Raises ValueError, a bug of ours, on a bad key, no members, too many, or one number twice.
        """
        require_key(order_key)
        if not 0 < len(changes) <= MAX_MEMBERS or len({change.number for change in changes}) != len(changes):
            raise ValueError("an order has 1 to 1000 members, each number once")
        order = build_order(order_key, changes, message_class=self._message_class)
        return await self._client.post_xml("/tnoptions", order, read_order_id, operation=Operation.BIND)

    async def read_order(self, carrier_order_id: str) -> Answer[OrderReport]:
        """Where an order stands."""
        path = f"/tnoptions/{quote(carrier_order_id, safe='')}"
        return await self._client.get_xml(path, read_report, operation=Operation.READ_ORDER)

    async def find_order(self, order_key: str) -> Answer[OrderReport | None]:
        """Look an order up by our key. Costs one request, and one more for each order that may be it."""
        require_key(order_key)
        listed = await self._client.get_xml(
            "/tnoptions",
            lambda root: read_candidates(
                root, order_key, row_tags=("TnOptionOrderSummary", "TnOptionOrder"), id_tags=("OrderId",)
            ),
            operation=Operation.READ_ALL,
            customerOrderId=order_key,
        )
        if not isinstance(listed, Accepted):
            return listed
        return await pick_out(listed.value, order_key, self.read_order)

    async def read_campaign(self, campaign: str, page: str | None = None) -> Answer[LinePage]:
        """One page of the numbers on a campaign; records of other campaigns are dropped."""
        path = f"/tendlc/campaigns/{quote(campaign, safe='')}/phoneNumbers"
        return await self._read_page(path, page, campaign, Operation.READ_CAMPAIGN)

    async def read_all(self, page: str | None = None) -> Answer[LinePage]:
        """One page of every number of the account."""
        return await self._read_page("/tendlc/phoneNumbers", page, None, Operation.READ_ALL)

    async def _read_page(
        self, path: str, page: str | None, campaign: str | None, operation: Operation
    ) -> Answer[LinePage]:
        offset = int(page or "0")
        return await self._client.get_json(
            path,
            lambda body: read_page(body, offset=offset, campaign=campaign),
            operation=operation,
            limit=str(PAGE_SIZE),
            offset=str(offset),
        )


def read_page(body: bytes, *, offset: int, campaign: str | None = None) -> LinePage:
    """The readings of one page, only those on `campaign` when given. Raises Misunderstood."""
    records = decode_json(body, _Records)
    if records.page.total_elements < 0:
        raise Misunderstood("a negative total")
    end = offset + len(records.data)
    readings = tuple(_reading(record) for record in records.data if campaign is None or record.campaign_id == campaign)
    return LinePage(
        readings=readings, next_page=str(end) if records.data and end < records.page.total_elements else None
    )


def _reading(record: _Record) -> LineReading:
    """A failure matters only while there is a campaign: a number that is on none has nothing left to fail."""
    status = record.status.upper()
    campaign = record.campaign_id or None
    return LineReading(
        number=to_e164(record.phone_number),
        campaign=campaign,
        is_settled=status == "SUCCESS" or (campaign is None and status == "FAILURE"),
        operators={},  # these lists speak for all operators at once
        has_failed=campaign is not None and status == "FAILURE",
    )
