"""The log of deliveries over HTTP, and replay."""

from collections.abc import Iterator
from uuid import UUID

from msgspec import UNSET, UnsetType

from agentmessage.kernel.errors import NotFound, RateLimited, ValidationFailed
from agentmessage.web import cursors, pagination
from agentmessage.web.cursors import RowPosition
from agentmessage.web.rate_limits import require_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Page, in_utc
from agentmessage.webhooks import attempt_queries, operations
from agentmessage.webhooks.attempt_queries import Wanted
from agentmessage.webhooks.errors import EventExpired, ReceiverInactive
from agentmessage.webhooks.model import BELL, REPLAYS_PER_MIN, Attempt, Outcome
from agentmessage.webhooks.schemas import DeliveryQuery, DeliveryResource, ReplayCreate, ReplayResource

routes = Routes("Webhooks")

NEVER_GOOD_FROM = 300
"""An attempt that was answered with such a status, or a higher one, was no success."""

OF_MESSAGES = ("message.", "inbound_message.")
"""Types of which there are many; of all others there are few, also among one receiver's deliveries."""

BEFORE_ALL_IDS = UUID(int=0)


@routes.route(
    "GET",
    "/v1/webhooks/deliveries",
    scope="webhooks:read",
    answers={200: DeliveryResource},
    refuses=[ValidationFailed],
    path_fault=404,
    is_list=True,
)
async def list_webhook_deliveries(call: Call[NoInput, DeliveryQuery]) -> Page[DeliveryResource]:
    """List delivery attempts of the last 30 days, newest first: to endpoints and to URLs of numbers."""
    query = call.query
    wanted = _wanted(query)
    rows = await _rows(call, wanted, None if query.endpoint_id is UNSET else query.endpoint_id)
    return pagination.page_of(rows, query.limit, show=DeliveryResource.of, key=lambda row: (row.occurred_at, row.id))


def _wanted(query: DeliveryQuery) -> Wanted:
    """The query's filters. Raises ValidationFailed."""
    least, most = _or_none(query.http_status_min), _or_none(query.http_status_max)
    if least is not None and most is not None and least > most:
        raise ValidationFailed({"http_status_min": "must not be above http_status_max"})
    before = [(place.at, place.id) for place in _places(query)]
    before_at, before_id = min(before) if before else (None, None)
    return Wanted(
        before_at=before_at,
        before_id=before_id,
        event_type=query.event_type or None,
        outcome=query.outcome or None,
        since=None if query.since is UNSET else in_utc(query.since, "since"),
        status_min=least,
        status_max=most,
    )


def _places(query: DeliveryQuery) -> Iterator[RowPosition]:
    """Below which the list goes on: the cursor's, and all that lie at or after `until`."""
    if query.cursor is not UNSET:
        yield cursors.decode_row(query.cursor)
    if query.until is not UNSET:
        yield RowPosition(in_utc(query.until, "until"), BEFORE_ALL_IDS)


async def _rows(call: Call[NoInput, DeliveryQuery], wanted: Wanted, queue_id: UUID | None) -> list[Attempt]:
    """The page's rows and the lookahead, by the index that serves the filters."""
    db, org_id, limit = call.db, call.tenant.org_id, pagination.lookahead(call.query.limit)
    kind = wanted.event_type
    if kind is not None and (queue_id is None or not kind.startswith(OF_MESSAGES)):
        return await attempt_queries.list_of_type(db, org_id, kind, wanted, queue_id=queue_id, limit=limit)
    if queue_id is not None:
        return await attempt_queries.list_of_queue(db, org_id, queue_id, wanted, limit=limit)
    is_of_failures = wanted.outcome in (Outcome.RETRY, Outcome.DEAD) or (wanted.status_min or 0) >= NEVER_GOOD_FROM
    if is_of_failures:
        return await attempt_queries.list_failed(db, org_id, wanted, limit=limit)
    return await attempt_queries.list_(db, org_id, wanted, limit=limit)


def _or_none(value: int | UnsetType) -> int | None:
    return None if value is UNSET else value


@routes.route(
    "GET",
    "/v1/webhooks/deliveries/{id}",
    scope="webhooks:read",
    answers={200: DeliveryResource},
    refuses=[NotFound],
    path_fault=404,
    bare=True,
)
async def get_webhook_delivery(call: Call[NoInput, NoInput]) -> DeliveryResource:
    """Read one delivery attempt. It is kept for 30 days."""
    return DeliveryResource.of(await operations.get_attempt(call.db, call.tenant, call.id))


@routes.route(
    "POST",
    "/v1/webhooks/deliveries/{id}/replay",
    scope="webhooks:write",
    answers={202: ReplayResource},
    refuses=[ValidationFailed, NotFound, EventExpired, ReceiverInactive, RateLimited],
    path_fault=404,
    bare=True,
    optional_body=True,
    example={"reason": "the receiver was down"},
)
async def replay_webhook_delivery(call: Call[ReplayCreate, NoInput]) -> ReplayResource:
    """Send the same event to the same receiver again, with a new id, as if it had happened now.

    What the receiver subscribes to by now is not asked. 404 also when the endpoint was deleted; 409 when it is off, or
    when the event's number does not name the URL any more. Data that was erased meanwhile is sent as erased. 10 a
    minute.
    """
    async with call.transaction() as tx:
        await operations.require_replayable(tx, call.tenant, call.id)
    await require_token(call.db, call.tenant, "webhook_replays", per_minute=REPLAYS_PER_MIN)
    async with call.transaction() as tx:
        replayed = await operations.replay(tx, call.tenant, call.id, reason=call.body.reason)
    call.wake(BELL)
    return replayed
