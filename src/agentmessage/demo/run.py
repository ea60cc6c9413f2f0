"""`agentmessage demo`: tells the story of the platform on a real one, and ends well only if all of it came true."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from agentmessage.demo.client import Client, Stage, StoryBroke, account_of
from agentmessage.demo.console import Screen
from agentmessage.demo.scenario import Story
from agentmessage.demo.target import Place, own_platform, place_of

TOLD = 0
BROKEN = 1
INTERRUPTED = 130


class DemoOptions(Struct, frozen=True, kw_only=True):
    """Where to tell the story: on `place`, or on the platform of `ready_file`, or (neither) on one of its own.

    `profile` is for one of its own. `patience_s` is how long any one state may take to come.
    """

    place: Place | None = None
    ready_file: Path | None = None
    is_sandbox: bool = False
    profile: str = "demo"
    patience_s: float = 60.0


async def demo(options: DemoOptions, console: Console) -> int:
    """Tell the story; answers the exit status: 0 only if every state was reached, 1 if not, 130 when interrupted."""
    screen = Screen(console)
    telling = asyncio.create_task(_tell(options, screen))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, telling.cancel)
    try:
        await telling
    except StoryBroke as broken:
        screen.print_failure(str(broken), broken.way_out)
        return BROKEN
    except asyncio.CancelledError:
        screen.line("Stopped.")
        return INTERRUPTED
    return TOLD


async def _tell(options: DemoOptions, screen: Screen) -> None:
    async with _platform(options, screen) as place, _stage(place) as stage:
        await Story(stage, screen, patience_s=options.patience_s).tell()
        screen.line(f"\nEvery state was reached: {screen.steps} steps in {screen.elapsed_s:.1f} s.")


def _platform(options: DemoOptions, screen: Screen) -> AbstractAsyncContextManager[Place]:
    if options.place is not None:
        return contextlib.nullcontext(options.place)
    if options.ready_file is not None:
        return contextlib.nullcontext(place_of(options.ready_file, is_sandbox=options.is_sandbox))
    return own_platform(screen, profile=options.profile, is_sandbox=options.is_sandbox)


@contextlib.asynccontextmanager
async def _stage(place: Place) -> AsyncGenerator[Stage]:
    api, simulator = Client(place.base_url, api_key=place.api_key), Client(place.simulator_url)
    try:
        yield Stage(api, simulator, account_of(place.api_key))
    finally:
        await api.close()
        await simulator.close()
