"""Consents as stored: the record of a pair, what is claimed about it, and the history of both."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class ConsentMethod(StrEnum):
    """How the contact agreed; who says so is the record's source."""

    CHECKBOX = "checkbox"
    SMS_KEYWORD = "sms_keyword"
    WRITTEN = "written"
    VERBAL = "verbal"
    ATTESTED = "attested"
    DOUBLE_OPT_IN = "double_opt_in"
    HOSTED_FORM = "hosted_form"


class Source(StrEnum):
    """Who told us: the customer over the API, or the contact by text or on our form, or the carrier."""

    API = "api"
    INBOUND_REPLY = "inbound_reply"
    HOSTED_FORM = "hosted_form"
    CARRIER = "carrier"


class Suppression(StrEnum):
    """What made an opt-out, and so what may lift it."""

    KEYWORD = "keyword"
    NATURAL_LANGUAGE = "natural_language"
    REVOCATION = "revocation"
    CARRIER = "carrier"


FROM_THE_HANDSET = frozenset({Suppression.KEYWORD, Suppression.NATURAL_LANGUAGE, Suppression.CARRIER})
"""Opt-outs that the contact made, or the contact's own operator: nobody else may lift them."""


class HistoryEvent(StrEnum):
    """What happened to a consent."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    RECONFIRM = "reconfirm"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """What became of a claim."""

    OPTED_IN = "opted_in"
    RECONFIRMED = "reconfirmed"
    OPTED_OUT = "opted_out"
    UNCHANGED = "unchanged"
    SUPPRESSED = "suppressed"  # the contact said no, and this claim may not lift that


class OptOut(Struct, frozen=True):
    """An opt-out by the contact that reaches a number: which one was told (E.164), when, in what words, and how far."""

    phone_number: str
    scope: str
    suppressed_by: str
    keyword: str | None
    opted_out_at: datetime


class Pair(Struct, frozen=True):
    """One of our numbers and one contact (E.164)."""

    phone_number_id: UUID
    contact_number: str


class Consent(Struct, frozen=True):
    """The record of one pair, in the order of its columns.

    `out` is an opt-out by the contact that reaches the number now, whichever number was told; it is not of the record.
    """

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    contact_number: str
    opted_in: bool
    opted_in_at: datetime | None
    opted_out_at: datetime | None
    suppressed_by: str | None
    suppressed_keyword: str | None
    source: str
    consent_method: str | None
    agreement_text_hash: str | None
    created_at: datetime
    updated_at: datetime
    out: OptOut | None = None

    @property
    def counts(self) -> bool:
        """Whether the contact may be texted by it: agreed, and no opt-out reaches the number."""
        return self.opted_in and self.out is None

    @property
    def pair(self) -> Pair:
        """Whose consent it is."""
        return Pair(self.phone_number_id, self.contact_number)


class Evidence(Struct, frozen=True, kw_only=True):
    """What shows that somebody agreed; `agreement_text` is kept word for word."""

    agreement_text: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    form_url: str | None = None


NO_EVIDENCE = Evidence()


class Grant(Struct, frozen=True, kw_only=True):
    """The claim that a contact agreed, at the time that the evidence says.

    `raw_event_id` names the inbound message, challenge or form token that it came by; the same one counts once.
    """

    pair: Pair
    method: ConsentMethod
    source: Source
    occurred_at: datetime
    evidence: Evidence = NO_EVIDENCE
    keyword: str | None = None
    raw_event_id: str | None = None


class Withdrawal(Struct, frozen=True, kw_only=True):
    """The claim that a contact wants no more texts."""

    pair: Pair
    by: Suppression
    source: Source
    keyword: str | None = None
    raw_event_id: str | None = None


class Change(Struct, frozen=True):
    """What a claim makes of a record. `entry` None: nothing is written. `is_news`: texts may flow now, or no more."""

    consent: Consent | None
    outcome: Outcome
    entry: HistoryEvent | None = None
    is_news: bool = False


class Entry(Struct, frozen=True):
    """One line of a consent's history, in the order of its columns."""

    id: UUID
    consent_id: UUID
    event: str
    keyword: str | None
    source: str
    raw_event_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    evidence_ip: str | None
    evidence_user_agent: str | None
    evidence_agreement_text: str | None
    evidence_agreement_text_hash: str | None
    evidence_form_url: str | None
    evidence_consent_method: str | None
