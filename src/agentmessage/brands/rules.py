"""Decisions about brands: required fields, what is filed, what the registry's answers change; pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from agentmessage.brands.model import VERIFIED_IDENTITIES, Brand, BrandStatus, EntityType, IdentityStatus
from agentmessage.brands.schemas import BrandCreate, BrandPatch
from agentmessage.carriers.protocols import BrandFiling, RegisteredBrand
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.outbox.event_types import EventType
from agentmessage.registration import rules as registration
from agentmessage.web import webhook_urls

NAMED = ("entity_type", "brand_relationship", "display_name", "country")
"""The four fields that every brand has; they have columns."""

OPTIONAL = tuple(name for name in BrandCreate.__struct_fields__ if name not in (*NAMED, "ein"))

REQUIRED: Mapping[str, tuple[str, ...]] = {
    EntityType.SOLE_PROPRIETOR: ("first_name", "last_name", "mobile_phone"),
    EntityType.PUBLIC_PROFIT: ("stock_symbol", "stock_exchange"),
}
"""Further fields that the registry requires of some legal forms."""

US_TAX_ID = re.compile(r"[0-9]{2}-?[0-9]{7}")
US_STATE = re.compile(r"[A-Z]{2}")
SHOWN_TAX_ID = 4
SLOW_POLL_S = 3600.0


class TaxId(Struct, frozen=True):
    """A tax id as stored: encrypted, and its last characters, which are shown."""

    encrypted: bytes | None
    last4: str | None


def tax_id_text(ein: str) -> str:
    """A tax id as filed: without spaces, dots, slashes and dashes."""
    return "".join(filter(str.isalnum, ein))


def starter(brand_id: UUID, org_id: UUID, account: str, tcr_brand_id: str, *, now: datetime) -> Brand:
    """The initial brand of a sandbox: registered and verified."""
    return Brand(
        id=brand_id,
        org_id=org_id,
        account=account,
        tcr_brand_id=tcr_brand_id,
        status=BrandStatus.ACTIVE,
        identity_status=IdentityStatus.VERIFIED,
        entity_type=EntityType.PRIVATE_PROFIT,
        brand_relationship="BASIC_ACCOUNT",
        display_name="Sandbox",
        country="US",
        fields={"company_name": "Sandbox"},
        tax_id_encrypted=None,
        tax_id_last4=None,
        revision=1,
        applied_revision=1,
        filings=1,
        filed_at=now,
        filing_misses=0,
        submitted_at=now,
        verified_at=now,
        failure_reasons=(),
        created_at=now,
        updated_at=now,
    )


def drafted(brand_id: UUID, org_id: UUID, account: str, request: BrandCreate, tax_id: TaxId, *, now: datetime) -> Brand:
    """A new brand, not filed yet. Raises ValidationFailed naming every invalid field."""
    fields = {name: str(value) for name in OPTIONAL if (value := getattr(request, name)) is not None}
    brand = Brand(
        id=brand_id,
        org_id=org_id,
        account=account,
        tcr_brand_id=None,
        status=BrandStatus.PENDING,
        identity_status=None,
        entity_type=request.entity_type,
        brand_relationship=request.brand_relationship,
        display_name=request.display_name,
        country=request.country,
        fields=fields,
        tax_id_encrypted=tax_id.encrypted,
        tax_id_last4=tax_id.last4,
        revision=1,
        applied_revision=0,
        filings=1,
        filed_at=None,
        filing_misses=0,
        submitted_at=None,
        verified_at=None,
        failure_reasons=(),
        created_at=now,
        updated_at=now,
    )
    require_whole(brand, ein=request.ein)
    return brand


def patched(old: Brand, request: BrandPatch, tax_id: TaxId | None, *, now: datetime) -> Brand:
    """The changed brand with a new revision; the same brand if nothing differs. `tax_id` None: it stays.

    Raises ValidationFailed naming every invalid field of the result.
    """
    given = {name: value for name in OPTIONAL if (value := getattr(request, name)) is not UNSET}
    fields = {**old.fields, **given}
    changes: dict[str, Any] = {name: value for name in NAMED if (value := getattr(request, name)) is not UNSET}
    changes["fields"] = {name: str(value) for name, value in fields.items() if value is not None}
    if tax_id is not None:
        changes |= {"tax_id_encrypted": tax_id.encrypted, "tax_id_last4": tax_id.last4}
    new = msgspec.structs.replace(old, **changes)
    require_whole(new, ein=request.ein if isinstance(request.ein, str) else None)
    if new == old:
        return old
    return msgspec.structs.replace(new, revision=old.revision + 1, updated_at=now)


def refiled(brand: Brand) -> Brand:
    """A refused brand, ready to be filed again under the same reference: the registry did not store it."""
    return msgspec.structs.replace(brand, filings=brand.filings + 1, filed_at=None, filing_misses=0, failure_reasons=())


def require_whole(brand: Brand, *, ein: str | None) -> None:
    """Reject a brand that the registry would refuse. `ein` is the tax id in clear, if the request has it.

    Raises ValidationFailed naming every invalid field.
    """
    faults = {**_missing(brand), **_us_formats(brand, ein), **_dependent_fields(brand), **_private_website(brand)}
    if faults:
        raise ValidationFailed(faults)


def _missing(brand: Brand) -> dict[str, str]:
    required = REQUIRED.get(brand.entity_type, ())
    faults = {name: f"is required for {brand.entity_type}" for name in required if name not in brand.fields}
    if brand.entity_type == EntityType.PUBLIC_PROFIT and brand.fields.get("stock_exchange") == "NONE":
        faults["stock_exchange"] = f"must name an exchange for {brand.entity_type}"
    return faults


def _private_website(brand: Brand) -> dict[str, str]:
    """The registry opens the website: a private host cannot work."""
    website = brand.fields.get("website")
    fault = webhook_urls.page_url_error(website, allow_private=False) if website else None
    return {"website": fault} if fault else {}


def _us_formats(brand: Brand, ein: str | None) -> dict[str, str]:
    faults: dict[str, str] = {}
    issued_in = brand.fields.get("ein_issuing_country", brand.country)
    if ein is not None and issued_in == "US" and not US_TAX_ID.fullmatch(ein):
        faults["ein"] = "must be 9 digits when issued in the US"
    state = brand.fields.get("state")
    if state is not None and brand.country == "US" and not US_STATE.fullmatch(state):
        faults["state"] = "must be two capital letters in the US"
    return faults


def _dependent_fields(brand: Brand) -> dict[str, str]:
    faults: dict[str, str] = {}
    fields = brand.fields
    has_type = fields.get("alt_business_id_type", "NONE") != "NONE"
    if "alt_business_id" in fields and not has_type:
        faults["alt_business_id_type"] = "is required with alt_business_id"
    if has_type and "alt_business_id" not in fields:
        faults["alt_business_id"] = "is required with alt_business_id_type"
    if "ein_issuing_country" in fields and brand.tax_id_last4 is None:
        faults["ein"] = "is required with ein_issuing_country"
    return faults


def filing(brand: Brand, tax_id: str | None) -> BrandFiling:
    """The filing of a brand. The customer's own reference is not sent; ours is the key for look-ups."""
    fields = {name: value for name, value in brand.fields.items() if name != "reference_id"}
    if tax_id is not None:
        fields["ein"] = tax_id
        fields.setdefault("ein_issuing_country", brand.country)
    if brand.entity_type == EntityType.PUBLIC_PROFIT and "email" in fields:
        fields["business_contact_email"] = fields["email"]  # the registry requires this of public companies
    return BrandFiling(
        reference_id=brand.reference_id,
        entity_type=brand.entity_type,
        brand_relationship=brand.brand_relationship,
        display_name=brand.display_name,
        country=brand.country,
        fields=fields,
    )


class IdentityChange(Struct, frozen=True):
    """A brand after the registry's answer, and the event that follows, if any."""

    brand: Brand
    event: EventType | None


def identified(brand: Brand, seen: RegisteredBrand, *, now: datetime) -> IdentityChange:
    """Apply the registry's answer to a brand. Replaying it changes nothing.

    A verified brand that is checked again stays verified until the registry has decided.
    """
    identity = seen.identity_status
    if identity is None and brand.identity_status in VERIFIED_IDENTITIES:
        identity = brand.identity_status
    failures = tuple(seen.feedback) if identity == IdentityStatus.UNVERIFIED else ()
    if (identity, failures) == (brand.identity_status, tuple(brand.failure_reasons)):
        return IdentityChange(brand, None)
    is_verified = identity in VERIFIED_IDENTITIES
    new = msgspec.structs.replace(
        brand,
        identity_status=identity,
        failure_reasons=failures,
        verified_at=(brand.verified_at or now) if is_verified else None,
        updated_at=now,
    )
    if identity == brand.identity_status:
        return IdentityChange(new, None)
    return IdentityChange(new, _event_of(identity))


def _event_of(identity: str | None) -> EventType | None:
    if identity in VERIFIED_IDENTITIES:
        return EventType.BRAND_VETTED
    return EventType.BRAND_VETTING_FAILED if identity == IdentityStatus.UNVERIFIED else EventType.BRAND_UPDATED


def poll_delay_s(brand: Brand, now: datetime) -> float | None:
    """Seconds until the next read of the brand; None: the registry has decided, and a callback reports a change.

    A sole proprietor who has not confirmed the phone is read hourly in the end.
    """
    if brand.identity_status in VERIFIED_IDENTITIES or brand.identity_status == IdentityStatus.UNVERIFIED:
        return None
    is_slow = brand.identity_status == IdentityStatus.SELF_DECLARED
    waiting_since = max(brand.submitted_at or brand.created_at, brand.updated_at)
    return registration.poll_delay_s(waiting_since, now, max_s=SLOW_POLL_S if is_slow else registration.MAX_POLL_S)
