"""Double opt-in and the hosted form on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from agentmessage.consent.schemas import AgreementText, NumberId
from agentmessage.optin.model import Challenge, ChallengeStatus
from agentmessage.web.types import E164, STORABLE, Request, Resource, error_text

MAX_QUESTION_CHARS = 1500


class DoubleOptInCreate(Request, frozen=True):
    """A question to a contact. Where it asks for neither YES nor CONFIRM, "Reply YES to confirm." is put behind it."""

    phone_number_id: NumberId
    contact_number: E164
    confirmation_text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_QUESTION_CHARS,
            pattern=STORABLE,
            description="The text that asks; name yourself in it.",
            examples=["Acme Dental: reply YES to get appointment reminders. Msg & data rates may apply. STOP to end."],
            extra=error_text(f"must be 1..{MAX_QUESTION_CHARS} characters, none of them NUL"),
        ),
    ]
    agreement_text: AgreementText


class DoubleOptInOut(Resource, frozen=True):
    """The question that waits for its answer.

    `reused`: it was texted before and is still open. `already_opted_in`: there was nothing to ask, and the other fields
    are null.
    """

    consent_pending_id: UUID | None
    confirmation_message_id: UUID | None
    expires_at: datetime | None
    reused: bool
    already_opted_in: bool

    @classmethod
    def of(cls, challenge: Challenge | None, *, is_reused: bool) -> "DoubleOptInOut":
        """An open question; None: the contact has agreed already."""
        if challenge is None:
            return cls(None, None, None, reused=False, already_opted_in=True)
        return cls(
            challenge.id,
            challenge.confirmation_message_id,
            challenge.expires_at,
            reused=is_reused,
            already_opted_in=False,
        )


class ChallengeResource(Resource, frozen=True):
    """A question to a contact and what became of it. Texts are not repeated here; the history has the agreement."""

    id: UUID
    org_id: UUID
    phone_number_id: UUID
    contact_number: E164
    confirmation_message_id: UUID
    status: ChallengeStatus
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, challenge: Challenge) -> "ChallengeResource":
        """A stored question as its organization sees it."""
        return cls(
            challenge.id,
            challenge.org_id,
            challenge.phone_number_id,
            challenge.contact_number,
            challenge.confirmation_message_id,
            ChallengeStatus(challenge.status),
            challenge.created_at,
            challenge.expires_at,
            challenge.ended_at,
        )


class HostedFormCreate(Request, frozen=True):
    """A form for one contact to agree on. The agreement is part of the link, so it is at most 4,096 bytes of UTF-8."""

    phone_number_id: NumberId
    contact_number: E164
    agreement_text: AgreementText


class HostedFormOut(Resource, frozen=True):
    """A link to send to the contact. Whoever has it can agree in the contact's name: send it to nobody else."""

    token: Annotated[str, Meta(examples=["eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo"])]
    url: Annotated[str, Meta(examples=["https://sms.example.com/consent/eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbC"])]
    expires_at: datetime
