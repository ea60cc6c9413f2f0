"""Values of `brands`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from agentmessage.sdk._response import Model
from agentmessage.sdk.open_enum import OpenEnum


class AltBusinessIdType(OpenEnum):
    """The register of an alternative business id."""

    NONE = "NONE"
    DUNS = "DUNS"
    GIIN = "GIIN"
    LEI = "LEI"


AltBusinessIdTypeWord = Literal["NONE", "DUNS", "GIIN", "LEI"]


class BrandRelationship(OpenEnum):
    """How close the brand is to the organization that files it, in the registry's words."""

    BASIC_ACCOUNT = "BASIC_ACCOUNT"
    SMALL_ACCOUNT = "SMALL_ACCOUNT"
    MEDIUM_ACCOUNT = "MEDIUM_ACCOUNT"
    LARGE_ACCOUNT = "LARGE_ACCOUNT"
    KEY_ACCOUNT = "KEY_ACCOUNT"


BrandRelationshipWord = Literal["BASIC_ACCOUNT", "SMALL_ACCOUNT", "MEDIUM_ACCOUNT", "LARGE_ACCOUNT", "KEY_ACCOUNT"]


class BrandStatus(OpenEnum):
    """PENDING until it is registered, then ACTIVE whatever its identity status; DELETED is final."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DELETED = "DELETED"


BrandStatusWord = Literal["PENDING", "ACTIVE", "DELETED"]


class EntityType(OpenEnum):
    """The legal form, by the registry's classes."""

    PRIVATE_PROFIT = "PRIVATE_PROFIT"
    PUBLIC_PROFIT = "PUBLIC_PROFIT"
    NON_PROFIT = "NON_PROFIT"
    GOVERNMENT = "GOVERNMENT"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR"


EntityTypeWord = Literal["PRIVATE_PROFIT", "PUBLIC_PROFIT", "NON_PROFIT", "GOVERNMENT", "SOLE_PROPRIETOR"]


class IdentityStatus(OpenEnum):
    """How far the registry has verified the identity of the brand."""

    SELF_DECLARED = "SELF_DECLARED"
    UNVERIFIED = "UNVERIFIED"
    VERIFIED = "VERIFIED"
    VETTED_VERIFIED = "VETTED_VERIFIED"


IdentityStatusWord = Literal["SELF_DECLARED", "UNVERIFIED", "VERIFIED", "VETTED_VERIFIED"]


class StockExchange(OpenEnum):
    """The exchange of a public company, in the registry's words."""

    NONE = "NONE"
    NASDAQ = "NASDAQ"
    NYSE = "NYSE"
    AMEX = "AMEX"
    AMX = "AMX"
    ASX = "ASX"
    B3 = "B3"
    BME = "BME"
    BSE = "BSE"
    FRA = "FRA"
    ICEX = "ICEX"
    JPX = "JPX"
    JSE = "JSE"
    KRX = "KRX"
    LON = "LON"
    NSE = "NSE"
    OMX = "OMX"
    SEHK = "SEHK"
    SGX = "SGX"
    SSE = "SSE"
    STO = "STO"
    SWX = "SWX"
    SZSE = "SZSE"
    TSX = "TSX"
    TWSE = "TWSE"
    VSE = "VSE"
    OTHER = "OTHER"


StockExchangeWord = Literal[
    "NONE",
    "NASDAQ",
    "NYSE",
    "AMEX",
    "AMX",
    "ASX",
    "B3",
    "BME",
    "BSE",
    "FRA",
    "ICEX",
    "JPX",
    "JSE",
    "KRX",
    "LON",
    "NSE",
    "OMX",
    "SEHK",
    "SGX",
    "SSE",
    "STO",
    "SWX",
    "SZSE",
    "TSX",
    "TWSE",
    "VSE",
    "OTHER",
]


class Vertical(OpenEnum):
    """The line of business, in the registry's words."""

    AGRICULTURE = "AGRICULTURE"
    COMMUNICATION = "COMMUNICATION"
    CONSTRUCTION = "CONSTRUCTION"
    EDUCATION = "EDUCATION"
    ENERGY = "ENERGY"
    ENTERTAINMENT = "ENTERTAINMENT"
    FINANCIAL = "FINANCIAL"
    GAMBLING = "GAMBLING"
    GOVERNMENT = "GOVERNMENT"
    HEALTHCARE = "HEALTHCARE"
    HOSPITALITY = "HOSPITALITY"
    HUMAN_RESOURCES = "HUMAN_RESOURCES"
    INSURANCE = "INSURANCE"
    LEGAL = "LEGAL"
    MANUFACTURING = "MANUFACTURING"
    NGO = "NGO"
    POLITICAL = "POLITICAL"
    POSTAL = "POSTAL"
    PROFESSIONAL = "PROFESSIONAL"
    REAL_ESTATE = "REAL_ESTATE"
    RETAIL = "RETAIL"
    TECHNOLOGY = "TECHNOLOGY"
    TRANSPORTATION = "TRANSPORTATION"


VerticalWord = Literal[
    "AGRICULTURE",
    "COMMUNICATION",
    "CONSTRUCTION",
    "EDUCATION",
    "ENERGY",
    "ENTERTAINMENT",
    "FINANCIAL",
    "GAMBLING",
    "GOVERNMENT",
    "HEALTHCARE",
    "HOSPITALITY",
    "HUMAN_RESOURCES",
    "INSURANCE",
    "LEGAL",
    "MANUFACTURING",
    "NGO",
    "POLITICAL",
    "POSTAL",
    "PROFESSIONAL",
    "REAL_ESTATE",
    "RETAIL",
    "TECHNOLOGY",
    "TRANSPORTATION",
]


class BrandFields(TypedDict):
    """A brand to be filed with the registry; accepted means charged and queued, not registered.

    SOLE_PROPRIETOR needs first_name, last_name and mobile_phone; PUBLIC_PROFIT needs stock_symbol and stock_exchange;
    alt_business_id needs its type. Errors: 422 RESELLER_REQUIRED, 402 INSUFFICIENT_CREDIT.
    """

    entity_type: EntityType | EntityTypeWord
    brand_relationship: BrandRelationship | BrandRelationshipWord
    display_name: str
    country: str
    company_name: NotRequired[str | None]
    ein: NotRequired[str | None]
    ein_issuing_country: NotRequired[str | None]
    email: NotRequired[str | None]
    phone: NotRequired[str | None]
    street: NotRequired[str | None]
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    postal_code: NotRequired[str | None]
    vertical: NotRequired[Vertical | VerticalWord | None]
    website: NotRequired[str | None]
    reference_id: NotRequired[str | None]
    stock_symbol: NotRequired[str | None]
    stock_exchange: NotRequired[StockExchange | StockExchangeWord | None]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    mobile_phone: NotRequired[str | None]
    alt_business_id: NotRequired[str | None]
    alt_business_id_type: NotRequired[AltBusinessIdType | AltBusinessIdTypeWord | None]


class BrandChanges(TypedDict):
    """Changes of a brand; omitted fields stay, null clears an optional one.

    The same rules as for a new brand hold for the result. Errors: 409 BRAND_DELETED, 402 INSUFFICIENT_CREDIT.
    """

    entity_type: NotRequired[EntityType | EntityTypeWord]
    brand_relationship: NotRequired[BrandRelationship | BrandRelationshipWord]
    display_name: NotRequired[str]
    country: NotRequired[str]
    company_name: NotRequired[str | None]
    ein: NotRequired[str | None]
    ein_issuing_country: NotRequired[str | None]
    email: NotRequired[str | None]
    phone: NotRequired[str | None]
    street: NotRequired[str | None]
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    postal_code: NotRequired[str | None]
    vertical: NotRequired[Vertical | VerticalWord | None]
    website: NotRequired[str | None]
    reference_id: NotRequired[str | None]
    stock_symbol: NotRequired[str | None]
    stock_exchange: NotRequired[StockExchange | StockExchangeWord | None]
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    mobile_phone: NotRequired[str | None]
    alt_business_id: NotRequired[str | None]
    alt_business_id_type: NotRequired[AltBusinessIdType | AltBusinessIdTypeWord | None]


class Brand(Model, frozen=True, kw_only=True):
    """A brand. `failure_reasons` are the registry's words when it refused the filing or could not verify it."""

    id: str
    org_id: str
    tcr_brand_id: str | None = None
    reference_id: str | None = None
    status: BrandStatus
    identity_status: IdentityStatus | None = None
    entity_type: EntityType
    brand_relationship: BrandRelationship
    display_name: str
    company_name: str | None = None
    ein_last4: str | None = None
    ein_issuing_country: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str
    vertical: str | None = None
    website: str | None = None
    stock_symbol: str | None = None
    stock_exchange: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    mobile_phone: str | None = None
    alt_business_id: str | None = None
    alt_business_id_type: str | None = None
    failure_reasons: tuple[str, ...]
    submitted_at: datetime | None = None
    verified_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
