"""Names that customers chose are looked up without anybody waiting for another's slow ones."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from agentmessage.kernel import names as module
from agentmessage.kernel.names import MAX_ADDRESSES, Names, NamesBusy, NameTimeout, on_behalf_of
from tests.make.name_server import NameServer, name_server

ATTACKERS = 5


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as one:
        yield one


@pytest.fixture
async def names(server: NameServer) -> AsyncIterator[Names]:
    one = Names(servers=[server.address])
    yield one
    await one.close()


async def resolve(names: Names, owner: str, host: str) -> list[str]:
    with on_behalf_of(owner):
        return [found["host"] for found in await names.resolve(host, 443)]


async def test_a_name_has_its_addresses(names: Names, server: NameServer) -> None:
    server.addresses["both.test"] = ["192.0.2.7", "2001:db8::7"]

    assert sorted(await resolve(names, "a", "both.test")) == ["192.0.2.7", "2001:db8::7"]
    assert [one["host"] for one in await names.resolve("both.test", 443, socket.AF_INET)] == ["192.0.2.7"]


async def test_an_answer_is_remembered_and_shared(names: Names, server: NameServer) -> None:
    await asyncio.gather(*(resolve(names, f"owner {n}", "quick.test") for n in range(50)))
    await resolve(names, "another", "quick.test")

    assert server.asked == ["quick.test"]


async def test_of_thousands_of_addresses_few_are_tried(names: Names, server: NameServer) -> None:
    server.addresses["many.test"] = [f"192.0.2.{n}" for n in range(30)]

    assert len(await resolve(names, "a", "many.test")) == MAX_ADDRESSES


async def test_a_name_that_is_not_there_is_an_os_error(names: Names) -> None:
    with pytest.raises(OSError, match="not known"):
        await resolve(names, "a", "nobody.invalid")


@pytest.mark.parametrize("host", ["", "a" * 300, "a..b", "-", "x" * 64 + ".test"])
async def test_what_is_no_name_is_an_os_error(names: Names, host: str) -> None:
    with pytest.raises(OSError, match=r"not known|no address"):
        await resolve(names, "a", host)


async def test_slow_names_of_some_hold_up_nobody_else(names: Names, server: NameServer) -> None:
    """Each attacker asks for hundreds of fresh names that are never answered; others are answered meanwhile."""
    slow = [
        asyncio.create_task(resolve(names, f"attacker {attacker}", f"slow{attacker}-{n}.test"))
        for attacker in range(ATTACKERS)
        for n in range(300)
    ]
    await server.until_slow(48)

    quick = [await resolve(names, "victim", f"quick{n}.test") for n in range(100)]

    assert quick == [["127.0.0.1"]] * 100
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_an_owner_that_waits_in_its_own_queue_makes_no_other_wait_for_the_same_name(
    names: Names, server: NameServer
) -> None:
    tasks = [asyncio.create_task(resolve(names, "attacker", f"slow{n}.test")) for n in range(50)]
    tasks.append(asyncio.create_task(resolve(names, "attacker", "shared.test")))
    await server.until_slow(16)

    assert await resolve(names, "victim", "shared.test") == ["127.0.0.1"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_names_that_are_never_answered_end_in_time_and_give_their_slots_back(server: NameServer) -> None:
    names = Names(servers=[server.address], lookups=4, per_owner=2, wait_s=0.3, timeout_s=0.6)
    results = await asyncio.gather(
        *(resolve(names, "attacker", f"slow{n}.test") for n in range(10)), return_exceptions=True
    )

    assert {type(result) for result in results} == {NameTimeout, NamesBusy}
    assert sum(isinstance(result, NameTimeout) for result in results) == 2
    assert await resolve(names, "attacker", "quick.test") == ["127.0.0.1"]
    await names.close()


async def test_waiting_look_ups_are_bounded(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_PER_OWNER", 5)
    names = Names(servers=[server.address], per_owner=1)
    tasks = [asyncio.create_task(resolve(names, "a", f"slow{n}.test")) for n in range(10)]

    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    assert {type(task.exception()) for task in done} == {NamesBusy}
    assert len(pending) >= 6
    await names.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_look_up_that_is_left_gives_its_answer_to_the_next(names: Names, server: NameServer) -> None:
    first = asyncio.create_task(resolve(names, "a", "slow.test"))
    await server.until_slow(1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    server.release()

    assert await resolve(names, "b", "slow.test") == ["127.0.0.1"]
    assert server.asked == ["slow.test"]


async def test_a_new_resolver_takes_over_without_a_failure(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_AFTER", 3)
    monkeypatch.setattr(module, "RETIRE_S", 0.0)

    for n in range(12):
        assert await resolve(names, "a", f"n{n}.test") == ["127.0.0.1"]
