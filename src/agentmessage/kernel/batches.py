"""Work on many rows in batches, one transaction per batch, so that no lock is held for long."""

from collections.abc import Awaitable, Callable

MAX_BATCHES = 100
"""In one call, so that the other work of the same loop gets its turn."""


async def run_in_batches(run_batch: Callable[[], Awaitable[int]], *, max_batches: int = MAX_BATCHES) -> int:
    """Calls `run_batch` until it returns 0, at most `max_batches` times; returns the number of rows of all batches.

    One batch per round of maintenance would fall behind for ever once a round brings more rows than a batch holds.
    """
    rows = 0
    for _ in range(max_batches):
        batch = await run_batch()
        if not batch:
            break
        rows += batch
    return rows
