"""`agentmessage demo`: runs the scenario on a real platform, and succeeds only if every state is reached."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from agentmessage.demo.client import Client, DemoFailed, DemoTarget, account_of
from agentmessage.demo.console import Screen
from agentmessage.demo.scenario import Scenario
from agentmessage.demo.target import Place, own_platform, place_of

SUCCESS = 0
FAILED = 1
INTERRUPTED = 130


class DemoOptions(Struct, frozen=True, kw_only=True):
    """The platform to use: `place`, or that of `ready_file`, or (neither) a temporary one.

    `profile` is for a temporary one. `timeout_s` limits the wait for each state.
    """

    place: Place | None = None
    ready_file: Path | None = None
    is_sandbox: bool = False
    profile: str = "demo"
    timeout_s: float = 60.0


async def demo(options: DemoOptions, console: Console) -> int:
    """Run the scenario. Returns the exit status: 0 if every state was reached, 1 if not, 130 if interrupted."""
    screen = Screen(console)
    steps = asyncio.create_task(_run(options, screen))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, steps.cancel)
    try:
        await steps
    except DemoFailed as failed:
        screen.print_failure(str(failed), failed.fix)
        return FAILED
    except asyncio.CancelledError:
        screen.line("Stopped.")
        return INTERRUPTED
    return SUCCESS


async def _run(options: DemoOptions, screen: Screen) -> None:
    async with _platform(options, screen) as place, _target(place) as target:
        await Scenario(target, screen, timeout_s=options.timeout_s).run()
        screen.line(f"\nEvery state was reached: {screen.steps} steps in {screen.elapsed_s:.1f} s.")


def _platform(options: DemoOptions, screen: Screen) -> AbstractAsyncContextManager[Place]:
    if options.place is not None:
        return contextlib.nullcontext(options.place)
    if options.ready_file is not None:
        return contextlib.nullcontext(place_of(options.ready_file, is_sandbox=options.is_sandbox))
    return own_platform(screen, profile=options.profile, is_sandbox=options.is_sandbox)


@contextlib.asynccontextmanager
async def _target(place: Place) -> AsyncGenerator[DemoTarget]:
    api, simulator = Client(place.base_url, api_key=place.api_key), Client(place.simulator_url)
    try:
        yield DemoTarget(api, simulator, account_of(place.api_key))
    finally:
        await api.close()
        await simulator.close()
