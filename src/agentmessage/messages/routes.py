"""Texts over HTTP."""

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
from agentmessage.messages import admission, operations, queries
from agentmessage.messages.admission import Admission
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
from agentmessage.web.idempotency import Claim
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page
from agentmessage.web.validation import read_body

LONGEST_DEFERRAL = timedelta(hours=25)
"""Quiet hours put a text off by a day at most, or an hour more where a clock is set back."""

EXAMPLE = {
    "from": "+14155550123",
    "to": "+14155550188",
    "text": "Acme Dental: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.",
    "tag": "reminder",
}
LAW = [
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
"""Why a text is refused, in the order in which it is looked for."""


class Doors:
    """The admission of every cell, opened when first needed; handed in by the wiring."""

    def __init__(self, *, requires_propagation: bool, layouts: Layouts = USUAL_LAYOUTS) -> None:
        self.requires_propagation = requires_propagation
        self.layouts = layouts
        self._open: dict[str, Admission] = {}

    def of(self, db: CellDb, ring: Callable[[str, str], None]) -> Admission:
        """The door of one cell."""
        if db.name not in self._open:
            self._open[db.name] = Admission(
                db, ring, requires_propagation=self.requires_propagation, layouts=self.layouts
            )
        return self._open[db.name]

    def take_counts(self) -> Counter[str]:
        """What came of the texts that were asked for since the last call: accepted, repeated, or a refusal's code."""
        total: Counter[str] = Counter()
        for door in self._open.values():
            total += door.counts
            door.counts.clear()
        return total


class MessageServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    doors: Doors
    media_links: MediaLinks


routes = Routes("Messages", needs=MessageServices)


@routes.route(
    "POST",
    "/v1/messages",
    scope="messages:send",
    answers={202: MessageOut},
    refuses=LAW,
    example=EXAMPLE,
    keeps_answer=True,
)
async def send_message(call: Call[MessageCreate, NoInput], services: MessageServices) -> MessageOut:
    """Send one text. Accepted means that it is stored and will be sent; delivery follows as events.

    A text that may not be sent is refused with the first reason; `POST /v1/guardrails/preflight` explains all of them.
    Inside quiet hours whose mode is `defer` it is accepted, and `scheduled_at` is their end.
    """
    draft = await _prepare(call, services.media_links, call.body, call.claim)
    if isinstance(draft, ApiError):
        raise draft
    return MessageOut.of(await services.doors.of(call.db, call.ring).admit(draft))


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

    207: `results` has one entry for each text, in order, with the status that it would have been answered alone.
    """
    prepared = [await _prepare_raw(call, services.media_links, bytes(raw)) for raw in call.body.messages]
    outcomes = iter(await _admit_each(call, services.doors, [one for one in prepared if isinstance(one, Draft)]))
    results = [_result(one if isinstance(one, ApiError) else next(outcomes)) for one in prepared]
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
    """List texts, newest first. The next page's cursor is in the header `X-Next-Cursor`."""
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
    """Get a text and how far it has come."""
    return MessageOut.of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "GET",
    "/v1/messages/{id}/events",
    scope="messages:read",
    answers={200: list[Transition]},
    refuses=[NotFound],
)
async def list_message_events(call: Call[NoInput, NoInput]) -> list[Transition]:
    """Every move of a text, oldest first, with its cause and the carrier's own words."""
    return Transition.all_of(await operations.get(call.db, call.tenant, call.id))


@routes.route(
    "DELETE",
    "/v1/messages/{id}",
    scope="messages:send",
    answers={200: MessageOut},
    refuses=[NotFound, MessageNotCancelable],
)
async def cancel_message(call: Call[NoInput, NoInput]) -> MessageOut:
    """Cancel a text that is still queued; in practice a scheduled one. Canceling twice is harmless.

    Nothing is charged: queued texts carry no charge.
    """
    async with call.transaction() as tx:
        return MessageOut.of(await operations.cancel(tx, call.tenant, call.id))


async def _prepare(
    call: Call[Any, Any], links: MediaLinks, body: MessageCreate, claim: Claim | None = None
) -> Draft | ApiError:
    """A text of the right shape whose media its carrier can fetch, or why it is not one."""
    now = call.db.now
    found = operations.faults(body, now)
    if found:
        return ValidationFailed(found)
    try:
        urls = await _urls(call, links, body, now)
    except ApiError as refusal:
        return refusal
    return _draft(call.tenant, body, urls, claim)


async def _urls(call: Call[Any, Any], links: MediaLinks, body: MessageCreate, now: datetime) -> Sequence[str]:
    """The media of a text as URLs that its carrier can fetch for as long as the text may be sent."""
    if not body.media:
        return ()
    until = (body.scheduled_at or now) + timedelta(seconds=body.validity_s or VALIDITY_S) + LONGEST_DEFERRAL
    return await media.resolve(call.db, call.tenant, body.media, links=links, until=until, recipient=body.to)


async def _prepare_raw(call: Call[Any, Any], links: MediaLinks, raw: bytes) -> Draft | ApiError:
    """One text of a batch, read as if it had come alone."""
    try:
        body = read_body(MessageCreate, raw)
    except (ValidationFailed, InvalidInput) as error:
        return error
    return await _prepare(call, links, body)


def _draft(tenant: Tenant, body: MessageCreate, media: Sequence[str], claim: Claim | None) -> Draft:
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


async def _admit_each(call: Call[Any, Any], doors: Doors, drafts: Sequence[Draft]) -> Sequence[Message | BaseException]:
    if call.claim is not None:
        return await _admit_within(call, doors, drafts)
    door = doors.of(call.db, call.ring)
    outcomes = await asyncio.gather(*(door.admit(draft) for draft in drafts), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, ApiError):
            raise outcome
    return outcomes


async def _admit_within(call: Call[Any, Any], doors: Doors, drafts: Sequence[Draft]) -> Sequence[Message | ApiError]:
    async with call.transaction() as tx:
        outcomes = await admission.admit_all(
            tx, drafts, requires_propagation=doors.requires_propagation, layouts=doors.layouts
        )
    doors.of(call.db, call.ring).count(outcomes)
    call.wake(admission.BELL)
    return outcomes


def _result(outcome: Message | BaseException) -> BatchResult:
    if isinstance(outcome, Message):
        return BatchResult(202, MessageOut.of(outcome), None)
    if not isinstance(outcome, ApiError):
        raise outcome
    return BatchResult(
        outcome.http_status, None, BatchError(outcome.code, outcome.message, outcome.details, outcome.retry_after_s)
    )
