"""The webhooks of a worker and nothing else of it, so that what they cost others can be told.

DATABASE_URL=… python -m bench.webhook_worker
"""

import asyncio
import signal

import uvloop

from agentmessage.app.webhook_worker import WebhookWorker
from agentmessage.kernel.db import Cells
from agentmessage.outbox.notifications import Bells
from agentmessage.settings import read_settings


async def main() -> None:
    """Until SIGTERM."""
    settings = read_settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    cells = Cells(settings.database_url, pool_size=settings.worker_pool_size)
    telling = WebhookWorker(settings, Bells(cells))
    telling.take_up(await cells.directory())
    await stop.wait()
    await telling.stop()
    await cells.close()


if __name__ == "__main__":
    uvloop.run(main())
