"""What owners and other rooms do with messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.compliance import faults as content_faults
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import ApiError, NotFound
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages import admission, queries
from agentmessage.messages.admission import TOPIC, Admission
from agentmessage.messages.draft import Draft
from agentmessage.messages.errors import MessageNotCancelable
from agentmessage.messages.model import Cause, Kind, Message, Status
from agentmessage.messages.redaction import redact_inbound, redact_messages
from agentmessage.messages.schemas import MessageCreate, MessageOut
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.sms.segments import USUAL_LAYOUTS, Layouts

__all__ = [
    "TOPIC",
    "Admission",
    "Draft",
    "cancel",
    "cancel_pair",
    "cancel_pairs",
    "get",
    "redact_inbound",
    "redact_messages",
    "send_own",
]


def faults(body: MessageCreate, now: datetime) -> dict[str, str]:
    """What is wrong with a message beyond the shape of its fields, by field."""
    found = content_faults(body, now)
    if body.text is None and not body.media:
        found["text"] = "must be 1..1600 chars, or there must be media"
    return found


async def get(db: Executor, tenant: Tenant, message_id: UUID) -> Message:
    """One of the tenant's messages. Raises NotFound."""
    message = await queries.find(db, tenant.org_id, message_id)
    if message is None:
        raise NotFound
    return message


async def send_own(
    tx: Tx,
    tenant: Tenant,
    *,
    sender: str,
    recipient: str,
    text: str,
    kind: Kind,
    message_id: UUID,
    requires_propagation: bool = True,
    layouts: Layouts = USUAL_LAYOUTS,
    is_owed: bool = False,
) -> Message:
    """Admit a message that the platform writes for its customer, in the caller's transaction.

    An auto-reply is exempt from consent, quiet hours, caps and rate limits; the question of a double opt-in from
    consent only. Both need a registered sender and are charged as any message; with `is_owed` it is sent whatever the
    wallet holds. The caller notifies `TOPIC` after the commit. Raises the errors of compliance checks,
    InsufficientCredit or RateLimited.
    """
    draft = Draft(
        id=message_id,
        tenant=tenant,
        kind=kind,
        sender=sender,
        recipient=recipient,
        text=text,
        priority=0,
        is_owed=is_owed,
    )
    (outcome,) = await admission.admit_all(tx, [draft], requires_propagation=requires_propagation, layouts=layouts)
    if isinstance(outcome, ApiError):
        raise outcome
    return outcome


async def cancel(tx: Tx, tenant: Tenant, message_id: UUID) -> Message:
    """Cancel a queued message; a canceled one stays as it is. Raises NotFound, MessageNotCancelable.

    The wallet is locked before the message, as everywhere: what was held for it is freed.
    """
    await billing.lock(tx, [tenant.org_id])
    is_waiting = await queries.lock_dispatch(tx, tenant.org_id, message_id)
    if not is_waiting:
        message = await get(tx, tenant, message_id)
        if message.status != Status.CANCELED:
            raise MessageNotCancelable(details={"status": message.status})
        return message
    canceled = await _cancel_all(tx, tenant.org_id, [message_id], Cause.CANCELED_BY_CUSTOMER)
    return canceled[0]


async def cancel_pair(tx: Tx, org_id: UUID, phone_number_id: UUID, contact: str, cause: Cause) -> int:
    """Cancel every queued and scheduled message from one number to one contact; see `cancel_pairs`."""
    return await cancel_pairs(tx, org_id, [phone_number_id], contact, cause)


async def cancel_pairs(tx: Tx, org_id: UUID, phone_number_ids: Sequence[UUID], contact: str, cause: Cause) -> int:
    """Cancel every queued and scheduled message from some numbers to one contact; returns how many.

    The caller holds `consent.operations.lock_law`, so that no message is admitted meanwhile. The wallet is locked
    before the messages, as everywhere.
    """
    await billing.lock(tx, [org_id])
    waiting = await queries.list_pairs(tx, org_id, phone_number_ids, contact)
    return len(await _cancel_all(tx, org_id, waiting, cause)) if waiting else 0


async def cancel_many(tx: Tx, org_id: UUID, message_ids: Sequence[UUID], cause: Cause) -> int:
    """Cancel those of these messages that no worker has claimed; returns how many. The caller has locked the wallet."""
    return len(await _cancel_all(tx, org_id, message_ids, cause)) if message_ids else 0


async def _cancel_all(tx: Tx, org_id: UUID, message_ids: Sequence[UUID], cause: Cause) -> list[Message]:
    canceled = await queries.cancel(tx, org_id, message_ids, cause=cause.value)
    for message in canceled:
        await outbox_events.emit(tx, org_id, EventType.MESSAGE_CANCELED, message.id, MessageOut.of(message))
    return canceled
