"""The platform of the demo: a running one, or a temporary one."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from agentmessage.demo.client import DemoFailed
from agentmessage.demo.console import Screen
from agentmessage.embedded.account import UNCHANGED
from agentmessage.settings import PREFIX
from agentmessage.standalone.banner import ReadyNote

START_S = 90.0
STOP_S = 40.0
POLL_S = 0.05


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A running platform, the key to use, and the simulator that is its carrier."""

    base_url: str
    api_key: str
    simulator_url: str


def place_of(ready_file: Path, *, is_sandbox: bool) -> Place:
    """The platform that wrote a ready file. Raises DemoFailed."""
    try:
        note = msgspec.json.decode(ready_file.read_bytes(), type=ReadyNote)
    except (OSError, msgspec.MsgspecError) as error:
        raise DemoFailed(
            f"{ready_file} is not the ready file of a running platform ({error})",
            "Start one with `agentmessage up --ready-file FILE`, or omit the option to start a temporary one.",
        ) from error
    key = note.sandbox_api_key if is_sandbox else note.api_key
    return Place(base_url=note.base_url, api_key=key, simulator_url=note.simulator_url)


@contextlib.asynccontextmanager
async def own_platform(screen: Screen, *, profile: str, is_sandbox: bool) -> AsyncGenerator[Place]:
    """Run a platform in a temporary directory, which is kept if the demo fails.

    It uses no AGENTMESSAGE_* setting from outside, so that its carrier is the simulator. Raises DemoFailed.
    """
    root = Path(tempfile.mkdtemp(prefix="agentmessage-demo-"))
    process: Process | None = None
    is_success = False
    try:
        with screen.step("Start a platform") as step:
            process = await _launch(root, profile)
            note = await _ready(process, root)
            step.says(f"{note.base_url}, simulator at {note.simulator_url}; both stop with the demo")
        yield place_of(root / "ready.json", is_sandbox=is_sandbox)
        is_success = True
    except (KeyboardInterrupt, asyncio.CancelledError):
        is_success = True
        raise
    finally:
        if process is not None:
            await asyncio.shield(_stop(process))
        if is_success:
            shutil.rmtree(root, ignore_errors=True)
        else:
            screen.line(
                f"{'':12}The platform's logs are in {root}/data/logs; remove {root} when you no longer need them."
            )


async def _launch(root: Path, profile: str) -> Process:
    command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(root / "data"), "--port", "0"]
    command += ["--ready-file", str(root / "ready.json"), "--profile", profile]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    with (root / "up.log").open("wb") as log:
        return await create_subprocess_exec(
            *UNCHANGED.command(*command, death_signal=signal.SIGTERM),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # the demo stops the platform itself after Ctrl-C
        )


async def _ready(process: Process, root: Path) -> ReadyNote:
    ready_file = root / "ready.json"
    for _ in range(round(START_S / POLL_S)):
        if ready_file.exists():
            return msgspec.json.decode(ready_file.read_bytes(), type=ReadyNote)
        if process.returncode is not None:
            break
        await asyncio.sleep(POLL_S)
    said = (root / "up.log").read_text(errors="replace").strip() or "no output"
    raise DemoFailed(f"The platform did not start: {said}", "Run `agentmessage up`, and read its logs.")


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
