"""What strangers and single organizations can take of a process, and what the others keep."""

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import RateLimited
from agentmessage.organizations.routes import routes as organization_routes
from agentmessage.web import auth_failure_limits, buckets
from agentmessage.web.auth_failure_limits import AuthFailureLimits
from agentmessage.web.buckets import Buckets
from agentmessage.web.client_address import network_of
from agentmessage.web.fair_share import BURST_S, FREE_S, MAX_LARGE, SHARE, FairShare
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from tests.conftest import Reply, _exchange
from tests.make.accounts import Account
from tests.make.rooms import RoomsApp

SLOW_S = 0.06
heavy = Routes("Heavy")


@heavy.route("GET", "/v1/heavy", scope="org:read", answers={200: None})
async def weigh(call: Call[NoInput, NoInput]) -> None:
    """Hold the loop."""
    del call
    began = time.thread_time()
    while time.thread_time() - began < SLOW_S:
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def app(cells: Cells) -> RoomsApp:
    app = RoomsApp(cells, organization_routes, heavy)
    app.api_app._fair_share = FairShare(monotonic=Clock())
    app.api_app._auth_failures = AuthFailureLimits(trusted_proxy_count=0, monotonic=Clock())
    return app


async def ask(app: Any, key: str, *, address: str = "203.0.113.9", path: str = "/v1/organization") -> Reply:
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode())],
        "client": (address, 4711),
    }
    return await _exchange(app, scope, b"")


def unknown(number: int) -> str:
    return f"am_live_none{number:030d}"


# ── strangers ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_unknown_keys_of_one_address_are_answered_429_without_a_look_up_of_their_own(
    app: RoomsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []
    look = strangers_look(monkeypatch, looked)

    replies = [await ask(app, unknown(number)) for number in range(auth_failure_limits.ADDRESS_BURST + 50)]

    assert [reply.status for reply in replies] == [401] * auth_failure_limits.ADDRESS_BURST + [429] * 50
    assert int(replies[-1].headers["retry-after"]) >= 1
    assert len(look) == auth_failure_limits.ADDRESS_BURST
    assert (await ask(app, unknown(0), address="203.0.113.10")).status == 401


def strangers_look(monkeypatch: pytest.MonkeyPatch, looked: list[bytes]) -> list[bytes]:
    from agentmessage.web import queries  # noqa: PLC0415 - patched where it is

    real = queries.find_principal

    async def find(db: Any, row: Any, key_hash: bytes) -> Any:
        looked.append(key_hash)
        return await real(db, row, key_hash)

    monkeypatch.setattr(queries, "find_principal", find)
    return looked


async def test_one_key_is_limited_wherever_it_comes_from(app: RoomsApp) -> None:
    replies = [
        await ask(app, unknown(1), address=f"203.0.113.{number}")
        for number in range(auth_failure_limits.KEY_BURST + 20)
    ]

    assert [reply.status for reply in replies] == [401] * auth_failure_limits.KEY_BURST + [429] * 20


async def test_a_good_key_is_not_held_up_by_strangers_at_its_address(app: RoomsApp, account: Account) -> None:
    assert (await ask(app, account.key)).status == 200
    for number in range(auth_failure_limits.ADDRESS_BURST):
        await ask(app, unknown(number))
    app.authenticator._cache = type(app.authenticator._cache)(
        {header: known_until(known, 0.0) for header, known in app.authenticator._cache.items()}
    )

    replies = [await ask(app, account.key) for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert (await ask(app, unknown(0))).status == 429


async def test_a_good_key_that_no_process_has_seen_passes_strangers_at_its_address(
    app: RoomsApp, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart, or of a customer who has just made a key; and the flood costs few statements."""
    for number in range(auth_failure_limits.ADDRESS_BURST):
        await ask(app, unknown(number))
    statements = count_crowds(monkeypatch)

    flood = [ask(app, unknown(number)) for number in range(400)]
    *replies, good = await asyncio.gather(*flood, ask(app, account.key))

    assert good.status == 200
    assert {reply.status for reply in replies} == {429}
    assert len(statements) <= 5
    assert (await ask(app, "nonsense")).status == 429


def count_crowds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    from agentmessage.web import queries  # noqa: PLC0415 - patched where it is

    real, sizes = queries.list_principals, []

    async def find(db: Any, row: Any, key_hashes: Any) -> Any:
        sizes.append(len(key_hashes))
        return await real(db, row, key_hashes)

    monkeypatch.setattr(queries, "list_principals", find)
    return sizes


def known_until(known: Any, until: float) -> Any:
    import msgspec  # noqa: PLC0415 - of this helper only

    return msgspec.structs.replace(known, cached_until=until)


async def test_a_good_key_costs_its_address_nothing(app: RoomsApp, account: Account) -> None:
    for _ in range(3):
        app.authenticator._cache.clear()
        assert (await ask(app, account.key)).status == 200

    assert app.api_app._auth_failures._addresses.wait_s("203.0.113.9", auth_failure_limits.ADDRESS_BURST) == 0


def test_an_ipv6_network_is_one_address() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::ffff") == "2001:db8:1:2::/64"
    assert network_of("::ffff:203.0.113.9") == network_of("203.0.113.9") == "203.0.113.9"


def test_buckets_refill_and_are_bounded() -> None:
    clock = Clock()
    some = Buckets[int](capacity=2, per_second=0.5, monotonic=clock)

    some.take(1, 2)
    assert (some.wait_s(1, 1), some.wait_s(2, 1)) == (2, 0)
    clock.now += 2
    assert some.wait_s(1, 1) == 0
    for number in range(buckets.MAX_BUCKETS + 100):
        some.take(number, 1)
    assert len(some) == buckets.MAX_BUCKETS


# ── organizations ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_organization_that_holds_the_loop_is_refused_and_others_are_not(
    app: RoomsApp, account: Account, stranger: Account
) -> None:
    replies = [await ask(app, account.key, path="/v1/heavy") for _ in range(20)]

    statuses = [reply.status for reply in replies]
    admitted = statuses.count(200)
    assert admitted <= BURST_S / (SLOW_S - FREE_S) + 1
    assert statuses == [200] * admitted + [429] * (20 - admitted)
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 1 + SLOW_S / SHARE
    assert (await ask(app, stranger.key)).status == 200
    assert (await ask(app, account.key)).status == 429


async def test_ordinary_requests_are_not_charged_however_many(app: RoomsApp, account: Account) -> None:
    await asyncio.gather(*(ask(app, account.key) for _ in range(20)))

    for _ in range(200):
        assert (await ask(app, account.key)).status == 200


async def test_the_share_grows_again(app: RoomsApp, account: Account) -> None:
    clock = Clock()
    app.api_app._fair_share = FairShare(monotonic=clock)
    while (reply := await ask(app, account.key, path="/v1/heavy")).status == 200:
        pass

    clock.now += int(reply.headers["retry-after"])

    assert (await ask(app, account.key, path="/v1/heavy")).status == 200


async def test_only_so_many_large_bodies_at_a_time() -> None:
    share, org_id = FairShare(), UUID(int=1)
    entered = [share.large(org_id) for _ in range(MAX_LARGE)]
    for one in entered:
        one.__enter__()

    with pytest.raises(RateLimited), share.large(org_id):
        pass
    with share.large(UUID(int=2)):
        pass
    for one in entered:
        one.__exit__(None, None, None)
    with share.large(org_id):
        pass
    assert not share._large


async def test_what_is_measured_can_be_cancelled_and_can_fail() -> None:
    share, org_id = FairShare(), UUID(int=1)
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def outer() -> None:
        await share.charged(org_id, work())

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]
    with pytest.raises(KeyError):
        await share.charged(org_id, fails())
