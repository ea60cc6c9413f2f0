"""Brands on the wire. A tax id goes in and never comes out: `ein_last4` shows its last four characters."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.brands.model import (
    AltBusinessIdType,
    Brand,
    BrandRelationship,
    BrandStatus,
    EntityType,
    IdentityStatus,
    StockExchange,
    Vertical,
)
from agentmessage.web.pagination import OffsetQuery
from agentmessage.web.types import END, STORABLE, Request, Resource, error_text
from agentmessage.web.webhook_urls import PAGE_PATTERN


def _text(most: int, example: str, *, least: int = 1) -> Meta:
    words = f"must be {least}..{most} characters"
    return Meta(min_length=least, max_length=most, pattern=STORABLE, examples=[example], extra=error_text(words))


def _one_of(
    kind: type[EntityType | BrandRelationship | BrandStatus | IdentityStatus | AltBusinessIdType], *examples: str
) -> Meta:
    return Meta(extra=error_text("must be one of " + ", ".join(kind)), examples=list(examples) or None)


Name = Annotated[str, _text(100, "Acme Dental")]
PersonName = Annotated[str, _text(100, "Ada")]
Street = Annotated[str, _text(100, "1 Market Street")]
City = Annotated[str, _text(100, "San Francisco")]
State = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20,
        pattern=STORABLE,
        description="Two letters for an address in the United States.",
        examples=["CA"],
        extra=error_text("must be 1..20 characters; two capital letters in the US"),
    ),
]
PostalCode = Annotated[str, _text(10, "94105")]
Country = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=2,
        pattern=r"^[A-Z]{2}" + END,
        description="ISO 3166-1 alpha-2.",
        examples=["US"],
        extra=error_text("must be two capital letters, ISO 3166-1 alpha-2"),
    ),
]
Email = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^[^@\s\u0000]+@[^@\s\u0000]+\.[^@\s\u0000]+" + END,
        examples=["compliance@customer.example"],
        extra=error_text("must be an email address of at most 100 characters"),
    ),
]
Phone = Annotated[
    str,
    Meta(pattern=r"^\+[1-9][0-9]{6,14}" + END, examples=["+14155550123"], extra=error_text("must be E.164")),
]
Website = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=PAGE_PATTERN,
        examples=["https://customer.example"],
        extra=error_text("must be an http or https URL of at most 100 characters, without user and password"),
    ),
]
TaxId = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=20,
        pattern=r"^[0-9A-Za-z][0-9A-Za-z ./-]*" + END,
        description="Write-only; stored encrypted. Nine digits, with or without a dash, when issued in the US.",
        examples=["12-3456789"],
        extra=error_text("must be 5..20 letters and digits; 9 digits when issued in the US"),
    ),
]
ReferenceId = Annotated[str, _text(50, "internal-brand-7421")]
StockSymbol = Annotated[str, _text(10, "ACME")]
AltBusinessId = Annotated[str, _text(50, "150483782")]
EntityTypeField = Annotated[EntityType, _one_of(EntityType)]
RelationshipField = Annotated[BrandRelationship, _one_of(BrandRelationship)]
VerticalField = Annotated[
    Vertical, Meta(extra=error_text("must be one of the registry's verticals, such as TECHNOLOGY"))
]
ExchangeField = Annotated[
    StockExchange, Meta(extra=error_text("must be one of the registry's exchanges, such as NASDAQ"))
]
AltTypeField = Annotated[AltBusinessIdType, _one_of(AltBusinessIdType, "DUNS")]


class BrandCreate(Request, frozen=True):
    """A brand to be filed with the registry; accepted means charged and queued, not registered.

    SOLE_PROPRIETOR needs first_name, last_name and mobile_phone; PUBLIC_PROFIT needs stock_symbol and stock_exchange;
    alt_business_id needs its type. Errors: 422 RESELLER_REQUIRED, 402 INSUFFICIENT_CREDIT.
    """

    entity_type: EntityTypeField
    brand_relationship: RelationshipField
    display_name: Name
    country: Country
    company_name: Name | None = None
    ein: TaxId | None = None
    ein_issuing_country: Country | None = None
    email: Email | None = None
    phone: Phone | None = None
    street: Street | None = None
    city: City | None = None
    state: State | None = None
    postal_code: PostalCode | None = None
    vertical: VerticalField | None = None
    website: Website | None = None
    reference_id: ReferenceId | None = None
    stock_symbol: StockSymbol | None = None
    stock_exchange: ExchangeField | None = None
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    mobile_phone: Phone | None = None
    alt_business_id: AltBusinessId | None = None
    alt_business_id_type: AltTypeField | None = None


class BrandPatch(Request, frozen=True):
    """Changes of a brand; omitted fields stay, null clears an optional one.

    The same rules as for a new brand hold for the result. Errors: 409 BRAND_DELETED, 402 INSUFFICIENT_CREDIT.
    """

    entity_type: EntityTypeField | UnsetType = UNSET
    brand_relationship: RelationshipField | UnsetType = UNSET
    display_name: Name | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    company_name: Name | UnsetType | None = UNSET
    ein: TaxId | UnsetType | None = UNSET
    ein_issuing_country: Country | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    street: Street | UnsetType | None = UNSET
    city: City | UnsetType | None = UNSET
    state: State | UnsetType | None = UNSET
    postal_code: PostalCode | UnsetType | None = UNSET
    vertical: VerticalField | UnsetType | None = UNSET
    website: Website | UnsetType | None = UNSET
    reference_id: ReferenceId | UnsetType | None = UNSET
    stock_symbol: StockSymbol | UnsetType | None = UNSET
    stock_exchange: ExchangeField | UnsetType | None = UNSET
    first_name: PersonName | UnsetType | None = UNSET
    last_name: PersonName | UnsetType | None = UNSET
    mobile_phone: Phone | UnsetType | None = UNSET
    alt_business_id: AltBusinessId | UnsetType | None = UNSET
    alt_business_id_type: AltTypeField | UnsetType | None = UNSET


class BrandQuery(OffsetQuery, frozen=True):
    """Filters of the list; all given ones must hold."""

    status: Annotated[BrandStatus, _one_of(BrandStatus)] | UnsetType = UNSET
    identity_status: Annotated[IdentityStatus, _one_of(IdentityStatus)] | UnsetType = UNSET


class BrandResource(Resource, frozen=True):
    """A brand. `failure_reasons` are the registry's words when it refused the filing or could not verify it."""

    id: UUID
    org_id: UUID
    tcr_brand_id: str | None
    reference_id: str | None
    status: BrandStatus
    identity_status: IdentityStatus | None
    entity_type: EntityType
    brand_relationship: BrandRelationship
    display_name: str
    company_name: str | None
    ein_last4: str | None
    ein_issuing_country: str | None
    email: str | None
    phone: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str
    vertical: str | None
    website: str | None
    stock_symbol: str | None
    stock_exchange: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone: str | None
    alt_business_id: str | None
    alt_business_id_type: str | None
    failure_reasons: list[str]
    submitted_at: datetime | None
    verified_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, brand: Brand) -> "BrandResource":
        """A stored brand as its organization sees it."""
        field = brand.fields.get
        return cls(
            id=brand.id,
            org_id=brand.org_id,
            tcr_brand_id=brand.tcr_brand_id,
            reference_id=field("reference_id"),
            status=BrandStatus(brand.status),
            identity_status=IdentityStatus(brand.identity_status) if brand.identity_status else None,
            entity_type=EntityType(brand.entity_type),
            brand_relationship=BrandRelationship(brand.brand_relationship),
            display_name=brand.display_name,
            company_name=field("company_name"),
            ein_last4=brand.tax_id_last4,
            ein_issuing_country=field("ein_issuing_country"),
            email=field("email"),
            phone=field("phone"),
            street=field("street"),
            city=field("city"),
            state=field("state"),
            postal_code=field("postal_code"),
            country=brand.country,
            vertical=field("vertical"),
            website=field("website"),
            stock_symbol=field("stock_symbol"),
            stock_exchange=field("stock_exchange"),
            first_name=field("first_name"),
            last_name=field("last_name"),
            mobile_phone=field("mobile_phone"),
            alt_business_id=field("alt_business_id"),
            alt_business_id_type=field("alt_business_id_type"),
            failure_reasons=list(brand.failure_reasons),
            submitted_at=brand.submitted_at,
            verified_at=brand.verified_at,
            created_at=brand.created_at,
            updated_at=brand.updated_at,
        )
