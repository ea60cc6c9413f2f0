"""The organization behind the key, and its audit log."""

import re
from datetime import datetime

from msgspec import UNSET

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.organizations import operations, queries
from agentmessage.organizations.errors import AttestationRequired, ResellerHasBrands, ResellerNotEligible
from agentmessage.organizations.schemas import AuditEntry, AuditQuery, OrganizationPatch, OrganizationResource
from agentmessage.web import cursors, pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, in_utc

routes = Routes("Organization")

ULID_FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@routes.route("GET", "/v1/organization", scope="org:read", answers={200: OrganizationResource})
async def get_organization(call: Call[NoInput, NoInput]) -> OrganizationResource:
    """Read the organization that the key belongs to."""
    organization = await operations.get(call.db, call.tenant)
    return OrganizationResource.of(organization, await operations.standing(call.db, call.tenant))


@routes.route(
    "PATCH",
    "/v1/organization",
    scope="org:admin:write",
    answers={200: OrganizationResource},
    refuses=[ValidationFailed, ResellerNotEligible, ResellerHasBrands, AttestationRequired],
)
async def patch_organization(call: Call[OrganizationPatch, NoInput]) -> OrganizationResource:
    """Change settings of the organization.

    Omitted fields stay as they are. A shorter retention takes effect at the next sweep; a longer one brings nothing
    back. Turning auto replies off needs `auto_replies.attestation`; STOP suppresses either way.
    """
    async with call.transaction() as tx:
        organization = await operations.patch(tx, call.tenant, call.body)
    call.wake("events")
    return organization


@routes.route(
    "GET",
    "/v1/audit-log",
    scope="audit:read",
    answers={200: AuditEntry},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_audit_log(call: Call[NoInput, AuditQuery]) -> Page[AuditEntry]:
    """List who did what to the organization, newest first.

    `include=payload` adds the values before and after, where an act has them.
    """
    query = call.query
    since = None if query.since is UNSET else in_utc(query.since, "since")
    until = None if query.until is UNSET else in_utc(query.until, "until")
    if since and until and since > until:
        raise ValidationFailed({"until": "must not be before since"})
    rows = await queries.list_audit_rows(
        call.db,
        call.tenant.org_id,
        before=None if query.cursor is UNSET else _place(query.cursor),
        action=query.action or None,
        resource_type=query.resource_type or None,
        resource_id=str(query.resource_id) if query.resource_id else None,
        actor_kind=query.actor_kind or None,
        since=since,
        until=until,
        has_payload=query.include is not UNSET,
        limit=pagination.lookahead(query.limit),
    )
    return pagination.page_of(rows, query.limit, show=AuditEntry.of, key=lambda row: (row.occurred_at, row.id))


def _place(cursor: str) -> tuple[datetime, str]:
    place = cursors.decode(cursor)
    if not ULID_FORM.fullmatch(place.id):
        raise ValidationFailed({"cursor": "must be a cursor from an earlier page"})
    return place.created_at, place.id
