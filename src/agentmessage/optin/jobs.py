"""What happens to a question that nobody answers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.optin import operations
from agentmessage.outbox.job_runner import Done, Handler, Snooze


async def expire(db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
    """Let a question lapse. Twice does what once does: the second finds it ended."""
    async with db.transaction() as tx:
        left_s = await operations.expire(tx, UUID(arguments["org_id"]), UUID(arguments["challenge_id"]))
    return Done() if left_s is None else Snooze(left_s)


HANDLERS: Mapping[str, Handler] = {"optin.expire": expire}
