"""One line for each request, where the operator asks for it. No query and no token of a link is in it."""

import time

import structlog

from agentmessage.app.api import Api
from agentmessage.web.responses import Receive, Scope, Send

log = structlog.get_logger("agentmessage.access")

SHOWN_WHOLE = ("/v1/", "/docs")
MAX_PARTS = 2


class AccessLog:
    """The application, with a line after each answer."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI event."""
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        began = time.perf_counter()
        status, request_id = 0, ""

        async def noting(message: Scope) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = next((value.decode() for name, value in message["headers"] if name == b"x-request-id"), "")
            await send(message)

        try:
            await self._api(scope, receive, noting)
        finally:
            client = scope.get("client")
            log.info(
                "request completed",
                method=scope["method"],
                path=_shown(scope["path"]),
                status=status,
                duration_ms=round((time.perf_counter() - began) * 1_000, 1),
                client=client[0] if client else None,
                request_id=request_id,
            )


def _shown(path: str) -> str:
    """Links to forms, files and callbacks carry secrets behind their first words."""
    if path.startswith(SHOWN_WHOLE):
        return path
    parts = path.split("/")
    return "/".join(parts[:MAX_PARTS]) + ("/…" if len(parts) > MAX_PARTS else "")
