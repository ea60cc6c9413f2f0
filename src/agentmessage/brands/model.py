"""A brand: its states, the registry's vocabulary, and the frozen value that the room works with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

import msgspec
from msgspec import Struct


class BrandStatus(StrEnum):
    """PENDING until it is registered, then ACTIVE whatever its identity status; DELETED is final."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DELETED = "DELETED"


class IdentityStatus(StrEnum):
    """How far the registry has verified the identity of the brand."""

    SELF_DECLARED = "SELF_DECLARED"  # a sole proprietor who has not confirmed the mobile phone yet
    UNVERIFIED = "UNVERIFIED"  # checked, and not verified: cannot have campaigns
    VERIFIED = "VERIFIED"
    VETTED_VERIFIED = "VETTED_VERIFIED"  # verified by an external vetting as well


VERIFIED_IDENTITIES: frozenset[str] = frozenset({IdentityStatus.VERIFIED, IdentityStatus.VETTED_VERIFIED})
"""The identities with which a brand may have campaigns."""


class EntityType(StrEnum):
    """The legal form, by the registry's classes."""

    PRIVATE_PROFIT = "PRIVATE_PROFIT"
    PUBLIC_PROFIT = "PUBLIC_PROFIT"
    NON_PROFIT = "NON_PROFIT"
    GOVERNMENT = "GOVERNMENT"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR"


class BrandRelationship(StrEnum):
    """How close the brand is to the organization that files it, in the registry's words."""

    BASIC_ACCOUNT = "BASIC_ACCOUNT"
    SMALL_ACCOUNT = "SMALL_ACCOUNT"
    MEDIUM_ACCOUNT = "MEDIUM_ACCOUNT"
    LARGE_ACCOUNT = "LARGE_ACCOUNT"
    KEY_ACCOUNT = "KEY_ACCOUNT"


class Vertical(StrEnum):
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


class StockExchange(StrEnum):
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


class AltBusinessIdType(StrEnum):
    """The register of an alternative business id."""

    NONE = "NONE"
    DUNS = "DUNS"
    GIIN = "GIIN"
    LEI = "LEI"


class Brand(Struct, frozen=True):
    """One brand as stored, in the order of the columns in `queries`.

    `fields` holds the optional inputs by name, without unset ones; the tax id is only in `tax_id_encrypted`.
    """

    id: UUID
    org_id: UUID
    account: str
    tcr_brand_id: str | None
    status: str
    identity_status: str | None
    entity_type: str
    brand_relationship: str
    display_name: str
    country: str
    fields: Mapping[str, str]
    tax_id_encrypted: bytes | None
    tax_id_last4: str | None
    revision: int
    applied_revision: int
    filings: int
    filed_at: datetime | None
    filing_misses: int
    submitted_at: datetime | None
    verified_at: datetime | None
    failure_reasons: Sequence[str]
    created_at: datetime
    updated_at: datetime

    @property
    def is_verified(self) -> bool:
        """Registered, and with an identity that allows campaigns."""
        return self.status == BrandStatus.ACTIVE and self.identity_status in VERIFIED_IDENTITIES

    @property
    def is_refused(self) -> bool:
        """The registry refused it; nothing more happens until it is changed or deleted."""
        return self.status == BrandStatus.PENDING and bool(self.failure_reasons)

    @property
    def tcr_id(self) -> str | None:
        """The registry's id; None until it is registered."""
        return self.tcr_brand_id

    @property
    def reference_id(self) -> str:
        """Our key at the registry: unique, and known before the registry's own id is."""
        return self.id.hex

    @property
    def may_be_filed(self) -> bool:
        """Whether its status calls for a filing."""
        return self.status == BrandStatus.PENDING and not self.is_refused

    def with_filing(self, filed_at: datetime | None, *, misses: int = 0) -> Self:
        """The record after a step of its filing."""
        return msgspec.structs.replace(self, filed_at=filed_at, filing_misses=misses)
