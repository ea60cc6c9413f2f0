"""Phone numbers that one holds: list, get, change, attach, detach, and what the carrier has made of it."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from agentmessage.brands.errors import BrandNotVerified
from agentmessage.campaigns import operations as campaigns
from agentmessage.campaigns.errors import CampaignNotActive
from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import InvalidInput, MalformedPathId, NotFound, ValidationFailed
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers import operations, queries
from agentmessage.numbers.binding import status as binding_status
from agentmessage.numbers.binding.schemas import LineOptionOut
from agentmessage.numbers.errors import CampaignNeedsLocalNumber, NumberNotAssigned
from agentmessage.numbers.model import PhoneNumber
from agentmessage.numbers.schemas import CampaignAttach, CampaignNumberList, NumberList, NumberPatch, PhoneNumberOut
from agentmessage.outbox.events import last_event_at
from agentmessage.settings import Settings
from agentmessage.web import cursors, pagination
from agentmessage.web.pagination import PageWindow
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page
from agentmessage.web.webhook_urls import require_callable_urls


class NumberServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings


routes = Routes("Phone numbers", needs=NumberServices)

SEARCH_SCAN = 1000
"""Rows that a page with `search` looks at: it may come back short, or empty, with a cursor to go on."""


@routes.route("GET", "/v1/phone-numbers", scope="numbers:read", answers={200: PhoneNumberOut}, is_list=True)
async def list_phone_numbers(call: Call[NoInput, NumberList]) -> Page[PhoneNumber]:
    """List phone numbers.

    Newest first. With `search` a page can hold fewer rows than `limit`, or none, while more follow: go on until
    `meta.next_cursor` is null. `meta.last_event_at` is the time of the organization's newest phone-number event.
    """
    query, window = call.query, pagination.window(call.query)
    if query.search is not None:
        return await _search(call, window)
    rows = await _rows(
        call.db, call.tenant, window, limit=query.limit, number_type=query.number_type, campaign_id=query.campaign_id
    )
    total = 0
    if window.is_counted:
        total = await queries.count_assigned(
            call.db, call.tenant.org_id, number_type=query.number_type, campaign_id=query.campaign_id
        )
    return await _page(call.db, call.tenant, rows, query.limit, total=total, offset=window.offset)


async def _search(call: Call[NoInput, NumberList], window: PageWindow) -> Page[PhoneNumber]:
    query = call.query
    if window.is_counted:
        raise ValidationFailed({"offset": "must not be given with search"})
    rows = await queries.search_page(
        call.db,
        call.tenant.org_id,
        before_at=window.start.at,
        before_id=window.start.id,
        text=query.search or "",
        scan=SEARCH_SCAN,
    )
    found: list[PhoneNumber] = []
    last = rows[-1][0] if len(rows) == SEARCH_SCAN else None
    for number, fits in rows:
        if fits and _is_wanted(number, query):
            found.append(number)
            if len(found) == query.limit and number is not rows[-1][0]:
                last = number
                break
    cursor = cursors.encode(last.created_at, last.id) if last else None
    moment = await last_event_at(call.db, call.tenant.org_id, "phone_number")
    return Page(found, query.limit, cursor, last_event_at=moment)


def _is_wanted(number: PhoneNumber, query: NumberList) -> bool:
    return (query.number_type is None or number.number_type == query.number_type) and (
        query.campaign_id is None or number.campaign_id == query.campaign_id
    )


async def _rows(
    db: Executor,
    tenant: Tenant,
    window: PageWindow,
    *,
    limit: int,
    number_type: str | None = None,
    campaign_id: UUID | None = None,
) -> list[PhoneNumber]:
    """The page's rows and the lookahead, by the index that serves the filter."""
    if campaign_id is not None:
        return await queries.list_campaign_page(
            db,
            tenant.org_id,
            campaign_id,
            before_at=window.start.at,
            before_id=window.start.id,
            number_type=number_type,
            limit=pagination.lookahead(limit),
            offset=window.offset,
        )
    return await queries.list_page(
        db,
        tenant.org_id,
        before_at=window.start.at,
        before_id=window.start.id,
        number_type=number_type,
        limit=pagination.lookahead(limit),
        offset=window.offset,
    )


async def _page(
    db: Executor, tenant: Tenant, rows: Sequence[PhoneNumber], limit: int, *, total: int = 0, offset: int = 0
) -> Page[PhoneNumber]:
    moment = await last_event_at(db, tenant.org_id, "phone_number")
    return pagination.page_of(
        rows,
        limit,
        show=lambda number: number,
        key=lambda number: (number.created_at, number.id),
        total=total,
        offset=offset,
        last_event_at=moment,
    )


@routes.route("GET", "/v1/phone-numbers/{id}", scope="numbers:read", answers={200: PhoneNumberOut}, refuses=[NotFound])
async def get_phone_number(call: Call[NoInput, NoInput]) -> PhoneNumber:
    """Get a phone number.

    By its id, not by the number. Only a currently assigned number is found.
    """
    number = await queries.find_assigned(call.db, call.tenant.org_id, call.id)
    if number is None:
        raise NotFound
    return number


@routes.route(
    "PATCH",
    "/v1/phone-numbers/{id}",
    scope="numbers:write",
    answers={200: PhoneNumberOut},
    refuses=[InvalidInput, NotFound, CampaignNotActive, BrandNotVerified, CampaignNeedsLocalNumber],
    body_fault_is_400=True,
)
async def update_phone_number(call: Call[NumberPatch, NoInput], services: NumberServices) -> PhoneNumber:
    """Change a phone number.

    Left out or null: unchanged. Empty text clears a URL or the label; `campaign_id` cannot be empty: detach instead.
    A field that cannot be changed is refused with 400. Naming a campaign attaches it, with the checks of attach. A URL
    that was given up for its failures is told again once the number is changed.
    """
    require_callable_urls(
        {"inbound_url": call.body.inbound_url, "status_url": call.body.status_url},
        allow_private=services.settings.webhook_allow_private,
    )
    async with call.transaction() as tx:
        number = await operations.change(tx, call.tenant, call.id, call.body)
    if isinstance(call.body.campaign_id, UUID):
        call.wake("numbers")
    return number


@routes.route(
    "POST",
    "/v1/phone-numbers/{id}/campaign",
    scope="numbers:write",
    answers={200: PhoneNumberOut},
    refuses=[NotFound, CampaignNotActive, BrandNotVerified, NumberNotAssigned, CampaignNeedsLocalNumber],
    path_is_last=True,
)
async def attach_campaign_to_phone_number(call: Call[CampaignAttach, NoInput]) -> PhoneNumber:
    """Attach a campaign to a phone number.

    The link is recorded at once; the carrier follows by reconciliation, see `carrier_line_option_status`. Attaching
    another campaign replaces the present one; the same one again changes nothing. Checked in this order: the campaign
    exists, it is ACTIVE, its brand is VERIFIED or VETTED_VERIFIED, the number is yours, it is assigned, it is a local
    one: a toll-free number takes no 10DLC campaign.
    """
    try:
        number_id = call.id
    except MalformedPathId:
        await campaigns.require_bindable(call.statements, call.tenant, call.body.campaign_id)
        raise
    number = await operations.attach(call.statements, call.tenant, number_id, call.body.campaign_id)
    call.wake("numbers")
    return number


@routes.route(
    "DELETE",
    "/v1/phone-numbers/{id}/campaign",
    scope="numbers:write",
    answers={200: PhoneNumberOut},
    refuses=[NotFound, NumberNotAssigned],
)
async def detach_campaign_from_phone_number(call: Call[NoInput, NoInput]) -> PhoneNumber:
    """Detach a campaign from a phone number.

    Removes the association from a number that you own; the carrier side is unbound by reconciliation afterwards.
    Idempotent: a number without a campaign answers 200 with the resource as it is, and nothing is written.
    """
    number = await operations.detach(call.statements, call.tenant, call.id, audit_id=call.tenant.request_id)
    if number.carrier_line_option_status is not None:
        call.wake("numbers")
    return number


@routes.route(
    "GET",
    "/v1/phone-numbers/{id}/carrier-line-option",
    scope="numbers:read",
    answers={200: LineOptionOut},
    refuses=[NotFound],
)
async def get_carrier_line_option(call: Call[NoInput, NoInput]) -> LineOptionOut:
    """Say what is wanted at the carrier, what was seen there, and what happens next.

    Wish and observation side by side, the phase, attempts, the last error with a way out, the carrier's order id,
    operators' states where the carrier tells them, and the last 50 transitions, newest first.
    """
    return await binding_status.line_option(call.db, call.tenant.org_id, call.id)


@routes.route(
    "GET",
    "/v1/campaigns/{id}/phone-numbers",
    scope="numbers:read",
    answers={200: PhoneNumberOut},
    refuses=[NotFound],
    is_list=True,
)
async def list_campaign_phone_numbers(call: Call[NoInput, CampaignNumberList]) -> Page[PhoneNumber]:
    """List the phone numbers that are attached to a campaign, newest first."""
    await operations.require_campaign(call.db, call.tenant, call.id)
    window = pagination.window(call.query)
    rows = await _rows(call.db, call.tenant, window, limit=call.query.limit, campaign_id=call.id)
    total = 0
    if window.is_counted:
        total = await queries.count_assigned(call.db, call.tenant.org_id, number_type=None, campaign_id=call.id)
    return await _page(call.db, call.tenant, rows, call.query.limit, total=total, offset=window.offset)
