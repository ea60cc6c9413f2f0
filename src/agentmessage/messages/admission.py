"""The one way in for every text: those that arrive together are judged and written together.

    lock the organizations ─▶ read the facts ─▶ judge each ─▶ write the admitted ─▶ commit ─▶ answer each

The lock makes the admissions of one organization one history: two texts that together exceed a cap, a bucket or the
credit are judged one after the other, and a STOP either comes before (and is seen) or after (and finds them queued).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.billing import operations as billing
from agentmessage.kernel.batching import Batcher
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.tenant import Tenant
from agentmessage.law import operations as law
from agentmessage.law.model import Ask, Case, Purse
from agentmessage.messages import admission_queries
from agentmessage.messages.admission_queries import Admitted, Spending
from agentmessage.messages.model import Kind, Message, Status

MOST = 500
"""Texts of one flush: one statement's arrays, a few milliseconds of one organization's lock."""

BOUND = 10_000
"""Texts that may wait for a flush in one process before newcomers are told to come back."""

BELL = "texts"


class Draft(Struct, frozen=True, kw_only=True):
    """A text that asks to be admitted; its shape is checked."""

    id: UUID
    tenant: Tenant
    kind: Kind = Kind.CUSTOMER
    sender: str
    recipient: str
    text: str | None
    media: Sequence[str] = ()
    priority: int = 1
    tag: str | None = None
    metadata: Mapping[str, Any] | None = None
    scheduled_at: datetime | None = None
    validity_s: int = 14_400


class Admission:
    """The door of one cell in one process. `ring` tells the workers of the cell that there is something to send."""

    def __init__(self, db: CellDb, ring: Callable[[str, str], None], *, requires_propagation: bool) -> None:
        self._db = db
        self._ring = ring
        self._requires_propagation = requires_propagation
        self._batcher: Batcher[Draft, Message] = Batcher(self._flush, most=MOST, bound=BOUND)

    async def admit(self, draft: Draft) -> Message:
        """Admit one text beside whatever else arrives; returns after the commit.

        Raises what the law refuses with, InsufficientCredit, RateLimited, or Unavailable beyond the bound.
        """
        return await self._batcher.put(draft)

    async def _flush(self, drafts: Sequence[Draft]) -> Sequence[Message | Exception]:
        async with self._db.transaction() as tx:
            outcomes = await admit_all(tx, drafts, requires_propagation=self._requires_propagation)
        if any(isinstance(outcome, Message) for outcome in outcomes):
            self._ring(self._db.name, BELL)
        return outcomes


async def admit_all(tx: Tx, drafts: Sequence[Draft], *, requires_propagation: bool) -> list[Message | ApiError]:
    """Judge every draft and write those that pass, in the caller's transaction; an outcome for each, in order."""
    now = tx.now
    asks = [
        Ask(
            draft.tenant.org_id,
            draft.tenant.account,
            draft.sender,
            draft.recipient,
            draft.kind,
            draft.scheduled_at or now,
        )
        for draft in drafts
    ]
    purses = await law.open_purses(tx, [draft.tenant.org_id for draft in drafts])
    cases = await law.read_cases(tx, asks, purses, requires_propagation=requires_propagation)
    prices = {
        False: billing.price("outbound_sms", None, now),
        True: billing.price("outbound_mms", None, now),
    }
    outcomes: list[Message | ApiError] = []
    admitted: list[Admitted] = []
    for draft, case in zip(drafts, cases, strict=True):
        decided = _decide(draft, case, purses[draft.tenant.org_id], price=prices[bool(draft.media)], now=now)
        if isinstance(decided, ApiError):
            outcomes.append(decided)
        else:
            admitted.append(decided)
            outcomes.append(decided.message)
    if admitted:
        spending = [
            Spending(org_id, purse.admitted_microcents, purse.second_tokens, purse.minute_tokens)
            for org_id, purse in purses.items()
        ]
        await admission_queries.insert(tx, admitted, spending)
    return outcomes


def _decide(draft: Draft, case: Case, purse: Purse, *, price: int, now: datetime) -> Admitted | ApiError:
    """The admitted text, or the first reason why not."""
    refusal = law.first_refusal(case)
    if refusal is not None:
        return refusal
    weight = law.weigh(case, draft.text, now, has_media=bool(draft.media), unit_price_microcents=price)
    refusal = law.purse_refusal(case, purse, weight)
    if refusal is not None:
        return refusal
    purse.take(weight.price_microcents, case.ask.kind)
    due_at = case.opens_at or case.ask.due_at
    facts = case.facts
    assert facts.phone_number_id is not None  # noqa: S101 - the first check of every kind
    message = Message(
        id=draft.id,
        org_id=case.ask.org_id,
        account=case.ask.account,
        phone_number_id=facts.phone_number_id,
        campaign_id=facts.campaign_id,
        brand_id=facts.brand_id,
        kind=draft.kind.value,
        sender=draft.sender,
        recipient=draft.recipient,
        text=draft.text,
        stamp=weight.stamp,
        channel="mms" if draft.media else "sms",
        media=draft.media,
        encoding=weight.encoding,
        segments=weight.segments,
        priority=draft.priority,
        tag=draft.tag,
        metadata=draft.metadata,
        status=Status.QUEUED.value,
        error_code=None,
        carrier_code=None,
        carrier_text=None,
        carrier_message_id=None,
        unit_price_microcents=price,
        is_charged=False,
        history=(),
        scheduled_at=due_at if due_at > now else None,
        expires_at=due_at + timedelta(seconds=draft.validity_s),
        created_at=now,
        updated_at=now,
        sent_at=None,
        delivered_at=None,
        finished_at=None,
        redacted_at=None,
    )
    cap_scope_id, texted_at = law.count_in(case)
    return Admitted(
        message=message,
        lane=facts.campaign_id or facts.phone_number_id,
        ready_at=due_at,
        lawful_until=case.closes_at,
        cap_scope_id=cap_scope_id,
        texted_at=texted_at,
        stamps=facts.consent_id if weight.stamp is not None else None,
    )
