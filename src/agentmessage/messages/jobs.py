"""Jobs that events of other rooms start."""

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
    """Cancel the messages that wait for a contact who opted out.

    A STOP has done so in its own transaction. After any other opt-out this only tidies up: a message is checked again
    before it is sent.
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
