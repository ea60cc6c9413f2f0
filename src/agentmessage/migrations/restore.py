"""What `migrate` does in a cell whose rows come from another cluster: a dump was restored, or the cluster was replaced.

Readers of events and of the audit log follow the numbers of transactions. In a cluster that has made fewer transactions
than the dumped one, new rows would sort before the cursors of the readers. A constant, the shift, is then added to the
numbers of new rows and to the horizon below which readers read. Restored rows keep their numbers (decision 0010).

Messages that were queued when the dump was taken may have been sent since: they are held until the operator decides
(decision 0025). A held message has a claim that belongs to no worker and never ends, so that no worker claims it,
expires it or reclaims it.
"""

import asyncpg

NEWEST = """
    SELECT max(xid::text::bigint) FROM (
        (SELECT xid FROM events ORDER BY xid DESC, id DESC LIMIT 1) UNION ALL
        (SELECT xid FROM audit_log ORDER BY xid DESC, id DESC LIMIT 1) UNION ALL
        (SELECT xid FROM event_cursors) UNION ALL
        (SELECT xid FROM audit_cursor)) numbers (xid)
"""
"""The highest transaction number of a row or a cursor."""

NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_shift()"
"""The lowest number that no row of this cluster has yet."""

SHIFT = """
    CREATE OR REPLACE FUNCTION xid_horizon() RETURNS xid8 LANGUAGE sql STABLE
        AS 'SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {shift})::text::xid8';
    CREATE OR REPLACE FUNCTION xid_shift() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT {shift}::bigint';
    ALTER TABLE events ALTER COLUMN xid
        SET DEFAULT (pg_current_xact_id()::text::bigint + {shift})::text::xid8;
    ALTER TABLE audit_log ALTER COLUMN xid
        SET DEFAULT (pg_current_xact_id()::text::bigint + {shift})::text::xid8;
"""


HOLD = """
    UPDATE message_queue SET claimed_at = now(), claim_token = '00000000-0000-0000-0000-000000000000',
        claim_until = 'infinity'
    WHERE claim_until IS DISTINCT FROM 'infinity'"""
"""Claimed messages too: the worker that claimed them does not work on this cluster."""


async def hold_queued(connection: asyncpg.Connection, cell: str) -> int:
    """Hold every queued message of a cell, claimed or not; returns their number."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        return int((await connection.execute(HOLD)).rpartition(" ")[2])


async def must_shift_transaction_ids(connection: asyncpg.Connection, cell: str) -> bool:
    """True if a cell has rows with numbers of transactions that this cluster has not made yet."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        return bool(await connection.fetchval(NEWEST) >= await connection.fetchval(NEXT))


async def shift_transaction_ids(connection: asyncpg.Connection, cell: str) -> bool:
    """Let the new rows of a cell sort after its restored ones. Returns False if they do already.

    `cell` is the name of its schema, checked by the caller. Without a restore it reads the ends of four indexes.
    """
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        if await connection.fetchval(NEWEST) < await connection.fetchval(NEXT):
            return False
        # Transactions that write now end first; those that begin later use the shift.
        await connection.execute("LOCK TABLE events, audit_log IN ACCESS EXCLUSIVE MODE")
        newest = await connection.fetchval(NEWEST)
        oldest = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        await connection.execute(SHIFT.format(shift=newest + 1 - oldest))
    return True
