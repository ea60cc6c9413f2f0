"""A loop that lives through errors still ends when it is cancelled."""

import asyncio

import pytest

from agentmessage.kernel.tasks import require_not_cancelled


async def test_a_cancellation_that_a_breaking_connection_replaced_is_raised_again() -> None:
    began = asyncio.Event()

    async def turn() -> None:
        try:
            began.set()
            await asyncio.sleep(3600)
        finally:
            raise ConnectionResetError("broke while it was put back")

    async def loop() -> None:
        while True:
            try:
                await turn()
            except OSError:
                require_not_cancelled()

    task = asyncio.create_task(loop())
    await began.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, timeout=5)


async def test_a_loop_that_nobody_cancelled_goes_on() -> None:
    assert require_not_cancelled() is None
