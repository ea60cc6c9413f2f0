"""The door of a simulated world: requests and the passing of time go in, replies and callbacks come out.

A world is pure and synchronous. It reads no clock and rolls no dice but its own, so the same seed and the same
requests at the same times give the same world, in a process of its own or under a test's virtual clock.
"""

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import parse_qsl

from msgspec import Struct

from agentmessage.simulator.bandwidth.line_option_orders import LineOrders
from agentmessage.simulator.bandwidth.line_option_routes import LineRoutes
from agentmessage.simulator.bandwidth.listing_routes import ReadingRoutes
from agentmessage.simulator.bandwidth.lookup_routes import LookupRoutes
from agentmessage.simulator.bandwidth.messaging_routes import SEND, MessageRoutes, messaging_error
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.bandwidth.number_routes import NumberRoutes
from agentmessage.simulator.bandwidth.subscription_routes import SubscriptionRoutes
from agentmessage.simulator.control import Control
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.callbacks import pop_due
from agentmessage.simulator.core.entities import Brand, Campaign, Entity, LineOrder, NumberOrder
from agentmessage.simulator.core.http_types import Breakage, OutgoingCallback, Reply, Request, json_reply
from agentmessage.simulator.core.profiles import Limits, Profile, named
from agentmessage.simulator.core.rate_limit import Meter
from agentmessage.simulator.core.routing import Call, Refused, Route, RouteTable
from agentmessage.simulator.core.schedule import Due
from agentmessage.simulator.core.shared_state import ChangeKey, Realm
from agentmessage.simulator.messaging.carrier import TextDesk
from agentmessage.simulator.tcr.registry import RegistryDesk
from agentmessage.simulator.tcr.routes import RegistryRoutes

MESSAGING = "/api/v2/users/"
SYSTEM_IDS = ("live", "sandbox")


class Credentials(Struct, frozen=True):
    """Who may speak for which account: account id at the carrier → API key at the registry, and their passwords."""

    accounts: Mapping[str, str] = MappingProxyType({"9900001": "simulator", "9900002": "simulator-sandbox"})
    username: str = "simulator"
    password: str = "simulator"  # noqa: S105  a simulator's password guards nothing; it is printed in its manual
    registry_secret: str = "simulator"  # noqa: S105  same


class World:
    """Two accounts at a carrier and at the registry, and everything that happens to them."""

    def __init__(
        self,
        *,
        seed: int = 1,
        profile: Profile | str = "demo",
        started_at: datetime,
        credentials: Credentials | None = None,
        is_recorded: bool = False,
    ) -> None:
        self._credentials = credentials or Credentials()
        self._realm = realm = Realm(
            seed=seed,
            profile=named(profile) if isinstance(profile, str) else profile,
            accounts=self._credentials.accounts,
            registry_secret=self._credentials.registry_secret,
            is_recorded=is_recorded,
        )
        self._now = started_at.timestamp()
        self._lines = LineOrders(realm)
        self._numbers = NumberOrders(realm)
        self._desk = RegistryDesk(realm)
        self.texts = TextDesk(realm, started_at=self._now)
        self._control = Control(realm, self._lines, self._numbers, self._desk, self.texts)
        self._carrier_meters = _meters(realm.profile.carrier_limits, realm.accounts)
        self._registry_meters = _meters(realm.profile.registry_limits, realm.accounts)
        self._routes = RouteTable(
            [
                *LineRoutes(realm, self._lines).routes(),
                *NumberRoutes(realm, self._numbers).routes(),
                *ReadingRoutes(realm).routes(),
                *LookupRoutes().routes(),
                *SubscriptionRoutes(realm).routes(),
                *RegistryRoutes(realm, self._desk).routes(),
                *MessageRoutes(self.texts).routes(),
            ]
        )

    @property
    def accounts(self) -> Iterable[Account]:
        """Both accounts."""
        return self._realm.accounts.values()

    @property
    def system_ids(self) -> Mapping[str, str]:
        """The SMSC's system ids and whose they are: `live` is the first account, `sandbox` the second."""
        return dict(zip(SYSTEM_IDS, self._realm.accounts, strict=False))

    @property
    def is_quiet(self) -> bool:
        """No fault is switched on."""
        return self._realm.faults.is_quiet

    def strikes(self, fault: str, *, operation: str, account: str) -> bool:
        """Whether a fault of callbacks strikes now; a counted one is used up by it."""
        return self._realm.faults.strikes(fault, operation=operation, account=account) is not None

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by `now`; time never runs backwards."""
        until = max(self._now, now.timestamp())
        while (due := self._realm.agenda.pop(until)) is not None:
            self._happen(due)
        self.texts.advance(until)
        self._now = until

    def next_event_at(self) -> datetime | None:
        """When something will next happen by itself: a step, or a callback that is due; texts have their own clock."""
        times = [at for at in (self._realm.agenda.next_at, self._next_callback_at()) if at is not None]
        if not times:
            return None
        earliest = min(times)
        moment = datetime.fromtimestamp(earliest, UTC)
        # Rounded up to what a datetime can hold: whoever waits for this instant must find the thing due.
        return moment if moment.timestamp() >= earliest else moment + timedelta(microseconds=1)

    def due_callbacks(self, now: datetime) -> list[OutgoingCallback]:
        """The callbacks to deliver by `now`, earliest first; each is handed out once."""
        return pop_due(self._realm, now.timestamp())

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, request: Request, now: datetime) -> Reply:
        """Answer one request at an instant."""
        self.advance(now)
        if request.path.startswith("/_control/"):
            return self._control.handle(request, self._now)
        parts = tuple(request.path.strip("/").split("/"))
        found = self._routes.find(request.method, parts)
        if found is None:
            return json_reply(404, {"errors": [{"type": "not-found", "description": "no such resource"}]})
        route, tail = found
        is_registry = parts[0] == "v2" and parts[1] != "accounts"  # the carrier's lookups are beside them
        account = self._authenticate(request, tail, is_registry=is_registry)
        self._count(route)
        if isinstance(account, Reply):
            return account
        if (broken := self._before(route, account, is_registry=is_registry)) is not None:
            return broken
        call = Call(account, request, dict(parse_qsl(request.query)), tail, self._now)
        try:
            reply = route.handler(call)
        except Refused as refused:
            reply = refused.reply
        return self._after(route, account, reply)

    # ── disk ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_changes(self) -> dict[ChangeKey, Entity | None]:
        """What has changed since the last call, None for what is gone; empty unless the world is recorded."""
        changes = self._realm.changes
        self._realm.changes = {}
        return changes

    def everything(self) -> Iterable[tuple[str, Entity]]:
        """Every entity with the id of its account."""
        for account in self._realm.accounts.values():
            for entity in account.everything():
                yield account.id, entity

    def restore(self, entities: Iterable[tuple[str, Entity]]) -> None:
        """Put back entities that were read from disk, into a world that is still empty."""
        realm = self._realm
        for account_id, entity in entities:
            account = realm.accounts.get(account_id)
            if account is None:
                continue
            account.restore(entity)
            if isinstance(entity, LineOrder | NumberOrder | Brand | Campaign):
                steps, entity.steps = entity.steps, []
                for at, step in steps:
                    realm.plan(account, entity, at, step)
        for account in realm.accounts.values():
            account.reindex(at=self._now)
        realm.changes.clear()

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _happen(self, due: Due) -> None:
        account = self._realm.accounts[due.account]
        entity = account.planner(due.kind, due.id)
        planned = (due.at, due.step)
        if entity is None or planned not in entity.steps:
            return
        entity.steps.remove(planned)
        self._realm.touch(account, entity)
        match entity:
            case LineOrder():
                self._lines.step(account, entity, due.step, due.at)
            case NumberOrder():
                self._numbers.step(account, entity, due.step, due.at)
            case Brand():
                self._desk.step_brand(account, entity, due.step, due.at)
            case Campaign():
                self._desk.step_campaign(account, entity, due.step, due.at)

    def _next_callback_at(self) -> float | None:
        return self._realm.callbacks[0][0] if self._realm.callbacks else None

    def _count(self, route: Route) -> None:
        requests = self._realm.requests
        requests[route.operation] = requests.get(route.operation, 0) + 1

    def _authenticate(self, request: Request, tail: tuple[str, ...], *, is_registry: bool) -> Account | Reply:
        user, password = _basic(request)
        accounts = self._realm.accounts
        if is_registry:
            owner = next((account for account in accounts.values() if account.api_key == user), None)
            if owner is None or password != self._credentials.registry_secret:
                return json_reply(401, [{"code": 401, "description": "Unauthorized"}])
            return owner
        is_messaging = request.path.startswith(MESSAGING)
        if (user, password) != (self._credentials.username, self._credentials.password):
            bare = messaging_error(401, "Authentication Failed") if is_messaging else Reply(401)
            return Reply(401, {**bare.headers, "www-authenticate": 'Basic realm="simulator"'}, bare.body)
        account = accounts.get(tail[0])
        if account is None and is_messaging:
            return messaging_error(403, "User is not authorized for this account.")
        if account is None:
            description = "client does not have access rights to the content"
            return json_reply(403, {"errors": [{"type": "forbidden", "description": description}]})
        return account

    def _before(self, route: Route, account: Account, *, is_registry: bool) -> Reply | None:
        """What goes wrong before the work is done."""
        faults, at = self._realm.faults, self._now
        match faults.outage_at(at, route.operation):
            case "hang":
                return Reply(503, fault=Breakage.HANG_BEFORE)
            case "error":
                return Reply(503)
            case _:
                pass
        where = {"operation": route.operation, "account": account.id}
        if faults.strikes("timeout_before", **where):
            return Reply(503, fault=Breakage.HANG_BEFORE)
        if faults.strikes("error_before", **where):
            return _sick(route)
        if strike := faults.strikes("rate_limited", **where):
            return _too_many(route, strike.seconds)
        wait_s = self._meter(route, account, is_registry=is_registry, at=at)
        return _too_many(route, wait_s) if wait_s > 0 else None

    def _meter(self, route: Route, account: Account, *, is_registry: bool, at: float) -> float:
        """Seconds to wait by the published limit on calls; that on texts is the desk's own."""
        if route.operation == SEND:
            return 0.0
        meter = (self._registry_meters if is_registry else self._carrier_meters).get(account.id)
        return 0.0 if meter is None else meter.wait_s(is_write=route.method != "GET", at=at)

    def _after(self, route: Route, account: Account, reply: Reply) -> Reply:
        """What goes wrong after the work was done."""
        faults = self._realm.faults
        where = {"operation": route.operation, "account": account.id}
        if faults.strikes("timeout_after", **where):
            return Reply(reply.status, reply.headers, reply.body, fault=Breakage.HANG_AFTER)
        if faults.strikes("error_after", **where):
            return Reply(500)
        if faults.strikes("reset_after", **where):
            return Reply(reply.status, reply.headers, reply.body, fault=Breakage.RESET)
        if faults.strikes("garbled", **where):
            return Reply(200, reply.headers, b"<html>\x00upstream said something else</html>")
        if strike := faults.strikes("slow", **where):
            return Reply(reply.status, reply.headers, reply.body, delay_s=strike.seconds)
        return reply


def _meters(limits: Limits | None, accounts: Iterable[str]) -> dict[str, Meter]:
    return {account: Meter(limits) for account in accounts} if limits is not None else {}


def _sick(route: Route) -> Reply:
    return messaging_error(503, "Service Unavailable", wait_s=1.0) if route.operation == SEND else Reply(503)


def _too_many(route: Route, wait_s: float) -> Reply:
    if route.operation == SEND:
        return messaging_error(429, "Too many requests", wait_s=wait_s)
    return Reply(429, {"retry-after": str(max(1, math.ceil(wait_s)))})


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
