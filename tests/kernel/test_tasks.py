"""A loop that lives through errors still ends when it is cancelled."""

import asyncio
import contextlib

from agentmessage.kernel.tasks import require_not_cancelled


async def test_a_cancellation_that_a_breaking_connection_replaced_is_raised_again() -> None:
    began = asyncio.Event()

    async def break_when_cancelled() -> None:
        try:
            began.set()
            await asyncio.sleep(3600)
        finally:
            raise ConnectionResetError("broke while it was put back")

    async def loop() -> None:
        with contextlib.suppress(OSError):
            await break_when_cancelled()
        require_not_cancelled()
        await asyncio.sleep(3600)

    task = asyncio.create_task(loop())
    await began.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=2)

    assert done == {task}
    assert task.cancelled()


async def test_a_loop_that_nobody_cancelled_goes_on() -> None:
    assert require_not_cancelled() is None
