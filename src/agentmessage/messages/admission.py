"""The one way in for every text: those that arrive together are judged and written together.

    read the facts ─▶ judge each ─▶ write the admitted, if the facts still hold, and commit ─▶ answer each

The admissions of one organization are one history: two texts that together exceed a cap, a bucket or the credit are
judged one after the other, and a STOP either comes before (and is seen) or after (and finds them queued). Every change
of what is decided by changes the organization's version; what was judged by another one writes nothing and is judged
again, then under the organization's lock. Most of the time nobody interferes, and two statements do it all.

While a flush is being written, the next one reads and judges, if it is no smaller: by what it finds, or, where it finds
the version from before the flush ahead, by that with the flush ahead added. It is written after it, if then the version
is the one that the flush ahead was to leave.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import getrandbits
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.billing import operations as billing
from agentmessage.kernel.batching import Batcher
from agentmessage.kernel.db import CellDb, Statements, Tx
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.tenant import Tenant
from agentmessage.law import operations as law
from agentmessage.law.model import Ahead, Ask, Case, Memory, Purse, Weight
from agentmessage.messages import admission_queries
from agentmessage.messages.admission_queries import Admitted, Spending
from agentmessage.messages.model import VALIDITY_S, Kind, Message, Status
from agentmessage.messages.schemas import MessageOut
from agentmessage.sms.segments import USUAL_LAYOUTS, Layouts
from agentmessage.sms.smart import simplify
from agentmessage.web import idempotency
from agentmessage.web.idempotency import AlreadyAnswered, Claim, Stored
from agentmessage.web.wire import Enveloped

MOST = 500
"""Texts of one flush: one statement's arrays, a few milliseconds of one organization's lock."""

BOUND = 10_000
"""Texts that may wait for a flush in one process before newcomers are told to come back."""

VERSION_BITS = 62
"""So many that no two flushes of an organization ever leave the same version."""

BELL = "texts"
ACCEPTED = 202
_encode = msgspec.json.Encoder().encode


def answer_of(message: Message) -> bytes:
    """The body that an accepted text is answered with."""
    return _encode(Enveloped(success=True, data=MessageOut.of(message)))


class Draft(Struct, frozen=True, kw_only=True):
    """A text that asks to be admitted; its shape is checked. `claim` is its Idempotency-Key, if it came with one.

    `is_owed`: it goes out whatever the wallet holds.
    """

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
    validity_s: int = VALIDITY_S
    is_smart: bool = False
    is_owed: bool = False
    claim: Claim | None = None


class Admission:
    """The door of one cell in one process. `ring` tells the workers of the cell that there is something to send."""

    def __init__(
        self,
        db: CellDb,
        ring: Callable[[str, str], None],
        *,
        requires_propagation: bool,
        layouts: Layouts = USUAL_LAYOUTS,
    ) -> None:
        self._db = db
        self._ring = ring
        self._requires_propagation = requires_propagation
        self._layouts = layouts
        self.counts: Counter[str] = Counter()
        self._batcher: Batcher[Draft, Message] = Batcher(self._flush, most=MOST, bound=BOUND)
        self._writing = asyncio.Lock()
        self._ahead: Mapping[UUID, Ahead] = {}

    async def admit(self, draft: Draft) -> Message:
        """Admit one text beside whatever else arrives; returns after the commit.

        Raises what the law refuses with, InsufficientCredit, RateLimited, or Unavailable beyond the bound; for a key
        that was used before AlreadyAnswered or IdempotencyKeyReused.
        """
        return await self._batcher.put(draft)

    async def _flush(self, drafts: Sequence[Draft]) -> Sequence[Message | Exception]:
        if any(draft.claim is not None for draft in drafts):
            async with self._writing, self._db.transaction() as tx:
                outcomes = await _admit_keyed(
                    tx,
                    drafts,
                    requires_propagation=self._requires_propagation,
                    layouts=self._layouts,
                )
        else:
            outcomes = await self._admit_unkeyed(drafts)
        if any(isinstance(outcome, Message) for outcome in outcomes):
            self._ring(self._db.name, BELL)
        self.count(outcomes)
        return outcomes

    def count(self, outcomes: Sequence[Message | Exception]) -> None:
        """Count what was decided, for whoever watches."""
        self.counts.update(_word(outcome) for outcome in outcomes)

    async def _admit_unkeyed(self, drafts: Sequence[Draft]) -> Sequence[Message | ApiError]:
        judged = await _judge(
            self._db,
            drafts,
            self._db.now,
            requires_propagation=self._requires_propagation,
            layouts=self._layouts,
            ahead=self._ahead,
        )
        async with self._writing:
            self._ahead = judged.ahead
            self._batcher.let_next_begin(at=len(drafts))
            overtaken = await _write(self._db, judged)
            if not overtaken:
                return judged.outcomes
            again = [draft for draft in drafts if draft.tenant.org_id in overtaken]
            async with self._db.transaction() as tx:
                outcomes = await admit_all(
                    tx,
                    again,
                    requires_propagation=self._requires_propagation,
                    layouts=self._layouts,
                )
        seconds = iter(outcomes)
        return [
            next(seconds) if draft.tenant.org_id in overtaken else outcome
            for draft, outcome in zip(drafts, judged.outcomes, strict=True)
        ]


def _word(outcome: Message | Exception) -> str:
    if isinstance(outcome, Message):
        return "accepted"
    return outcome.code if isinstance(outcome, ApiError) else "repeated"


async def _admit_keyed(
    tx: Tx, drafts: Sequence[Draft], *, requires_propagation: bool, layouts: Layouts
) -> Sequence[Message | Exception]:
    """As `admit_all`, each key once: the organizations' lock keeps two of one key from being new at the same time."""
    await law.lock(tx, [draft.tenant.org_id for draft in drafts])
    claims = {(draft.tenant.org_id, draft.claim.key): draft.claim for draft in drafts if draft.claim is not None}
    known = await idempotency.find_many(tx, [(org_id, claim) for (org_id, _), claim in claims.items()])
    firsts: dict[tuple[UUID, str], Draft] = {}
    for draft in drafts:
        if draft.claim is not None:
            firsts.setdefault((draft.tenant.org_id, draft.claim.key), draft)
    fresh = [draft for draft in drafts if draft.claim is None or _is_first(draft, firsts, known)]
    admitted = await admit_all(tx, fresh, requires_propagation=requires_propagation, layouts=layouts)
    outcomes = dict(zip((draft.id for draft in fresh), admitted, strict=True))
    kept = {
        key: (first.claim, answer_of(outcome))
        for key, first in firsts.items()
        if first.claim is not None and isinstance(outcome := outcomes.get(first.id), Message)
    }
    if kept:
        await idempotency.keep_many(tx, [(key[0], claim, body) for key, (claim, body) in kept.items()], status=ACCEPTED)
    return [outcomes.get(draft.id) or _repeated(draft, firsts, known, outcomes) for draft in drafts]


def _is_first(draft: Draft, firsts: Mapping[tuple[UUID, str], Draft], known: Mapping[tuple[UUID, str], Stored]) -> bool:
    assert draft.claim is not None  # noqa: S101 - asked of keyed drafts only
    key = (draft.tenant.org_id, draft.claim.key)
    return key not in known and firsts[key] is draft


def _repeated(
    draft: Draft,
    firsts: Mapping[tuple[UUID, str], Draft],
    known: Mapping[tuple[UUID, str], Stored],
    outcomes: Mapping[UUID, Message | ApiError],
) -> Exception:
    """What a key that was used before is answered with; also one that was used a moment ago, in this very flush."""
    assert draft.claim is not None  # noqa: S101 - only keyed drafts repeat
    key = (draft.tenant.org_id, draft.claim.key)
    stored = known.get(key)
    if stored is None:
        first = firsts[key]
        outcome = outcomes[first.id]
        if isinstance(outcome, ApiError):
            return outcome
        assert first.claim is not None  # noqa: S101 - it is in `firsts`
        stored = Stored(first.claim.fingerprint, ACCEPTED, {}, answer_of(outcome), None)
    return idempotency.mismatch(stored.fingerprint, draft.claim) or AlreadyAnswered(stored)


async def admit_all(
    tx: Tx, drafts: Sequence[Draft], *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS
) -> list[Message | ApiError]:
    """Judge every draft and write those that pass, in the caller's transaction; an outcome for each, in order.

    `layouts` say how the carriers of accounts are sent them, on which the number of parts depends.
    """
    await law.lock(tx, [draft.tenant.org_id for draft in drafts])
    judged = await _judge(tx, drafts, tx.now, requires_propagation=requires_propagation, layouts=layouts)
    await _write(tx, judged)
    return judged.outcomes


class Judged(Struct, frozen=True):
    """A flush before it is written: an outcome for each draft, and what it takes and changes of each organization."""

    now: datetime
    outcomes: list[Message | ApiError]
    admitted: Sequence[Admitted]
    spending: Sequence[Spending]
    ahead: Mapping[UUID, Ahead]


async def _judge(
    db: Statements,
    drafts: Sequence[Draft],
    now: datetime,
    *,
    requires_propagation: bool,
    layouts: Layouts,
    ahead: Mapping[UUID, Ahead] | None = None,
) -> Judged:
    """Read what the drafts are decided by, and decide."""
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
    cases, purses = await law.read(
        db,
        asks,
        now,
        requires_propagation=requires_propagation,
        layouts=layouts,
        ahead=ahead,
    )
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
    spending = _spending(admitted, purses)
    return Judged(now, outcomes, admitted, spending, _ahead(admitted, spending, now))


def _spending(admitted: Sequence[Admitted], purses: Mapping[UUID, Purse]) -> Sequence[Spending]:
    spenders = {one.message.org_id for one in admitted}
    return [
        Spending(
            org_id,
            purse.account.version,
            getrandbits(VERSION_BITS),
            purse.admitted_microcents,
            purse.second_tokens,
            purse.minute_tokens,
        )
        for org_id, purse in purses.items()
        if org_id in spenders
    ]


def _ahead(admitted: Sequence[Admitted], spending: Sequence[Spending], now: datetime) -> Mapping[UUID, Ahead]:
    memories: dict[UUID, dict[str, Memory]] = {one.org_id: {} for one in spending}
    for one in admitted:
        if one.memory is not None:
            memories[one.message.org_id][one.message.recipient] = one.memory
    return {
        one.org_id: Ahead(
            one.version,
            one.next_version,
            one.admitted_microcents,
            one.second_tokens,
            one.minute_tokens,
            now,
            memories[one.org_id],
        )
        for one in spending
        if one.version is not None
    }


async def _write(db: Statements, judged: Judged) -> set[UUID]:
    """Write what was admitted. Of the organizations that somebody changed in between, which are told, nothing is."""
    if not judged.admitted:
        return set()
    written = await admission_queries.insert(db, judged.admitted, judged.spending, judged.now)
    return {one.org_id for one in judged.spending} - written


def _decide(draft: Draft, case: Case, purse: Purse, *, price: int, now: datetime) -> Admitted | ApiError:
    """The admitted text, or the first reason why not."""
    refusal = law.first_refusal(case)
    if refusal is not None:
        return refusal
    words = simplify(draft.text) if draft.is_smart and draft.text else draft.text
    weight = law.weigh(case, words, now, has_media=bool(draft.media), unit_price_microcents=price)
    refusal = None if draft.is_owed else law.purse_refusal(case, purse, weight)
    if refusal is not None:
        return refusal
    purse.take(weight.price_microcents, case.ask.kind)
    due_at = case.opens_at or case.ask.due_at
    message = _message(draft, case, weight, due_at=due_at, price=price, now=now)
    return Admitted(
        message=message,
        lane=message.campaign_id or message.phone_number_id,
        ready_at=due_at,
        memory=law.remember(case, now, is_stamped=weight.stamp is not None),
    )


def _message(draft: Draft, case: Case, weight: Weight, *, due_at: datetime, price: int, now: datetime) -> Message:
    """The admitted text as it is stored."""
    facts = case.facts
    assert facts.phone_number_id is not None  # noqa: S101 - the first check of every kind
    return Message(
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
        is_smart=draft.is_smart,
    )
