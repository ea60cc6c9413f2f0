"""Forgetting what is old: bite by bite, each a transaction of its own, so that no lock is held for long."""

from collections.abc import Awaitable, Callable

MOST_BITES = 100
"""In one go, so that whatever else the same loop does has its turn."""


async def bite_by_bite(forget: Callable[[], Awaitable[int]]) -> None:
    """Go on until nothing is left, for a hundred bites at most; `forget` answers how many rows its bite had.

    One bite in each round of housekeeping would fall behind for ever once more comes in a round than fits a bite.
    """
    for _ in range(MOST_BITES):
        if not await forget():
            return
