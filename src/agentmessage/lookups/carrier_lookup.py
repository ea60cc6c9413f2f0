"""Asking the supplier and recording what it said; no transaction is open while it is asked."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from agentmessage.carriers.lookups import LineFacts, LineTypeSource, Unlisted
from agentmessage.carriers.protocols import Answer, Deferred
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import Tenant
from agentmessage.lookups import operations
from agentmessage.lookups.model import Lookup
from agentmessage.outbox.unparsed_responses import store_if_unparsed

WAIT_S = 10.0
"""How long a supplier may take; a caller waits meanwhile."""

Sources = Mapping[str, LineTypeSource]
"""By account, live or sandbox."""


async def ask_and_record(db: CellDb, tenant: Tenant, lookup_id: UUID, sources: Sources) -> Lookup:
    """The lookup as it ended. Harmless to run twice: the first answer stays. Raises NotFound."""
    lookup = await operations.get(db, tenant, lookup_id)
    if lookup.is_over:
        return lookup
    answer = await _ask(sources[tenant.account], lookup.phone_number)
    await store_if_unparsed(db, answer, account=tenant.account, operation="lookup")
    async with db.transaction() as tx:
        return await operations.record(tx, tenant, lookup_id, answer)


async def _ask(source: LineTypeSource, number: str) -> Answer[LineFacts | Unlisted]:
    try:
        async with asyncio.timeout(WAIT_S):
            return await source.look_up(number)
    except TimeoutError:
        return Deferred(reason="no answer in time", retry_after_s=WAIT_S)
