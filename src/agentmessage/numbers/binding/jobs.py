"""What other rooms' events ask of numbers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.numbers.binding import queries
from agentmessage.outbox.job_runner import Done, Handler


async def campaign_changed(db: CellDb, arguments: Mapping[str, Any]) -> Done:
    """A campaign was approved, suspended, resumed or expired: look at its numbers. Twice does what once does."""
    await queries.make_campaign_due(db, UUID(arguments["resource_id"]))
    return Done()


HANDLERS: Mapping[str, Handler] = {"numbers.campaign_changed": campaign_changed}
