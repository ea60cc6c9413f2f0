"""Every statement of the drift sweep: whose turn it is, what we believe, and what was found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


async def want(db: Executor, account: str, at: datetime) -> None:
    """Have an account swept no later than `at`."""
    await db.run(
        "UPDATE directory.drift_sweeps SET due_at = least(due_at, $2) WHERE account = $1 AND due_at > $2", account, at
    )


async def claim(
    db: Executor, accounts: Sequence[str], *, now: datetime, until: datetime, lease_token: UUID
) -> str | None:
    """Take the account whose sweep is due, if no other worker sweeps it."""
    account: str | None = await db.value(
        """UPDATE directory.drift_sweeps SET lease_token = $3, lease_until = $2, began_at = $1, due_at = $2
           WHERE account = (SELECT account FROM directory.drift_sweeps
                            WHERE account = ANY($4) AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING account""",
        now,
        until,
        lease_token,
        accounts,
    )
    return account


async def extend(db: Executor, account: str, lease_token: UUID, until: datetime) -> bool:
    """Keep the sweep; False: the lease was lost. `due_at` goes along, unless an earlier one was requested."""
    return bool(
        await db.run(
            """UPDATE directory.drift_sweeps
               SET due_at = CASE WHEN due_at < lease_until THEN due_at ELSE $3 END, lease_until = $3
               WHERE account = $1 AND lease_token = $2""",
            account,
            lease_token,
            until,
        )
    )


async def finish(db: Executor, account: str, lease_token: UUID, *, due_at: datetime, result: Any) -> None:
    """Give the sweep up and say what it found. A request for an earlier one that came meanwhile is kept."""
    await db.run(
        """UPDATE directory.drift_sweeps SET lease_token = NULL, lease_until = NULL, finished_at = $5, result = $4,
               due_at = CASE WHEN due_at < lease_until THEN least(due_at, $3) ELSE $3 END
           WHERE account = $1 AND lease_token = $2""",
        account,
        lease_token,
        due_at,
        result,
        db.now,
    )


class Belief(Struct, frozen=True):
    """What we believe of a number, as far as a sweep compares it."""

    number: str
    observed: str
    observed_campaign: str | None
    observed_status: str
    observed_at: datetime | None
    is_at_rest: bool
    differs_count: int
    differs_since: datetime | None


async def beliefs(db: Executor, account: str, numbers: Sequence[str]) -> list[Belief]:
    """What this cell believes of some numbers; by line_options_number_idx."""
    return await db.all(
        Belief,
        """SELECT number, observed, observed_campaign, observed_status, observed_at, op_order_id IS NULL,
                  differs_count, differs_since
           FROM line_options WHERE account = $1 AND number = ANY($2)""",
        account,
        numbers,
    )


async def beliefs_after(db: Executor, account: str, after: str, *, limit: int) -> list[Belief]:
    """What this cell believes, number by number."""
    return await db.all(
        Belief,
        """SELECT number, observed, observed_campaign, observed_status, observed_at, op_order_id IS NULL,
                  differs_count, differs_since
           FROM line_options WHERE account = $1 AND number > $2 ORDER BY number LIMIT $3""",
        account,
        after,
        limit,
    )


class Drift(Struct, frozen=True):
    """A difference that is believed, or a number that is not ours."""

    number: str
    kind: str
    expected_campaign: str | None
    observed_campaign: str | None
    number_id: UUID | None
    org_id: UUID | None


async def insert_drifts(tx: Executor, account: str, drifts: Sequence[Drift]) -> None:
    """Write what was found; one open event per number."""
    await tx.run(
        """INSERT INTO drift_events (id, account, number, kind, expected_campaign, observed_campaign, phone_number_id,
                                     org_id, found_at)
           SELECT u.id, $1, u.number, u.kind, u.expected, u.seen, u.number_id, u.org_id, $2
           FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::uuid[])
                AS u (id, number, kind, expected, seen, number_id, org_id)
           ON CONFLICT (account, number) WHERE resolved_at IS NULL DO NOTHING""",
        account,
        tx.now,
        [new_id() for _ in drifts],
        [drift.number for drift in drifts],
        [drift.kind for drift in drifts],
        [drift.expected_campaign for drift in drifts],
        [drift.observed_campaign for drift in drifts],
        [drift.number_id for drift in drifts],
        [drift.org_id for drift in drifts],
    )


async def close_strangers(db: Executor, account: str, still_there: Sequence[str], *, before: datetime) -> int:
    """Close reports of numbers that are not ours and that a whole listing, begun at `before`, no longer had."""
    return await db.run(
        """UPDATE drift_events SET resolved_at = $4
           WHERE account = $1 AND kind = 'unknown_number' AND resolved_at IS NULL AND found_at < $3
             AND number <> ALL ($2)""",
        account,
        still_there,
        before,
        db.now,
    )


async def close_healed(db: Executor, account: str) -> int:
    """Close drift events of numbers whose carrier side has settled again."""
    return await db.run(
        """UPDATE drift_events d SET resolved_at = $2 FROM line_options l
           WHERE d.account = $1 AND d.resolved_at IS NULL AND l.account = d.account AND l.number = d.number
             AND l.phase IN ('bound', 'unbound') AND l.updated_at > d.found_at""",
        account,
        db.now,
    )
