"""What time and other rooms do to numbers: quarantine ends, a paid month ends, a campaign is given up.

Every pass works in batches of one transaction each and may run side by side with others: rows that another pass holds
are left for the next pass.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.billing.model import Charge, UsageKind
from agentmessage.kernel.batches import run_in_batches
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.tenant import Tenant, operator
from agentmessage.numbers import operations
from agentmessage.numbers.errors import NumberNotAssigned
from agentmessage.numbers.model import NumberState
from agentmessage.numbers.orders import renewal_queries, rules
from agentmessage.numbers.orders.model import Owed
from agentmessage.outbox.job_runner import Done, Snooze

BATCH = 500
MAX_BATCHES = 200
DETACH_BATCH = 200
ORDERING_S = 2.0


async def run_end_quarantine(cells: Cells) -> int:
    """Put numbers into the pool whose quarantine is over and which are surely unbound; returns how many."""
    ended = 0
    for name in await cells.names():
        db = await cells.cell(name)
        ended += await run_in_batches(partial(_end_quarantines, db), max_batches=MAX_BATCHES)
    return ended


async def _end_quarantines(db: CellDb) -> int:
    async with db.transaction() as tx:
        return await renewal_queries.end_quarantines(tx, limit=BATCH)


async def run_renewals(cells: Cells) -> int:
    """Charge the next month of every number whose paid month is over; returns how many months were charged.

    A wallet may go below zero for it: a number in service is not taken away for want of money. Each month is charged
    once, by its occasion in the ledger; a worker that was away for months charges each of them in turn.
    """
    renewed = 0
    for name in await cells.names():
        db = await cells.cell(name)
        renewed += await run_in_batches(partial(_renew, db), max_batches=MAX_BATCHES)
    return renewed


async def _renew(db: CellDb) -> int:
    """The numbers that are due, at most a batch; wallets are locked in one order, so that two passes never deadlock."""
    async with db.transaction() as tx:
        owed = await renewal_queries.claim_owed(tx, limit=BATCH)
        by_owner: dict[tuple[UUID, str], list[Owed]] = {}
        for due in owed:
            by_owner.setdefault((due.org_id, due.account), []).append(due)
        for org_id, account in sorted(by_owner):
            charges = [_month(due) for due in by_owner[org_id, account]]
            await billing.charge_many(tx, operator(org_id, db.name, account), charges, may_overdraw=True)
        until = [rules.next_anniversary(due.since_at, due.charged_until) for due in owed]
        await renewal_queries.extend(tx, [due.id for due in owed], until)
    return len(owed)


def _month(owed: Owed) -> Charge:
    return rules.renewal(owed, billing.price(UsageKind.NUMBER_MONTH, owed.number_type, owed.charged_until))


async def detach_campaign(db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
    """Take every number off a campaign that was given up, in the name of who gave it up. Twice does what once does.

    A number that is still being ordered is waited for: it can only be detached once it is assigned.
    """
    tenant = _on_behalf(db, arguments)
    waiting = await renewal_queries.list_wishing(
        db, tenant.org_id, UUID(str(arguments["campaign_id"])), limit=DETACH_BATCH
    )
    assigned = [number_id for number_id, state in waiting if state == NumberState.ASSIGNED]
    for number_id in assigned:
        try:
            await operations.detach(db, tenant, number_id)
        except (NotFound, NumberNotAssigned):  # released meanwhile: off the campaign all the same
            continue
    if not waiting:
        return Done()
    return Snooze(0.0 if assigned else ORDERING_S)


def _on_behalf(db: CellDb, arguments: Mapping[str, Any]) -> Tenant:
    """Who gave the campaign up, for the audit log; the platform when the job does not say."""
    tenant = operator(UUID(str(arguments["org_id"])), db.name, str(arguments.get("account") or "live"))
    return Tenant(
        tenant.org_id,
        tenant.cell,
        tenant.account,
        str(arguments.get("actor_kind") or tenant.actor_kind),
        str(arguments.get("actor_label") or tenant.actor_label),
        str(arguments.get("request_id") or ""),
        frozenset(),
    )
