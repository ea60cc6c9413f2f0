"""Rate limits per organization: token buckets in the database, the same for every process."""

import math

from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import RateLimited
from agentmessage.kernel.tenant import Tenant
from agentmessage.web import queries


async def require_token(db: Executor, tenant: Tenant, bucket: str, *, per_minute: int, count: int = 1) -> None:
    """Take `count` of `per_minute` tokens, or none; raises RateLimited with the whole seconds until there are so many.

    Its own transaction on purpose: an attempt that is refused later has still been an attempt.
    """
    await _take(db, tenant, bucket, count=count, capacity=per_minute, per_second=per_minute / 60)


async def require_hourly_token(db: Executor, tenant: Tenant, bucket: str, *, per_hour: int) -> None:
    """Take one of `per_hour` tokens; as `require_token`."""
    await _take(db, tenant, bucket, count=1, capacity=per_hour, per_second=per_hour / 3600)


async def _take(db: Executor, tenant: Tenant, bucket: str, *, count: int, capacity: int, per_second: float) -> None:
    left = await queries.take_token(
        db, tenant.org_id, bucket, count=count, capacity=capacity, per_second=per_second, now=db.now
    )
    if left < 0:
        raise RateLimited(retry_after_s=max(1, math.ceil(-left / per_second)))
