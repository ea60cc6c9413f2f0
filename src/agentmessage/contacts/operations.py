"""Erasing a contact."""

from agentmessage.billing import operations as billing
from agentmessage.consent import operations as consent
from agentmessage.contacts import queries, rules
from agentmessage.contacts.model import Erased
from agentmessage.kernel.db import Tx
from agentmessage.kernel.tenant import Tenant
from agentmessage.media import operations as media
from agentmessage.messages import operations as messages
from agentmessage.messages.model import Cause
from agentmessage.organizations.operations import record
from agentmessage.web import idempotency


async def erase(tx: Tx, tenant: Tenant, contact: str) -> Erased:
    """Take the content out of every message with a contact, and cancel what still waits to be sent to them.

    Content is the text, the media, and the tag and metadata that the customer gave it. Files that nobody else was sent
    are out of reach at once.

    The locks come in the order of all who change texts: admissions, the purse, the queue, the texts. So no text to the
    contact is admitted or recorded beside it.
    """
    org_id = tenant.org_id
    await consent.lock_law(tx, org_id)
    await billing.require_cover(tx, tenant, total_microcents=0)
    await messages.cancel_many(tx, org_id, await queries.lock_waiting(tx, org_id, contact), Cause.ERASED)
    texted = await queries.lock_outbound(tx, org_id, contact)
    outbound = await messages.redact_messages(tx, org_id, texted, keeps_labels=False)
    inbound = await messages.redact_inbound(tx, org_id, await queries.lock_inbound(tx, org_id, contact))
    await media.erase(tx, tenant, contact)
    await queries.erase_raw(tx, org_id, contact)
    await queries.delete_parts(tx, org_id, contact)
    await idempotency.rewrite(tx, org_id, contact, lambda body: rules.blank(body, contact))
    counts = {"inbound_redacted": inbound, "outbound_redacted": outbound}
    audit_log_id = await record(
        tx, tenant, action="contact.erase", resource_type="contact", resource_id=contact, payload=counts
    )
    return Erased(contact, inbound, outbound, tx.now, audit_log_id)
