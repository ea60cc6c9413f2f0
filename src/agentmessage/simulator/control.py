"""The control plane: faults, the oracle, drift, and shortcuts for tests and benches. It asks for no credentials."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from agentmessage.simulator.bandwidth.line_option_orders import LineOrders
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.core import oracle
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.entities import Campaign
from agentmessage.simulator.core.faults import CATALOG, DEFAULT_SECONDS, FaultOrder, UnknownFault
from agentmessage.simulator.core.http_types import Reply, Request, json_reply
from agentmessage.simulator.core.routing import Refused
from agentmessage.simulator.core.shared_state import Realm, stamp
from agentmessage.simulator.messaging.carrier import TextDesk
from agentmessage.simulator.messaging.control import NAMES as TEXT_NAMES
from agentmessage.simulator.messaging.control import TextControl
from agentmessage.simulator.tcr.registry import RegistryDesk

_E164 = re.compile(r"\+1[2-9]\d{9}")
_MOST_ADDED = 2_000_000


class Drift(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody changed a number in the carrier's portal."""

    number: str
    campaign: str | None
    account: str = ""


class CampaignOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign is to be from now on; `create` makes one that the registry has never seen."""

    status: str = "ACTIVE"
    create: bool = False
    number_pool: bool | None = None
    usecase: str | None = None
    account: str = ""


class NumbersOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers to put in service at once: a list, or `count` numbers upward from `first`."""

    numbers: list[str] = []
    first: str | None = None
    count: Annotated[int, Meta(ge=1, le=_MOST_ADDED)] = 1
    campaign: str | None = None
    account: str = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the carrier is set up."""

    max_batch: Annotated[int, Meta(ge=1, le=5000)] | None = None
    allow_duplicate_keys: bool | None = None


Body = TypeVar("Body")


class _Refused(Exception):
    def __init__(self, status: int, message: str, names: list[str] | None = None) -> None:
        super().__init__(message)
        error: dict[str, object] = {"message": message}
        if names is not None:
            error["unknown"] = names
        self.reply = json_reply(status, {"error": error})


class Control:
    """Answers `/_control/…`."""

    def __init__(
        self, realm: Realm, lines: LineOrders, numbers: NumberOrders, desk: RegistryDesk, texts: TextDesk
    ) -> None:
        self._realm = realm
        self._texts = TextControl(realm, texts)
        self._lines = lines
        self._numbers = numbers
        self._desk = desk
        self._operations: dict[tuple[str, str], Callable[[Request, str, float], Reply]] = {
            ("GET", "faults"): self._read_faults,
            ("POST", "faults"): self._switch_faults,
            ("GET", "oracle"): self._tell,
            ("POST", "drift"): self._drift,
            ("POST", "reset"): self._reset,
            ("POST", "campaigns"): self._set_campaign,
            ("POST", "numbers"): self._add_numbers,
            ("GET", "health"): self._health,
            ("GET", "profile"): self._profile,
            ("POST", "settings"): self._settings,
        }

    def handle(self, request: Request, at: float) -> Reply:
        """One request to the control plane."""
        name, _, rest = request.path.removeprefix("/_control/").partition("/")
        if name in TEXT_NAMES:
            try:
                return self._texts.handle(request, at)
            except Refused as refused:
                return refused.reply
        operation = self._operations.get((request.method, name))
        if operation is None or (bool(rest) != (name == "campaigns")):
            known = any(given == name for _, given in self._operations)
            return json_reply(405 if known else 404, {"error": {"message": "no such operation"}})
        try:
            return operation(request, rest, at)
        except _Refused as refused:
            return refused.reply

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────────

    def _read_faults(self, request: Request, rest: str, at: float) -> Reply:
        del request, rest
        book = self._realm.faults
        outage = book.outage
        return json_reply(
            200,
            {
                "probabilities": book.chances,
                "once": book.once,
                "outage": None if outage is None or outage[1] <= at else outage[2],
                "known": CATALOG,
                "default_seconds": DEFAULT_SECONDS,
            },
        )

    def _switch_faults(self, request: Request, rest: str, at: float) -> Reply:
        order = _decode(request, FaultOrder)
        try:
            self._realm.faults.switch(order, at=at)
        except UnknownFault as error:
            raise _Refused(422, str(error), error.names) from error
        return self._read_faults(request, rest, at)

    def _reset(self, request: Request, rest: str, at: float) -> Reply:
        del request, rest
        self._realm.faults.clear()
        self._lines.release_stuck(at)
        self._numbers.release_stuck(at)
        return json_reply(200, {"reset": True})

    # ── truth ───────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, request: Request, rest: str, at: float) -> Reply:
        del rest
        account = self._account(dict(parse_qsl(request.query)).get("account", ""))
        return json_reply(200, oracle.tell(self._realm, account, at=at))

    def _health(self, request: Request, rest: str, at: float) -> Reply:
        del request, rest
        return json_reply(200, {"alive": True, "now": stamp(at)})

    def _profile(self, request: Request, rest: str, at: float) -> Reply:
        del request, rest, at
        realm = self._realm
        return json_reply(
            200,
            {
                "profile": realm.profile,
                "seed": realm.seed,
                "accounts": list(realm.accounts),
                "settings": self._shown_settings(),
            },
        )

    def _shown_settings(self) -> Mapping[str, object]:
        return {"max_batch": self._realm.max_batch, "allow_duplicate_keys": self._realm.allows_duplicate_keys}

    def _settings(self, request: Request, rest: str, at: float) -> Reply:
        del rest, at
        given = _decode(request, Settings)
        if given.max_batch is not None:
            self._realm.max_batch = given.max_batch
        if given.allow_duplicate_keys is not None:
            self._realm.allows_duplicate_keys = given.allow_duplicate_keys
        return json_reply(200, self._shown_settings())

    # ── acts ────────────────────────────────────────────────────────────────────────────────────────────────

    def _drift(self, request: Request, rest: str, at: float) -> Reply:
        del rest
        order = _decode(request, Drift)
        account = self._account(order.account)
        line = account.lines.get(order.number)
        if line is None:
            raise _Refused(404, f"{order.number} is not in service")
        line.returns_to = None
        account.change(line, goal=order.campaign, at=at)
        self._realm.touch(account, line)
        return json_reply(200, {"number": order.number, "campaign": order.campaign})

    def _set_campaign(self, request: Request, rest: str, at: float) -> Reply:
        order = _decode(request, CampaignOrder)
        account = self._account(order.account)
        campaign = account.campaigns.get(rest)
        if campaign is None:
            if not order.create:
                raise _Refused(404, f"campaign {rest} does not exist")
            campaign = Campaign(rest, "", {"usecase": order.usecase or "MIXED"}, at, expires_at=at + 7_776_000.0)
            account.keep_campaign(campaign)
        if order.number_pool is not None:
            campaign.fields["numberPool"] = order.number_pool
        if order.usecase is not None:
            campaign.fields["usecase"] = order.usecase
        self._move_campaign(account, campaign, order.status, at)
        return json_reply(200, {"campaign": campaign.id, "status": order.status})

    def _move_campaign(self, account: Account, campaign: Campaign, status: str, at: float) -> None:
        match status:
            case "ACTIVE" if campaign.is_suspended:
                self._desk.resume(account, campaign, at=at)
            case "ACTIVE":
                self._desk.approve(account, campaign)
            case "SUSPENDED":
                self._desk.suspend(account, campaign, at=at)
            case "EXPIRED":
                self._desk.expire(account, campaign, at=at)
            case "DORMANT":
                campaign.is_asleep = True
                self._realm.touch(account, campaign)
            case _:
                raise _Refused(422, "status must be ACTIVE, SUSPENDED, EXPIRED or DORMANT")

    def _add_numbers(self, request: Request, rest: str, at: float) -> Reply:
        del rest
        order = _decode(request, NumbersOrder)
        account = self._account(order.account)
        numbers = list(order.numbers)
        if order.first is not None:
            start = int(_require_number(order.first)[1:])
            numbers += [f"+{start + index}" for index in range(order.count)]
        for number in numbers:
            _require_number(number)
        added = 0
        for number in numbers:
            if number not in account.lines:
                added += 1
                self._numbers.put_in_service(account, number, at=at)
            if order.campaign is not None:
                line = account.lines[number]
                account.change(line, goal=order.campaign, at=at)
                self._realm.touch(account, line)
        return json_reply(200, {"added": added, "in_service": len(account.lines)})

    def _account(self, account_id: str) -> Account:
        accounts = self._realm.accounts
        if not account_id:
            return next(iter(accounts.values()))
        if account_id not in accounts:
            raise _Refused(404, f"account {account_id} does not exist")
        return accounts[account_id]


def _require_number(number: str) -> str:
    if not _E164.fullmatch(number):
        raise _Refused(422, f"{number[:20]} is not a number like +14155550123")
    return number


def _decode(request: Request, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _Refused(422, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Refused(400, "the body must be JSON") from error
