"""Every statement on carrier budgets and breakers; they belong to the directory, since all cells share the account."""

from datetime import datetime
from typing import LiteralString

from agentmessage.kernel.db import Executor
from agentmessage.kernel.token_bucket_queries import take_tokens

_INSERT_FULL: LiteralString = """INSERT INTO directory.carrier_budgets AS b (account, kind, tokens, refilled_at)
    VALUES ($1, $2, $3::float8 - $6::float8, $5) ON CONFLICT (account, kind)"""


async def broken_accounts(db: Executor) -> list[str]:
    """Accounts whose breaker is open, until a probe closes it."""
    return await db.all(str, "SELECT account FROM directory.carrier_budgets WHERE kind = 'breaker' AND failures > 0")


async def claim_probe(db: Executor, account: str, until: datetime) -> bool:
    """Take the one probe of an open breaker whose time is over; the next one is due at `until`."""
    return bool(
        await db.run(
            """UPDATE directory.carrier_budgets SET open_until = $2
               WHERE account = $1 AND kind = 'breaker' AND failures > 0 AND open_until <= $3""",
            account,
            until,
            db.now,
        )
    )


async def take(db: Executor, account: str, kind: str, *, capacity: float, per_second: float, now: datetime) -> float:
    """Take a token under the row's lock; negative: there was none, and by how much it is missed."""
    return await take_tokens(
        db, _INSERT_FULL, account, kind, capacity=capacity, per_second=per_second, count=1.0, now=now
    )


async def open_breaker(db: Executor, account: str, failures: int, until: datetime) -> None:
    """Open the breaker: no worker calls the account before `until`."""
    await db.run(
        """INSERT INTO directory.carrier_budgets (account, kind, tokens, refilled_at, failures, open_until)
           VALUES ($1, 'breaker', 0, $4, $2, $3)
           ON CONFLICT (account, kind) DO UPDATE SET failures = $2, open_until = $3""",
        account,
        failures,
        until,
        db.now,
    )


async def close_breaker(db: Executor, account: str) -> None:
    """Close the breaker: the account answers again."""
    await db.run(
        "UPDATE directory.carrier_budgets SET failures = 0, open_until = NULL WHERE account = $1 AND kind = 'breaker'",
        account,
    )
