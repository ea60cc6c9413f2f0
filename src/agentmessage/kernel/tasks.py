"""Loops that end when they are cancelled, and survive a database that goes away."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from agentmessage.kernel.db import DATABASE_UNAVAILABLE

log = structlog.get_logger("agentmessage.tasks")

AFTER_FAILURE_S = 1.0


def require_not_cancelled() -> None:
    """Raise CancelledError in a task that was cancelled.

    A connection that breaks while a cancelled task puts it back raises its own error in the cancellation's place. A
    loop that catches such errors and goes on would then never end, so it asks here before its next turn.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def run_forever(title: str, run_once: Callable[[], Awaitable[None]]) -> None:
    """Calls `run_once` again and again until cancelled; logs an error and goes on after a second."""
    while True:
        require_not_cancelled()
        try:
            await run_once()
        except DATABASE_UNAVAILABLE as error:
            log.debug("database unavailable", loop=title, error=str(error) or type(error).__name__)
            await asyncio.sleep(AFTER_FAILURE_S)
        except Exception:
            log.exception("loop failed", loop=title)
            await asyncio.sleep(AFTER_FAILURE_S)


def start_forever(title: str, run_once: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
    """Starts `run_forever` as a task of its own; the caller cancels it."""
    return asyncio.get_running_loop().create_task(run_forever(title, run_once), name=title)
