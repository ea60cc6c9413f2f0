"""The carrier's JSON listings: the campaign of each number, by the page."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from agentmessage.simulator.core.entities import NumberLine
from agentmessage.simulator.core.http_types import HttpResponse, json_response
from agentmessage.simulator.core.routing import ApiCall, VendorRoute
from agentmessage.simulator.core.shared_state import SharedState

_DEFAULT_LIMIT = 50
_MAX_PAGE = 250
_NNID = "103710"


class _NumberRecord(Struct, rename="camel", omit_defaults=True):
    phone_number: str
    status: str
    nnid: str
    created_date: str
    modified_date: str
    campaign_id: str | None = None
    brand_id: str | None = None
    customer_profile_id: str | None = None


class _PageInfo(Struct, rename="camel"):
    page_size: int
    page_number: int
    total_elements: int
    total_pages: int


class _Listing(Struct):
    links: list[str]
    errors: list[str]
    page: _PageInfo
    data: list[_NumberRecord]


_encoder = msgspec.json.Encoder()


class ListingRoutes:
    """HTTP for the carrier's records of numbers."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._timestamps: dict[float, str] = {}

    def routes(self) -> list[VendorRoute]:
        """Every listing."""
        base = "/api/v2/accounts/*/tendlc"
        return [
            VendorRoute("GET", f"{base}/phoneNumbers", "lines.list", self.all_numbers),
            VendorRoute("GET", f"{base}/campaigns/*/phoneNumbers", "lines.campaign", self.numbers_of_campaign),
            VendorRoute("GET", f"{base}/phoneNumbers/*", "lines.number", self.get_number),
        ]

    def all_numbers(self, call: ApiCall) -> HttpResponse:
        """Every number in service. Only the filter `campaignId[contains]` has an effect; others are ignored."""
        contained = call.query.get("campaignId[contains]")
        at = self._as_of(call)
        numbers: Sequence[str] = call.account.numbers()
        if contained and not self._filter_is_ignored(call):
            lines = call.account.lines
            numbers = [number for number in numbers if contained in (lines[number].campaign(at) or "")]
        return self._listing(call, numbers, at)

    def numbers_of_campaign(self, call: ApiCall) -> HttpResponse:
        """The numbers of one campaign; 404 when the carrier has not imported it."""
        account, campaign = call.account, call.tail[1]
        registered = account.campaigns.get(campaign)
        if registered is None or not registered.is_imported:
            return _error(404, "not-found", f"Campaign {campaign} was not found")
        at = self._as_of(call)
        numbers: Sequence[str] = account.numbers()
        if not self._filter_is_ignored(call):
            lines = account.lines
            # The index holds only the current state: a stale read must go through every line.
            indexed = account.on_campaign.get(campaign, ()) if at >= call.at else numbers
            numbers = [number for number in indexed if number in lines and lines[number].campaign(at) == campaign]
        return self._listing(call, numbers, at)

    def get_number(self, call: ApiCall) -> HttpResponse:
        """404 for every number, as measured on the real service."""
        return _error(404, "not-found", f"Phone number {call.tail[1]} was not found")

    def _filter_is_ignored(self, call: ApiCall) -> bool:
        return self._shared.faults.hit("filter_ignored", operation="lines", account=call.account.id) is not None

    def _as_of(self, call: ApiCall) -> float:
        hit = self._shared.faults.hit("stale_read", operation="lines", account=call.account.id)
        return call.at - hit.seconds if hit else call.at

    def _listing(self, call: ApiCall, numbers: Sequence[str], at: float) -> HttpResponse:
        limit, offset = (
            _whole_number(call.query.get("limit"), _DEFAULT_LIMIT),
            _whole_number(call.query.get("offset"), 0),
        )
        if limit is None or offset is None or limit == 0:
            return _error(400, "bad-request", "limit and offset must be whole numbers")
        limit = min(limit, _MAX_PAGE)
        shown = numbers[offset : offset + limit]
        if shown and self._shared.faults.hit("page_drift", operation="lines", account=call.account.id):
            shown = shown[1:]
        page = _PageInfo(limit, offset // limit, len(numbers), -(-len(numbers) // limit))
        self._timestamps.clear()
        records = [self._record(call, call.account.lines[number], at) for number in shown]
        body = _encoder.encode(_Listing([], [], page, records))
        return HttpResponse(200, {"content-type": "application/json"}, body)

    def _record(self, call: ApiCall, line: NumberLine, at: float) -> _NumberRecord:
        status = "FAILURE" if line.has_failed(at) else "SUCCESS"
        if not line.is_settled(at) or (line.order_id is not None and at >= call.at):
            status = "PROCESSING"
        created, modified = self._timestamp(line.in_service_at), self._timestamp(line.since(at))
        campaign = line.campaign(at)
        if campaign is None:
            return _NumberRecord(line.number, status, _NNID, created, modified)
        registered = call.account.campaigns.get(campaign)
        brand = registered.brand_id if registered is not None else None
        return _NumberRecord(line.number, status, _NNID, created, modified, campaign, brand, f"{call.account.id}-1")

    def _timestamp(self, at: float) -> str:
        text = self._timestamps.get(at)
        if text is None:
            utc = datetime.fromtimestamp(at, UTC)
            text = self._timestamps[at] = f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
        return text


def _whole_number(text: str | None, default: int) -> int | None:
    if text is None:
        return default
    return int(text) if text.isdigit() else None


def _error(status: int, kind: str, description: str) -> HttpResponse:
    return json_response(status, {"errors": [{"type": kind, "description": description}]})
