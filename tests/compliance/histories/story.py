"""Histories, made up at random: what the acts of `world.World` are given, and how often each comes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.compliance.histories.model import CONTACTS
from tests.compliance.histories.world import WORDS

Act = tuple[str, dict[str, Any]]

BEGINNINGS = [
    datetime(2026, 3, 6, 15, tzinfo=UTC),  # a Friday; on Sunday the clocks of America go forward
    datetime(2026, 10, 30, 15, tzinfo=UTC),  # on Sunday they go back
    datetime(2026, 3, 27, 15, tzinfo=UTC),  # on Sunday those of Europe go forward
    datetime(2026, 7, 1, 17, tzinfo=UTC),
]
NIGHTS = [(1260, 480), (1260, 480), (1200, 600), (90, 150), (90, 150), (720, 780), (0, 1380)]
CAPS = [(60, 1), (60, 1), (60, 2), (1440, 3)]
FEWEST, MOST = 20, 70


@dataclass(frozen=True)
class Beginning:
    """When a history begins, with whom, and what is so from the start."""

    at: datetime
    contacts: tuple[int, ...]
    acts: tuple[Act, ...]


def begin(rng: Random) -> Beginning:
    """Mostly everybody has agreed and there are quiet hours and a cap."""
    acts: list[Act] = []
    if rng.random() < 0.9:
        acts += [("attest", pair(sender, contact) | {"age_days": 0}) for sender in range(4) for contact in range(2)]
    if rng.random() < 0.7:
        acts.append(("guard", {"scope": "brand", "tool": "quiet", "value": night(rng)}))
    if rng.random() < 0.7:
        acts.append(("guard", {"scope": "brand", "tool": "cap", "value": rng.choice(CAPS)}))
    return Beginning(rng.choice(BEGINNINGS), tuple(rng.sample(range(len(CONTACTS)), 2)), tuple(acts))


def history(rng: Random) -> list[Act]:
    """Some dozens of acts: one by one, and some that belong together."""
    acts: list[Act] = []
    many = rng.randint(FEWEST, MOST)
    while len(acts) < many:
        if rng.random() < 0.1:
            acts += rng.choice([piled_up, overtaken])(rng)
        else:
            (name,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
            acts.append((name, GIVEN[name](rng)))
    return acts


def piled_up(rng: Random) -> list[Act]:
    """The worker comes too late, or not at all, while messages to one contact come due; then it is back."""
    whom = some_pair(rng)
    acts: list[Act] = []
    for _ in range(rng.randint(2, 4)):
        texted = send(rng) | whom | {"validity_s": 172_800, "after": rng.choice([None, None, None, 2, 59])}
        acts += [("send", texted), ("wait", {"minutes": rng.choice([30, 60, 61])})]
        if rng.random() < 0.4:
            acts.append(("turn", turn(rng)))
    for _ in range(rng.randint(2, 3)):
        acts += [("turn", turn(rng)), ("wait", {"minutes": rng.choice([1, 30, 59, 60, 61])})]
    return acts


def overtaken(rng: Random) -> list[Act]:
    """What a message was admitted by changes before it is due."""
    whom = some_pair(rng)
    sent = ("send", send(rng) | whom | {"validity_s": 172_800, "after": rng.choice([None, 600, 1440])})
    is_older = ("guard", {"scope": "brand", "tool": "age_days", "value": 1})
    change = rng.choice([("revoke", whom), is_older, is_older, ("guard", guard(rng)), ("register", register(rng))])
    waits = ("wait", {"minutes": rng.choice([1, 600, 1440, 1500])})
    after = ("guard", {"scope": "brand", "tool": "age_days", "value": None})
    return [("attest", whom | {"age_days": 0}), sent, change, waits, ("turn", turn(rng)), after]


def pair(sender: int, contact: int) -> dict[str, Any]:
    return {"sender": sender, "contact": contact}


def some_pair(rng: Random) -> dict[str, Any]:
    """Mostly the same one, so that what happens to it adds up."""
    return pair(rng.choice([0, 0, 0, 0, 1, 2, 3]), rng.choice([0, 0, 0, 1]))


def night(rng: Random) -> tuple[int, int, bool]:
    """Minutes of the day, and whether messages wait for their end."""
    return (*rng.choice(NIGHTS), rng.random() < 0.6)


def guard(rng: Random) -> dict[str, Any]:
    tool = rng.choice(["quiet", "quiet", "cap", "cap", "age_days"])
    scope = rng.choice(["brand", "brand", "number", "own"])
    some = {"quiet": night(rng), "cap": rng.choice(CAPS), "age_days": rng.choice([1, 30])}[tool]
    return {"scope": scope, "tool": tool, "value": rng.choice([None, False, some, some, some, some])}


def send(rng: Random) -> dict[str, Any]:
    return some_pair(rng) | {
        "after": rng.choice([None, None, None, 2, 59, 60, 61, 600, 1440]),
        "validity_s": rng.choice([14_400, 172_800, 172_800, 172_800, 600]),
        "priority": rng.choice(["default", "high", "low"]),
    }


def turn(rng: Random) -> dict[str, Any]:
    odd = rng.choices(["accepted", "refused", "unknown", "deferred"], k=rng.choice([0, 0, 0, 0, 1, 3]))
    return {"answers": tuple(odd)}


def wait(rng: Random) -> dict[str, Any]:
    return {"minutes": rng.choice([1, 1, 5, 30, 59, 60, 61, 61, 90, 240, 600, 1440])}


def register(rng: Random) -> dict[str, Any]:
    what = rng.choice(["attached", "propagated", "active", "suspended"])
    return {"sender": rng.randrange(4), "what": what, "is_on": rng.random() < 0.6}


def move(rng: Random) -> dict[str, Any]:
    return {"sender": rng.randrange(4), "campaign": rng.randrange(3)}


def scope(rng: Random) -> dict[str, Any]:
    return {"scope": rng.choice(["number", "campaign", "brand", "organization"])}


def receipt(rng: Random) -> dict[str, Any]:
    state = rng.choice(["delivered", "delivered", "undelivered", "failed"])
    return {"which": rng.randrange(10), "state": state, "says_no": rng.random() < 0.3}


def wait_for_edge(rng: Random) -> dict[str, Any]:
    return some_pair(rng) | {"offset_s": rng.choice([-1, 0, 1, 60])}


def text(rng: Random) -> dict[str, Any]:
    return some_pair(rng) | {"word": rng.choice([*WORDS, "start", "start", "start"])}


def attest(rng: Random) -> dict[str, Any]:
    return some_pair(rng) | {"age_days": rng.choice([0, 0, 1, 31])}


def cancel(rng: Random) -> dict[str, Any]:
    return {"which": rng.randrange(6)}


def look_up(rng: Random) -> dict[str, Any]:
    return {"contact": rng.randrange(2), "is_fixed": rng.random() < 0.3}


def sweep(rng: Random) -> dict[str, Any]:
    del rng
    return {}


GIVEN: dict[str, Callable[[Random], dict[str, Any]]] = {
    "send": send,
    "turn": turn,
    "wait": wait,
    "wait_for_edge": wait_for_edge,
    "text": text,
    "guard": guard,
    "attest": attest,
    "revoke": some_pair,
    "ask": some_pair,
    "cancel": cancel,
    "register": register,
    "move": move,
    "scope": scope,
    "look_up": look_up,
    "receipt": receipt,
    "sweep": sweep,
}
"""What an act is given."""

WEIGHTS = {
    "send": 28,
    "turn": 24,
    "wait": 18,
    "wait_for_edge": 4,
    "text": 8,
    "guard": 5,
    "attest": 4,
    "receipt": 4,
    "sweep": 3,
    "register": 3,
    "move": 2,
    "scope": 2,
    "revoke": 1,
    "ask": 1,
    "cancel": 2,
    "look_up": 1,
}
"""How often it comes."""
