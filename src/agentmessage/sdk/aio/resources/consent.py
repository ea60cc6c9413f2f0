"""The operations of `client.consent`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.aio.pages import AsyncPage
from agentmessage.sdk.aio.resource import AsyncResource
from agentmessage.sdk.models.consent import (
    Consent,
    ConsentBulk,
    ConsentCaptured,
    ConsentDraft,
    ConsentEntry,
    ConsentMethod,
    ConsentMethodWord,
    DoubleOptIn,
    Evidence,
    HostedForm,
)


class AsyncConsentOperations(AsyncResource):
    """The operations of `client.consent`."""

    async def list(
        self,
        *,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        contact_number: str | UnsetType = UNSET,
        phone_number_id: Id | UnsetType = UNSET,
        opted_in: bool | UnsetType = UNSET,
        since: datetime | UnsetType = UNSET,
        consent_method: ConsentMethod | ConsentMethodWord | UnsetType = UNSET,
    ) -> AsyncPage[Consent]:
        """List consents, most recently updated first.

        One that changes while you page moves to the front.

        - `limit`: 1 to 100, 20 unless given.

        Scope: `consent:read`. Raises ValidationFailedError.
        """
        return await self._page(
            Consent,
            Request(
                "GET",
                "/v1/consent",
                query={
                    "cursor": cursor,
                    "limit": limit,
                    "contact_number": contact_number,
                    "phone_number_id": phone_number_id,
                    "opted_in": opted_in,
                    "since": since,
                    "consent_method": consent_method,
                },
            ),
        )

    async def record(
        self,
        *,
        phone_number_id: Id,
        contact_number: str,
        evidence: Evidence,
        opted_in: Literal[True] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> ConsentCaptured:
        """Record that a contact agreed to texts from one of your numbers.

        You attest it; the evidence is kept.

        A consent that stands is left as it is, with `already_opted_in` true. After STOP nothing that you attest counts,
        and after a revocation only evidence captured later: 409, and nothing is recorded.

        - `opted_in`: True unless given.

        Scope: `consent:write`. Raises InvalidInputError, NotFoundError, IdempotencyKeyReusedError,
        ContactOptedOutError, ValidationFailedError, RateLimitedError.
        """
        return await self._bare(
            ConsentCaptured,
            Request(
                "POST",
                "/v1/consent",
                body={
                    "phone_number_id": phone_number_id,
                    "contact_number": contact_number,
                    "evidence": evidence,
                    "opted_in": opted_in,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def record_bulk(self, *, records: Sequence[ConsentDraft], idempotency_key: str | None = None) -> ConsentBulk:
        """Record up to 1,000 attested consents.

        Each stands alone: the others are taken whatever is wrong with one.

        Every record counts against the limit per minute; a batch that is larger than that whole limit is refused with
        422.

        - `records`: Each a body of `POST /v1/consent`. 1 to 1000 items.

        Scope: `consent:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError,
        RateLimitedError.
        """
        return await self._one(
            ConsentBulk, Request("POST", "/v1/consent/bulk", body={"records": records}, idempotency_key=idempotency_key)
        )

    async def get(self, consent_id: Id) -> Consent:
        """Read one consent.

        Scope: `consent:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._one(Consent, Request("GET", f"/v1/consent/{segment(consent_id)}"))

    async def revoke(self, consent_id: Id) -> Consent:
        """Take a consent back.

        The record and its history stay; queued and scheduled texts to the contact are canceled.

        Revoking again answers the same record and adds nothing to the history.

        Scope: `consent:write`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._bare(Consent, Request("DELETE", f"/v1/consent/{segment(consent_id)}"))

    async def list_history(
        self, consent_id: Id, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET
    ) -> AsyncPage[ConsentEntry]:
        """List what happened to a consent, newest first, with its evidence.

        Nothing here is ever changed.

        - `limit`: 1 to 100, 20 unless given.

        Scope: `consent:read`. Raises ValidationFailedError, NotFoundError.
        """
        return await self._page(
            ConsentEntry,
            Request("GET", f"/v1/consent/{segment(consent_id)}/history", query={"cursor": cursor, "limit": limit}),
        )

    async def start_double_opt_in(
        self,
        *,
        phone_number_id: Id,
        contact_number: str,
        confirmation_text: str,
        agreement_text: str,
        idempotency_key: str | None = None,
    ) -> DoubleOptIn:
        """Ask a contact by text.

        On YES or CONFIRM the consent is recorded, and `consent_pending.confirmed` tells.

        202: the question is on its way; it is a text like any other, but needs no consent. 200: it is open already
        (`reused`), or the contact has agreed already (`already_opted_in`); nothing is sent. Whoever opted out is not
        asked.

        - `confirmation_text`: The text that asks; name yourself in it. 1 to 1500 characters.
        - `agreement_text`: What the contact agreed to, word for word. 1 to 4000 characters.

        Scope: `consent:write`. Raises InvalidInputError, InsufficientCreditError, NotFoundError,
        IdempotencyKeyReusedError, ContactOptedOutError, ValidationFailedError, SenderNotRegisteredError,
        LineTypeBlockedError, QuietHoursError, FrequencyCapExceededError, RateLimitedError.
        """
        return await self._bare(
            DoubleOptIn,
            Request(
                "POST",
                "/v1/consent/double-opt-in",
                body={
                    "phone_number_id": phone_number_id,
                    "contact_number": contact_number,
                    "confirmation_text": confirmation_text,
                    "agreement_text": agreement_text,
                },
                idempotency_key=idempotency_key,
            ),
        )

    async def create_hosted_form(
        self, *, phone_number_id: Id, contact_number: str, agreement_text: str, idempotency_key: str | None = None
    ) -> HostedForm:
        """Make a link to a form on which one contact can agree.

        Nothing is stored until that happens.

        The page shows the agreement, the number and your organization's name, and keeps address, browser and time as
        evidence. Agreeing twice with one link is harmless; a fresh link renews a consent that is getting old.

        - `agreement_text`: What the contact agreed to, word for word. 1 to 4000 characters.

        Scope: `consent:write`. Raises InvalidInputError, NotFoundError, IdempotencyKeyReusedError,
        ValidationFailedError.
        """
        return await self._bare(
            HostedForm,
            Request(
                "POST",
                "/v1/consent/hosted",
                body={
                    "phone_number_id": phone_number_id,
                    "contact_number": contact_number,
                    "agreement_text": agreement_text,
                },
                idempotency_key=idempotency_key,
            ),
        )
