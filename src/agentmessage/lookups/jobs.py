"""Takes over lookups whose request ended before the answer was recorded.

`lookups.finish` asks once more and records; a lookup that is over is left as it is
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import operator
from agentmessage.lookups.carrier_lookup import Sources, ask_and_record
from agentmessage.outbox.job_runner import Done, Handler


def handlers(sources: Sources) -> dict[str, Handler]:
    """The room's jobs."""

    async def finish(db: CellDb, arguments: Mapping[str, Any]) -> Done:
        """Ask and record. May run twice: the first answer stays."""
        tenant = operator(UUID(arguments["org_id"]), db.name, arguments["account"])
        await ask_and_record(db, tenant, UUID(arguments["lookup_id"]), sources)
        return Done()

    return {"lookups.finish": finish}
