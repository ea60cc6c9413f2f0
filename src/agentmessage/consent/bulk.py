"""A batch of captures: read one by one, so that a faulty one stands alone, and recorded together."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Raw, Struct

from agentmessage.consent import operations, queries, rules
from agentmessage.consent.errors import ContactOptedOut
from agentmessage.consent.model import Evidence, Grant, Outcome, Pair, Source
from agentmessage.consent.schemas import BulkOut, ConsentCapture, RejectedRecord
from agentmessage.kernel.db import Tx
from agentmessage.kernel.errors import ApiError, InvalidInput, NotFound, ValidationFailed
from agentmessage.kernel.tenant import Tenant
from agentmessage.web.validation import read_body


class Read(Struct, frozen=True):
    """A batch as it was read: well-formed captures, and the others with why not, both by place in the input."""

    grants: dict[int, Grant]
    refusals: dict[int, ApiError]


def grant(wish: ConsentCapture) -> Grant:
    """A well-formed capture as a claim."""
    evidence = wish.evidence
    return Grant(
        pair=Pair(wish.phone_number_id, wish.contact_number),
        method=evidence.consent_method,
        source=Source.API,
        occurred_at=evidence.captured_at,
        evidence=Evidence(
            agreement_text=evidence.agreement_text,
            ip=evidence.ip_address or None,
            user_agent=evidence.user_agent or None,
            form_url=evidence.form_url or None,
        ),
    )


def read(records: Sequence[Raw], now: datetime) -> Read:
    """Every record by itself, each as `POST /v1/consent` would read it."""
    grants: dict[int, Grant] = {}
    refusals: dict[int, ApiError] = {}
    for index, record in enumerate(records):
        try:
            grants[index] = _read(bytes(record), now)
        except (ValidationFailed, InvalidInput) as error:
            refusals[index] = error
    return Read(grants, refusals)


async def capture(tx: Tx, tenant: Tenant, batch: Read) -> BulkOut:
    """Record a batch in a few statements, whatever its size."""
    refusals = dict(batch.refusals)
    wanted = list({one.pair.phone_number_id for one in batch.grants.values()})
    held = {number.id for number in await queries.list_assigned(tx, tenant.org_id, wanted)}
    grants = {index: one for index, one in batch.grants.items() if one.pair.phone_number_id in held}
    refusals |= {index: NotFound() for index in batch.grants.keys() - grants.keys()}
    changes = await operations.capture(tx, tenant, list(grants.values())) if grants else []
    for index, change in zip(grants, changes, strict=True):
        if change.outcome is Outcome.SUPPRESSED:
            refusals[index] = ContactOptedOut()
    rejected = [
        RejectedRecord(index, error.code, error.message, error.details) for index, error in sorted(refusals.items())
    ]
    return BulkOut(len(batch.grants) + len(batch.refusals) - len(rejected), rejected)


def _read(record: bytes, now: datetime) -> Grant:
    wish = read_body(ConsentCapture, record)
    faults = rules.faults(wish, now)
    if faults:
        raise ValidationFailed(faults)
    return grant(wish)
