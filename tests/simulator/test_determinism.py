"""The same seed and the same requests give the same world, in any steps of time, and after a restart."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from customer import START, Customer, line_order, numbers_from
from hypothesis import given, settings
from hypothesis import strategies as st

from agentmessage.simulator.core.entities import FINAL
from agentmessage.simulator.storage import Storage
from agentmessage.simulator.world import World

NUMBERS = numbers_from(100, 12)
CAMPAIGNS = ("CAAAAA1", "CBBBBB2")
CHAOS = {
    "order_partial": 0.1,
    "order_failed": 0.05,
    "order_late_success": 0.1,
    "order_noop": 0.05,
    "member_rejected": 0.1,
    "operator_rejects": 0.1,
    "operator_slow": 0.1,
    "timeout_after": 0.1,
    "error_before": 0.1,
    "callback_duplicated": 0.2,
    "callback_late": 0.2,
}

Act = Callable[[Customer, int], None]


def _bind(us: Customer, index: int) -> None:
    numbers = NUMBERS[index % 12 : index % 12 + 1 + index % 4]
    groups: list[tuple[str | None, list[str]]] = [(CAMPAIGNS[index % 2], numbers)]
    us.ask("POST", "/api/accounts/{a}/tnoptions", body=line_order(f"b{index}", *groups))


def _unbind(us: Customer, index: int) -> None:
    us.ask("POST", "/api/accounts/{a}/tnoptions", body=line_order(f"u{index}", (None, NUMBERS[index % 12 :][:3])))


def _drift(us: Customer, index: int) -> None:
    us.control("drift", {"number": NUMBERS[index % 12], "campaign": (None, *CAMPAIGNS)[index % 3]})


def _campaign(us: Customer, index: int) -> None:
    status = ("ACTIVE", "SUSPENDED", "DORMANT", "ACTIVE")[index % 4]
    us.control(f"campaigns/{CAMPAIGNS[index % 2]}", {"status": status})


def _read(us: Customer, index: int) -> None:
    us.ask("GET", "/api/v2/accounts/{a}/tendlc/phoneNumbers", f"limit=5&offset={index % 7}")


def _register(us: Customer, index: int) -> None:
    fields = {
        "entityType": "PRIVATE_PROFIT",
        "displayName": f"Brand {index}",
        "country": "US",
        "referenceId": f"r{index}",
    }
    us.registry("POST", "/brand/nonBlocking", fields)


ACTS: tuple[Act, ...] = (_bind, _bind, _unbind, _drift, _campaign, _read, _register)

Script = list[tuple[int, int, float]]
scripts = st.lists(
    st.tuples(st.integers(0, len(ACTS) - 1), st.integers(0, 40), st.floats(0.0, 5.0)), min_size=1, max_size=25
)


def _fresh(seed: int, *, is_stored: bool = False) -> Customer:
    us = Customer(World(seed=seed, profile="demo", started_at=START, is_stored=is_stored))
    us.have_numbers(NUMBERS)
    for campaign in CAMPAIGNS:
        us.have_campaign(campaign, usecase="SOLE_PROPRIETOR" if campaign == CAMPAIGNS[0] else "MIXED")
    us.control("faults", {"probabilities": CHAOS})
    return us


def _play(us: Customer, script: Script, pass_time: Callable[[Customer, float], None]) -> bytes:
    for act, index, pause_s in script:
        ACTS[act](us, index)
        pass_time(us, pause_s)
    pass_time(us, 30.0)
    return json.dumps(us.oracle()).encode()


def _at_once(us: Customer, seconds: float) -> None:
    us.wait(seconds)


def _event_by_event(us: Customer, seconds: float) -> None:
    until = us.now + timedelta(seconds=seconds)
    while (due := us.world.next_event_at()) is not None and due <= until:
        us.now = max(us.now, due)
        us.world.advance(us.now)
        us.callbacks()
    us.now = until
    us.world.advance(until)


@given(script=scripts, seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_the_same_seed_and_requests_give_the_same_state(script: Script, seed: int) -> None:
    assert _play(_fresh(seed), script, _at_once) == _play(_fresh(seed), script, _at_once)


@given(script=scripts, seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_the_steps_in_which_time_passes_change_nothing(script: Script, seed: int) -> None:
    assert _play(_fresh(seed), script, _at_once) == _play(_fresh(seed), script, _event_by_event)


def test_another_seed_gives_another_world() -> None:
    script: Script = [(0, index, 0.5) for index in range(20)]

    assert len({_play(_fresh(seed), script, _at_once) for seed in range(5)}) == 5


@given(script=scripts, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_indexes_of_an_account_always_agree_with_its_lines(script: Script, seed: int) -> None:
    us = _fresh(seed)

    for act, index, pause_s in script:
        ACTS[act](us, index)
        us.wait(pause_s)
        _check_account(us)


def _check_account(us: Customer) -> None:
    account = us.world._shared.accounts[us.account]
    at = us.now.timestamp()
    for line in account.lines.values():
        for campaign in {line.campaign(at), line.goal} - {None}:
            assert campaign is not None
            assert line.number in account.on_campaign[campaign]
        if line.order_id is not None:
            assert account.line_orders[line.order_id].state not in FINAL
    assert account.numbers() == list(account.lines)


@given(script=scripts, seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_an_order_never_takes_a_campaign_over_its_cap(script: Script, seed: int) -> None:
    """A change in the portal may (drift); an order may not."""
    us = _fresh(seed)

    for act, index, pause_s in script:
        if ACTS[act] is not _drift:
            ACTS[act](us, index)
        us.wait(pause_s)
        assert sum(b["campaign"] == CAMPAIGNS[0] for b in us.oracle()["bindings"].values()) <= 1


@given(script=scripts, seed=st.integers(0, 1000), cut=st.integers(0, 25))
@settings(max_examples=40, deadline=None)
def test_a_restored_world_continues_as_if_it_had_not_stopped(
    tmp_path_factory: pytest.TempPathFactory, script: Script, seed: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("world")
    storage = Storage(path)
    first = _fresh(seed, is_stored=True)
    first.control("faults", {"probabilities": dict.fromkeys(CHAOS, 0)})
    for act, index, pause_s in script[:cut]:
        ACTS[act](first, index)
        first.wait(pause_s)
        storage.write_entities(first.world.take_changes())
    storage.write_entities(first.world.take_changes())
    storage.close()

    second = _revived(path, seed, first.now)

    assert _future(second, script[cut:]) == _future(first, script[cut:])


def _revived(path: Path, seed: int, now: datetime) -> Customer:
    world = World(seed=seed, profile="demo", started_at=now)
    storage = Storage(path)
    world.restore(storage.entities())
    storage.close()
    us = Customer(world)
    us.now = now
    return us


def _future(us: Customer, script: Script) -> dict[str, object]:
    _play(us, script, _at_once)
    truth = us.oracle()
    return {name: truth[name] for name in ("bindings", "orders", "order_list", "campaigns", "brands")}
