"""Series of texts, webhooks and money."""

from typing import TypeVar

from msgspec import UNSET, UnsetType

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.metrics import operations
from agentmessage.metrics.errors import GranularityNotAvailable, OtherQuestion, WindowTooLarge
from agentmessage.metrics.schemas import (
    InboundQuery,
    MessagesQuery,
    Series,
    SeriesMeta,
    SeriesQuery,
    WalletQuery,
    WebhooksQuery,
)
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Response

Q = TypeVar("Q", bound=SeriesQuery)

routes = Routes("Metrics")

REFUSES = (ValidationFailed, OtherQuestion, GranularityNotAvailable, WindowTooLarge)
CACHED = {"Cache-Control": "private, max-age=30"}


@routes.route(
    "GET",
    "/v1/metrics/messages",
    scope="metrics:read",
    answers={200: Series},
    meta=SeriesMeta,
    refuses=REFUSES,
)
async def get_metrics_messages(call: Call[NoInput, MessagesQuery]) -> Response[Series]:
    """Read how many texts were sent, delivered or failed, or what they cost, over time."""
    return await _answer(call, f"messages.outbound.{call.query.metric}", call.query.group_by)


@routes.route(
    "GET",
    "/v1/metrics/inbound",
    scope="metrics:read",
    answers={200: Series},
    meta=SeriesMeta,
    refuses=REFUSES,
)
async def get_metrics_inbound(call: Call[NoInput, InboundQuery]) -> Response[Series]:
    """Read how many texts came in, or what they cost, over time."""
    return await _answer(call, f"messages.inbound.{call.query.metric}", call.query.group_by)


@routes.route(
    "GET",
    "/v1/metrics/webhooks",
    scope="metrics:read",
    answers={200: Series},
    meta=SeriesMeta,
    refuses=REFUSES,
)
async def get_metrics_webhooks(call: Call[NoInput, WebhooksQuery]) -> Response[Series]:
    """Read how many deliveries of webhooks succeeded, were given up, or are repeated, over time."""
    return await _answer(call, f"webhooks.{call.query.metric}", call.query.group_by)


@routes.route(
    "GET",
    "/v1/metrics/wallet",
    scope="metrics:read",
    answers={200: Series},
    meta=SeriesMeta,
    refuses=REFUSES,
)
async def get_metrics_wallet(call: Call[NoInput, WalletQuery]) -> Response[Series]:
    """Read the balance at the end of each bucket, what was charged, or what was paid in, over time.

    A balance is carried forward through buckets in which nothing moved.
    """
    return await _answer(call, f"wallet.{call.query.metric}", call.query.group_by)


async def _answer(call: Call[NoInput, Q], metric: str, group_by: str | UnsetType) -> Response[Series]:
    label = None if group_by is UNSET else group_by
    found, meta = await operations.series(call.db, call.tenant, metric=metric, query=call.query, group_by=label)
    return Response(200, found, CACHED, meta)
