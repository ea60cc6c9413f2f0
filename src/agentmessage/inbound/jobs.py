"""What happens to a text that could not be applied when it came."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.inbound import operations
from agentmessage.kernel.db import CellDb
from agentmessage.outbox.worker import Done, Handler


def handlers(*, requires_propagation: bool) -> Mapping[str, Handler]:
    """The room's jobs by name."""

    async def apply(db: CellDb, arguments: Mapping[str, Any]) -> Done:
        """Apply a kept text. Twice is harmless: what was applied is no longer waiting."""
        await operations.apply_again(db, UUID(arguments["raw_id"]), requires_propagation=requires_propagation)
        return Done()

    return {operations.APPLY_JOB: apply}
