"""HTTP routes of messages."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.compliance.errors import (
    ConsentRequired,
    ConsentStale,
    FrequencyCapExceeded,
    LineTypeBlocked,
    QuietHours,
    RecipientOptedOut,
    SenderNotRegistered,
)
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import ApiError, InvalidInput, NotFound, RateLimited, ValidationFailed
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.media import operations as media
from agentmessage.media.errors import MmsDisabled
from agentmessage.media.model import MediaLinks
from agentmessage.messages import operations, queries
from agentmessage.messages.admission import TOPIC, Admission, admit_all
from agentmessage.messages.draft import Draft
from agentmessage.messages.errors import MessageNotCancelable
from agentmessage.messages.model import RANKS, VALIDITY_S, Message, Priority
from agentmessage.messages.schemas import (
    BatchError,
    BatchOut,
    BatchResult,
    MessageBatch,
    MessageCreate,
    MessageOut,
    MessageQuery,
    Transition,
)
from agentmessage.outbox import events as outbox_events
from agentmessage.sms.segments import USUAL_LAYOUTS, Layouts
from agentmessage.web import pagination
from agentmessage.web.idempotency import IdempotencyKey
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page
from agentmessage.web.validation import read_body

MAX_DEFERRAL = timedelta(hours=25)
"""Quiet hours defer a message by at most a day, or an hour more where a clock is set back."""

EXAMPLE = {
    "from": "+14155550123",
    "to": "+14155550188",
    "text": "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.",
    "tag": "reminder",
}
REJECTIONS = [
    ValidationFailed,
    SenderNotRegistered,
    RecipientOptedOut,
    ConsentRequired,
    ConsentStale,
    LineTypeBlocked,
    QuietHours,
    FrequencyCapExceeded,
    InsufficientCredit,
    RateLimited,
    MmsDisabled,
]
"""Why a message is rejected, in the order of the checks."""


class AdmissionRegistry:
    """The admission of every cell, made at the first request for it."""

    def __init__(self, *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS) -> None:
        self.requires_propagation = requires_propagation
        self.layouts = layouts
        self._open: dict[str, Admission] = {}

    def of(self, db: CellDb, notify: Callable[[str, str], None]) -> Admission:
        """The admission of one cell."""
        if db.name not in self._open:
            self._open[db.name] = Admission(
                db, notify, requires_propagation=self.requires_propagation, layouts=self.layouts
            )
        return self._open[db.name]

    def take_counts(self) -> Counter[str]:
        """Outcomes since the last call: accepted, repeated, or an error code."""
        total: Counter[str] = Counter()
        for admission in self._open.values():
            total += admission.counts
            admission.counts.clear()
        return total


class MessageServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    admissions: AdmissionRegistry
    media_links: MediaLinks


routes = Routes("Messages", needs=MessageServices)


@routes.route(
    "POST",
    "/v1/messages",
    scope="messages:send",
    answers={202: MessageOut},
    refuses=REJECTIONS,
    example=EXAMPLE,
    keeps_answer=True,
)
async def send_message(call: Call[MessageCreate, NoInput], services: MessageServices) -> MessageOut:
    """Send one text. Accepted means that it is stored and will be sent; delivery follows as events.

    A message that may not be sent is rejected with the first reason; `POST /v1/guardrails/preflight` returns them all.
    In quiet hours whose mode is `defer` it is accepted, and `scheduled_at` is their end.
    """
    draft = await _prepare(call, services.media_links, call.body, call.claim)
    if isinstance(draft, ApiError):
        raise draft
    return MessageOut.of(await services.admissions.of(call.db, call.ring).admit(draft))


BATCH_EXAMPLE = {"messages": [EXAMPLE, {**EXAMPLE, "to": "+14155550189"}]}


@routes.route(
    "POST",
    "/v1/messages/batch",
    scope="messages:send",
    answers={207: BatchOut},
    refuses=[ValidationFailed],
    example=BATCH_EXAMPLE,
)
async def send_message_batch(call: Call[MessageBatch, NoInput], services: MessageServices) -> BatchOut:
    """Send up to a thousand texts; each stands alone and is answered in its place.

    207: `results` has one entry for each message, in order, with the status that it would have had alone.
    """
    prepared = [await _prepare_raw(call, services.media_links, bytes(raw)) for raw in call.body.messages]
    outcomes = iter(
        await _admit_each(call, services.admissions, [draft for draft in prepared if isinstance(draft, Draft)])
    )
    results = [_result(draft if isinstance(draft, ApiError) else next(outcomes)) for draft in prepared]
    accepted = sum(result.message is not None for result in results)
    return BatchOut(accepted, len(results) - accepted, results)


@routes.route(
    "GET",
    "/v1/messages",
    scope="messages:read",
    answers={200: MessageOut},
    refuses=[ValidationFailed],
    is_list=True,
    cursor_header=True,
)
async def list_messages(call: Call[NoInput, MessageQuery]) -> Page[MessageOut]:
    """List messages, newest first. The next page's cursor is in the header `X-Next-Cursor`."""
    query = call.query
    start = pagination.start_of(query.cursor)
    rows = await queries.list_(
        call.db,
        call.tenant.org_id,
        before_at=start.at,
        before_id=start.id,
        status=query.status or None,
        sender=query.from_ or None,
        recipient=query.to or None,
        tag=query.tag or None,
        limit=pagination.lookahead(query.limit),
    )
    moment = await outbox_events.last_event_at(call.db, call.tenant.org_id, "message")
    return pagination.page_of(
        rows, query.limit, show=MessageOut.of, key=lambda row: (row.created_at, row.id), last_event_at=moment
    )


@routes.route("GET", "/v1/messages/{id}", scope="messages:read", answers={200: MessageOut}, refuses=[NotFound])
async def get_message(call: Call[NoInput, NoInput]) -> MessageOut:
    """Get a message and its status."""
    return MessageOut.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "GET",
    "/v1/messages/{id}/events",
    scope="messages:read",
    answers={200: list[Transition]},
    refuses=[NotFound],
)
async def list_message_events(call: Call[NoInput, NoInput]) -> list[Transition]:
    """Every status of a message, oldest first, with its cause and the carrier's code and text."""
    return Transition.all_of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "DELETE",
    "/v1/messages/{id}",
    scope="messages:send",
    answers={200: MessageOut},
    refuses=[NotFound, MessageNotCancelable],
)
async def cancel_message(call: Call[NoInput, NoInput]) -> MessageOut:
    """Cancel a message that is still queued; in practice a scheduled one. Canceling twice is harmless.

    Nothing is charged: queued messages carry no charge.
    """
    async with call.transaction() as tx:
        return MessageOut.of(await operations.cancel(tx, call.tenant, call.id))


async def _prepare(
    call: Call[Any, Any], links: MediaLinks, body: MessageCreate, claim: IdempotencyKey | None = None
) -> Draft | ApiError:
    """A valid draft whose media its carrier can fetch, or the error."""
    now = call.db.now
    faults = operations.faults(body, now)
    if faults:
        return ValidationFailed(faults)
    try:
        urls = await _urls(call, links, body, now)
    except ApiError as refusal:
        return refusal
    return _draft(call.tenant, body, urls, claim)


async def _urls(call: Call[Any, Any], links: MediaLinks, body: MessageCreate, now: datetime) -> Sequence[str]:
    """The media of a message as URLs that its carrier can fetch for as long as the message may be sent."""
    if not body.media:
        return ()
    until = (body.scheduled_at or now) + timedelta(seconds=body.validity_s or VALIDITY_S) + MAX_DEFERRAL
    return await media.resolve(call.db, call.tenant, body.media, links=links, until=until, recipient=body.to)


async def _prepare_raw(call: Call[Any, Any], links: MediaLinks, raw: bytes) -> Draft | ApiError:
    """One message of a batch, read as a request of its own."""
    try:
        body = read_body(MessageCreate, raw)
    except (ValidationFailed, InvalidInput) as error:
        return error
    return await _prepare(call, links, body)


def _draft(tenant: Tenant, body: MessageCreate, media: Sequence[str], claim: IdempotencyKey | None) -> Draft:
    return Draft(
        id=new_id(),
        tenant=tenant,
        sender=body.from_,
        recipient=body.to,
        text=body.text,
        media=media,
        priority=RANKS[body.priority or Priority.DEFAULT],
        tag=body.tag,
        metadata=body.metadata,
        scheduled_at=body.scheduled_at,
        validity_s=body.validity_s or VALIDITY_S,
        is_smart=bool(body.smart_encoding),
        claim=claim,
    )


async def _admit_each(
    call: Call[Any, Any], admissions: AdmissionRegistry, drafts: Sequence[Draft]
) -> Sequence[Message | BaseException]:
    if call.claim is not None:
        return await _admit_within(call, admissions, drafts)
    admission = admissions.of(call.db, call.ring)
    outcomes = await asyncio.gather(*(admission.admit(draft) for draft in drafts), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, ApiError):
            raise outcome
    return outcomes


async def _admit_within(
    call: Call[Any, Any], admissions: AdmissionRegistry, drafts: Sequence[Draft]
) -> Sequence[Message | ApiError]:
    async with call.transaction() as tx:
        outcomes = await admit_all(
            tx, drafts, requires_propagation=admissions.requires_propagation, layouts=admissions.layouts
        )
    admissions.of(call.db, call.ring).count(outcomes)
    call.wake(TOPIC)
    return outcomes


def _result(outcome: Message | BaseException) -> BatchResult:
    if isinstance(outcome, Message):
        return BatchResult(202, MessageOut.of(outcome), None)
    if not isinstance(outcome, ApiError):
        raise outcome
    return BatchResult(
        outcome.http_status, None, BatchError(outcome.code, outcome.message, outcome.details, outcome.retry_after_s)
    )
