"""What the chapters of the demo share: the stage, the screen, and how they look, wait and require."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from agentmessage.demo.client import Stage, StoryBroke
from agentmessage.demo.console import Screen, Step

T = TypeVar("T")
Thing = Mapping[str, Any]

POLL_S = 0.1


class Telling:
    """One telling of the story. `patience_s` is how long any one state may take to come."""

    def __init__(self, stage: Stage, screen: Screen, *, patience_s: float) -> None:
        self.stage = stage
        self.api = stage.api
        self.simulator = stage.simulator
        self._screen = screen
        self._patience_s = patience_s

    def step(self, title: str) -> Step:
        """One step of the story, as a context."""
        return self._screen.step(title)

    async def until(
        self, step: Step, look: Callable[[], Awaitable[T]], is_done: Callable[[T], bool], tell: Callable[[T], str]
    ) -> T:
        """Look until it is done; what it was at last is what the failure tells. Raises StoryBroke."""
        deadline = time.monotonic() + self._patience_s
        while not is_done(found := await look()):
            step.waits(tell(found))
            if time.monotonic() > deadline:
                raise StoryBroke(
                    f"After {self._patience_s:g} s {tell(found)}",
                    "Is a fault switched on (POST /_control/reset), or the profile slow (--timeout)? "
                    "`agentmessage admin reconcile status`, `admin messages status` and the worker's log have details.",
                )
            await asyncio.sleep(POLL_S)
        return found


def require(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition is the subject
    """Raises StoryBroke, which says `otherwise`, when it is not so."""
    if not is_so:
        raise StoryBroke(otherwise[0].upper() + otherwise[1:], "This is a bug: please report it with these lines.")
