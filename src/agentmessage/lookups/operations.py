"""What is done with a lookup: pay and write down, record the answer, read, forget."""

from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.billing.model import UsageKind
from agentmessage.carriers.lookups import LineFacts, Unlisted
from agentmessage.carriers.protocols import Answer
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.money import price_cents
from agentmessage.kernel.tenant import Tenant
from agentmessage.lookups import queries, rules
from agentmessage.lookups.model import KEPT, Lookup, LookupStatus, LookupType
from agentmessage.lookups.schemas import LookupResource
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.web import idempotency
from agentmessage.web.idempotency import IdempotencyKey

SOURCE = "lookup"
TAKEN_OVER_AFTER_S = 90.0
"""When the job looks after a lookup: long after its request has ended, one way or the other."""

REDACT_BATCH = 1000


async def asked_before(db: Executor, tenant: Tenant, claim: IdempotencyKey) -> UUID | None:
    """The lookup that was asked under an Idempotency-Key, whatever its age: it costs nothing again.

    Raises IdempotencyKeyReused, IdempotencyKeyOfAnother.
    """
    known = await queries.find_by_key(db, tenant.org_id, claim.value)
    if known is None:
        return None
    lookup_id, fingerprint = known
    idempotency.require_same(fingerprint, claim)
    return lookup_id


async def begin(
    tx: Tx,
    tenant: Tenant,
    *,
    lookup_id: UUID,
    phone_number: str,
    lookup_type: LookupType,
    claim: IdempotencyKey | None = None,
) -> Lookup:
    """Charge for a lookup and write it down, before anybody is asked. Raises ValidationFailed, InsufficientCredit."""
    rules.require_answerable(phone_number)
    price = billing.price(UsageKind.LOOKUP, lookup_type, tx.now)
    await billing.charge(
        tx,
        tenant,
        kind=UsageKind.LOOKUP,
        quantity=1,
        unit_cost_microcents=price,
        source=SOURCE,
        source_ref=str(lookup_id),
        ref_kind="lookup",
        ref_id=lookup_id,
        is_provisional=True,
    )
    lookup = Lookup(
        id=lookup_id,
        org_id=tenant.org_id,
        account=tenant.account,
        phone_number=phone_number,
        lookup_type=lookup_type,
        status=LookupStatus.PROCESSING,
        line_type=None,
        result=None,
        result_redacted_at=None,
        error_code=None,
        error_message=None,
        cost_cents=price_cents(price),
        requested_at=tx.now,
        completed_at=None,
    )
    await queries.insert(
        tx,
        lookup,
        idempotency_key=claim.value if claim else None,
        fingerprint=claim.fingerprint if claim else None,
    )
    arguments = {"org_id": str(tenant.org_id), "lookup_id": str(lookup_id), "account": tenant.account}
    await outbox_events.enqueue(tx, "lookups.finish", str(lookup_id), arguments, delay_s=TAKEN_OVER_AFTER_S)
    return lookup


async def record(tx: Tx, tenant: Tenant, lookup_id: UUID, answer: Answer[LineFacts | Unlisted]) -> Lookup:
    """Write down what the supplier said, once; a later answer changes nothing. Raises NotFound.

    A supplier that could not be asked costs the customer nothing: the charge is given back.
    """
    lookup = await queries.lock(tx, tenant.org_id, lookup_id)
    if lookup is None:
        raise NotFound
    if lookup.is_over:
        return lookup
    outcome = rules.outcome(answer)
    if outcome.is_ours:
        await billing.refund(tx, tenant, source=SOURCE, source_ref=str(lookup_id))
    else:
        await billing.confirm(tx, tenant, [(SOURCE, str(lookup_id))])
    await queries.finish(tx, tenant.org_id, lookup_id, outcome)
    done = await get(tx, tenant, lookup_id)
    await outbox_events.emit(tx, tenant.org_id, EventType.LOOKUP_COMPLETED, lookup_id, LookupResource.of(done))
    return done


async def get(db: Executor, tenant: Tenant, lookup_id: UUID) -> Lookup:
    """One lookup of the organization. Raises NotFound."""
    lookup = await queries.find(db, tenant.org_id, lookup_id)
    if lookup is None:
        raise NotFound
    return lookup


async def forget_results(db: Executor) -> int:
    """Redact results that have outlived their promise, of every organization; at most 1,000 at a time."""
    return await queries.redact(db, db.now - KEPT, limit=REDACT_BATCH)
