"""Money that can be read: the wallet, what moved it, what was paid for, and what things cost."""

from msgspec import UNSET, Struct
from msgspec.structs import replace

from agentmessage.billing import export, prices, report_queries, rules
from agentmessage.billing.model import FREQUENT_USAGE, LedgerKind, Window
from agentmessage.billing.schemas import (
    FeeCatalog,
    RangeQuery,
    TransactionQuery,
    TransactionResource,
    UsageQuery,
    UsageResource,
    WalletResource,
)
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.settings import Settings
from agentmessage.web import cursors, pagination
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.streams import LINES, LineStream, prefers
from agentmessage.web.types import Page, in_utc


class BillingServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings


routes = Routes("Billing", needs=BillingServices)

LINES_EXAMPLE = (
    '{"id":"01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11","ts":"2026-04-26T12:00:00.000000Z","kind":"outbound_sms",'
    '"quantity":2,"unit_cost_cents":1,"total_cents":2,"ref_kind":"message",'
    '"ref_id":"01978a3e-0000-7000-8000-000000000001",'
    '"metadata":{"resource_id": "01978a3e-0000-7000-8000-000000000001"}}\n'
)


@routes.route("GET", "/v1/billing/wallet", scope="billing:read", answers={200: WalletResource})
async def get_wallet(call: Call[NoInput, NoInput], services: BillingServices) -> WalletResource:
    """Show the wallet, what the month has cost so far, and the throughput that the lifetime spend has earned."""
    db, org_id = call.db, call.tenant.org_id
    now = db.now
    overview = await report_queries.find_overview(db, org_id)
    if overview is None:
        raise NotFound
    hour = now.replace(minute=0, second=0, microsecond=0)
    spent = await report_queries.spent_since(db, org_id, span="day", since=hour.replace(day=1, hour=0))
    rolling = await report_queries.spent_since(db, org_id, span="hour", since=hour - rules.ROLLING)
    projected = rules.projected_microcents(spent, rolling, now)
    return WalletResource.of(
        overview,
        spent_microcents=spent,
        projected_microcents=projected,
        min_topup_cents=services.settings.min_topup_cents,
    )


@routes.route(
    "GET",
    "/v1/billing/transactions",
    scope="billing:read",
    answers={200: TransactionResource},
    refuses=[ValidationFailed],
    is_list=True,
)
async def list_transactions(call: Call[NoInput, TransactionQuery]) -> Page[TransactionResource]:
    """List what moved the wallet, newest first: the last 30 days, or a range of at most 90 (`from`, `to`)."""
    query, org_id = call.query, call.tenant.org_id
    window, limit = _window(call, is_bounded=True), pagination.lookahead(query.limit)
    if query.kind is UNSET:
        rows = await report_queries.list_transactions(call.db, org_id, window, limit=limit)
    elif query.kind is LedgerKind.DEBIT:
        rows = await report_queries.list_debits(call.db, org_id, window, limit=limit)
    else:
        rows = await report_queries.list_rare(call.db, org_id, query.kind, window, limit=limit)
    return pagination.page_of(rows, query.limit, show=TransactionResource.of, key=lambda row: (row.ts, row.id))


@routes.route(
    "GET",
    "/v1/billing/usage",
    scope="billing:read",
    answers={200: UsageResource},
    refuses=[ValidationFailed],
    is_list=True,
    lines=LINES_EXAMPLE,
)
async def list_usage(call: Call[NoInput, UsageQuery]) -> Page[UsageResource] | LineStream:
    """List what was paid for, newest first: the last 30 days, or a range of at most 90 (`from`, `to`).

    `kind` narrows it to one kind, in an export too.

    With `Accept: application/x-ndjson` the answer is every row of the range, however long the range, one JSON value a
    line and no envelope; `limit` does not count. A stream that was cut off lacks the end that HTTP asks for: take it up
    again with a cursor made of its last row, or with `to`.
    """
    query, org_id = call.query, call.tenant.org_id
    kind = None if query.kind is UNSET else query.kind
    if prefers(call.headers.get("accept"), LINES):
        first = await export.read(call.db, org_id, _window(call, is_bounded=False), kind)
        return LineStream(export.lines(call.db, org_id, first))
    window, limit = _window(call, is_bounded=True), pagination.lookahead(query.limit)
    if kind is None or kind is FREQUENT_USAGE:
        rows = await report_queries.list_usage(call.db, org_id, window, kind=kind, limit=limit)
    else:
        rows = await report_queries.list_rare_usage(call.db, org_id, window, kind=kind, limit=limit)
    return pagination.page_of(rows, query.limit, show=UsageResource.of, key=lambda row: (row.ts, row.id))


@routes.route("GET", "/v1/billing/catalog/fees", scope="billing:read", answers={200: FeeCatalog})
async def get_catalog_fees(call: Call[NoInput, NoInput]) -> FeeCatalog:
    """Show what everything costs now. What was charged before keeps the price of its time."""
    now = call.db.now
    overview = await report_queries.find_overview(call.db, call.tenant.org_id)
    if overview is None:
        raise NotFound
    return FeeCatalog.of(overview.plan, lambda kind: rules.prices_at(prices.prices(), kind, now))


def _window(call: Call[NoInput, TransactionQuery] | Call[NoInput, UsageQuery], *, is_bounded: bool) -> Window:
    """What the caller's range and cursor leave to be shown. Raises ValidationFailed."""
    query: RangeQuery = call.query
    window = rules.window(
        None if query.begins_at is UNSET else in_utc(query.begins_at, "from"),
        None if query.ends_at is UNSET else in_utc(query.ends_at, "to"),
        now=call.db.now,
        max_span=rules.MAX_SHOWN if is_bounded else None,
    )
    if query.cursor is UNSET:
        return window
    place = cursors.decode_row(query.cursor)
    return replace(window, before_at=place.at, before_id=place.id) if place.at < window.before_at else window
