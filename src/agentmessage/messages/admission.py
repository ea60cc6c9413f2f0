"""The one way in for every message: those that arrive together are judged and written together.

    read the facts ─▶ judge each ─▶ write the admitted, if the facts still hold, and commit ─▶ return each

The admissions of one organization are one history. Two messages that together exceed a cap, a bucket or the credit are
judged one after the other, and a STOP comes either before (and is seen) or after (and finds them queued). Every change
of what messages are decided by changes the organization's version. A flush that was judged by another version writes
nothing for that organization: its messages are judged again, then under the organization's lock. Mostly there is no
such change, and two statements do it all. A flush with idempotency keys takes a third, which looks them up.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from agentmessage.billing import operations as billing
from agentmessage.compliance import cost_of
from agentmessage.compliance import operations as compliance
from agentmessage.compliance.model import Cost, Evaluation, PendingFlush, SendAllowance, SendRequest
from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.db import CellDb, Executor, Tx
from agentmessage.kernel.errors import ApiError
from agentmessage.messages import admission_queries, replays
from agentmessage.messages.admission_queries import AccountUpdate, Admitted
from agentmessage.messages.draft import Draft
from agentmessage.messages.model import Message, Status
from agentmessage.messages.replays import Keys, Response
from agentmessage.messages.speculation import Pipeline, new_version, pending_flushes
from agentmessage.sms.segments import USUAL_LAYOUTS, Layouts
from agentmessage.sms.smart import simplify

MAX_FLUSH = 500
"""Messages of one flush: one statement's arrays, a few milliseconds of one organization's lock."""

MAX_WAITING = 10_000
"""Messages that may wait for a flush in one process; more are rejected with Unavailable."""

TOPIC = "messages"
"""The notification that wakes the dispatchers of a cell."""


class JudgedFlush(Struct, frozen=True):
    """A flush before it is written: its decisions by draft id, and what it writes."""

    now: datetime
    keys: Keys
    decisions: Mapping[UUID, Message | ApiError]
    admitted: Sequence[Admitted]
    account_updates: Sequence[AccountUpdate]
    responses: Sequence[Response]

    def outcome(self, draft: Draft) -> Message | Exception:
        """What the draft's request gets."""
        return self.keys.outcome(draft, self.decisions)


class Admission:
    """The admission of one cell in one process. `notify` wakes the workers of the cell."""

    def __init__(
        self,
        db: CellDb,
        notify: Callable[[str, str], None],
        *,
        requires_propagation: bool,
        layouts: Layouts = USUAL_LAYOUTS,
    ) -> None:
        self._db = db
        self._notify = notify
        self._requires_propagation = requires_propagation
        self._layouts = layouts
        self.counts: Counter[str] = Counter()
        self._batcher: Batcher[Draft, Message] = Batcher(self._flush, max_batch=MAX_FLUSH, max_waiting=MAX_WAITING)
        self._pipeline = Pipeline()

    async def admit(self, draft: Draft) -> Message:
        """Admit one message together with those that arrive at the same time; returns after the commit.

        Raises the errors of compliance checks, InsufficientCredit and RateLimited; Unavailable beyond `MAX_WAITING`;
        AlreadyAnswered or IdempotencyKeyReused for a key that was used before.
        """
        return await self._batcher.submit(draft)

    async def _flush(self, drafts: Sequence[Draft]) -> Sequence[Message | Exception]:
        outcomes = await self._admit_all(drafts)
        if any(isinstance(outcome, Message) for outcome in outcomes):
            self._notify(self._db.name, TOPIC)
        self.count(outcomes)
        return outcomes

    def count(self, outcomes: Sequence[Message | Exception]) -> None:
        """Count outcomes for the metrics."""
        self.counts.update(_outcome_label(outcome) for outcome in outcomes)

    async def _admit_all(self, drafts: Sequence[Draft]) -> Sequence[Message | Exception]:
        await self._pipeline.wait_for_keys(drafts)
        judged = await _judge(
            self._db,
            drafts,
            self._db.now,
            requires_propagation=self._requires_propagation,
            layouts=self._layouts,
            pending=self._pipeline.pending,
        )
        pending = pending_flushes(judged.admitted, judged.account_updates, judged.now)
        keys = frozenset(judged.keys.firsts)
        async with self._pipeline.writing(pending, keys, lambda: self._batcher.start_next_when(len(drafts))):
            stale_orgs = await _write(self._db, judged)
            if not stale_orgs:
                return [judged.outcome(draft) for draft in drafts]
            async with self._db.transaction() as tx:
                rejudged = await _admit_locked(
                    tx,
                    [draft for draft in drafts if draft.tenant.org_id in stale_orgs],
                    requires_propagation=self._requires_propagation,
                    layouts=self._layouts,
                )
        return [(rejudged if draft.tenant.org_id in stale_orgs else judged).outcome(draft) for draft in drafts]


def _outcome_label(outcome: Message | Exception) -> str:
    if isinstance(outcome, Message):
        return "accepted"
    return outcome.code if isinstance(outcome, ApiError) else "repeated"


async def admit_all(
    tx: Tx, drafts: Sequence[Draft], *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS
) -> list[Message | ApiError]:
    """Judge drafts without keys and write those that pass, in the caller's transaction; one outcome each, in order.

    `layouts` say how the carriers of accounts are sent them, on which the number of parts depends.
    """
    judged = await _admit_locked(tx, drafts, requires_propagation=requires_propagation, layouts=layouts)
    return [judged.decisions[draft.id] for draft in drafts]


async def _admit_locked(
    tx: Tx, drafts: Sequence[Draft], *, requires_propagation: bool, layouts: Layouts
) -> JudgedFlush:
    await compliance.lock(tx, [draft.tenant.org_id for draft in drafts])
    judged = await _judge(tx, drafts, tx.now, requires_propagation=requires_propagation, layouts=layouts)
    await _write(tx, judged)
    return judged


async def _judge(
    db: Executor,
    drafts: Sequence[Draft],
    now: datetime,
    *,
    requires_propagation: bool,
    layouts: Layouts,
    pending: Mapping[UUID, PendingFlush] | None = None,
) -> JudgedFlush:
    """Read what the drafts are decided by, and decide."""
    keys = await replays.read_keys(db, drafts)
    new = keys.new(drafts)
    if not new:
        return JudgedFlush(now, keys, {}, (), (), ())
    evaluations, allowances = await compliance.evaluate_all(
        db,
        [_ask(draft, now) for draft in new],
        now,
        requires_propagation=requires_propagation,
        layouts=layouts,
        pending=pending,
    )
    prices = {
        False: billing.price("outbound_sms", None, now),
        True: billing.price("outbound_mms", None, now),
    }
    decisions: dict[UUID, Message | ApiError] = {}
    admitted: list[Admitted] = []
    for draft, evaluation in zip(new, evaluations, strict=True):
        decided = _decide(draft, evaluation, allowances[draft.tenant.org_id], price=prices[bool(draft.media)], now=now)
        if isinstance(decided, ApiError):
            decisions[draft.id] = decided
        else:
            admitted.append(decided)
            decisions[draft.id] = decided.message
    updates = _account_updates(admitted, allowances)
    return JudgedFlush(now, keys, decisions, admitted, updates, keys.responses(decisions))


def _ask(draft: Draft, now: datetime) -> SendRequest:
    return SendRequest(
        draft.tenant.org_id,
        draft.tenant.account,
        draft.sender,
        draft.recipient,
        draft.kind,
        draft.scheduled_at or now,
    )


def _account_updates(admitted: Sequence[Admitted], allowances: Mapping[UUID, SendAllowance]) -> Sequence[AccountUpdate]:
    org_ids = {row.message.org_id for row in admitted}
    return [
        AccountUpdate(
            org_id,
            allowance.account.version,
            new_version(),
            allowance.admitted_microcents,
            allowance.second_tokens,
            allowance.minute_tokens,
        )
        for org_id, allowance in allowances.items()
        if org_id in org_ids
    ]


async def _write(db: Executor, judged: JudgedFlush) -> set[UUID]:
    """Write what was admitted. Returns the organizations whose version is stale; of them nothing is written."""
    if not judged.admitted:
        return set()
    written = await admission_queries.insert(db, judged.admitted, judged.account_updates, judged.responses, judged.now)
    return {update.org_id for update in judged.account_updates} - written


def _decide(
    draft: Draft, evaluation: Evaluation, allowance: SendAllowance, *, price: int, now: datetime
) -> Admitted | ApiError:
    """The admitted message, or the first error."""
    refusal = compliance.first_error(evaluation)
    if refusal is not None:
        return refusal
    text = simplify(draft.text) if draft.is_smart and draft.text else draft.text
    cost = cost_of(evaluation, text, now, has_media=bool(draft.media), unit_price_microcents=price)
    refusal = None if draft.is_owed else compliance.allowance_error(evaluation, allowance, cost)
    if refusal is not None:
        return refusal
    allowance.take(cost.price_microcents, evaluation.request.kind)
    due_at = evaluation.opens_at or evaluation.request.due_at
    message = _message(draft, evaluation, cost, due_at=due_at, price=price, now=now)
    return Admitted(
        message=message,
        queue_id=message.campaign_id or message.phone_number_id,
        ready_at=due_at,
        history=compliance.record_history(evaluation, now, is_disclosed=cost.appended_text is not None),
    )


def _message(
    draft: Draft, evaluation: Evaluation, cost: Cost, *, due_at: datetime, price: int, now: datetime
) -> Message:
    """The admitted message as it is stored."""
    facts = evaluation.facts
    assert facts.phone_number_id is not None  # noqa: S101 - the first check of every kind
    return Message(
        id=draft.id,
        org_id=evaluation.request.org_id,
        account=evaluation.request.account,
        phone_number_id=facts.phone_number_id,
        campaign_id=facts.campaign_id,
        brand_id=facts.brand_id,
        kind=draft.kind.value,
        sender=draft.sender,
        recipient=draft.recipient,
        text=draft.text,
        appended_text=cost.appended_text,
        channel="mms" if draft.media else "sms",
        media=draft.media,
        encoding=cost.encoding,
        segments=cost.segments,
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
