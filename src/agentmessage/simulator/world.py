"""The simulated world: requests and time go in, responses and callbacks come out.

A world is pure and synchronous. It reads no clock and has its own seeded randomness: the same seed and the same
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

from agentmessage.simulator.bandwidth.line_option_orders import LineOptionOrders
from agentmessage.simulator.bandwidth.line_option_routes import LineOptionRoutes
from agentmessage.simulator.bandwidth.listing_routes import ListingRoutes
from agentmessage.simulator.bandwidth.lookup_routes import LookupRoutes
from agentmessage.simulator.bandwidth.messaging_routes import SEND, MessageRoutes, messaging_error
from agentmessage.simulator.bandwidth.number_orders import NumberOrders
from agentmessage.simulator.bandwidth.number_routes import NumberRoutes
from agentmessage.simulator.bandwidth.subscription_routes import SubscriptionRoutes
from agentmessage.simulator.control import Control
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.callbacks import pop_due
from agentmessage.simulator.core.entities import (
    CarrierNumberOrder,
    Entity,
    LineOptionOrder,
    RegistryBrand,
    RegistryCampaign,
)
from agentmessage.simulator.core.http_types import Breakage, HttpRequest, HttpResponse, OutgoingCallback, json_response
from agentmessage.simulator.core.profiles import CallLimits, TimingProfile, profile_named
from agentmessage.simulator.core.rate_limit import CallLimiter
from agentmessage.simulator.core.routing import ApiCall, RequestRejected, RouteTable, VendorRoute
from agentmessage.simulator.core.schedule import DueStep
from agentmessage.simulator.core.shared_state import ChangeKey, SharedState
from agentmessage.simulator.messaging.carrier import MessagingCarrier
from agentmessage.simulator.tcr.registry import SimulatedRegistry
from agentmessage.simulator.tcr.routes import RegistryRoutes

MESSAGING = "/api/v2/users/"
SYSTEM_IDS = ("live", "sandbox")


class SimulatorCredentials(Struct, frozen=True):
    """The accounts, carrier account id → registry API key, and their passwords."""

    accounts: Mapping[str, str] = MappingProxyType({"9900001": "simulator", "9900002": "simulator-sandbox"})
    username: str = "simulator"
    password: str = "simulator"  # noqa: S105  a simulator's password guards nothing; it is printed in its manual
    registry_secret: str = "simulator"  # noqa: S105  same


class World:
    """Two accounts at a carrier and at the registry, and all that happens to them."""

    def __init__(
        self,
        *,
        seed: int = 1,
        profile: TimingProfile | str = "demo",
        started_at: datetime,
        credentials: SimulatorCredentials | None = None,
        is_stored: bool = False,
    ) -> None:
        self._credentials = credentials or SimulatorCredentials()
        self._shared = shared = SharedState(
            seed=seed,
            profile=profile_named(profile) if isinstance(profile, str) else profile,
            accounts=self._credentials.accounts,
            registry_secret=self._credentials.registry_secret,
            is_stored=is_stored,
        )
        self._now = started_at.timestamp()
        self._lines = LineOptionOrders(shared)
        self._numbers = NumberOrders(shared)
        self._registry = SimulatedRegistry(shared)
        self.messaging = MessagingCarrier(shared, started_at=self._now)
        self._control = Control(shared, self._lines, self._numbers, self._registry, self.messaging)
        self._carrier_limiters = _limiters(shared.profile.carrier_limits, shared.accounts)
        self._registry_limiters = _limiters(shared.profile.registry_limits, shared.accounts)
        self._routes = RouteTable(
            [
                *LineOptionRoutes(shared, self._lines).routes(),
                *NumberRoutes(shared, self._numbers).routes(),
                *ListingRoutes(shared).routes(),
                *LookupRoutes().routes(),
                *SubscriptionRoutes(shared).routes(),
                *RegistryRoutes(shared, self._registry).routes(),
                *MessageRoutes(self.messaging).routes(),
            ]
        )

    @property
    def accounts(self) -> Iterable[SimulatedAccount]:
        """Both accounts."""
        return self._shared.accounts.values()

    @property
    def system_ids(self) -> Mapping[str, str]:
        """The SMSC's system ids and their accounts: `live` is the first account, `sandbox` the second."""
        return dict(zip(SYSTEM_IDS, self._shared.accounts, strict=False))

    @property
    def is_quiet(self) -> bool:
        """Whether no fault is on."""
        return self._shared.faults.is_quiet

    def fault_hits(self, fault: str, *, operation: str, account: str) -> bool:
        """Whether a fault of callbacks happens now; uses up one of a counted fault."""
        return self._shared.faults.hit(fault, operation=operation, account=account) is not None

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def advance(self, now: datetime) -> None:
        """Run every step that is due by `now`; time never goes backwards."""
        until = max(self._now, now.timestamp())
        while (due := self._shared.schedule.pop(until)) is not None:
            self._run_step(due)
        self.messaging.advance(until)
        self._now = until

    def next_event_at(self) -> datetime | None:
        """When the next step or callback is due; messages have a clock of their own."""
        times = [at for at in (self._shared.schedule.next_at, self._next_callback_at()) if at is not None]
        if not times:
            return None
        earliest = min(times)
        moment = datetime.fromtimestamp(earliest, UTC)
        # Rounded up to what a datetime can hold: at the time returned, the step must be due.
        return moment if moment.timestamp() >= earliest else moment + timedelta(microseconds=1)

    def due_callbacks(self, now: datetime) -> list[OutgoingCallback]:
        """The callbacks that are due by `now`, earliest first; each is returned once."""
        return pop_due(self._shared, now.timestamp())

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Handle one request."""
        self.advance(now)
        if request.path.startswith("/_control/"):
            return self._control.handle(request, self._now)
        parts = tuple(request.path.strip("/").split("/"))
        match = self._routes.find(request.method, parts)
        if match is None:
            return json_response(404, {"errors": [{"type": "not-found", "description": "no such resource"}]})
        route, tail = match
        is_registry = parts[0] == "v2" and parts[1] != "accounts"  # the carrier's lookups have that prefix, too
        account = self._authenticate(request, tail, is_registry=is_registry)
        self._count(route)
        if isinstance(account, HttpResponse):
            return account
        if (fault_response := self._fault_before(route, account, is_registry=is_registry)) is not None:
            return fault_response
        call = ApiCall(account, request, dict(parse_qsl(request.query)), tail, self._now)
        try:
            response = route.handler(call)
        except RequestRejected as error:
            response = error.response
        return self._fault_after(route, account, response)

    # ── disk ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_changes(self) -> dict[ChangeKey, Entity | None]:
        """Entities changed since the last call, None for deleted ones; empty unless the world is stored."""
        changes = self._shared.changes
        self._shared.changes = {}
        return changes

    def entities(self) -> Iterable[tuple[str, Entity]]:
        """Every entity with the id of its account."""
        for account in self._shared.accounts.values():
            for entity in account.entities():
                yield account.id, entity

    def restore(self, entities: Iterable[tuple[str, Entity]]) -> None:
        """Restore stored entities into an empty world."""
        shared = self._shared
        for account_id, entity in entities:
            account = shared.accounts.get(account_id)
            if account is None:
                continue
            account.restore(entity)
            if isinstance(entity, LineOptionOrder | CarrierNumberOrder | RegistryBrand | RegistryCampaign):
                steps, entity.steps = entity.steps, []
                for at, step in steps:
                    shared.schedule_step(account, entity, at, step)
        for account in shared.accounts.values():
            account.reindex(at=self._now)
        shared.changes.clear()

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _run_step(self, due: DueStep) -> None:
        account = self._shared.accounts[due.account]
        entity = account.scheduled_entity(due.kind, due.id)
        scheduled = (due.at, due.step)
        if entity is None or scheduled not in entity.steps:
            return
        entity.steps.remove(scheduled)
        self._shared.mark_changed(account, entity)
        match entity:
            case LineOptionOrder():
                self._lines.step(account, entity, due.step, due.at)
            case CarrierNumberOrder():
                self._numbers.step(account, entity, due.step, due.at)
            case RegistryBrand():
                self._registry.step_brand(account, entity, due.step, due.at)
            case RegistryCampaign():
                self._registry.step_campaign(account, entity, due.step, due.at)

    def _next_callback_at(self) -> float | None:
        return self._shared.callbacks[0][0] if self._shared.callbacks else None

    def _count(self, route: VendorRoute) -> None:
        requests = self._shared.requests
        requests[route.operation] = requests.get(route.operation, 0) + 1

    def _authenticate(
        self, request: HttpRequest, tail: tuple[str, ...], *, is_registry: bool
    ) -> SimulatedAccount | HttpResponse:
        user, password = _basic(request)
        accounts = self._shared.accounts
        if is_registry:
            owner = next((account for account in accounts.values() if account.api_key == user), None)
            if owner is None or password != self._credentials.registry_secret:
                return json_response(401, [{"code": 401, "description": "Unauthorized"}])
            return owner
        is_messaging = request.path.startswith(MESSAGING)
        if (user, password) != (self._credentials.username, self._credentials.password):
            response = messaging_error(401, "Authentication Failed") if is_messaging else HttpResponse(401)
            return HttpResponse(401, {**response.headers, "www-authenticate": 'Basic realm="simulator"'}, response.body)
        account = accounts.get(tail[0])
        if account is None and is_messaging:
            return messaging_error(403, "User is not authorized for this account.")
        if account is None:
            description = "client does not have access rights to the content"
            return json_response(403, {"errors": [{"type": "forbidden", "description": description}]})
        return account

    def _fault_before(self, route: VendorRoute, account: SimulatedAccount, *, is_registry: bool) -> HttpResponse | None:
        """The response of a fault before the request is handled."""
        faults, at = self._shared.faults, self._now
        match faults.outage_at(at, route.operation):
            case "hang":
                return HttpResponse(503, breakage=Breakage.HANG_BEFORE)
            case "error":
                return HttpResponse(503)
            case _:
                pass
        scope = {"operation": route.operation, "account": account.id}
        if faults.hit("timeout_before", **scope):
            return HttpResponse(503, breakage=Breakage.HANG_BEFORE)
        if faults.hit("error_before", **scope):
            return _service_unavailable(route)
        if hit := faults.hit("rate_limited", **scope):
            return _too_many_requests(route, hit.seconds)
        wait_s = self._wait_s(route, account, is_registry=is_registry, at=at)
        return _too_many_requests(route, wait_s) if wait_s > 0 else None

    def _wait_s(self, route: VendorRoute, account: SimulatedAccount, *, is_registry: bool, at: float) -> float:
        """Seconds to wait by the published limit on calls; messages have a limit of their own."""
        if route.operation == SEND:
            return 0.0
        limiter = (self._registry_limiters if is_registry else self._carrier_limiters).get(account.id)
        return 0.0 if limiter is None else limiter.wait_s(is_write=route.method != "GET", at=at)

    def _fault_after(self, route: VendorRoute, account: SimulatedAccount, response: HttpResponse) -> HttpResponse:
        """The response after a fault that happens once the request was handled."""
        faults = self._shared.faults
        scope = {"operation": route.operation, "account": account.id}
        if faults.hit("timeout_after", **scope):
            return HttpResponse(response.status, response.headers, response.body, breakage=Breakage.HANG_AFTER)
        if faults.hit("error_after", **scope):
            return HttpResponse(500)
        if faults.hit("reset_after", **scope):
            return HttpResponse(response.status, response.headers, response.body, breakage=Breakage.RESET)
        if faults.hit("garbled", **scope):
            return HttpResponse(200, response.headers, b"<html>\x00upstream said something else</html>")
        if hit := faults.hit("slow", **scope):
            return HttpResponse(response.status, response.headers, response.body, delay_s=hit.seconds)
        return response


def _limiters(limits: CallLimits | None, accounts: Iterable[str]) -> dict[str, CallLimiter]:
    return {account: CallLimiter(limits) for account in accounts} if limits is not None else {}


def _service_unavailable(route: VendorRoute) -> HttpResponse:
    return messaging_error(503, "Service Unavailable", wait_s=1.0) if route.operation == SEND else HttpResponse(503)


def _too_many_requests(route: VendorRoute, wait_s: float) -> HttpResponse:
    if route.operation == SEND:
        return messaging_error(429, "Too many requests", wait_s=wait_s)
    return HttpResponse(429, {"retry-after": str(max(1, math.ceil(wait_s)))})


def _basic(request: HttpRequest) -> tuple[str, str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
