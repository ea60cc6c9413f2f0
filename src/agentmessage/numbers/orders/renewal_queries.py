"""Every statement on what time does to numbers: quarantine ends, months end, numbers go back to the carrier.

These jobs work for all organizations of a cell at once; what they find names its organization.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.numbers.orders.model import Owed


class Leaving(Struct, frozen=True):
    """A released number on its way back to the carrier. `is_unbound`: the carrier surely has no campaign on it."""

    released_at: datetime
    is_unbound: bool


async def end_quarantines(tx: Executor, *, limit: int) -> int:
    """Put numbers into the pool whose quarantine is over and which the carrier has surely unbound; returns how many.

    Generation and submission count go along, so that a late answer about the last owner is never news about the next.
    Rows that a request or the reconciler holds are left for the next time. By inventory_quarantine_idx.
    """
    return await tx.run(
        """WITH ended AS (
               SELECT p.id, p.account, p.number, p.generation, l.op_seq, l.observed = 'absent' AS is_observed
               FROM phone_numbers p JOIN line_options l ON l.phone_number_id = p.id
                    JOIN directory.inventory i ON i.account = p.account AND i.number = p.number
               WHERE i.state = 'quarantined' AND i.available_at <= $1 AND p.state = 'quarantined'
                 AND NOT p.return_to_carrier AND l.phase = 'unbound' AND l.op_order_id IS NULL
                 AND l.observed <> 'present'
               ORDER BY i.available_at LIMIT $2 FOR UPDATE OF p, l SKIP LOCKED),
           gone AS (
               DELETE FROM phone_numbers p USING ended WHERE p.id = ended.id)
           UPDATE directory.inventory i
           SET state = 'available', org_id = NULL, cell = NULL, available_at = NULL, generation = ended.generation,
               op_seq = greatest(i.op_seq, ended.op_seq), is_observed = ended.is_observed, updated_at = $1
           FROM ended WHERE i.account = ended.account AND i.number = ended.number""",
        tx.now,
        limit,
    )


async def claim_owed(tx: Executor, *, limit: int) -> list[Owed]:
    """Numbers whose paid month is over, longest first, skipping what others hold; by phone_numbers_owed_idx.

    Of one that was released, only months that had begun by then: who releases late in a month when no worker ran
    to charge it owes that month all the same.
    """
    return await tx.all(
        Owed,
        """SELECT id, org_id, account, number_type, created_at, charged_until FROM phone_numbers
           WHERE (state = 'assigned' OR charged_until <= released_at) AND charged_until <= $1
           ORDER BY charged_until LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED""",
        tx.now,
        limit,
    )


async def extend(tx: Executor, ids: Sequence[UUID], until: Sequence[datetime]) -> None:
    """Write until when numbers are paid for."""
    await tx.run(
        """UPDATE phone_numbers p SET charged_until = u.until
           FROM unnest($1::uuid[], $2::timestamptz[]) u (id, until) WHERE p.id = u.id""",
        ids,
        until,
    )


async def find_leaving(db: Executor, org_id: UUID, number: str, account: str) -> Leaving | None:
    """A number that its organization has released to the carrier."""
    return await db.one(
        Leaving,
        """SELECT p.released_at, l.phase = 'unbound' AND l.op_order_id IS NULL AND l.observed = 'absent'
                  AND l.applied_generation = p.generation
           FROM phone_numbers p JOIN line_options l ON l.phone_number_id = p.id
           WHERE p.org_id = $1 AND p.account = $2 AND p.number = $3 AND p.state = 'quarantined'
             AND p.return_to_carrier""",
        org_id,
        account,
        number,
    )


async def retire(tx: Executor, org_id: UUID, account: str, number: str) -> int:
    """A number is the carrier's again: the ownership ends, the inventory remembers only its generation."""
    return await tx.run(
        """WITH gone AS (
               DELETE FROM phone_numbers p USING line_options l
               WHERE p.org_id = $1 AND p.account = $2 AND p.number = $3 AND p.state = 'quarantined'
                 AND p.return_to_carrier AND l.phone_number_id = p.id
               RETURNING p.generation, l.op_seq)
           UPDATE directory.inventory i
           SET state = 'retired', org_id = NULL, cell = NULL, available_at = NULL, generation = gone.generation,
               op_seq = greatest(i.op_seq, gone.op_seq), is_observed = true, updated_at = $4
           FROM gone WHERE i.account = $2 AND i.number = $3""",
        org_id,
        account,
        number,
        tx.now,
    )


async def list_wishing(db: Executor, org_id: UUID, campaign_id: UUID, *, limit: int) -> list[tuple[UUID, str]]:
    """Id and state of numbers whose desired campaign this is; by phone_numbers_campaign_idx."""
    return await db.all(
        _stated,
        "SELECT id, state FROM phone_numbers WHERE org_id = $1 AND campaign_id = $2 ORDER BY state, id LIMIT $3",
        org_id,
        campaign_id,
        limit,
    )


def _stated(number_id: UUID, state: str) -> tuple[UUID, str]:
    return number_id, state
