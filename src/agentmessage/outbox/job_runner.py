"""Runs jobs: claims by lease, calls the handler with no transaction open, then deletes or postpones the job."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from msgspec import Struct

from agentmessage.kernel.backoff import backoff_s
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, StatementTooLong
from agentmessage.kernel.ids import new_id
from agentmessage.outbox import queries
from agentmessage.outbox.queries import Job

log = structlog.get_logger("agentmessage.outbox")

LEASE_S = 60.0
BATCH = 50
BACKSTOP_S = 1.0
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 600.0


class Done(Struct, frozen=True):
    """The job is finished and is deleted."""


class Snooze(Struct, frozen=True):
    """The job runs again in `delay_s` seconds; this is not a failure."""

    delay_s: float


Handler = Callable[[CellDb, Mapping[str, Any]], Awaitable[Done | Snooze]]


def retry_delay_s(attempts: int, chance: float) -> float:
    """Full jitter: a random share of a delay that doubles from one second to ten minutes. `chance` is in 0..1."""
    return backoff_s(attempts, first_s=FIRST_RETRY_S, max_s=LAST_RETRY_S, jitter=chance)


class JobRunner:
    """The jobs of one cell. A job whose handler raises is retried without limit, with growing delay."""

    def __init__(self, db: CellDb, handlers: Mapping[str, Handler], *, rng: random.Random | None = None) -> None:
        self._db = db
        self._handlers = handlers
        self._kinds = sorted(handlers)
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret

    async def run_due(self) -> int:
        """Runs the jobs that are due, at most a batch; returns how many ran."""
        now = self._db.now
        until = now + timedelta(seconds=LEASE_S)
        jobs = await queries.claim_jobs(
            self._db, kinds=self._kinds, limit=BATCH, lease_token=new_id(), now=now, until=until
        )
        ended = await asyncio.gather(*(self._run(job) for job in jobs), return_exceptions=True)
        for outcome in ended:
            if outcome is not None:
                raise outcome
        return len(jobs)

    async def wait_s(self) -> float:
        """Seconds until the next job is due, at most `BACKSTOP_S`."""
        moment = await queries.next_job_at(self._db, self._kinds)
        if moment is None:
            return BACKSTOP_S
        return min(BACKSTOP_S, max(0.0, (moment - self._db.now).total_seconds()))

    async def _run(self, job: Job) -> None:
        handler = self._handlers[job.kind]
        try:
            async with asyncio.timeout(LEASE_S - 5):
                outcome = await handler(self._db, job.arguments)
        except (TimeoutError, StatementTooLong) as error:
            log.warning("job timed out", kind=job.kind, key=job.key, attempts=job.attempts)
            await self._fail(job, error)
            return
        except DATABASE_UNAVAILABLE:
            raise
        except Exception as error:
            log.exception("job failed", kind=job.kind, key=job.key, attempts=job.attempts)
            await self._fail(job, error)
            return
        match outcome:
            case Done():
                if not await queries.finish_job(self._db, job.id, job.lease_token):
                    await queries.free_job(self._db, job.id)
            case Snooze(delay_s):
                await self._postpone(job, delay_s, error=None)

    async def _fail(self, job: Job, error: Exception) -> None:
        await self._postpone(job, retry_delay_s(job.attempts, self._rng.random()), error=repr(error)[:500])

    async def _postpone(self, job: Job, delay_s: float, *, error: str | None) -> None:
        run_at = self._db.now + timedelta(seconds=delay_s)
        is_postponed = await queries.postpone_job(
            self._db, job.id, job.lease_token, run_at=run_at, error=error, keep_attempts=error is not None
        )
        if not is_postponed:
            await queries.free_job(self._db, job.id)
