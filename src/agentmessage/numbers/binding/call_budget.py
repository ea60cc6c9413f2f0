"""How often a carrier account may be called, shared by all workers; and a breaker for a carrier that is ill.

An account without a limit costs no statement per call. Failures are answers in which the carrier was not well (a broken
line, 5xx); after five in a row the breaker opens, and no worker calls until one later read was answered.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from msgspec import Struct

from agentmessage.carriers.protocols import Deferred, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.binding import call_budget_queries as queries
from agentmessage.outbox.unparsed_responses import store_if_unparsed

log = structlog.get_logger("agentmessage.numbers")

FAILURES_THAT_OPEN = 5


class Limit(Struct, frozen=True):
    """Calls a minute and how many at once; 0 a minute is no limit."""

    per_min: int
    burst: int


class Limits(Struct, frozen=True):
    """An account's limits by kind of call, and how long its breaker stays open."""

    write: Limit
    read: Limit
    breaker_s: float


UNLIMITED = Limit(0, 0)


class Budget:
    """The budgets of all accounts."""

    def __init__(self, directory: CellDb, limits: Mapping[str, Limits]) -> None:
        self._db = directory
        self._limits = limits
        self._failures = dict.fromkeys(limits, 0)

    async def open_accounts(self) -> Sequence[str]:
        """Accounts that may be called now: their breaker is closed."""
        broken = await queries.broken_accounts(self._db)
        return [account for account in self._limits if account not in broken]

    async def take_probe(self, account: str) -> bool:
        """Whether this worker is to try an account whose breaker is open; the answer goes to `probed`."""
        return await queries.claim_probe(self._db, account, self._db.now + self._break(account))

    async def probed(self, account: str, answer: object) -> None:
        """Close the breaker if the carrier was well enough to answer the probe."""
        if not _is_ill(answer):
            self._failures[account] = 0
            await queries.close_breaker(self._db, account)
            log.info("circuit breaker closed", account=account)

    async def take(self, account: str, kind: str) -> float:
        """Take one call's worth; answers 0, or the seconds to wait when nothing is left."""
        limit = self._limits[account].write if kind == "write" else self._limits[account].read
        if limit.per_min == 0:
            return 0.0
        left = await queries.take(
            self._db, account, kind, capacity=limit.burst, per_second=limit.per_min / 60, now=self._db.now
        )
        return 0.0 if left >= 0 else -left / (limit.per_min / 60)

    async def record_answer(self, account: str, answer: object, *, operation: str = "") -> None:
        """Count an answer towards the breaker; store it when it could not be parsed."""
        await store_if_unparsed(self._db, answer, account=account, operation=operation)
        if not _is_ill(answer):
            if self._failures[account]:
                self._failures[account] = 0
                await queries.close_breaker(self._db, account)
            return
        self._failures[account] += 1
        if self._failures[account] >= FAILURES_THAT_OPEN:
            log.warning("circuit breaker opened", account=account, failures=self._failures[account])
            until = self._db.now + self._break(account)
            await queries.open_breaker(self._db, account, self._failures[account], until)

    def _break(self, account: str) -> timedelta:
        return timedelta(seconds=self._limits[account].breaker_s)


def _is_ill(answer: object) -> bool:
    return isinstance(answer, Unknown) or (isinstance(answer, Deferred) and answer.reason != "too many requests")
