"""Carries on in another cluster: a dump brings rows ordered by numbers that its transactions may be far from yet.

Readers of events and of the audit log go by the transactions' numbers. Restored where fewer transactions have been,
everything new would sort before what readers have passed. New rows then get their transaction's number and a constant,
and so does the horizon below which readers read; what is restored stays as it is (decision 0010).

What was queued when the dump was taken may have been sent since: it is held until the operator decides. A held message
is a claim of nobody's that never ends, so nothing claims it, expires it or takes it back meanwhile.
"""

import asyncpg

NEWEST = """
    SELECT max(xid::text::bigint) FROM (
        (SELECT xid FROM events ORDER BY xid DESC, id DESC LIMIT 1) UNION ALL
        (SELECT xid FROM audit_log ORDER BY xid DESC, id DESC LIMIT 1) UNION ALL
        (SELECT xid FROM event_cursors) UNION ALL
        (SELECT xid FROM audit_cursor)) known (xid)
"""
"""The highest number that a row or a reader has."""

NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_shift()"
"""The lowest number that no row of this cluster can have yet."""

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
"""Whether a worker had claimed it or not: that worker is not one of this cluster's."""


async def hold_queued(connection: asyncpg.Connection, cell: str) -> int:
    """Hold everything that waits in a cell, claimed or not; returns how many messages that is."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        return int((await connection.execute(HOLD)).rpartition(" ")[2])


async def must_carry_on(connection: asyncpg.Connection, cell: str) -> bool:
    """Whether a cell holds rows from transactions that this cluster has not come to yet."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        if await connection.fetchval("SELECT to_regproc('xid_horizon') IS NULL"):
            return False
        return bool(await connection.fetchval(NEWEST) >= await connection.fetchval(NEXT))


async def carry_on(connection: asyncpg.Connection, cell: str) -> bool:
    """Put what a cell is going to write behind what it holds; False: it is, as always but after a restore.

    `cell` is the name of its schema, checked by the caller. Cheap where there is nothing to do: four looks at the ends
    of indexes.
    """
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{cell}\"")
        if await connection.fetchval("SELECT to_regproc('xid_horizon') IS NULL"):
            return False
        if await connection.fetchval(NEWEST) < await connection.fetchval(NEXT):
            return False
        # Whoever is writing now ends first, and whoever comes later knows the shift.
        await connection.execute("LOCK TABLE events, audit_log IN ACCESS EXCLUSIVE MODE")
        newest = await connection.fetchval(NEWEST)
        oldest = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        await connection.execute(SHIFT.format(shift=newest + 1 - oldest))
    return True
