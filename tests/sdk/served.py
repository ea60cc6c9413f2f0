"""The API on a real socket, in a thread of its own: a client without asyncio may block while it answers."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from msgspec import structs

from agentmessage.app.api import Api
from agentmessage.app.protocol import StrictProtocol
from agentmessage.app.sockets import listen
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.make.accounts import Account, open_account
from tests.make.texts import set_throughput

T = TypeVar("T")

PATIENCE_S = 30.0


class Served:
    """A running API: where it is, who may ask, and a way to act on its database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base_url = ""
        self.cells: Cells
        self.account: Account
        self.api: Api
        self._loop = asyncio.new_event_loop()
        self._server: uvicorn.Server
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)

    def start(self) -> None:
        """Serve on any free port."""
        self._thread.start()
        assert self._has_started.wait(PATIENCE_S)

    def stop(self) -> None:
        """Let requests finish and end."""
        self.api.api_app.is_draining = True
        self._loop.call_soon_threadsafe(self.api.bells.strike_all)
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the thread that serves, such as calling an operation; answers what it answers."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        listener = listen("127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.settings = structs.replace(self.settings, public_url=self.base_url)
        self.cells = Cells(self.settings.database_url, pool_size=8)
        self.api = Api(self.settings, cells=self.cells)
        self.account = await open_account(self.cells)
        await set_throughput(await self.cells.cell("cell_00"), self.account.tenant)
        config = uvicorn.Config(
            self.api, http=StrictProtocol, lifespan="on", log_config=None, timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        self._has_started.set()
        await serving
        listener.close()


@contextmanager
def served(settings: Settings) -> Generator[Served]:
    """The API while the block runs."""
    server = Served(settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
