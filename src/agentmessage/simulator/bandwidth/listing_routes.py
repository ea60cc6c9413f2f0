"""The carrier's JSON listings: which campaign each number is on, by the page."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from agentmessage.simulator.core.entities import Line
from agentmessage.simulator.core.http_types import Reply, json_reply
from agentmessage.simulator.core.routing import Call, Route
from agentmessage.simulator.core.shared_state import Realm

_DEFAULT_LIMIT = 50
_MOST = 250
_NNID = "103710"


class _Record(Struct, rename="camel", omit_defaults=True):
    phone_number: str
    status: str
    nnid: str
    created_date: str
    modified_date: str
    campaign_id: str | None = None
    brand_id: str | None = None
    customer_profile_id: str | None = None


class _PageOf(Struct, rename="camel"):
    page_size: int
    page_number: int
    total_elements: int
    total_pages: int


class _Listing(Struct):
    links: list[str]
    errors: list[str]
    page: _PageOf
    data: list[_Record]


_encoder = msgspec.json.Encoder()


class ReadingRoutes:
    """Shows lines as the carrier's records."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._stamps: dict[float, str] = {}

    def routes(self) -> list[Route]:
        """Every reading."""
        base = "/api/v2/accounts/*/tendlc"
        return [
            Route("GET", f"{base}/phoneNumbers", "lines.list", self.all_numbers),
            Route("GET", f"{base}/campaigns/*/phoneNumbers", "lines.campaign", self.numbers_of_campaign),
            Route("GET", f"{base}/phoneNumbers/*", "lines.number", self.one_number),
        ]

    def all_numbers(self, call: Call) -> Reply:
        """Every number in service. Only `campaignId[contains]` narrows; other filters are accepted and ignored."""
        contained = call.query.get("campaignId[contains]")
        at = self._looking_back(call)
        numbers: Sequence[str] = call.account.numbers()
        if contained and not self._filter_is_ignored(call):
            lines = call.account.lines
            numbers = [number for number in numbers if contained in (lines[number].campaign(at) or "")]
        return self._listing(call, numbers, at)

    def numbers_of_campaign(self, call: Call) -> Reply:
        """The numbers of one campaign; 404 when the carrier has not imported it."""
        account, campaign = call.account, call.tail[1]
        known = account.campaigns.get(campaign)
        if known is None or not known.is_imported:
            return _error(404, "not-found", f"Campaign {campaign} was not found")
        at = self._looking_back(call)
        numbers: Sequence[str] = account.numbers()
        if not self._filter_is_ignored(call):
            lines = account.lines
            # The index knows only the present: a look into the past has to ask every line.
            counted = account.on_campaign.get(campaign, ()) if at >= call.at else numbers
            numbers = [number for number in counted if number in lines and lines[number].campaign(at) == campaign]
        return self._listing(call, numbers, at)

    def one_number(self, call: Call) -> Reply:
        """404 for every number, as measured on the real service."""
        return _error(404, "not-found", f"Phone number {call.tail[1]} was not found")

    def _filter_is_ignored(self, call: Call) -> bool:
        return self._realm.faults.strikes("filter_ignored", operation="lines", account=call.account.id) is not None

    def _looking_back(self, call: Call) -> float:
        strike = self._realm.faults.strikes("stale_read", operation="lines", account=call.account.id)
        return call.at - strike.seconds if strike else call.at

    def _listing(self, call: Call, numbers: Sequence[str], at: float) -> Reply:
        limit, offset = _whole(call.query.get("limit"), _DEFAULT_LIMIT), _whole(call.query.get("offset"), 0)
        if limit is None or offset is None or limit == 0:
            return _error(400, "bad-request", "limit and offset must be whole numbers")
        limit = min(limit, _MOST)
        shown = numbers[offset : offset + limit]
        if shown and self._realm.faults.strikes("page_drift", operation="lines", account=call.account.id):
            shown = shown[1:]
        page = _PageOf(limit, offset // limit, len(numbers), -(-len(numbers) // limit))
        self._stamps.clear()
        records = [self._record(call, call.account.lines[number], at) for number in shown]
        body = _encoder.encode(_Listing([], [], page, records))
        return Reply(200, {"content-type": "application/json"}, body)

    def _record(self, call: Call, line: Line, at: float) -> _Record:
        status = "FAILURE" if line.has_failed(at) else "SUCCESS"
        if not line.is_settled(at) or (line.order_id is not None and at >= call.at):
            status = "PROCESSING"
        created, modified = self._stamp(line.in_service_at), self._stamp(line.since(at))
        campaign = line.campaign(at)
        if campaign is None:
            return _Record(line.number, status, _NNID, created, modified)
        known = call.account.campaigns.get(campaign)
        brand = known.brand_id if known is not None else None
        return _Record(line.number, status, _NNID, created, modified, campaign, brand, f"{call.account.id}-1")

    def _stamp(self, at: float) -> str:
        text = self._stamps.get(at)
        if text is None:
            moment = datetime.fromtimestamp(at, UTC)
            text = self._stamps[at] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        return text


def _whole(text: str | None, default: int) -> int | None:
    if text is None:
        return default
    return int(text) if text.isdigit() else None


def _error(status: int, kind: str, description: str) -> Reply:
    return json_reply(status, {"errors": [{"type": kind, "description": description}]})
