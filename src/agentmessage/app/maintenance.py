"""What time asks for: subscriptions at the carriers, and forgetting what has outlived its promise."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import structlog

from agentmessage.app import callback_queries
from agentmessage.app.monitoring import queries as monitoring_queries
from agentmessage.app.providers.carriers import CarrierSet
from agentmessage.billing.payments import queries as payment_queries
from agentmessage.carriers.protocols import Accepted
from agentmessage.inbound import operations as inbound
from agentmessage.kernel.batches import run_in_batches
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.lookups import operations as lookups
from agentmessage.media.store import ObjectStore
from agentmessage.messages import retention
from agentmessage.numbers.binding import carrier_order_queries
from agentmessage.numbers.orders import renewals
from agentmessage.outbox import queries as outbox_queries
from agentmessage.rollups import aggregator
from agentmessage.settings import Settings
from agentmessage.web import idempotency
from agentmessage.webhooks import operations as webhooks

log = structlog.get_logger("agentmessage.worker")

SUBSCRIBE_EVERY_S = 300.0
"""Subscribing again is harmless and heals a subscription that somebody deleted at the carrier."""

SUBSCRIBE_AGAIN_S = 10.0
"""After one that failed, as when the worker starts before its carrier can be reached."""

EVENTS_KEPT = timedelta(days=90)
CALLBACKS_KEPT = timedelta(days=30)
CARRIER_ORDERS_KEPT = timedelta(days=90)
WORKERS_KEPT = timedelta(days=1)
ODD_ANSWERS_KEPT = 1000


async def subscribe_all(carriers: Mapping[str, CarrierSet], settings: Settings) -> bool:
    """Ask carriers and registry to call us; False: one did not take it, so ask again soon.

    They are hints only, so a refusal is logged and the polls go on.
    """
    public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    is_done = True
    for account, carrier in carriers.items():
        for source, subscriber in (
            ("carrier", carrier.carrier_subscriptions),
            ("registry", carrier.registry_subscriptions),
            ("messages", carrier.text_subscriptions),
        ):
            if subscriber is None:
                continue
            answer = await subscriber.subscribe(f"{public_url}/callbacks/{source}/{account}")
            if not isinstance(answer, Accepted):
                log.warning("callback subscription failed", account=account, source=source, response=str(answer)[:300])
                is_done = False
    return is_done


async def tidy(cells: Cells, settings: Settings) -> None:
    """Charge what is owed, recycle what is over, forget what is old; in bounded batches, in every cell."""
    await renewals.run_renewals(cells)
    await renewals.run_end_quarantine(cells)
    directory = await cells.directory()
    await monitoring_queries.forget_workers(directory, directory.now - WORKERS_KEPT)
    await outbox_queries.forget_unparsed_responses(directory, directory.now - CALLBACKS_KEPT, most=ODD_ANSWERS_KEPT)
    for name in await cells.names():
        await _tidy_cell(await cells.cell(name), settings)


async def forget_content(cells: Cells, store: ObjectStore) -> None:
    """Redact what organizations no longer keep of texts, files and lookups, in every cell."""
    for name in await cells.names():
        db = await cells.cell(name)
        await retention.sweep(db, store)
        await lookups.forget_results(db)


async def _tidy_cell(db: CellDb, settings: Settings) -> None:
    now = db.now
    await inbound.tidy(db, requires_propagation=settings.require_propagation, floor_cents=settings.wallet_floor_cents)
    for forget in (
        partial(idempotency.delete_old, db, now=now, hours=settings.idempotency_hours),
        partial(outbox_queries.delete_events_before, db, now - EVENTS_KEPT),
        partial(callback_queries.forget_callbacks, db, now - CALLBACKS_KEPT),
        partial(carrier_order_queries.delete_finished, db, now - CARRIER_ORDERS_KEPT),
        partial(inbound.forget_raw, db),
        partial(aggregator.forget, db, now),
        partial(payment_queries.delete_events_before, db, now - EVENTS_KEPT),
        partial(webhooks.forget_attempts, db, now=now),
    ):
        await run_in_batches(forget)
