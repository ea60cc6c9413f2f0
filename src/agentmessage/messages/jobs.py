"""What messages do when something happened below them: upward news."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agentmessage.consent import operations as consent
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import operator
from agentmessage.messages import operations
from agentmessage.messages.model import Cause
from agentmessage.outbox.job_runner import Done, Handler


async def cancel_opted_out(db: CellDb, arguments: Mapping[str, Any]) -> Done:
    """A contact opted out, by whatever way: take back what still waits for them.

    A STOP has done so in its own transaction; for the other ways this is the hygiene, since hand-over judges again.
    """
    org_id = UUID(arguments["org_id"])
    async with db.transaction() as tx:
        await consent.lock_law(tx, org_id)
        tenant = operator(org_id, db.name, "live")  # of either mode: the record is found by its id
        record = await consent.get(tx, tenant, UUID(arguments["resource_id"]))
        if not record.counts:
            numbers = {record.phone_number_id, *await consent.list_reached(tx, org_id, record.contact_number)}
            await operations.cancel_pairs(tx, org_id, sorted(numbers), record.contact_number, Cause.OPTED_OUT)
    return Done()


HANDLERS: Mapping[str, Handler] = {"messages.cancel_opted_out": cancel_opted_out}
