"""Gauges for Prometheus: bindings behind their desired state, queue lengths, unparsed responses, lags.

One worker counts once a minute and stores the counts in the directory; every API process exports the stored counts.
A scrape therefore reads one row, independent of the number of phone numbers, processes and scrapers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agentmessage.app.monitoring import message_queries, number_queries, queries
from agentmessage.app.monitoring.connections import WORKER_SILENCE
from agentmessage.app.monitoring.receipts import unmatched_receipts
from agentmessage.app.monitoring.workers import live_connections
from agentmessage.audit import sealer
from agentmessage.inbound import operations as inbound
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.rollups import operations as rollups
from agentmessage.webhooks import monitoring_queries as webhooks

COUNT_EVERY = timedelta(seconds=60)
RECENT = timedelta(hours=24)
MAX_UNMATCHED = 10_000

HELP = {
    "phone_number_bindings": "Phone numbers, by phase of their campaign binding at the carrier.",
    "phone_number_bindings_due": "Phone numbers whose binding is due for a reconciler run.",
    "carrier_orders": "Unfinished carrier orders, by state.",
    "oldest_pending_binding_seconds": "Seconds that the oldest unfulfilled desired binding has waited for its carrier.",
    "binding_drift_open": "Differences found by drift sweeps and not repaired.",
    "unparsed_carrier_responses": "Carrier and registry responses of the last 24 hours that could not be parsed.",
    "unparsed_carrier_callbacks": "Callbacks of the last 24 hours that could not be parsed or have no known subject.",
    "inbound_messages_unprocessed": "Inbound messages of the last 24 hours stored but not processed, by problem.",
    "jobs_due": "Jobs that are due and have not run.",
    "messages_queued": "Messages that the carrier has not accepted: due, delayed, in_flight (no response yet) or held.",
    "oldest_queued_message_seconds": "Seconds that the oldest due message has waited.",
    "send_queues_paused": "Send queues paused at the carrier's request.",
    "receipts_missing": "Message parts submitted one to ten minutes ago that have no delivery receipt.",
    "unmatched_receipts": "Delivery receipts of the last 24 hours that match no message, at most 10,000.",
    "messages_outcome_unknown": "Messages of the last 24 hours with no known outcome at the carrier.",
    "carrier_connection_up": "1 if the worker's connection to the message carrier is established, else 0.",
    "worker_clock_skew_seconds": "Seconds that the clock of a worker's machine is ahead of the database's.",
    "webhook_deliveries_queued": "Queued webhook deliveries, due or delayed, by health of their endpoints.",
    "oldest_queued_webhook_delivery_seconds": "Seconds that the oldest due delivery has waited, by endpoint health.",
    "webhook_endpoints": "Webhook endpoints, by health.",
    "webhook_attempts_per_minute": "Webhook delivery attempts of the last minute, by outcome.",
    "drift_sweep_age_seconds": "Seconds since the last drift sweep of the account finished.",
    "rollup_lag_seconds": "Seconds that metric rollups are behind the events.",
    "audit_seal_lag_seconds": "Seconds that the oldest audit log row has waited for its seal.",
}

LABELS: Mapping[str, tuple[str, ...]] = {
    "phone_number_bindings": ("cell", "account", "phase"),
    "phone_number_bindings_due": ("cell", "account", "phase"),
    "carrier_orders": ("cell", "account", "state"),
    "oldest_pending_binding_seconds": ("cell", "account", "phase"),
    "binding_drift_open": ("cell",),
    "unparsed_carrier_responses": (),
    "unparsed_carrier_callbacks": ("cell",),
    "inbound_messages_unprocessed": ("cell", "problem"),
    "jobs_due": ("cell",),
    "messages_queued": ("cell", "account", "state"),
    "oldest_queued_message_seconds": ("cell", "account"),
    "send_queues_paused": ("cell", "account"),
    "receipts_missing": ("cell", "account"),
    "unmatched_receipts": ("account",),
    "messages_outcome_unknown": ("cell", "account"),
    "carrier_connection_up": ("worker", "account", "carrier"),
    "worker_clock_skew_seconds": ("worker",),
    "webhook_deliveries_queued": ("cell", "health", "state"),
    "oldest_queued_webhook_delivery_seconds": ("cell", "health"),
    "webhook_endpoints": ("cell", "health"),
    "webhook_attempts_per_minute": ("cell", "outcome"),
    "drift_sweep_age_seconds": ("account",),
    "rollup_lag_seconds": ("cell",),
    "audit_seal_lag_seconds": ("cell",),
}


class Sample(Struct, frozen=True):
    """One counted figure with its labels."""

    name: str
    labels: dict[str, str]
    value: float


async def count_if_due(cells: Cells) -> bool:
    """Count everything, unless another worker has within the minute."""
    directory = await cells.directory()
    if not await queries.claim_gauges(directory, before=directory.now - COUNT_EVERY):
        return False
    samples = await _count_directory(directory)
    samples += await _count_unmatched(cells)
    for name in await cells.names():
        samples += await _count_cell(await cells.cell(name))
    await queries.save_gauges(directory, samples)
    return True


async def _count_directory(db: CellDb) -> list[Sample]:
    samples = [Sample("unparsed_carrier_responses", {}, await queries.count_unparsed_responses(db, db.now - RECENT))]
    for sweep in await number_queries.list_sweeps(db):
        if sweep.finished_at is not None:
            age_s = (db.now - sweep.finished_at).total_seconds()
            samples.append(Sample("drift_sweep_age_seconds", {"account": sweep.account}, age_s))
    return samples


async def _count_unmatched(cells: Cells) -> list[Sample]:
    receipts = Counter(receipt.account for receipt in await unmatched_receipts(cells, limit=MAX_UNMATCHED))
    return [Sample("unmatched_receipts", {"account": account}, receipts[account]) for account in ("live", "sandbox")]


async def _count_cell(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await number_queries.count_phases(db):
        labels = {**cell, "account": row.account, "phase": row.phase}
        samples.append(Sample("phone_number_bindings", labels, row.numbers))
        samples.append(Sample("phone_number_bindings_due", labels, row.due))
        if row.oldest_desired_at is not None:
            age_s = (db.now - row.oldest_desired_at).total_seconds()
            samples.append(Sample("oldest_pending_binding_seconds", labels, age_s))
    samples += [
        Sample("carrier_orders", {**cell, "account": row.account, "state": row.state}, row.orders)
        for row in await number_queries.count_orders(db)
    ]
    samples.append(Sample("binding_drift_open", cell, await queries.count_open_drift(db)))
    samples.append(Sample("unparsed_carrier_callbacks", cell, await queries.count_odd_callbacks(db, db.now - RECENT)))
    for problem, texts in (await inbound.count_problems(db, db.now - RECENT)).items():
        samples.append(Sample("inbound_messages_unprocessed", {**cell, "problem": problem}, texts))
    samples.append(Sample("jobs_due", cell, await queries.count_due_jobs(db)))
    now, unsealed_at = db.now, await sealer.oldest_unsealed_at(db)
    for name, since in (
        ("rollup_lag_seconds", await rollups.as_of(db)),
        ("audit_seal_lag_seconds", unsealed_at or now),
    ):
        samples.append(Sample(name, cell, (now - since).total_seconds()))
    return samples + await _count_texts(db) + await _count_webhooks(db)


async def _count_texts(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await message_queries.count_queue(db):
        labels = {**cell, "account": row.account}
        for state, count in (
            ("due", row.due),
            ("delayed", row.delayed),
            ("in_flight", row.in_flight),
            ("held", row.held),
        ):
            samples.append(Sample("messages_queued", {**labels, "state": state}, count))
        if row.oldest_at is not None:
            samples.append(Sample("oldest_queued_message_seconds", labels, (db.now - row.oldest_at).total_seconds()))
    for name, counts in (
        ("send_queues_paused", await message_queries.count_paused_queues(db)),
        ("receipts_missing", await message_queries.count_missing_receipts(db)),
        ("messages_outcome_unknown", await message_queries.count_unknown(db, db.now - RECENT)),
    ):
        samples += [Sample(name, {**cell, "account": row.account}, row.count) for row in counts]
    return samples


async def _count_webhooks(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await webhooks.count_waiting(db):
        labels = {**cell, "health": "failing" if row.is_failing else "healthy"}
        samples.append(Sample("webhook_endpoints", labels, row.endpoints))
        samples.append(Sample("webhook_deliveries_queued", {**labels, "state": "due"}, row.due))
        samples.append(Sample("webhook_deliveries_queued", {**labels, "state": "delayed"}, row.delayed))
        if row.oldest_at is not None:
            samples.append(
                Sample("oldest_queued_webhook_delivery_seconds", labels, (db.now - row.oldest_at).total_seconds())
            )
    return samples + [
        Sample("webhook_attempts_per_minute", {**cell, "outcome": row.outcome}, row.count)
        for row in await webhooks.count_attempts(db, db.now - COUNT_EVERY)
    ]


async def show(cells: Cells) -> bytes:
    """The last counts, and how lines stand right now, as Prometheus text."""
    stored = msgspec.convert(await queries.read_gauges(await cells.directory()) or [], list[Sample])
    return generate_latest(_registered([*stored, *await _lines(cells), *await _skews(cells)]))


async def _skews(cells: Cells) -> list[Sample]:
    directory = await cells.directory()
    return [
        Sample("worker_clock_skew_seconds", {"worker": worker}, skew_s)
        for worker, skew_s in await queries.list_skews(directory, directory.now - WORKER_SILENCE)
    ]


async def _lines(cells: Cells) -> list[Sample]:
    return [
        Sample(
            "carrier_connection_up",
            {"worker": line.worker, "account": line.account, "carrier": line.carrier},
            line.is_up,
        )
        for line in await live_connections(cells)
        if line.is_up is not None
    ]


def _registered(samples: Sequence[Sample]) -> CollectorRegistry:
    registry = CollectorRegistry()
    for name, text in HELP.items():
        mine = [sample for sample in samples if sample.name == name]
        labels = LABELS[name] if mine else ()
        gauge = Gauge(f"agentmessage_{name}", text, labels, registry=registry)
        for sample in mine:
            shown = gauge.labels(*(sample.labels.get(label, "") for label in labels)) if labels else gauge
            shown.set(sample.value)
    return registry
