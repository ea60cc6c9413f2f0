"""Campaigns over HTTP."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.brands import operations as brands
from agentmessage.brands.errors import BrandNotVerified
from agentmessage.campaigns import operations, queries, review, rules
from agentmessage.campaigns.errors import CampaignHasNumbers, SoleProprietorLimit
from agentmessage.campaigns.page_checks import PageChecker
from agentmessage.campaigns.schemas import (
    CampaignCreate,
    CampaignDraft,
    CampaignQuery,
    CampaignResource,
    DeactivateQuery,
    ReviewResource,
)
from agentmessage.kernel.errors import NotFound, RateLimited, ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import events as outbox_events
from agentmessage.web import pagination
from agentmessage.web.rate_limits import require_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page
from agentmessage.web.validation import read_body


class CampaignServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    pages: PageChecker


routes = Routes("Campaigns", needs=CampaignServices)

BUCKET = "campaign_review"
PER_MINUTE = 30
"""Each review holds connections to foreign servers for up to three seconds."""

EXAMPLE = {
    "brand_id": "497f6eca-6276-4993-bfeb-53cbbbba6f08",
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment reminders and follow-ups to patients of the practice who asked for them.",
    "message_flow": "Patients tick an unchecked box on the booking form at https://customer.example/book and agree to "
    "reminders.",
    "sample1": "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.",
    "subscriber_optin": True,
    "optin_keywords": "START",
    "optin_message": "Acme Dental: you are subscribed to reminders. Reply HELP for help, STOP to opt out.",
    "subscriber_optout": True,
    "optout_keywords": "STOP,UNSUBSCRIBE",
    "optout_message": "Acme Dental: you are unsubscribed and will receive no more messages.",
    "subscriber_help": True,
    "help_keywords": "HELP",
    "help_message": "Acme Dental: call +1 415 555 0123 or write to help@customer.example.",
    "privacy_policy_link": "https://customer.example/privacy",
    "terms_and_conditions": True,
    "terms_and_conditions_link": "https://customer.example/terms",
}


@routes.route(
    "POST",
    "/v1/campaigns",
    scope="campaigns:write",
    answers={202: CampaignResource},
    refuses=[ValidationFailed, NotFound, BrandNotVerified, SoleProprietorLimit, InsufficientCredit],
    example=EXAMPLE,
)
async def create_campaign(call: Call[CampaignCreate, NoInput], services: CampaignServices) -> CampaignResource:
    """File a campaign with the registry and the operators.

    Accepted means that its first month is charged and its filing queued: `tcr_campaign_id` and `mno_metadata` follow,
    and the events `campaign.shared` and `campaign.approved` or `campaign.rejected` say how it went. The month begins
    with the approval; a campaign that never becomes active has it given back.
    """
    async with call.transaction() as tx:
        campaign = await operations.create(tx, call.tenant, call.body, allow_private=services.pages.allow_private)
    call.wake("jobs")
    return CampaignResource.of(campaign)


async def _review_again(call: Call[Any, Any], _subject: UUID | None, services: CampaignServices) -> ReviewResource:
    """A review whose response was lost in a crash is made again, because nothing was stored."""
    return await _review(call, services)


async def _review(call: Call[CampaignDraft, NoInput], services: CampaignServices) -> ReviewResource:
    draft, reader = call.body, services.pages
    malformed = _refusals(draft)
    refusals = malformed | rules.private_links(draft, allow_private=reader.allow_private)
    brand_id = review.brand_id(draft)
    brand = await brands.find(call.db, call.tenant, brand_id) if brand_id else None
    links = {field: url for field in review.LINKS if (url := getattr(draft, field)) and field not in malformed}
    pages = await reader.check(links, owner=call.tenant.org_id)
    found = review.findings(draft, refusals=refusals, brand=brand, pages=pages)
    numbers = review.counts(found)
    return ReviewResource(
        can_submit=not numbers["block"],
        llm_used=False,
        generated_at=call.db.now,
        counts=numbers,
        findings=found,
        checked_urls=pages,
    )


@routes.route(
    "POST",
    "/v1/campaigns/review",
    scope="campaigns:write",
    answers={200: ReviewResource},
    refuses=[ValidationFailed, RateLimited],
    resume=_review_again,
    example=EXAMPLE,
)
async def review_campaign_draft(call: Call[CampaignDraft, NoInput], services: CampaignServices) -> ReviewResource:
    """Review a draft before it is filed; nothing is stored or charged.

    The same draft gives the same findings, except for pages that change: the privacy and terms pages are requested,
    each for at most three seconds. `can_submit` is false when a finding blocks. 30 a minute.
    """
    await require_token(call.db, call.tenant, BUCKET, per_minute=PER_MINUTE)
    result = await _review(call, services)
    if call.claim is not None:
        async with call.transaction(subject=new_id()):
            pass  # only to store the response under the Idempotency-Key
    return result


@routes.route(
    "GET",
    "/v1/campaigns",
    scope="campaigns:read",
    answers={200: CampaignResource},
    refuses=[ValidationFailed],
    is_list=True,
    cursor_header=True,
)
async def list_campaigns(call: Call[NoInput, CampaignQuery]) -> Page[CampaignResource]:
    """List campaigns, newest first. The next page's cursor is in the header `X-Next-Cursor`."""
    query, org_id, window = call.query, call.tenant.org_id, pagination.window(call.query)
    status, brand_id = query.status or None, query.brand_id or None
    rows = await queries.list_(
        call.db,
        org_id,
        before_at=window.start.at,
        before_id=window.start.id,
        offset=window.offset,
        status=status,
        brand_id=brand_id,
        limit=pagination.lookahead(query.limit),
    )
    total = 0
    if window.is_counted:
        total = await queries.count(call.db, org_id, status=status, brand_id=brand_id)
    return pagination.page_of(
        rows,
        query.limit,
        show=CampaignResource.of,
        key=lambda row: (row.created_at, row.id),
        total=total,
        offset=window.offset,
        last_event_at=await outbox_events.last_event_at(call.db, org_id, "campaign"),
    )


@routes.route("GET", "/v1/campaigns/{id}", scope="campaigns:read", answers={200: CampaignResource}, refuses=[NotFound])
async def get_campaign(call: Call[NoInput, NoInput]) -> CampaignResource:
    """Read one campaign."""
    return CampaignResource.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "DELETE",
    "/v1/campaigns/{id}",
    scope="campaigns:write",
    answers={200: CampaignResource},
    refuses=[ValidationFailed, NotFound, CampaignHasNumbers],
)
async def deactivate_campaign(call: Call[NoInput, DeactivateQuery]) -> CampaignResource:
    """Deactivate a campaign for good, here and at the registry: its status becomes EXPIRED.

    Rejected while numbers are on it, unless `detach_numbers=true`: then they are detached right after. Deactivating an
    expired campaign returns it again and changes nothing.
    """
    async with call.transaction() as tx:
        campaign = await operations.deactivate(tx, call.tenant, call.id, detach_numbers=call.query.detach_numbers)
    call.wake("jobs")
    return CampaignResource.of(campaign)


def _refusals(draft: CampaignDraft) -> dict[str, str]:
    """Why `POST /v1/campaigns` would reject the draft with any brand, by field."""
    given = {name: value for name, value in msgspec.structs.asdict(draft).items() if value is not None}
    faults = rules.faults(draft)
    try:
        read_body(CampaignCreate, msgspec.json.encode(given))
    except ValidationFailed as error:
        faults.update(error.details or {})
    return faults
