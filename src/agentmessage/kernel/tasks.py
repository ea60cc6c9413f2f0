"""Loops that are stopped by cancelling them, and that live through a database that goes away."""

import asyncio


def require_not_cancelled() -> None:
    """Raise CancelledError in a task that was cancelled.

    A connection that breaks while a cancelled task puts it back raises its own error in the cancellation's place. A
    loop that catches such errors and goes on would then never end, so it asks here before its next turn.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
