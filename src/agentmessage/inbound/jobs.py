"""What happens to a text that could not be applied when it came."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.inbound import operations
from agentmessage.inbound.processing import FLOOR_CENTS
from agentmessage.kernel.db import CellDb
from agentmessage.outbox.job_runner import Done, Handler


def handlers(*, requires_propagation: bool, floor_cents: int = FLOOR_CENTS) -> Mapping[str, Handler]:
    """The room's jobs by name."""

    async def apply(db: CellDb, arguments: Mapping[str, Any]) -> Done:
        """Apply a kept text. Twice is harmless: what was applied is no longer waiting."""
        raw_id = UUID(arguments["raw_id"])
        await operations.apply_again(db, raw_id, requires_propagation=requires_propagation, floor_cents=floor_cents)
        return Done()

    return {operations.APPLY_JOB: apply}
