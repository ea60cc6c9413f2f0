"""Cross-origin requests from browsers: off unless one origin is configured (Fetch standard)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from agentmessage.web.responses import Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, last-event-id"),
    (b"access-control-max-age", b"600"),
)
EXPOSED = b"x-request-id, x-next-cursor, retry-after, idempotent-replayed"


class Cors:
    """Lets pages of one origin call the application; keys still travel in the Authorization header only."""

    def __init__(self, app: App, origin: str) -> None:
        self._app = app
        self._shared = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"Origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass the request on and mark its answer."""
        names = {name for name, _ in scope["headers"]}
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in names:
            await send({"type": "http.response.start", "status": 204, "headers": [*self._shared, *PREFLIGHT]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def marked(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._shared]}
            await send(message)

        await self._app(scope, receive, marked)
