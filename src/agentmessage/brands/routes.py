"""Brands over HTTP."""

from msgspec import Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.brands import operations, queries
from agentmessage.brands.errors import BrandDeleted, BrandHasCampaigns, ResellerRequired
from agentmessage.brands.schemas import BrandCreate, BrandPatch, BrandQuery, BrandResource
from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.outbox import events as outbox_events
from agentmessage.web import pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page


class BrandServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    secret_box: SecretBox


routes = Routes("Brands", needs=BrandServices)

EXAMPLE = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "SMALL_ACCOUNT",
    "display_name": "Acme Dental",
    "company_name": "Acme Dental LLC",
    "ein": "12-3456789",
    "ein_issuing_country": "US",
    "country": "US",
    "email": "compliance@customer.example",
    "phone": "+14155550123",
    "street": "1 Market Street",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94105",
    "vertical": "HEALTHCARE",
    "website": "https://customer.example",
}


@routes.route(
    "POST",
    "/v1/brands",
    scope="brands:write",
    answers={202: BrandResource},
    refuses=[ValidationFailed, ResellerRequired, InsufficientCredit],
    example=EXAMPLE,
)
async def create_brand(call: Call[BrandCreate, NoInput], services: BrandServices) -> BrandResource:
    """File a brand with the registry.

    Accepted means charged ($5.00, once) and queued: `tcr_brand_id` and `identity_status` follow, and the event
    `brand.vetted` or `brand.vetting_failed` says how it went. The fee is not given back when the registry refuses. An
    organization has one brand unless it is a reseller; deleted ones do not count.
    """
    async with call.transaction() as tx:
        brand = await operations.create(tx, call.tenant, call.body, secret_box=services.secret_box)
    call.wake("jobs")
    return BrandResource.of(brand)


@routes.route(
    "GET",
    "/v1/brands",
    scope="brands:read",
    answers={200: BrandResource},
    refuses=[ValidationFailed],
    is_list=True,
    cursor_header=True,
)
async def list_brands(call: Call[NoInput, BrandQuery]) -> Page[BrandResource]:
    """List brands, newest first. The next page's cursor is in the header `X-Next-Cursor`."""
    query, org_id, window = call.query, call.tenant.org_id, pagination.window(call.query)
    status, identity_status = query.status or None, query.identity_status or None
    rows = await queries.list_(
        call.db,
        org_id,
        before_at=window.start.at,
        before_id=window.start.id,
        offset=window.offset,
        status=status,
        identity_status=identity_status,
        limit=pagination.lookahead(query.limit),
    )
    total = 0
    if window.is_counted:
        total = await queries.count(call.db, org_id, status=status, identity_status=identity_status)
    return pagination.page_of(
        rows,
        query.limit,
        show=BrandResource.of,
        key=lambda row: (row.created_at, row.id),
        total=total,
        offset=window.offset,
        last_event_at=await outbox_events.last_event_at(call.db, org_id, "brand"),
    )


@routes.route("GET", "/v1/brands/{id}", scope="brands:read", answers={200: BrandResource}, refuses=[NotFound])
async def get_brand(call: Call[NoInput, NoInput]) -> BrandResource:
    """Read one brand; a deleted one can still be read."""
    return BrandResource.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "PATCH",
    "/v1/brands/{id}",
    scope="brands:write",
    answers={200: BrandResource},
    refuses=[ValidationFailed, NotFound, BrandDeleted, InsufficientCredit],
    example={"email": "legal@customer.example", "website": "https://customer.example", "reference_id": None},
)
async def update_brand(call: Call[BrandPatch, NoInput], services: BrandServices) -> BrandResource:
    """Change a brand, and let the registry check it again where necessary.

    Omitted fields stay, null clears. A brand that the registry refused (PENDING with `failure_reasons`) is filed again
    for another $5.00; sending a change to the registry is free.
    """
    async with call.transaction() as tx:
        brand = await operations.patch(tx, call.tenant, call.id, call.body, secret_box=services.secret_box)
    call.wake("jobs")
    return BrandResource.of(brand)


@routes.route(
    "DELETE",
    "/v1/brands/{id}",
    scope="brands:write",
    answers={200: BrandResource},
    refuses=[NotFound, BrandHasCampaigns],
)
async def delete_brand(call: Call[NoInput, NoInput]) -> BrandResource:
    """Delete a brand for good, here and at the registry.

    Its campaigns must have been deactivated. Deleting a deleted brand returns it again and changes nothing.
    """
    async with call.transaction() as tx:
        brand = await operations.delete(tx, call.tenant, call.id)
    call.wake("jobs")
    return BrandResource.of(brand)
