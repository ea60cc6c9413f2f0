"""Token buckets in the database: one row each, shared by every process."""

from datetime import datetime
from typing import LiteralString

from agentmessage.kernel.db import Executor

_OR_TAKE: LiteralString = """
    DO UPDATE SET (tokens, is_exhausted, refilled_at) = (
        SELECT CASE WHEN f.tokens >= $6 THEN f.tokens - $6 ELSE f.tokens END,
               f.tokens < $6,
               greatest(b.refilled_at, $5)
        FROM (SELECT least($3, b.tokens + greatest(0, extract(epoch FROM $5 - b.refilled_at)) * $4)) AS f (tokens))
    RETURNING CASE WHEN b.is_exhausted THEN b.tokens - $6 ELSE b.tokens END"""


async def take_tokens(
    db: Executor,
    insert_full: LiteralString,
    owner: object,
    name: str,
    *,
    capacity: float,
    per_second: float,
    count: float,
    now: datetime,
) -> float:
    """Takes `count` tokens, or none, and returns what is left; a negative value is what is missing.

    `insert_full` inserts a full bucket as `b`, with `$1` = `owner`, `$2` = `name`, `$3 - $6` tokens, refilled at `$5`,
    up to and with `ON CONFLICT (…)`. One statement under the row's lock: two callers cannot take the same token.
    """
    left: float = await db.value(insert_full + _OR_TAKE, owner, name, capacity, per_second, now, count)
    return left
