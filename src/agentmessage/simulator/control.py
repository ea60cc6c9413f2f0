"""The control plane: faults, the oracle, drift, and shortcuts for tests and benchmarks. It needs no credentials."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from msgspec import Meta, Struct

from agentmessage.simulator.bandwidth.line_option_orders import LineOptionOrders
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.core import oracle
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import RegistryCampaign
from agentmessage.simulator.core.faults import CATALOG, DEFAULT_SECONDS, FaultRequest, UnknownFault
from agentmessage.simulator.core.http_types import HttpRequest, HttpResponse, json_response
from agentmessage.simulator.core.routing import RequestRejected, decode_body, rejected
from agentmessage.simulator.core.shared_state import SharedState, stamp
from agentmessage.simulator.messaging.carrier import MessagingCarrier
from agentmessage.simulator.messaging.control import NAMES as MESSAGING_NAMES
from agentmessage.simulator.messaging.control import MessagingControl
from agentmessage.simulator.tcr.registry import SimulatedRegistry

_E164 = re.compile(r"\+1[2-9]\d{9}")
_MAX_ADDED = 2_000_000


class DriftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A number was changed in the carrier's portal."""

    number: str
    campaign: str | None
    account: str = ""


class CampaignChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The new state of a campaign; `create` makes one that the registry has never seen."""

    status: str = "ACTIVE"
    create: bool = False
    number_pool: bool | None = None
    usecase: str | None = None
    account: str = ""


class NumberAddition(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers to put in service: a list, or `count` numbers upward from `first`."""

    numbers: list[str] = []
    first: str | None = None
    count: Annotated[int, Meta(ge=1, le=_MAX_ADDED)] = 1
    campaign: str | None = None
    account: str = ""


class CarrierSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the carrier."""

    max_batch: Annotated[int, Meta(ge=1, le=5000)] | None = None
    allow_duplicate_keys: bool | None = None


class Control:
    """HTTP for `/_control/…`."""

    def __init__(
        self,
        shared: SharedState,
        lines: LineOptionOrders,
        numbers: NumberOrders,
        registry: SimulatedRegistry,
        messaging: MessagingCarrier,
    ) -> None:
        self._shared = shared
        self._messaging = MessagingControl(shared, messaging)
        self._lines = lines
        self._numbers = numbers
        self._registry = registry
        self._operations: dict[tuple[str, str], Callable[[HttpRequest, str, float], HttpResponse]] = {
            ("GET", "faults"): self._read_faults,
            ("POST", "faults"): self._configure_faults,
            ("GET", "oracle"): self._read_oracle,
            ("POST", "drift"): self._drift,
            ("POST", "reset"): self._reset,
            ("POST", "campaigns"): self._set_campaign,
            ("POST", "numbers"): self._add_numbers,
            ("GET", "health"): self._health,
            ("GET", "profile"): self._profile,
            ("POST", "settings"): self._change_settings,
        }

    def handle(self, request: HttpRequest, at: float) -> HttpResponse:
        """One request to the control plane."""
        name, _, rest = request.path.removeprefix("/_control/").partition("/")
        if name in MESSAGING_NAMES:
            try:
                return self._messaging.handle(request, at)
            except RequestRejected as error:
                return error.response
        operation = self._operations.get((request.method, name))
        if operation is None or (bool(rest) != (name == "campaigns")):
            is_known = any(path == name for _, path in self._operations)
            return json_response(405 if is_known else 404, {"error": {"message": "no such operation"}})
        try:
            return operation(request, rest, at)
        except RequestRejected as error:
            return error.response

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────────

    def _read_faults(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del request, rest
        faults = self._shared.faults
        outage = faults.outage
        return json_response(
            200,
            {
                "probabilities": faults.probabilities,
                "once": faults.once,
                "outage": None if outage is None or outage[1] <= at else outage[2],
                "known": CATALOG,
                "default_seconds": DEFAULT_SECONDS,
            },
        )

    def _configure_faults(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        body = decode_body(request, FaultRequest)
        try:
            self._shared.faults.configure(body, at=at)
        except UnknownFault as error:
            raise rejected(422, str(error), unknown=error.names) from error
        return self._read_faults(request, rest, at)

    def _reset(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del request, rest
        self._shared.faults.clear()
        self._lines.release_stuck(at)
        self._numbers.release_stuck(at)
        return json_response(200, {"reset": True})

    # ── state ───────────────────────────────────────────────────────────────────────────────────────────────

    def _read_oracle(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del rest
        account = self._account(dict(parse_qsl(request.query)).get("account", ""))
        return json_response(200, oracle.report(self._shared, account, at=at))

    def _health(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del request, rest
        return json_response(200, {"alive": True, "now": stamp(at)})

    def _profile(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del request, rest, at
        shared = self._shared
        return json_response(
            200,
            {
                "profile": shared.profile,
                "seed": shared.seed,
                "accounts": list(shared.accounts),
                "settings": self._settings_body(),
            },
        )

    def _settings_body(self) -> Mapping[str, object]:
        return {"max_batch": self._shared.max_batch, "allow_duplicate_keys": self._shared.allows_duplicate_keys}

    def _change_settings(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del rest, at
        body = decode_body(request, CarrierSettings)
        if body.max_batch is not None:
            self._shared.max_batch = body.max_batch
        if body.allow_duplicate_keys is not None:
            self._shared.allows_duplicate_keys = body.allow_duplicate_keys
        return json_response(200, self._settings_body())

    # ── changes ─────────────────────────────────────────────────────────────────────────────────────────────

    def _drift(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del rest
        body = decode_body(request, DriftRequest)
        account = self._account(body.account)
        line = account.lines.get(body.number)
        if line is None:
            raise rejected(404, f"{body.number} is not in service")
        line.returns_to = None
        account.change(line, goal=body.campaign, at=at)
        self._shared.mark_changed(account, line)
        return json_response(200, {"number": body.number, "campaign": body.campaign})

    def _set_campaign(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        body = decode_body(request, CampaignChange)
        account = self._account(body.account)
        campaign = account.campaigns.get(rest)
        if campaign is None:
            if not body.create:
                raise rejected(404, f"campaign {rest} does not exist")
            campaign = RegistryCampaign(rest, "", {"usecase": body.usecase or "MIXED"}, at, expires_at=at + 7_776_000.0)
            account.add_campaign(campaign)
        if body.number_pool is not None:
            campaign.fields["numberPool"] = body.number_pool
        if body.usecase is not None:
            campaign.fields["usecase"] = body.usecase
        self._move_campaign(account, campaign, body.status, at)
        return json_response(200, {"campaign": campaign.id, "status": body.status})

    def _move_campaign(self, account: SimulatedAccount, campaign: RegistryCampaign, status: str, at: float) -> None:
        match status:
            case "ACTIVE" if campaign.is_suspended:
                self._registry.resume(account, campaign, at=at)
            case "ACTIVE":
                self._registry.approve(account, campaign)
            case "SUSPENDED":
                self._registry.suspend(account, campaign, at=at)
            case "EXPIRED":
                self._registry.expire(account, campaign, at=at)
            case "DORMANT":
                campaign.is_dormant = True
                self._shared.mark_changed(account, campaign)
            case _:
                raise rejected(422, "status must be ACTIVE, SUSPENDED, EXPIRED or DORMANT")

    def _add_numbers(self, request: HttpRequest, rest: str, at: float) -> HttpResponse:
        del rest
        body = decode_body(request, NumberAddition)
        account = self._account(body.account)
        numbers = list(body.numbers)
        if body.first is not None:
            start = int(_require_number(body.first)[1:])
            numbers += [f"+{start + index}" for index in range(body.count)]
        for number in numbers:
            _require_number(number)
        added = 0
        for number in numbers:
            if number not in account.lines:
                added += 1
                self._numbers.put_in_service(account, number, at=at)
            if body.campaign is not None:
                line = account.lines[number]
                account.change(line, goal=body.campaign, at=at)
                self._shared.mark_changed(account, line)
        return json_response(200, {"added": added, "in_service": len(account.lines)})

    def _account(self, account_id: str) -> SimulatedAccount:
        accounts = self._shared.accounts
        if not account_id:
            return next(iter(accounts.values()))
        if account_id not in accounts:
            raise rejected(404, f"account {account_id} does not exist")
        return accounts[account_id]


def _require_number(number: str) -> str:
    if not _E164.fullmatch(number):
        raise rejected(422, f"{number[:20]} is not a number like +14155550123")
    return number
