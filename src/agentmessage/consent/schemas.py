"""Consents on the wire: captures with their evidence, the record, its history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Raw, UnsetType

from agentmessage.consent.model import Change, Consent, ConsentMethod, Entry, HistoryEvent, Outcome, Source, Suppression
from agentmessage.organizations.model import OptOutScope
from agentmessage.web.types import E164, END, STORABLE, CursorText, Request, Resource, Utc, error_text
from agentmessage.web.webhook_urls import PAGE_PATTERN

MAX_RECORDS = 1000
MAX_AGREEMENT_CHARS = 4000
EXAMPLE_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

NumberId = Annotated[UUID, Meta(extra=error_text("must be a UUID"))]
AgreementText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_AGREEMENT_CHARS,
        pattern=STORABLE,
        description="What the contact agreed to, word for word.",
        examples=["I agree to receive appointment reminders from Acme Dental by text. Reply STOP to opt out."],
        extra=error_text(f"must be 1..{MAX_AGREEMENT_CHARS} characters, none of them NUL"),
    ),
]
Method = Annotated[ConsentMethod, Meta(extra=error_text("must be one of " + ", ".join(ConsentMethod)))]


class EvidenceIn(Request, frozen=True):
    """What shows that the contact agreed. Keep your own copy as well: you answer for what you attest.

    `captured_at` is when the contact agreed, at most five minutes ahead of our clock.
    """

    captured_at: Utc
    agreement_text: AgreementText
    consent_method: Method
    ip_address: (
        Annotated[
            str,
            Meta(
                max_length=45,
                pattern=STORABLE,
                description="Where the contact agreed from, IPv4 or IPv6; may be empty.",
                examples=["203.0.113.7"],
                extra=error_text("must be an IPv4 or IPv6 address, or empty"),
            ),
        ]
        | None
    ) = None
    user_agent: (
        Annotated[
            str,
            Meta(
                max_length=1024,
                pattern=STORABLE,
                examples=["Mozilla/5.0"],
                extra=error_text("must be at most 1024 characters, none of them NUL"),
            ),
        ]
        | None
    ) = None
    form_url: (
        Annotated[
            str,
            Meta(
                max_length=2048,
                pattern=rf"^{END}|{PAGE_PATTERN}",
                examples=["https://customer.example/book"],
                extra=error_text("must be an http or https URL of at most 2048 characters, or empty"),
            ),
        ]
        | None
    ) = None


class ConsentCapture(Request, frozen=True):
    """Your word that a contact agreed to texts from one of your numbers."""

    phone_number_id: NumberId
    contact_number: E164
    evidence: EvidenceIn
    opted_in: Annotated[bool, Meta(extra_json_schema={"const": True}, extra=error_text("must be true or false"))] = True


class ConsentCaptureBulk(Request, frozen=True):
    """Up to 1,000 captures; each stands alone."""

    records: Annotated[
        list[Raw],
        Meta(
            min_length=1,
            max_length=MAX_RECORDS,
            description="Each a body of `POST /v1/consent`.",
            examples=[
                [
                    {
                        "phone_number_id": "497f6eca-6276-4993-bfeb-53cbbbba6f08",
                        "contact_number": "+14155550123",
                        "opted_in": True,
                        "evidence": {
                            "captured_at": "2026-04-26T12:00:00Z",
                            "agreement_text": "I agree to receive appointment reminders from Acme Dental by text.",
                            "consent_method": "checkbox",
                        },
                    }
                ]
            ],
            extra=error_text(f"must be a list of 1..{MAX_RECORDS} records"),
        ),
    ]


class ConsentQuery(Request, frozen=True):
    """Filters of the list; all given ones must hold. `since` looks at `updated_at`."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 20
    contact_number: E164 | UnsetType = UNSET
    phone_number_id: NumberId | UnsetType = UNSET
    opted_in: Annotated[bool, Meta(extra=error_text("must be true or false"))] | UnsetType = UNSET
    since: Utc | UnsetType = UNSET
    consent_method: Method | UnsetType = UNSET


class HistoryQuery(Request, frozen=True):
    """Where the page of a history begins."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 20


class ConsentResource(Resource, frozen=True):
    """Whether one contact may be texted from one number.

    `opted_in_at` is the newest agreement, at the time that its evidence says. `suppressed_by` says who opted out:
    `keyword` and `natural_language` (the contact, by text), `carrier`, or `revocation` (you, over the API). An opt-out
    by the contact may have been told to another of your numbers: `opted_out_number` says which, `opted_out_at` when,
    and `opt_out_scope` how far it reaches.
    """

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    contact_number: E164
    opted_in: bool
    opted_in_at: datetime | None
    opted_out_at: datetime | None
    source: Source
    consent_method: ConsentMethod | None
    suppressed_by: Suppression | None
    opted_out_number: str | None
    opt_out_scope: OptOutScope | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, consent: Consent) -> "ConsentResource":
        """A stored consent as its organization sees it: by what holds now."""
        out = None if consent.suppressed_by == Suppression.REVOCATION else consent.out
        suppressed_by = consent.suppressed_by or (out.suppressed_by if out else None)
        return cls(
            id=consent.id,
            org_id=consent.org_id,
            phone_number_id=consent.phone_number_id,
            contact_number=consent.contact_number,
            opted_in=consent.counts,
            opted_in_at=consent.opted_in_at,
            opted_out_at=out.opted_out_at if out and consent.opted_in else consent.opted_out_at,
            source=Source(consent.source),
            consent_method=ConsentMethod(consent.consent_method) if consent.consent_method else None,
            suppressed_by=Suppression(suppressed_by) if suppressed_by else None,
            opted_out_number=out.phone_number if out else None,
            opt_out_scope=OptOutScope(out.scope) if out else None,
            created_at=consent.created_at,
            updated_at=consent.updated_at,
        )


class CaptureOut(Resource, frozen=True):
    """What is on record; `id` and `consent_id` are the same. `already_opted_in`: it stood before, nothing changed.

    `agreement_text_hash` is the SHA-256 of the agreement on record, as 64 hexadecimal digits; null where the consent
    came without one, by a keyword.
    """

    id: UUID
    consent_id: UUID
    agreement_text_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}" + END, examples=[EXAMPLE_HASH])] | None
    already_opted_in: bool

    @classmethod
    def of(cls, change: Change) -> "CaptureOut":
        """The outcome of an attestation that was taken."""
        consent = change.consent
        if consent is None:
            raise TypeError("what was taken has a record")
        return cls(consent.id, consent.id, consent.agreement_text_hash, change.outcome is Outcome.UNCHANGED)


class RejectedRecord(Resource, frozen=True):
    """A record that was not taken: its place in the input, from 0, and why, as `POST /v1/consent` would have said."""

    index: int
    code: str
    message: str
    details: dict[str, str] | None


class BulkOut(Resource, frozen=True):
    """How many records were taken, those that stood before included, and which were not."""

    accepted: int
    rejected: Sequence[RejectedRecord]


class EntryResource(Resource, frozen=True):
    """One line of a consent's history. `occurred_at` is the evidence's time, `recorded_at` is ours.

    `raw_event_id` names the inbound message, the challenge or the form token that it came by.
    """

    id: UUID
    consent_id: UUID
    event: HistoryEvent
    keyword: str | None
    source: Source
    raw_event_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    evidence_ip: str | None
    evidence_user_agent: str | None
    evidence_agreement_text: str | None
    evidence_agreement_text_hash: str | None
    evidence_form_url: str | None
    evidence_consent_method: ConsentMethod | None

    @classmethod
    def of(cls, entry: Entry) -> "EntryResource":
        """A stored line as the organization sees it."""
        return cls(
            id=entry.id,
            consent_id=entry.consent_id,
            event=HistoryEvent(entry.event),
            keyword=entry.keyword,
            source=Source(entry.source),
            raw_event_id=entry.raw_event_id,
            occurred_at=entry.occurred_at,
            recorded_at=entry.recorded_at,
            evidence_ip=entry.evidence_ip,
            evidence_user_agent=entry.evidence_user_agent,
            evidence_agreement_text=entry.evidence_agreement_text,
            evidence_agreement_text_hash=entry.evidence_agreement_text_hash,
            evidence_form_url=entry.evidence_form_url,
            evidence_consent_method=(
                ConsentMethod(entry.evidence_consent_method) if entry.evidence_consent_method else None
            ),
        )
