"""What an operator watches: how far carriers are behind the wish, what is odd, what waits.

A worker counts once a minute and leaves the counts in the directory; every API process shows the last ones. So a scrape
costs one row, however many numbers, processes and scrapers there are.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agentmessage.app.monitoring import message_queries, number_queries, queries
from agentmessage.app.monitoring.connections import WORKER_SILENCE
from agentmessage.app.monitoring.receipts import stray_receipts
from agentmessage.app.monitoring.workers import living_lines
from agentmessage.audit import sealer
from agentmessage.inbound import operations as inbound
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.rollups import operations as rollups
from agentmessage.webhooks import monitoring_queries as webhooks

COUNT_EVERY = timedelta(seconds=60)
RECENT = timedelta(hours=24)
MAX_STRAYS = 10_000

HELP = {
    "lines": "Numbers by phase of their carrier side.",
    "lines_due": "Numbers that the reconciler should look at now.",
    "carrier_orders": "Carrier orders that are not over, by state.",
    "oldest_pending_seconds": "How long the oldest wish has waited for its carrier.",
    "drift_open": "Differences found by sweeps that are not healed.",
    "odd_answers": "Carrier and registry answers of the last 24 hours that nobody understood.",
    "odd_callbacks": "Callbacks of the last 24 hours that nobody understood or whose subject is unknown.",
    "inbound_problems": "Texts of the last 24 hours that were kept but not applied, by why.",
    "jobs_due": "Jobs that should have run.",
    "texts_waiting": "Texts that the carrier has not taken: due, for later, handed over without an answer, or held.",
    "oldest_text_seconds": "How long the oldest due text has waited.",
    "lanes_paused": "Lanes that wait because the carrier asked for patience.",
    "receipts_missing": "Parts handed over one to ten minutes ago without a receipt.",
    "stray_receipts": "Receipts of the last 24 hours that match no message, up to 10,000.",
    "texts_unknown": "Texts of the last 24 hours of which nobody knows whether the carrier took them.",
    "text_line_up": "Whether a worker's line to a carrier of texts stands.",
    "worker_clock_skew_seconds": "How far the clock of a worker's machine is ahead of the database's.",
    "webhooks_waiting": "Deliveries that wait, due or for later, by whether their receivers answer well.",
    "oldest_webhook_seconds": "How long the oldest due delivery has waited, by whether its receiver answers well.",
    "webhook_receivers": "Receivers, by whether they answer well.",
    "webhook_attempts": "Attempts of the last minute, by outcome.",
    "sweep_age_seconds": "Since the last drift sweep ended.",
    "sums_age_seconds": "How far the sums that metrics read are behind.",
    "audit_unsealed_seconds": "How long the oldest row of the audit log has waited for its seal.",
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
    samples += await _count_strays(cells)
    for name in await cells.names():
        samples += await _count_cell(await cells.cell(name))
    await queries.save_gauges(directory, samples)
    return True


async def _count_directory(db: CellDb) -> list[Sample]:
    samples = [Sample("odd_answers", {}, await queries.count_odd_answers(db, db.now - RECENT))]
    for sweep in await number_queries.list_sweeps(db):
        if sweep.finished_at is not None:
            age_s = (db.now - sweep.finished_at).total_seconds()
            samples.append(Sample("sweep_age_seconds", {"account": sweep.account}, age_s))
    return samples


async def _count_strays(cells: Cells) -> list[Sample]:
    strays = Counter(stray.account for stray in await stray_receipts(cells, limit=MAX_STRAYS))
    return [Sample("stray_receipts", {"account": account}, strays[account]) for account in ("live", "sandbox")]


async def _count_cell(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await number_queries.count_phases(db):
        labels = {**cell, "account": row.account, "phase": row.phase}
        samples.append(Sample("lines", labels, row.numbers))
        samples.append(Sample("lines_due", labels, row.due))
        if row.oldest_wish_at is not None:
            age_s = (db.now - row.oldest_wish_at).total_seconds()
            samples.append(Sample("oldest_pending_seconds", labels, age_s))
    samples += [
        Sample("carrier_orders", {**cell, "account": row.account, "state": row.state}, row.orders)
        for row in await number_queries.count_orders(db)
    ]
    samples.append(Sample("drift_open", cell, await queries.count_open_drift(db)))
    samples.append(Sample("odd_callbacks", cell, await queries.count_odd_callbacks(db, db.now - RECENT)))
    for problem, texts in (await inbound.count_problems(db, db.now - RECENT)).items():
        samples.append(Sample("inbound_problems", {**cell, "problem": problem}, texts))
    samples.append(Sample("jobs_due", cell, await queries.count_due_jobs(db)))
    now, unsealed_at = db.now, await sealer.oldest_unsealed_at(db)
    for name, since in (("sums_age_seconds", await rollups.as_of(db)), ("audit_unsealed_seconds", unsealed_at or now)):
        samples.append(Sample(name, cell, (now - since).total_seconds()))
    return samples + await _count_texts(db) + await _count_webhooks(db)


async def _count_texts(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await message_queries.count_queue(db):
        labels = {**cell, "account": row.account}
        for state, texts in (("due", row.due), ("later", row.later), ("handed", row.handed), ("held", row.held)):
            samples.append(Sample("texts_waiting", {**labels, "state": state}, texts))
        if row.oldest_at is not None:
            samples.append(Sample("oldest_text_seconds", labels, (db.now - row.oldest_at).total_seconds()))
    for name, counts in (
        ("lanes_paused", await message_queries.count_paused_lanes(db)),
        ("receipts_missing", await message_queries.count_missing_receipts(db)),
        ("texts_unknown", await message_queries.count_unknown(db, db.now - RECENT)),
    ):
        samples += [Sample(name, {**cell, "account": row.account}, row.count) for row in counts]
    return samples


async def _count_webhooks(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await webhooks.count_waiting(db):
        labels = {**cell, "receivers": "failing" if row.is_failing else "healthy"}
        samples.append(Sample("webhook_receivers", labels, row.receivers))
        samples.append(Sample("webhooks_waiting", {**labels, "state": "due"}, row.due))
        samples.append(Sample("webhooks_waiting", {**labels, "state": "later"}, row.later))
        if row.oldest_at is not None:
            samples.append(Sample("oldest_webhook_seconds", labels, (db.now - row.oldest_at).total_seconds()))
    return samples + [
        Sample("webhook_attempts", {**cell, "outcome": row.outcome}, row.count)
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
        Sample("text_line_up", {"worker": line.worker, "account": line.account, "carrier": line.carrier}, line.is_up)
        for line in await living_lines(cells)
        if line.is_up is not None
    ]


def _registered(samples: Sequence[Sample]) -> CollectorRegistry:
    registry = CollectorRegistry()
    for name, text in HELP.items():
        mine = [sample for sample in samples if sample.name == name]
        labels = sorted({label for sample in mine for label in sample.labels})
        gauge = Gauge(f"agentmessage_{name}", text, labels, registry=registry)
        for sample in mine:
            shown = gauge.labels(*(sample.labels.get(label, "") for label in labels)) if labels else gauge
            shown.set(sample.value)
    return registry
