"""The edge with the routes of a few rooms, for tests that need not start everything."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from agentmessage.events.tails import Tails
from agentmessage.kernel.clock import Clock, WallClock
from agentmessage.kernel.db import Cells
from agentmessage.kernel.encryption import SecretBox
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import Settings
from agentmessage.sms.segments import USUAL_LAYOUTS
from agentmessage.web.asgi import ApiApp
from agentmessage.web.authentication import Authenticator
from agentmessage.web.metrics import RequestMetrics
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.route import BoundRoute, Routes
from agentmessage.web.router import Router


class RoomsApp:
    """An ASGI application of some rooms; rings are heard in this process."""

    def __init__(
        self,
        cells: Cells,
        *rooms: Routes[Any],
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        services: Mapping[str, object] | None = None,
    ) -> None:
        self.bells = Bells(cells)
        self.authenticator = Authenticator(cells, monotonic)
        self.is_draining = False
        self.tails = Tails(self.bells, lambda: self.is_draining)
        self.streams = OpenRequests(per_key=100, per_organization=200)
        secret_box = SecretBox(b"a key that only the tests know!!")
        self.services: dict[str, object] = {
            "authenticator": self.authenticator,
            "bells": self.bells,
            "event_streams": self.streams,
            "is_draining": lambda: self.is_draining,
            "layouts": USUAL_LAYOUTS,
            "secret_box": secret_box,
            "settings": Settings(),
            "tails": self.tails,
            **(services or {}),
        }
        self.api_app = ApiApp(
            router=Router([route for room in rooms for route in self._bind(room)]),
            cells=cells,
            authenticator=self.authenticator,
            clock=clock or WallClock(),
            secret_box=secret_box,
            ring=self.bells.strike,
            metrics=RequestMetrics(CollectorRegistry()),
        )

    def _bind(self, room: Routes[Any]) -> Sequence[BoundRoute]:
        """The room's routes with its services, by their names; what the test does not give is None."""
        if room.needs is None:
            return room.bind(None)
        return room.bind(room.needs(*(self.services.get(name) for name in room.needs.__struct_fields__)))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.api_app(scope, receive, send)
