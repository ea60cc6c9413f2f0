"""Where exactly a balance has fallen through a level."""

import pytest

from agentmessage.billing import rules
from agentmessage.billing.model import LOW_BALANCE_MICROCENTS as LOW_LEVEL
from agentmessage.billing.model import Wallet
from agentmessage.outbox.event_types import EventType

LOW, ZERO = EventType.WALLET_BALANCE_LOW, EventType.WALLET_BALANCE_ZERO


@pytest.mark.parametrize(
    ("before", "after", "posted"),
    [
        (LOW_LEVEL + 1, LOW_LEVEL, []),
        (LOW_LEVEL, LOW_LEVEL - 1, [LOW]),
        (LOW_LEVEL - 1, 1, []),
        (1, 0, [ZERO]),
        (0, -1, []),
        (LOW_LEVEL, 0, [LOW, ZERO]),
        (LOW_LEVEL - 1, LOW_LEVEL, []),
    ],
)
def test_a_level_is_told_when_the_balance_gets_below_it(before: int, after: int, posted: list[EventType]) -> None:
    assert rules.warnings(before, after) == posted


@pytest.mark.parametrize(
    ("level", "before", "after", "is_wanted"),
    [(None, 10, 0, False), (5, 5, 4, True), (5, 6, 5, False), (5, 4, 3, False), (5, 4, 9, False)],
)
def test_a_topup_is_wanted_once_for_each_fall(level: int | None, before: int, after: int, *, is_wanted: bool) -> None:
    assert rules.wants_topup(Wallet(before, 0, level), after) is is_wanted
