"""What time does to texts: claims whose worker is gone, validity that is over, receipts that never come."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from agentmessage.carriers.messaging import TextError
from agentmessage.carriers.protocols import Unknown
from agentmessage.delivery import dispatch_queries, recheck
from agentmessage.delivery.dispatcher import LEASE_S
from agentmessage.delivery.rate_limits import queries as rate_limit_queries
from agentmessage.delivery.rate_limits import rules as rate_limit_rules
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.receipts import queries as receipt_queries
from agentmessage.delivery.receipts import settlement_queries
from agentmessage.delivery.recorder import Recorder
from agentmessage.delivery.status_queries import Move, move
from agentmessage.kernel.batches import run_in_batches
from agentmessage.kernel.db import CellDb
from agentmessage.messages.model import Cause, Status

MOST = 500
LONG_S = LEASE_S / 4
"""A sweep that takes longer was held up by a database that did not answer."""

GRACE_S = LEASE_S / 2
"""Twice the time after which a living worker prolongs its claims."""

LATE_RECEIPTS = timedelta(days=7)
"""How long after we gave up on a receipt it may still turn the text into delivered."""

EARLY_RECEIPTS = timedelta(hours=24)
BUCKETS = timedelta(hours=1)
VOLUMES = timedelta(days=3)

NOBODY = UUID(int=0)
THE_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a worker begins to look: all workers may have been away for long, and what is old is forgotten by `tidy`."""

ORPHANED = Unknown("the worker that handed it over is gone")


class Sweeper:
    """The sweeps of one worker in one cell, for one line. Any number may run beside each other.

    While the database is away or takes no writes, no worker can prolong its claims. So after a sweep that failed or
    took long, claims of others are left alone until the living had time to. `mine` are the claims of this very worker.
    """

    def __init__(
        self,
        db: CellDb,
        account: str,
        channels: frozenset[str],
        recorder: Recorder,
        *,
        token: UUID,
        patience_h: int,
        mine: Callable[[], Sequence[UUID]] = tuple,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._account = account
        self._channels = sorted(channels)
        self._recorder = recorder
        self._token = token
        self._patience = timedelta(hours=patience_h)
        self._mine = mine
        self._place: tuple[datetime, UUID] | None = None
        self._elapsed = elapsed
        self._is_troubled = False
        self._adopts_from = elapsed()

    async def turn(self) -> int:
        """Sweep once; answers how much was found, so that a long queue is gone through at once."""
        was_troubled, self._is_troubled = self._is_troubled, True
        began_at = self._elapsed()
        found = await self._expire() + await receipts.match_early(self._db, self._account)
        now = self._elapsed()
        if was_troubled or now - began_at > LONG_S:
            self._adopts_from = now + GRACE_S
        if now >= self._adopts_from:
            found += await self._adopt()
        self._is_troubled = self._elapsed() - now > LONG_S
        return found

    async def give_up(self) -> int:
        """Give up on receipts that are overdue; answers how many texts that was.

        Each part is looked at once in the life of this worker: what is older than its place was looked at before.
        """
        until = self._db.now - self._patience
        since, after = self._place or (THE_BEGINNING, NOBODY)
        silent = await receipt_queries.list_silent(
            self._db, self._account, since=since, after=after, until=until, limit=MOST
        )
        if silent:
            async with self._db.transaction() as tx:
                sent = await receipt_queries.lock_sent(tx, sorted({message_id for message_id, _ in silent}))
                if sent:
                    await move(tx, [_given_up(message_id, org_id) for message_id, org_id in sent])
        self._place = (silent[-1][1], silent[-1][0]) if len(silent) == MOST else (until, NOBODY)
        return len(silent)

    async def settle(self) -> int:
        """Look for messages without an id that kept receipts are about; returns how many were found."""
        return await receipts.settle_unnamed(self._db, self._account)

    async def tidy(self) -> None:
        """Forget what no receipt and no text needs any more."""
        now = self._db.now
        await run_in_batches(partial(receipt_queries.forget_parts, self._db, now - self._patience - LATE_RECEIPTS))
        await run_in_batches(partial(receipt_queries.forget_early, self._db, now - EARLY_RECEIPTS))
        await run_in_batches(partial(settlement_queries.forget_unnamed, self._db, now - self._patience))
        await rate_limit_queries.forget_buckets(self._db, now - BUCKETS)
        await rate_limit_queries.forget_volumes(self._db, rate_limit_rules.operators_day(now - VOLUMES))

    async def _adopt(self) -> int:
        orphans = await dispatch_queries.adopt_orphans(
            self._db,
            self._account,
            self._channels,
            token=self._token,
            until=self._lease(),
            limit=MOST,
            mine=self._mine(),
        )
        for claim in orphans:
            self._recorder.add(claim, ORPHANED)
        return len(orphans)

    async def _expire(self) -> int:
        expired = await dispatch_queries.claim_expired(
            self._db, self._account, self._channels, token=self._token, until=self._lease(), limit=MOST
        )
        for claim in expired:
            self._recorder.add(claim, recheck.EXPIRED)
        return len(expired)

    def _lease(self) -> datetime:
        return self._db.now + timedelta(seconds=LEASE_S)


def _given_up(message_id: UUID, org_id: UUID) -> Move:
    return Move(
        message_id=message_id,
        org_id=org_id,
        status=Status.UNDELIVERED.value,
        cause=Cause.RECEIPT_TIMEOUT.value,
        error=TextError.RECEIPT_TIMEOUT.value,
    )
