"""The edge with the routes of a few rooms, for tests that need not start everything."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from agentmessage.events.tails import Tails
from agentmessage.kernel.clock import Clock, WallClock
from agentmessage.kernel.db import Cells
from agentmessage.kernel.encryption import Sealer
from agentmessage.outbox.notifications import Bells
from agentmessage.web.asgi import Edge
from agentmessage.web.authentication import Authenticator
from agentmessage.web.metrics import Observer
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.route import Routes
from agentmessage.web.router import Dispatch


class RoomsApp:
    """An ASGI application of some rooms; rings are heard in this process."""

    def __init__(
        self,
        cells: Cells,
        *rooms: Routes,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        context: Mapping[str, object] | None = None,
    ) -> None:
        self.bells = Bells(cells)
        self.authenticator = Authenticator(cells, monotonic)
        self.is_draining = False
        self.tails = Tails(self.bells, lambda: self.is_draining)
        self.streams = OpenRequests(per_key=100, per_organization=200)
        self.edge = Edge(
            dispatch=Dispatch([route for room in rooms for route in room.declared]),
            cells=cells,
            authenticator=self.authenticator,
            clock=clock or WallClock(),
            context={
                "authenticator": self.authenticator,
                "bells": self.bells,
                "is_draining": lambda: self.is_draining,
                "tails": self.tails,
                "key_watch": self.authenticator.watch,
                "event_streams": self.streams,
                "sealer": Sealer(b"a key that only the tests know!!"),
                **(context or {}),
            },
            ring=self.bells.strike,
            observer=Observer(CollectorRegistry()),
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.edge(scope, receive, send)
