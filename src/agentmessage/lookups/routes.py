"""Lookups over HTTP."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from msgspec import UNSET, Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.carriers.lookups import LineTypeSource
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.lookups import operations, queries
from agentmessage.lookups.carrier_lookup import ask_and_record
from agentmessage.lookups.errors import LookupFailed
from agentmessage.lookups.schemas import LookupCreate, LookupQuery, LookupResource
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, in_utc


class Carrier(Protocol):
    """As much of an account's carrier as a lookup needs."""

    @property
    def line_types(self) -> LineTypeSource:
        """Tells what kind of line a number is."""
        ...


class LookupServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    carriers: Mapping[str, Carrier]


routes = Routes("Lookups", needs=LookupServices)


async def _finish(call: Call[Any, Any], lookup_id: UUID | None, services: LookupServices) -> LookupResource:
    """The answer of a lookup; of one whose first request died, by asking again. Raises LookupFailed."""
    if lookup_id is None:
        raise NotFound
    sources = {account: carrier.line_types for account, carrier in services.carriers.items()}
    lookup = await ask_and_record(call.db, call.tenant, lookup_id, sources)
    call.wake("events")
    if lookup.was_given_back:
        raise LookupFailed
    return LookupResource.of(lookup)


@routes.route(
    "POST",
    "/v1/lookup",
    scope="lookups:write",
    answers={200: LookupResource},
    refuses=[ValidationFailed, InsufficientCredit, LookupFailed],
    resume=_finish,
    example={"phone_number": "+14155550100", "lookup_type": "advanced"},
)
async def submit_lookup(call: Call[LookupCreate, NoInput], services: LookupServices) -> LookupResource:
    """Ask what kind of line a number is.

    It is charged first and asked at once. 200 also when the supplier knows no such number: `status` is then `failed`.
    502 means that the supplier could not be asked; the charge is given back. After a `FIXED` line was found, texts to
    the number are refused for 90 days. A lookup that was asked under the same `Idempotency-Key` is the answer, whatever
    its age. Event: `lookup.completed`.
    """
    if call.claim is not None:
        known_id = await operations.asked_before(call.db, call.tenant, call.claim)
        if known_id is not None:
            return await _finish(call, known_id, services)
    lookup_id = new_id()
    body = call.body
    async with call.transaction(subject=lookup_id) as tx:
        await operations.begin(
            tx,
            call.tenant,
            lookup_id=lookup_id,
            phone_number=body.phone_number,
            lookup_type=body.lookup_type,
            claim=call.claim,
        )
    return await _finish(call, lookup_id, services)


@routes.route(
    "GET",
    "/v1/lookup",
    scope="lookups:read",
    answers={200: LookupResource},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_lookups(call: Call[NoInput, LookupQuery]) -> Page[LookupResource]:
    """List lookups, newest first. `since` and `until` go by when they were requested."""
    query = call.query
    start = pagination.start_of(query.cursor)
    rows = await queries.list_(
        call.db,
        call.tenant.org_id,
        before_at=start.at,
        before_id=start.id,
        phone_number=query.phone_number or None,
        status=query.status or None,
        since=None if query.since is UNSET else in_utc(query.since, "since"),
        until=None if query.until is UNSET else in_utc(query.until, "until"),
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=LookupResource.of, key=lambda row: (row.requested_at, row.id))


@routes.route("GET", "/v1/lookup/{id}", scope="lookups:read", answers={200: LookupResource}, refuses=[NotFound])
async def get_lookup(call: Call[NoInput, NoInput]) -> LookupResource:
    """Read one lookup. After 90 days `result` is null and `result_redacted_at` set."""
    return LookupResource.of(await operations.get(call.db, call.tenant, call.id))
