"""Every statement on line options, carrier orders and their members.

These are the reconciler's own tables; it works for all organizations of a cell at once, so its statements are keyed by
number or order and not by tenant. What a customer reads goes through `find_line`, which asks for the tenant.

Locks are always taken in one order: phone_numbers before line_options, numbers in ascending order, campaigns last.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding.model import Line


async def due_organizations(tx: Executor, accounts: Sequence[str], *, now: datetime, limit: int) -> list[UUID]:
    """Organizations that have a line due: one step of line_options_fair_idx each, however many lines each has."""
    return await tx.all(
        _id,
        """WITH RECURSIVE o (org_id) AS (
               (SELECT org_id FROM line_options WHERE due_at IS NOT NULL ORDER BY org_id LIMIT 1)
               UNION ALL
               SELECT (SELECT l.org_id FROM line_options l WHERE l.due_at IS NOT NULL AND l.org_id > o.org_id
                       ORDER BY l.org_id LIMIT 1)
               FROM o WHERE o.org_id IS NOT NULL)
           SELECT d.org_id FROM o CROSS JOIN LATERAL (
               SELECT l.org_id, l.due_at FROM line_options l
               WHERE l.org_id = o.org_id AND l.due_at <= $1 AND l.account = ANY($2) ORDER BY l.due_at LIMIT 1) d
           ORDER BY d.due_at LIMIT $3""",
        now,
        accounts,
        limit,
    )


async def claim_due(
    tx: Executor, organizations: Sequence[UUID], accounts: Sequence[str], *, now: datetime, share: int
) -> list[Line]:
    """Lock the lines that are due, at most `share` of each organization, those that wait longest first.

    Skips what another worker or a request holds. One tenant's hundred thousand do not delay another's one.
    """
    ids = await tx.all(
        _id,
        """SELECT d.id FROM unnest($1::uuid[]) o (org_id) CROSS JOIN LATERAL (
               SELECT l.phone_number_id AS id FROM line_options l JOIN phone_numbers p ON p.id = l.phone_number_id
               WHERE l.org_id = o.org_id AND l.due_at <= $2 AND l.account = ANY($3) AND p.state <> 'ordering'
               ORDER BY l.due_at LIMIT $4 FOR NO KEY UPDATE OF p, l SKIP LOCKED) d""",
        organizations,
        now,
        accounts,
        share,
    )
    return await _read_locked(tx, ids)


async def next_due_at(db: Executor) -> datetime | None:
    """When the next line of this cell is due."""
    moment: datetime | None = await db.value("SELECT min(due_at) FROM line_options")
    return moment


async def lock_by_order(tx: Executor, order_id: UUID) -> list[Line]:
    """Lock the lines whose operation is under way in one carrier order."""
    ids = await tx.all(
        _id,
        """SELECT l.phone_number_id FROM line_options l JOIN phone_numbers p ON p.id = l.phone_number_id
           WHERE l.op_order_id = $1 ORDER BY l.number FOR NO KEY UPDATE OF p, l""",
        order_id,
    )
    return await _read_locked(tx, ids)


async def lock_by_number(tx: Executor, account: str, numbers: Sequence[str]) -> list[Line]:
    """Lock the lines of some numbers of one account."""
    ids = await tx.all(
        _id,
        """SELECT l.phone_number_id FROM line_options l JOIN phone_numbers p ON p.id = l.phone_number_id
           WHERE l.account = $1 AND l.number = ANY($2) ORDER BY l.number FOR NO KEY UPDATE OF p, l""",
        account,
        numbers,
    )
    return await _read_locked(tx, ids)


async def _read_locked(tx: Executor, ids: Sequence[UUID]) -> list[Line]:
    """Lines that this transaction has locked, in the order given.

    A statement of its own: one that waits for a lock sees the row as it has become, but the joined campaign as it
    was before, and a desired campaign that changed meanwhile would seem to be a campaign that does not exist.
    """
    if not ids:
        return []
    return await tx.all(
        Line,
        """SELECT l.phone_number_id, l.org_id, l.account, l.number, p.line_option_status, p.generation, p.campaign_id,
                  c.tcr_campaign_id, c.status, c.is_suspended, c.number_cap, l.phase, l.observed, l.observed_campaign,
                  l.observed_status, l.observed_at, l.operators, l.applied_generation, l.op_seq, l.op_order_id,
                  l.op_campaign, l.op_generation, l.op_submitted_at, l.op_accepted_at, l.op_deadline_at,
                  coalesce(o.submissions > 0, false), l.attempts, l.trouble, l.error_code, l.error_text,
                  l.differs_count, l.differs_since, l.due_at
           FROM unnest($1::uuid[]) WITH ORDINALITY u (id, position)
                JOIN line_options l ON l.phone_number_id = u.id JOIN phone_numbers p ON p.id = u.id
                LEFT JOIN campaigns c ON c.id = p.campaign_id LEFT JOIN carrier_orders o ON o.id = l.op_order_id
           ORDER BY u.position""",
        ids,
    )


async def save(tx: Executor, lines: Sequence[Line]) -> None:
    """Write lines that this transaction has locked, all in one statement."""
    columns = zip(*(_saved(line) for line in lines), strict=True)
    await tx.run(
        """UPDATE line_options l SET phase = u.phase, observed = u.observed, observed_campaign = u.observed_campaign,
               observed_status = u.observed_status, observed_at = u.observed_at, operators = u.operators,
               applied_generation = u.applied_generation, op_seq = u.op_seq, op_order_id = u.op_order_id,
               op_campaign = u.op_campaign, op_generation = u.op_generation, op_submitted_at = u.op_submitted_at,
               op_accepted_at = u.op_accepted_at, op_deadline_at = u.op_deadline_at, attempts = u.attempts,
               trouble = u.trouble, error_code = u.error_code, error_text = u.error_text,
               differs_count = u.differs_count, differs_since = u.differs_since, due_at = u.due_at, updated_at = $1
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[],
                       $9::bigint[], $10::bigint[], $11::uuid[], $12::text[], $13::bigint[], $14::timestamptz[],
                       $15::timestamptz[], $16::timestamptz[], $17::int[], $18::text[], $19::text[], $20::text[],
                       $21::int[], $22::timestamptz[], $23::timestamptz[])
                AS u (id, phase, observed, observed_campaign, observed_status, observed_at, operators,
                      applied_generation, op_seq, op_order_id, op_campaign, op_generation, op_submitted_at,
                      op_accepted_at, op_deadline_at, attempts, trouble, error_code, error_text, differs_count,
                      differs_since, due_at)
           WHERE l.phone_number_id = u.id""",
        tx.now,
        *(list(column) for column in columns),
    )


def _saved(line: Line) -> tuple[Any, ...]:
    return (
        line.id,
        line.phase,
        line.observed,
        line.observed_campaign,
        line.observed_status,
        line.observed_at,
        line.operators,
        line.applied_generation,
        line.op_seq,
        line.op_order_id,
        line.op_campaign,
        line.op_generation,
        line.op_submitted_at,
        line.op_accepted_at,
        line.op_deadline_at,
        line.attempts,
        line.trouble,
        line.error_code,
        line.error_text,
        line.differs_count,
        line.differs_since,
        line.due_at,
    )


class StatusChange(Struct, frozen=True):
    """A line whose public status changes, and the event that says so (None: no event)."""

    number_id: UUID
    status: str | None
    event: str | None


async def save_statuses(tx: Executor, changes: Sequence[StatusChange]) -> None:
    """Show new statuses to customers and write their events; the rows are locked by this transaction."""
    await tx.run(
        """WITH u AS (
               SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS u (id, status, event, event_id)),
           changed AS (
               UPDATE phone_numbers p SET line_option_status = u.status,
                   updated_at = greatest($5, p.updated_at + interval '1 microsecond'),
                   line_option_propagated_at = CASE WHEN u.status = 'propagated' THEN $5::timestamptz END
               FROM u WHERE p.id = u.id RETURNING p.*)
           INSERT INTO events (id, org_id, type, family, resource_id, data, created_at)
           SELECT u.event_id, c.org_id, u.event, 'phone_number', c.id, phone_number_resource(c), c.updated_at
           FROM changed c JOIN u ON u.id = c.id WHERE u.event IS NOT NULL""",
        [change.number_id for change in changes],
        [change.status for change in changes],
        [change.event for change in changes],
        [new_id() for _ in changes],
        tx.now,
    )


async def add_transitions(tx: Executor, lines: Sequence[Line], notes: Sequence[str]) -> None:
    """Write one step per line into the history."""
    await tx.run(
        """INSERT INTO line_option_transitions (phone_number_id, id, org_id, occurred_at, phase, generation, note)
           SELECT u.number_id, u.id, u.org_id, $7, u.phase, u.generation, u.note
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[])
                AS u (number_id, id, org_id, phase, generation, note)""",
        [line.id for line in lines],
        [new_id() for _ in lines],
        [line.org_id for line in lines],
        [line.phase for line in lines],
        [line.generation for line in lines],
        list(notes),
        tx.now,
    )


async def trim_transitions(tx: Executor, number_ids: Sequence[UUID], *, keep: int) -> int:
    """Forget all but the newest steps of these numbers; by the primary key, backwards."""
    return await tx.run(
        """DELETE FROM line_option_transitions t USING (
               SELECT u.id, newest.id AS last FROM unnest($1::uuid[]) u (id), LATERAL (
                   SELECT s.id FROM line_option_transitions s WHERE s.phone_number_id = u.id
                   ORDER BY s.id DESC OFFSET $2 LIMIT 1) AS newest) AS surplus
           WHERE t.phone_number_id = surplus.id AND t.id <= surplus.last""",
        number_ids,
        keep,
    )


async def lock_campaigns(tx: Executor, account: str, campaigns: Sequence[str]) -> list[tuple[str, int]]:
    """Lock campaigns against other planners, in one order; answers the registry's id and the cap of each."""
    return await tx.all(
        _pair,
        """SELECT tcr_campaign_id, number_cap FROM campaigns WHERE account = $1 AND tcr_campaign_id = ANY($2)
           ORDER BY id FOR NO KEY UPDATE""",
        account,
        campaigns,
    )


async def count_used(tx: Executor, account: str, campaigns: Sequence[str]) -> list[tuple[str, int]]:
    """How many numbers count against each campaign's cap: observed on it or being bound to it.

    A statement of its own, after `lock_campaigns`, so that its snapshot sees what the planner before us committed.
    """
    return await tx.all(
        _pair,
        """SELECT u.campaign, count(DISTINCT u.id) FROM (
               SELECT observed_campaign AS campaign, phone_number_id AS id FROM line_options
               WHERE account = $1 AND observed_campaign = ANY($2)
               UNION ALL
               SELECT op_campaign, phone_number_id FROM line_options
               WHERE account = $1 AND op_order_id IS NOT NULL AND op_campaign = ANY($2)) u
           GROUP BY u.campaign""",
        account,
        campaigns,
    )


def _id(value: UUID) -> UUID:
    return value


def _pair(first: str, second: int) -> tuple[str, int]:
    return first, second


async def make_campaign_due(db: Executor, campaign_id: UUID) -> int:
    """Make every line due that has this desired campaign and has no operation under way."""
    return await db.run(
        """UPDATE line_options l SET due_at = $2 FROM phone_numbers p
           WHERE p.campaign_id = $1 AND l.phone_number_id = p.id AND l.op_order_id IS NULL""",
        campaign_id,
        db.now,
    )


async def make_waiting_due(tx: Executor, account: str, campaigns: Sequence[str], *, limit: int) -> int:
    """A slot came free: make the longest-waiting lines due that were parked for lack of one."""
    return await tx.run(
        """UPDATE line_options SET due_at = $2 WHERE phone_number_id IN (
               SELECT l.phone_number_id FROM campaigns c JOIN phone_numbers p ON p.campaign_id = c.id
                    JOIN line_options l ON l.phone_number_id = p.id
               WHERE c.account = $4 AND c.tcr_campaign_id = ANY($1) AND l.trouble = 'capacity'
                 AND l.op_order_id IS NULL
               ORDER BY p.desired_at LIMIT $3 FOR UPDATE OF l SKIP LOCKED)""",
        campaigns,
        tx.now,
        limit,
        account,
    )


class StoredLine(Struct, frozen=True):
    """A line with its carrier order, for people to read."""

    line: Line
    carrier_order_id: str | None


def _stored(*columns: Any) -> StoredLine:
    return StoredLine(Line(*columns[:-1]), columns[-1])


async def find_line(db: Executor, org_id: UUID, number_id: UUID) -> StoredLine | None:
    """The carrier side of an assigned number of an organization."""
    return await db.one(
        _stored,
        """SELECT l.phone_number_id, l.org_id, l.account, l.number, p.line_option_status, p.generation, p.campaign_id,
                  c.tcr_campaign_id, c.status, c.is_suspended, c.number_cap, l.phase, l.observed, l.observed_campaign,
                  l.observed_status, l.observed_at, l.operators, l.applied_generation, l.op_seq, l.op_order_id,
                  l.op_campaign, l.op_generation, l.op_submitted_at, l.op_accepted_at, l.op_deadline_at,
                  coalesce(o.submissions > 0, false), l.attempts, l.trouble, l.error_code, l.error_text,
                  l.differs_count, l.differs_since, l.due_at, o.carrier_order_id
           FROM line_options l JOIN phone_numbers p ON p.id = l.phone_number_id
                LEFT JOIN campaigns c ON c.id = p.campaign_id LEFT JOIN carrier_orders o ON o.id = l.op_order_id
           WHERE p.org_id = $1 AND p.id = $2 AND p.state = 'assigned'""",
        org_id,
        number_id,
    )


async def list_transitions(db: Executor, org_id: UUID, number_id: UUID, *, limit: int) -> list[tuple[Any, ...]]:
    """The newest steps of a number: when, phase, generation, note."""
    return await db.all(
        _step,
        """SELECT occurred_at, phase, generation, note FROM line_option_transitions
           WHERE org_id = $1 AND phone_number_id = $2 ORDER BY id DESC LIMIT $3""",
        org_id,
        number_id,
        limit,
    )


def _step(*columns: Any) -> tuple[Any, ...]:
    return columns


async def count_lines(db: Executor, account: str) -> int:
    """About how many numbers of an account this cell has: from the planner's statistics, so that it costs nothing."""
    count: int = await db.value(
        """SELECT greatest(0, reltuples)::bigint FROM pg_class
           WHERE oid = to_regclass('line_options') AND $1::text IS NOT NULL""",
        account,
    )
    return count


async def list_waiting(db: Executor, account: str, campaigns: Sequence[str]) -> list[str]:
    """Numbers whose accepted operation waits for an observation of one of these campaigns, in order."""
    return await db.all(
        str,
        """SELECT number FROM line_options
           WHERE op_order_id IS NOT NULL AND op_accepted_at IS NOT NULL AND account = $1
             AND (op_campaign = ANY($2) OR (op_campaign IS NULL AND observed_campaign = ANY($2))) ORDER BY number""",
        account,
        campaigns,
    )
