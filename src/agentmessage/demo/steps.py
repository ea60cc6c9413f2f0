"""What the steps of the demo share: the target, the console, waiting and checks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from agentmessage.demo.client import DemoFailed, DemoTarget
from agentmessage.demo.console import Screen, Step

T = TypeVar("T")
Thing = Mapping[str, Any]

POLL_S = 0.1


class StepRunner:
    """Runs steps on one target. `timeout_s` limits the wait for each state."""

    def __init__(self, target: DemoTarget, screen: Screen, *, timeout_s: float) -> None:
        self.target = target
        self.api = target.api
        self.simulator = target.simulator
        self._screen = screen
        self._timeout_s = timeout_s

    def step(self, title: str) -> Step:
        """One step, as a context."""
        return self._screen.step(title)

    async def until(
        self, step: Step, look: Callable[[], Awaitable[T]], is_done: Callable[[T], bool], describe: Callable[[T], str]
    ) -> T:
        """Poll until it is done; the failure describes the last state. Raises DemoFailed."""
        deadline = time.monotonic() + self._timeout_s
        while not is_done(found := await look()):
            step.waits(describe(found))
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"After {self._timeout_s:g} s {describe(found)}",
                    "Is a fault active (POST /_control/reset), or is the profile slow (--timeout)? "
                    "`agentmessage admin reconcile status`, `admin messages status` and the worker's log have details.",
                )
            await asyncio.sleep(POLL_S)
        return found


def require(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition is the subject
    """Raises DemoFailed with the text `otherwise` if the condition is false."""
    if not is_so:
        raise DemoFailed(otherwise[0].upper() + otherwise[1:], "This is a bug: please report it with these lines.")
