"""A customer of both vendors that writes every request by hand, without an adapter."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from defusedxml.ElementTree import fromstring

from agentmessage.simulator.core.http_types import HttpRequest, HttpResponse, OutgoingCallback
from agentmessage.simulator.world import World

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIVE, SANDBOX = "9900001", "9900002"
DESCRIPTION = "Order updates that our customers have asked for on the order page."


def basic(user: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{user}:simulator'.encode()).decode()}"}


def numbers_from(first: int, count: int) -> list[str]:
    return [f"+1415555{first + index:04d}" for index in range(count)]


def line_order(key: str, *groups: tuple[str | None, Sequence[str]]) -> bytes:
    """A TN option order; a group's campaign None takes its numbers off."""
    text = ""
    for campaign, numbers in groups:
        settings = "<Action>delete</Action>"
        if campaign is not None:
            settings = f"<Action>asSpecified</Action><CampaignId>{campaign}</CampaignId><MessageClass>M</MessageClass>"
        members = "".join(f"<TelephoneNumber>{number}</TelephoneNumber>" for number in numbers)
        text += (
            f"<TnOptionGroup><Sms>on</Sms><A2pSettings>{settings}</A2pSettings>"
            f"<TelephoneNumbers>{members}</TelephoneNumbers></TnOptionGroup>"
        )
    keyed = f"<CustomerOrderId>{key}</CustomerOrderId>" if key else ""
    return f"<TnOptionOrder>{keyed}<TnOptionGroups>{text}</TnOptionGroups></TnOptionOrder>".encode()


def purchase(key: str, numbers: Sequence[str], *, may_be_partial: bool = True) -> bytes:
    members = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in numbers)
    return (
        f"<Order><CustomerOrderId>{key}</CustomerOrderId><ExistingTelephoneNumberOrderType><TelephoneNumberList>"
        f"{members}</TelephoneNumberList></ExistingTelephoneNumberOrderType>"
        f"<PartialAllowed>{str(may_be_partial).lower()}</PartialAllowed><SiteId>743</SiteId></Order>"
    ).encode()


def disconnection(key: str, numbers: Sequence[str]) -> bytes:
    members = "".join(f"<TelephoneNumber>{number[2:]}</TelephoneNumber>" for number in numbers)
    return (
        f"<DisconnectTelephoneNumberOrder><CustomerOrderId>{key}</CustomerOrderId><DisconnectTelephoneNumberOrderType>"
        f"<TelephoneNumberList>{members}</TelephoneNumberList></DisconnectTelephoneNumberOrderType>"
        "</DisconnectTelephoneNumberOrder>"
    ).encode()


def subscription(url: str, order_type: str = "tnoptions") -> bytes:
    return (
        f"<Subscription><OrderType>{order_type}</OrderType><CallbackSubscription><URL>{url}</URL>"
        "<Expiry>3122064000</Expiry><CallbackCredentials><BasicAuthentication><Username>us</Username>"
        "<Password>hook</Password></BasicAuthentication></CallbackCredentials></CallbackSubscription></Subscription>"
    ).encode()


class Customer:
    """The customer of one account, with a clock that only the test advances."""

    def __init__(
        self, world: World | None = None, *, account: str = LIVE, profile: str = "demo", seed: int = 1
    ) -> None:
        self.world = world or World(seed=seed, profile=profile, started_at=START)
        self.account = account
        self.now = START
        self._api_key = "simulator" if account == LIVE else "simulator-sandbox"

    # ── speaking ────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, seconds: float = 60.0) -> None:
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"") -> HttpResponse:
        """Call the carrier."""
        path = path.replace("{a}", self.account)
        return self.world.handle(HttpRequest(method, path, query, basic("simulator"), body), self.now)

    def registry(self, method: str, path: str, body: object = None, query: str = "") -> HttpResponse:
        raw = b"" if body is None else json.dumps(body).encode()
        return self.world.handle(HttpRequest(method, f"/v2{path}", query, basic(self._api_key), raw), self.now)

    def control(self, path: str, body: object = None) -> Any:
        response = self.control_response(path, body)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def control_response(self, path: str, body: object = None) -> HttpResponse:
        method, raw = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        path, _, query = path.partition("?")
        return self.world.handle(HttpRequest(method, f"/_control/{path}", query, {}, raw), self.now)

    def callbacks(self) -> list[OutgoingCallback]:
        return self.world.due_callbacks(self.now)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, key: str, *groups: tuple[str | None, Sequence[str]]) -> str:
        response = self.ask("POST", "/api/accounts/{a}/tnoptions", body=line_order(key, *groups))
        assert response.status == 201, response.body
        return text(response, ".//OrderId")

    def order(self, order_id: str) -> HttpResponse:
        return self.ask("GET", f"/api/accounts/{{a}}/tnoptions/{order_id}")

    def state(self, order_id: str) -> str:
        return text(self.order(order_id), ".//ProcessingStatus")

    def errors(self, order_id: str) -> dict[str, tuple[str, str]]:
        """Errors by number (E.164)."""
        return {
            f"+1{error.findtext('TelephoneNumber')}": (
                error.findtext("Code") or "",
                error.findtext("Description") or "",
            )
            for error in fromstring(self.order(order_id).body).iter("Error")
        }

    def bind(self, campaign: str | None, numbers: Sequence[str], *, key: str = "") -> str:
        """Submit an order, and wait until it is finished."""
        order_id = self.submit(key, (campaign, numbers))
        self.wait()
        return order_id

    # ── having things ───────────────────────────────────────────────────────────────────────────────────────

    def have_numbers(self, numbers: Sequence[str]) -> None:
        self.control("numbers", {"numbers": list(numbers), "account": self.account})

    def have_campaign(self, campaign: str = "CTEST01", **more: object) -> str:
        self.control(f"campaigns/{campaign}", {"create": True, "account": self.account, **more})
        return campaign

    def register_brand(self, **fields: object) -> str:
        given = {"entityType": "PRIVATE_PROFIT", "displayName": "Acme", "country": "US", **fields}
        response = self.registry("POST", "/brand/nonBlocking", given)
        assert response.status == 200, response.body
        self.wait()
        return str(json.loads(response.body)["brandId"])

    def register_campaign(self, brand: str, **fields: object) -> str:
        """Register and share a campaign; nothing is decided yet."""
        given = {"brandId": brand, "usecase": "MIXED", "description": DESCRIPTION, **fields}
        response = self.registry("POST", "/campaignBuilder", given)
        assert response.status == 200, response.body
        campaign = str(json.loads(response.body)["campaignId"])
        assert self.registry("PUT", f"/campaign/{campaign}/sharing/BANDW").status == 200
        return campaign

    # ── seeing ──────────────────────────────────────────────────────────────────────────────────────────────

    def oracle(self) -> Any:
        return self.control(f"oracle?account={self.account}")

    def truth(self, number: str) -> str | None:
        campaign = self.oracle()["bindings"][number]["campaign"]
        assert campaign is None or isinstance(campaign, str)
        return campaign

    def records(self, query: str = "limit=250") -> dict[str, Any]:
        """The carrier's listing, by number."""
        response = self.ask("GET", "/api/v2/accounts/{a}/tendlc/phoneNumbers", query)
        assert response.status == 200, response.body
        return {record["phoneNumber"]: record for record in json.loads(response.body)["data"]}

    def search(self, query: str) -> list[str]:
        response = self.ask("GET", "/api/accounts/{a}/availableNumbers", query)
        assert response.status == 200, response.body
        return [f"+1{found}" for found in re.findall(r"<TelephoneNumber>(\d+)<", response.body.decode())]


def text(response: HttpResponse, path: str) -> str:
    return fromstring(response.body).findtext(path) or ""


def code_of(response: HttpResponse) -> str:
    found = re.search(rb"<(?:Error)?Code>(\d+)<", response.body)
    return found[1].decode() if found else ""
