"""Who wins when one says yes and another says no."""

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from agentmessage.consent.model import (
    FROM_THE_HANDSET,
    Change,
    Consent,
    ConsentMethod,
    Grant,
    HistoryEvent,
    OptOut,
    Outcome,
    Source,
    Suppression,
    Withdrawal,
)
from agentmessage.consent.schemas import ConsentCapture
from agentmessage.sms.visible import is_blank

CLOCK_SKEW = timedelta(minutes=5)
"""How far the customer's clock may be ahead of ours."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def faults(wish: ConsentCapture, now: datetime) -> Mapping[str, str]:
    """What is wrong with a well-formed capture, by field."""
    found: dict[str, str] = {}
    if not wish.opted_in:
        found["opted_in"] = "must be true; an opt-out is DELETE /v1/consent/{id}"
    if not LONG_AGO <= wish.evidence.captured_at <= now + CLOCK_SKEW:
        found["evidence.captured_at"] = "must be a time since 1970 that is not in the future"
    if is_blank(wish.evidence.agreement_text):
        found["evidence.agreement_text"] = "must not be blank: it is what the contact agreed to"
    if wish.evidence.ip_address and not is_ip(wish.evidence.ip_address):
        found["evidence.ip_address"] = "must be an IPv4 or IPv6 address, or empty"
    return found


def is_ip(text: str) -> bool:
    """Whether it is an address of the internet protocol; one with a zone is nobody else's."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def digest(agreement_text: str | None) -> str | None:
    """SHA-256 of the agreement's UTF-8, as 64 hexadecimal digits."""
    return None if agreement_text is None else hashlib.sha256(agreement_text.encode()).hexdigest()


def may_lift(old: Consent, grant: Grant) -> bool:
    """Whether a claim of consent overrules the opt-out on record.

    What came from the handset only START from the handset lifts. A revocation over the API is lifted by the customer's
    newer evidence or by the contact's own agreement on our form, but not by START: the customer had a reason.
    """
    if old.suppressed_by in FROM_THE_HANDSET:
        return is_start(grant)
    if old.suppressed_by == Suppression.REVOCATION:
        is_later = old.opted_out_at is None or grant.occurred_at > old.opted_out_at
        return is_later and grant.source is not Source.INBOUND_REPLY
    return True


def is_start(grant: Grant) -> bool:
    """Whether the contact texted START: nothing else lifts what came from the handset."""
    return grant.source is Source.INBOUND_REPLY and grant.method is ConsentMethod.SMS_KEYWORD


def granted(
    old: Consent | None, grant: Grant, *, org_id: UUID, fresh_id: UUID, now: datetime, out: OptOut | None = None
) -> Change:
    """What a claim of consent makes of a record; `fresh_id` is for one that does not exist yet.

    `out` is an opt-out that reaches the pair, maybe from another number. Over the API a consent that stands is left
    alone (reference, section 5.1). The contact's own word renews it.
    """
    agreed_at = min(grant.occurred_at, now)
    if out is not None and not is_start(grant):
        return Change(old, Outcome.SUPPRESSED)
    if old is None:
        new = _new(grant, org_id, fresh_id, agreed_at, now)
        return Change(new, Outcome.OPTED_IN, HistoryEvent.OPT_IN, is_news=True)
    if old.opted_in and grant.source is Source.API:
        return Change(old, Outcome.UNCHANGED)
    if not old.opted_in and not may_lift(old, grant):
        return Change(old, Outcome.SUPPRESSED)
    renewed = msgspec.structs.replace(
        old,
        opted_in=True,
        opted_in_at=agreed_at if not old.opted_in or old.opted_in_at is None else max(agreed_at, old.opted_in_at),
        opted_out_at=None if not old.opted_in else old.opted_out_at,
        suppressed_by=None,
        suppressed_keyword=None,
        source=grant.source.value,
        consent_method=grant.method.value,
        agreement_text_hash=digest(grant.evidence.agreement_text) or old.agreement_text_hash,
        updated_at=now,
        out=None,
    )
    if old.opted_in and out is None:
        return Change(renewed, Outcome.RECONFIRMED, HistoryEvent.RECONFIRM)
    return Change(renewed, Outcome.OPTED_IN, HistoryEvent.OPT_IN, is_news=True)


def withdrawn(
    old: Consent | None, no: Withdrawal, *, org_id: UUID, fresh_id: UUID, now: datetime, out: OptOut | None = None
) -> Change:
    """What an opt-out makes of a record. A STOP after a revocation takes its place, since it binds harder.

    Where an opt-out `out` reached the pair already it is no news.
    """
    if old is not None and not old.opted_in:
        is_harder = old.suppressed_by not in FROM_THE_HANDSET and no.by in FROM_THE_HANDSET
        if not is_harder:
            return Change(old, Outcome.UNCHANGED)
    known = old or Consent(
        id=fresh_id,
        org_id=org_id,
        phone_number_id=no.pair.phone_number_id,
        contact_number=no.pair.contact_number,
        opted_in=False,
        opted_in_at=None,
        opted_out_at=None,
        suppressed_by=None,
        suppressed_keyword=None,
        source=no.source.value,
        consent_method=None,
        agreement_text_hash=None,
        created_at=now,
        updated_at=now,
    )
    new = msgspec.structs.replace(
        known,
        opted_in=False,
        opted_out_at=now,
        suppressed_by=no.by.value,
        suppressed_keyword=no.keyword,
        source=no.source.value,
        updated_at=now,
    )
    return Change(new, Outcome.OPTED_OUT, HistoryEvent.OPT_OUT, out is None and (old is None or old.opted_in))


def touched(consent: Consent, entry: HistoryEvent, now: datetime) -> Change:
    """A record that another number's STOP or START reaches: it stays as it is, but for its history and its time."""
    outcome = Outcome.OPTED_OUT if entry is HistoryEvent.OPT_OUT else Outcome.OPTED_IN
    return Change(msgspec.structs.replace(consent, updated_at=now), outcome, entry, is_news=True)


def shown(change: Change, out: OptOut | None) -> Change:
    """A change with the opt-out that its record is told with."""
    if change.consent is None:
        return change
    return msgspec.structs.replace(change, consent=msgspec.structs.replace(change.consent, out=out))


def newly_out(before: Sequence[Consent], after: Sequence[Consent]) -> list[Consent]:
    """Of a contact's consents those that counted, and that an opt-out to another number has come to reach."""
    counted = {one.id for one in before if one.counts}
    return [one for one in after if one.id in counted and one.opted_in and not one.counts]


def back_again(before: Sequence[Consent], after: Sequence[Consent]) -> list[Consent]:
    """Of a contact's consents those that stood all the time, and that no opt-out reaches any more."""
    reached = {one.id for one in before if one.opted_in and not one.counts}
    return [one for one in after if one.id in reached and one.counts]


def _new(grant: Grant, org_id: UUID, fresh_id: UUID, agreed_at: datetime, now: datetime) -> Consent:
    return Consent(
        id=fresh_id,
        org_id=org_id,
        phone_number_id=grant.pair.phone_number_id,
        contact_number=grant.pair.contact_number,
        opted_in=True,
        opted_in_at=agreed_at,
        opted_out_at=None,
        suppressed_by=None,
        suppressed_keyword=None,
        source=grant.source.value,
        consent_method=grant.method.value,
        agreement_text_hash=digest(grant.evidence.agreement_text),
        created_at=now,
        updated_at=now,
    )
