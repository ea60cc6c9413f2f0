"""Consents over HTTP; double opt-in and the hosted form are in the room `optin`."""

from msgspec import UNSET, Struct

from agentmessage.consent import bulk, operations, queries, rules
from agentmessage.consent.errors import ContactOptedOut
from agentmessage.consent.schemas import (
    BulkOut,
    CaptureOut,
    ConsentCapture,
    ConsentCaptureBulk,
    ConsentQuery,
    ConsentResource,
    EntryResource,
    HistoryQuery,
)
from agentmessage.kernel.errors import MalformedPathId, NotFound, RateLimited, ValidationFailed
from agentmessage.settings import Settings
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, in_utc

MAX_BULK_BYTES = 8 * 1024 * 1024


class ConsentServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings


routes = Routes("Consent", needs=ConsentServices)


@routes.route(
    "POST",
    "/v1/consent",
    scope="consent:write",
    answers={200: CaptureOut},
    refuses=[ValidationFailed, NotFound, ContactOptedOut, RateLimited],
    bare=True,
)
async def capture_attested_consent(call: Call[ConsentCapture, NoInput], services: ConsentServices) -> CaptureOut:
    """Record that a contact agreed to texts from one of your numbers. You attest it; the evidence is kept.

    A consent that stands is left as it is, with `already_opted_in` true. After STOP nothing that you attest counts, and
    after a revocation only evidence captured later: 409, and nothing is recorded.
    """
    faults = rules.faults(call.body, call.db.now)
    if faults:
        raise ValidationFailed(faults)
    await operations.require_number(call.db, call.tenant, call.body.phone_number_id)
    await operations.require_allowance(
        call.db, call.tenant, per_minute=services.settings.max_consent_captures_per_minute
    )
    async with call.transaction() as tx:
        change = await operations.attest(tx, call.tenant, bulk.grant(call.body))
    return CaptureOut.of(change)


@routes.route(
    "POST",
    "/v1/consent/bulk",
    scope="consent:write",
    answers={200: BulkOut},
    refuses=[ValidationFailed, RateLimited],
    max_body_bytes=MAX_BULK_BYTES,
)
async def capture_attested_consent_bulk(call: Call[ConsentCaptureBulk, NoInput], services: ConsentServices) -> BulkOut:
    """Record up to 1,000 attested consents. Each stands alone: the others are taken whatever is wrong with one.

    Every record counts against the limit per minute; a batch that is larger than that whole limit is refused with 422.
    """
    records = call.body.records
    per_minute = services.settings.max_consent_captures_per_minute
    if len(records) > per_minute:
        raise ValidationFailed({"records": f"must be at most {per_minute} records, the limit per minute"})
    await operations.require_allowance(call.db, call.tenant, per_minute=per_minute, count=len(records))
    read = bulk.read(records, call.db.now)
    async with call.transaction() as tx:
        return await bulk.capture(tx, call.tenant, read)


@routes.route(
    "GET",
    "/v1/consent",
    scope="consent:read",
    answers={200: ConsentResource},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_consent(call: Call[NoInput, ConsentQuery]) -> Page[ConsentResource]:
    """List consents, most recently updated first. One that changes while you page moves to the front."""
    query = call.query
    start = pagination.start_of(query.cursor)
    rows = await queries.list_(
        call.db,
        call.tenant.org_id,
        before_at=start.at,
        before_id=start.id,
        contact_number=query.contact_number or None,
        phone_number_id=query.phone_number_id or None,
        opted_in=None if query.opted_in is UNSET else query.opted_in,
        since=None if query.since is UNSET else in_utc(query.since, "since"),
        consent_method=query.consent_method or None,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=ConsentResource.of, key=lambda row: (row.updated_at, row.id))


@routes.route(
    "GET",
    "/v1/consent/{id}",
    scope="consent:read",
    answers={200: ConsentResource},
    refuses=[MalformedPathId, NotFound],
)
async def get_consent(call: Call[NoInput, NoInput]) -> ConsentResource:
    """Read one consent."""
    return ConsentResource.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "GET",
    "/v1/consent/{id}/history",
    scope="consent:read",
    answers={200: EntryResource},
    refuses=[MalformedPathId, NotFound, ValidationFailed],
    is_list=True,
)
async def list_consent_history(call: Call[NoInput, HistoryQuery]) -> Page[EntryResource]:
    """List what happened to a consent, newest first, with its evidence. Nothing here is ever changed."""
    query = call.query
    start = pagination.start_of(query.cursor)
    await operations.get(call.db, call.tenant, call.id)
    rows = await queries.list_history(
        call.db,
        call.tenant.org_id,
        call.id,
        before_at=start.at,
        before_id=start.id,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=EntryResource.of, key=lambda row: (row.recorded_at, row.id))


@routes.route(
    "DELETE",
    "/v1/consent/{id}",
    scope="consent:write",
    answers={200: ConsentResource},
    refuses=[MalformedPathId, NotFound],
    bare=True,
)
async def revoke_consent(call: Call[NoInput, NoInput]) -> ConsentResource:
    """Take a consent back. The record and its history stay; queued and scheduled texts to the contact are canceled.

    Revoking again answers the same record and adds nothing to the history.
    """
    async with call.transaction() as tx:
        consent = await operations.revoke(tx, call.tenant, call.id)
    call.wake("jobs")
    return ConsentResource.of(consent)
