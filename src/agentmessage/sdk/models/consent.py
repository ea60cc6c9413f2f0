"""Values of `consent`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from agentmessage.sdk._request import Id
from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import OptOutScope
from agentmessage.sdk.open_enum import OpenEnum


class ConsentMethod(OpenEnum):
    """How the contact agreed; who says so is the record's source."""

    CHECKBOX = "checkbox"
    SMS_KEYWORD = "sms_keyword"
    WRITTEN = "written"
    VERBAL = "verbal"
    ATTESTED = "attested"
    DOUBLE_OPT_IN = "double_opt_in"
    HOSTED_FORM = "hosted_form"


ConsentMethodWord = Literal["checkbox", "sms_keyword", "written", "verbal", "attested", "double_opt_in", "hosted_form"]


class HistoryEvent(OpenEnum):
    """What happened to a consent."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    RECONFIRM = "reconfirm"
    EXPIRED = "expired"


class ConsentSource(OpenEnum):
    """Who told us: the customer over the API, or the contact by text or on our form, or the carrier."""

    API = "api"
    INBOUND_REPLY = "inbound_reply"
    HOSTED_FORM = "hosted_form"
    CARRIER = "carrier"


class Suppression(OpenEnum):
    """What made an opt-out, and so what may lift it."""

    KEYWORD = "keyword"
    NATURAL_LANGUAGE = "natural_language"
    REVOCATION = "revocation"
    CARRIER = "carrier"


class RejectedRecord(Model, frozen=True, kw_only=True):
    """A record that was not taken: its place in the input, from 0, and why, as `POST /v1/consent` would have said."""

    index: int
    code: str
    message: str
    details: Mapping[str, str] | None = None


class ConsentBulk(Model, frozen=True, kw_only=True):
    """How many records were taken, those that stood before included, and which were not."""

    accepted: int
    rejected: tuple[RejectedRecord, ...]


class ConsentCaptured(Model, frozen=True, kw_only=True):
    """What is on record; `id` and `consent_id` are the same. `already_opted_in`: it stood before, nothing changed.

    `agreement_text_hash` is the SHA-256 of the agreement on record, as 64 hexadecimal digits; null where the consent
    came without one, by a keyword.
    """

    id: str
    consent_id: str
    agreement_text_hash: str | None = None
    already_opted_in: bool


class Evidence(TypedDict):
    """What shows that the contact agreed. Keep your own copy as well: you answer for what you attest.

    `captured_at` is when the contact agreed, at most five minutes ahead of our clock.
    """

    captured_at: datetime
    agreement_text: str
    consent_method: ConsentMethod | ConsentMethodWord
    ip_address: NotRequired[str | None]
    user_agent: NotRequired[str | None]
    form_url: NotRequired[str | None]


class ConsentDraft(TypedDict):
    """Your word that a contact agreed to texts from one of your numbers."""

    phone_number_id: Id
    contact_number: str
    evidence: Evidence
    opted_in: NotRequired[Literal[True]]


class Consent(Model, frozen=True, kw_only=True):
    """Whether one contact may be texted from one number.

    `opted_in_at` is the newest agreement, at the time that its evidence says. `suppressed_by` says who opted out:
    `keyword` and `natural_language` (the contact, by text), `carrier`, or `revocation` (you, over the API). An opt-out
    by the contact may have been told to another of your numbers: `opted_out_number` says which, `opted_out_at` when,
    and `opt_out_scope` how far it reaches.
    """

    id: str
    org_id: str
    phone_number_id: str
    contact_number: str
    opted_in: bool
    opted_in_at: datetime | None = None
    opted_out_at: datetime | None = None
    source: ConsentSource
    consent_method: ConsentMethod | None = None
    suppressed_by: Suppression | None = None
    opted_out_number: str | None = None
    opt_out_scope: OptOutScope | None = None
    created_at: datetime
    updated_at: datetime


class DoubleOptIn(Model, frozen=True, kw_only=True):
    """The question that waits for its answer.

    `reused`: it was texted before and is still open. `already_opted_in`: there was nothing to ask, and the other fields
    are null.
    """

    consent_pending_id: str | None = None
    confirmation_message_id: str | None = None
    expires_at: datetime | None = None
    reused: bool
    already_opted_in: bool


class ConsentEntry(Model, frozen=True, kw_only=True):
    """One line of a consent's history. `occurred_at` is the evidence's time, `recorded_at` is ours.

    `raw_event_id` names the inbound message, the challenge or the form token that it came by.
    """

    id: str
    consent_id: str
    event: HistoryEvent
    keyword: str | None = None
    source: ConsentSource
    raw_event_id: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    evidence_ip: str | None = None
    evidence_user_agent: str | None = None
    evidence_agreement_text: str | None = None
    evidence_agreement_text_hash: str | None = None
    evidence_form_url: str | None = None
    evidence_consent_method: ConsentMethod | None = None


class HostedForm(Model, frozen=True, kw_only=True):
    """A link to send to the contact. Whoever has it can agree in the contact's name: send it to nobody else."""

    token: str
    url: str
    expires_at: datetime
