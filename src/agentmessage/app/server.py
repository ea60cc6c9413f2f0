"""Runs the ASGI application on a socket until SIGTERM or Ctrl-C, then lets requests finish."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Generator

import structlog
import uvicorn
from typing_extensions import override

from agentmessage.app.access_log import AccessLog
from agentmessage.app.api import Api
from agentmessage.app.logging import configure_log
from agentmessage.app.protocol import StrictProtocol
from agentmessage.app.sockets import BACKLOG, listen
from agentmessage.app.startup import require_migrated, say_started
from agentmessage.settings import Settings

log = structlog.get_logger("agentmessage")

DRAIN_S = 5
KEEP_ALIVE_S = 75
YOUNG_OBJECTS = 20_000


class DrainingServer(uvicorn.Server):
    """uvicorn, which first tells the application to end its streams and then waits for what is under way."""

    def __init__(self, config: uvicorn.Config, api: Api) -> None:
        super().__init__(config)
        self._api = api

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop at SIGTERM and SIGINT, the second time at once; unlike uvicorn's own, do not die of the signal after."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; also when told to stop at once, end the application before its task is cancelled."""
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn leaves the application waiting then, and logs its cancellation as an error
            await self.lifespan.shutdown()

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._api.api_app.is_draining = True
        self._api.bells.strike_all()


def _spare_the_collector() -> None:
    """Keep what lives as long as the process out of every garbage collection, and collect less often.

    A request leaves no cycles behind; walking all modules and routes again and again took more time than the edge.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


async def serve(settings: Settings, *, descriptor: int | None = None) -> None:
    """Serve the API on the settings' address, or on a listening socket that was handed down. Raises CannotStart."""
    configure_log(settings.log_level, process="api", form=settings.log_format)
    await require_migrated(settings)
    api = Api(settings)
    _spare_the_collector()
    config = uvicorn.Config(
        AccessLog(api) if settings.access_log else api,
        loop="none",
        http=StrictProtocol,
        ws="none",
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    listener = listen(settings.host, settings.port) if descriptor is None else socket.socket(fileno=descriptor)
    host, port = listener.getsockname()[:2]
    await say_started(api.cells, settings, api.carriers, address=f"{host}:{port}")
    try:
        await DrainingServer(config, api).serve(sockets=[listener])
    finally:
        await api.stop()  # the server does not, when it is told to stop at once
        log.info("process stopped")
