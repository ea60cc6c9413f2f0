"""What an operator watches: how far carriers are behind the wish, what is odd, what waits.

A worker counts once a minute and leaves the counts in the directory; every API process shows the last ones. So a scrape
costs one row, however many numbers, processes and scrapers there are.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agentmessage.app import operator_queries, queries
from agentmessage.inbound import operations as inbound
from agentmessage.kernel.db import CellDb, Cells

COUNT_EVERY = timedelta(seconds=60)
RECENT = timedelta(hours=24)

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
    "sweep_age_seconds": "Since the last drift sweep ended.",
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
    for name in await cells.names():
        samples += await _count_cell(await cells.cell(name))
    await queries.save_gauges(directory, samples)
    return True


async def _count_directory(db: CellDb) -> list[Sample]:
    samples = [Sample("odd_answers", {}, await queries.count_odd_answers(db, db.now - RECENT))]
    for sweep in await operator_queries.list_sweeps(db):
        if sweep.finished_at is not None:
            age_s = (db.now - sweep.finished_at).total_seconds()
            samples.append(Sample("sweep_age_seconds", {"account": sweep.account}, age_s))
    return samples


async def _count_cell(db: CellDb) -> list[Sample]:
    cell = {"cell": db.name}
    samples: list[Sample] = []
    for row in await operator_queries.count_phases(db):
        labels = {**cell, "account": row.account, "phase": row.phase}
        samples.append(Sample("lines", labels, row.numbers))
        samples.append(Sample("lines_due", labels, row.due))
        if row.oldest_wish_at is not None:
            age_s = (db.now - row.oldest_wish_at).total_seconds()
            samples.append(Sample("oldest_pending_seconds", labels, age_s))
    samples += [
        Sample("carrier_orders", {**cell, "account": row.account, "state": row.state}, row.orders)
        for row in await operator_queries.count_orders(db)
    ]
    samples.append(Sample("drift_open", cell, await queries.count_open_drift(db)))
    samples.append(Sample("odd_callbacks", cell, await queries.count_odd_callbacks(db, db.now - RECENT)))
    for problem, texts in (await inbound.count_problems(db, db.now - RECENT)).items():
        samples.append(Sample("inbound_problems", {**cell, "problem": problem}, texts))
    samples.append(Sample("jobs_due", cell, await queries.count_due_jobs(db)))
    return samples


async def show(cells: Cells) -> bytes:
    """The last counts as Prometheus text."""
    stored = await queries.read_gauges(await cells.directory())
    return generate_latest(_registered(msgspec.convert(stored or [], list[Sample])))


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
