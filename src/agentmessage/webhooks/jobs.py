"""What webhooks do when something happened below them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.outbox.job_runner import Done, Handler
from agentmessage.webhooks import operations


async def reopen(db: CellDb, arguments: Mapping[str, Any]) -> Done:
    """The settings of a number changed: its disabled URLs are active again.

    Running twice does no harm: the second time nothing is given up.
    """
    async with db.transaction() as tx:
        await operations.reopen(tx, UUID(arguments["org_id"]), UUID(arguments["resource_id"]))
    return Done()


HANDLERS: Mapping[str, Handler] = {"webhooks.reopen": reopen}
