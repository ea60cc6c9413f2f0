"""Runs the ASGI application on a socket until SIGTERM or Ctrl-C, then lets requests finish."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Generator

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentmessage.app.api import Api
from agentmessage.app.listening import BACKLOG, listen
from agentmessage.app.log import configure_log
from agentmessage.app.one_piece import OnePiece
from agentmessage.settings import Settings

DRAIN_S = 5
KEEP_ALIVE_S = 75
RECEIVE_S = 120.0
"""How long one request may take to arrive: 8 MiB, the largest body, at 70 kB a second."""
YOUNG_OBJECTS = 20_000
MAX_HEAD_BYTES = 64 * 1024


class BoundedRequests(HttpToolsProtocol):
    """uvicorn's protocol, which by itself would wait for a request, its head or its body for ever and keep any head."""

    _head_bytes = 0
    _is_receiving = True  # also before the first request: who says nothing has as long as who says it slowly
    _patience: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_or_rest()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._is_receiving = False
        self._wait_or_rest()
        super().connection_lost(exc)

    @override
    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_receiving = True
        super().on_message_begin()

    @override
    def on_headers_complete(self) -> None:
        """The request is handed to the application, whose answer leaves in one piece."""
        super().on_headers_complete()
        self.cycle.send = OnePiece(self.cycle)  # pyright: ignore[reportAttributeAccessIssue]  # a method, bound to another

    @override
    def on_message_complete(self) -> None:
        """The request is here, whole."""
        self._is_receiving = False
        self._wait_or_rest()
        super().on_message_complete()

    @override
    def data_received(self, data: bytes) -> None:
        """Hang up on whoever sends a head that does not end; a body has a limit of its own (web/edge.py)."""
        super().data_received(data)
        self._wait_or_rest()
        if not getattr(self.cycle, "response_complete", True):  # before the first head there is no cycle
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request head is too large.")

    def _wait_or_rest(self) -> None:
        """One timer for each request that is not whole yet; those that come in one piece never set it."""
        if self._is_receiving and self._patience is None:
            self._patience = self.loop.call_later(RECEIVE_S, self.transport.close)
        elif not self._is_receiving and self._patience is not None:
            self._patience.cancel()
            self._patience = None


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

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._api.edge.is_draining = True
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
    configure_log(settings.log_level, process="api")
    api = Api(settings)
    _spare_the_collector()
    config = uvicorn.Config(
        api,
        loop="none",
        http=BoundedRequests,
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
    await DrainingServer(config, api).serve(sockets=[listener])
