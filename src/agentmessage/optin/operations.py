"""The verbs: ask a contact, hear the answer, let a question lapse, take an agreement from the form."""

from datetime import timedelta
from uuid import UUID

from agentmessage.consent import operations as consents
from agentmessage.consent.errors import ContactOptedOut
from agentmessage.consent.model import ConsentMethod, Evidence, Outcome, Source
from agentmessage.kernel.db import Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages import operations as messages
from agentmessage.messages.model import Kind
from agentmessage.optin import queries, rules
from agentmessage.optin.model import Challenge, ChallengeStatus, FormToken
from agentmessage.optin.schemas import ChallengeResource, DoubleOptInCreate, DoubleOptInOut
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.sms.segments import USUAL_LAYOUTS, Layouts

ENDS = {
    ChallengeStatus.CONFIRMED: EventType.CONSENT_PENDING_CONFIRMED,
    ChallengeStatus.EXPIRED: EventType.CONSENT_PENDING_EXPIRED,
}


async def ask(
    tx: Tx,
    tenant: Tenant,
    wish: DoubleOptInCreate,
    *,
    sender: str,
    life: timedelta,
    requires_propagation: bool,
    layouts: Layouts = USUAL_LAYOUTS,
) -> DoubleOptInOut:
    """Text a contact the question, unless it is open or answered already; `sender` is the number's E.164.

    Raises ContactOptedOut, what the law refuses texts with, InsufficientCredit or RateLimited.
    """
    await consents.lock_law(tx, tenant.org_id)
    known = await consents.find(tx, tenant.org_id, wish.phone_number_id, wish.contact_number)
    if known is not None and known.counts:
        return DoubleOptInOut.of(None, is_reused=False)
    if await consents.has_opted_out(tx, tenant.org_id, wish.phone_number_id, wish.contact_number):
        raise ContactOptedOut
    open_one = await queries.lock_open(tx, tenant.org_id, wish.phone_number_id, wish.contact_number)
    if open_one is not None:
        if open_one.expires_at > tx.now:
            return DoubleOptInOut.of(open_one, is_reused=True)
        await _end(tx, open_one, ChallengeStatus.EXPIRED)
    return DoubleOptInOut.of(
        await _text(
            tx,
            tenant,
            wish,
            sender=sender,
            life=life,
            requires_propagation=requires_propagation,
            layouts=layouts,
        ),
        is_reused=False,
    )


async def _text(
    tx: Tx,
    tenant: Tenant,
    wish: DoubleOptInCreate,
    *,
    sender: str,
    life: timedelta,
    requires_propagation: bool,
    layouts: Layouts,
) -> Challenge:
    text = rules.question(wish.confirmation_text)
    message = await messages.send_own(
        tx,
        tenant,
        sender=sender,
        recipient=wish.contact_number,
        text=text,
        kind=Kind.CONFIRMATION,
        message_id=new_id(),
        requires_propagation=requires_propagation,
        layouts=layouts,
    )
    challenge = Challenge(
        id=new_id(),
        org_id=tenant.org_id,
        phone_number_id=wish.phone_number_id,
        contact_number=wish.contact_number,
        confirmation_message_id=message.id,
        confirmation_text=text,
        agreement_text=wish.agreement_text,
        status=ChallengeStatus.PENDING.value,
        created_at=tx.now,
        expires_at=tx.now + life,
        ended_at=None,
    )
    await queries.insert(tx, challenge)
    arguments = {"org_id": str(tenant.org_id), "challenge_id": str(challenge.id)}
    await outbox_events.enqueue(tx, "optin.expire", str(challenge.id), arguments, delay_s=life.total_seconds())
    return challenge


async def confirm(
    tx: Tx, org_id: UUID, phone_number_id: UUID, contact_number: str, *, keyword: str, raw_event_id: str
) -> bool:
    """YES or CONFIRM from a contact. True: a question was open, and the consent is on record now.

    False, and nothing was written but a lapse: nobody had asked, or it came too late, or the contact had opted out.
    `raw_event_id` is the inbound message's.
    """
    await consents.lock_law(tx, org_id)
    challenge = await queries.lock_open(tx, org_id, phone_number_id, contact_number)
    if challenge is None:
        return False
    if challenge.expires_at <= tx.now:
        await _end(tx, challenge, ChallengeStatus.EXPIRED)
        return False
    outcome = await consents.opt_in(
        tx,
        org_id,
        phone_number_id,
        contact_number,
        method=ConsentMethod.DOUBLE_OPT_IN,
        source=Source.INBOUND_REPLY,
        keyword=keyword,
        raw_event_id=raw_event_id,
        evidence=Evidence(agreement_text=challenge.agreement_text),
    )
    if outcome not in (Outcome.OPTED_IN, Outcome.RECONFIRMED):
        return False
    await _end(tx, challenge, ChallengeStatus.CONFIRMED)
    return True


async def expire(tx: Tx, org_id: UUID, challenge_id: UUID) -> float | None:
    """Let a question lapse whose time has come; answers the seconds that it still has, None when it has ended."""
    challenge = await queries.lock(tx, org_id, challenge_id)
    if challenge is None or challenge.status != ChallengeStatus.PENDING:
        return None
    left_s = (challenge.expires_at - tx.now).total_seconds()
    if left_s > 0:
        return left_s
    await _end(tx, challenge, ChallengeStatus.EXPIRED)
    return None


async def agree(tx: Tx, token: FormToken, evidence: Evidence) -> Outcome:
    """The contact agreed on the form; the same link twice is UNCHANGED."""
    return await consents.opt_in(
        tx,
        token.org_id,
        token.phone_number_id,
        token.contact_number,
        method=ConsentMethod.HOSTED_FORM,
        source=Source.HOSTED_FORM,
        raw_event_id=token.id,
        evidence=evidence,
    )


async def _end(tx: Tx, challenge: Challenge, status: ChallengeStatus) -> None:
    ended = rules.ended(challenge, status, tx.now)
    await queries.end(tx, ended)
    await outbox_events.emit(tx, ended.org_id, ENDS[status], ended.id, ChallengeResource.of(ended))
