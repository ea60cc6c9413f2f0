"""Records what came of claims: many in one transaction, as soon as the last transaction is done.

    wallets ─▶ claims dropped ─▶ charged ─▶ texts moved, events ─▶ parts, conversations ─▶ receipts that were early

A worker that lost a claim (it was away for too long, and another has declared the outcome unknown) changes nothing but
this: the carrier's ids are kept, so that a receipt can still say what became of the text.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from agentmessage import conversations
from agentmessage.billing import operations as billing
from agentmessage.delivery import result_queries
from agentmessage.delivery.model import (
    Claim,
    Ending,
    Outcome,
    Postponement,
    TakenPart,
    charge_of,
    taken_parts,
    verdict,
)
from agentmessage.delivery.rate_limits import rules as rate_limit_rules
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.delivery.receipts import settlement_queries
from agentmessage.delivery.status_queries import Move, move
from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, StatementTooLong, Tx
from agentmessage.sms.traces import pair_trace

log = structlog.get_logger("agentmessage.messages")

MAX_BATCH = 500
RETRY_S = 0.5
TRIES = 3
MAX_UNRECORDED = 5_000
"""Outcomes that wait for a database that is away before nothing more is claimed."""


class _NotTogether(Exception):
    """One outcome of the batch cannot be recorded, or all of them take too long: the batcher tries each alone."""


class Recorder:
    """The outcomes of one worker's claims in one cell, for one line."""

    def __init__(self, db: CellDb, account: str, carrier: str, token: UUID, *, retries_unknown: bool = False) -> None:
        self._db = db
        self._account = account
        self._carrier = carrier
        self._token = token
        self._retries_unknown = retries_unknown
        self._batcher: Batcher[tuple[Claim, Outcome], None] = Batcher(self._flush, max_batch=MAX_BATCH)
        self._newest: asyncio.Future[None] | None = None
        self._held: set[UUID] = set()
        self._is_refused = False

    def add(self, claim: Claim, outcome: Outcome) -> None:
        """Take an outcome; it is recorded soon."""
        self._held.add(claim.message_id)
        self._newest = self._batcher.submit_nowait((claim, outcome))

    @property
    def is_behind(self) -> bool:
        """The database does not take outcomes, or not fast enough: nothing should be claimed that adds to them."""
        return self._is_refused or len(self._held) >= MAX_UNRECORDED

    @property
    def held(self) -> Collection[UUID]:
        """Texts whose outcome is known and not recorded yet."""
        return self._held

    async def until_caught_up(self) -> None:
        """Wait until everything that was added before now is recorded."""
        if self._newest is not None and not self._newest.done():
            await asyncio.wait([self._newest])

    async def close(self) -> None:
        """Stop; what is not recorded is left to the sweep of claims whose worker is gone."""
        await self._batcher.close()

    async def _flush(self, batch: Sequence[tuple[Claim, Outcome]]) -> Sequence[None]:
        if not await self._is_recorded(batch) and len(batch) > 1:
            raise _NotTogether
        self._held.difference_update(claim.message_id for claim, _ in batch)
        return [None] * len(batch)

    async def _is_recorded(self, batch: Sequence[tuple[Claim, Outcome]]) -> bool:
        """Record a batch, however long the database is away; False when it cannot be recorded as a whole."""
        tries = 0
        while tries < TRIES:
            try:
                await self._record(batch)
            except StatementTooLong:
                if len(batch) > 1:
                    return False
            except DATABASE_UNAVAILABLE as error:
                if not self._is_refused:
                    log.warning("submit results delayed", count=len(self._held), error=str(error))
                self._is_refused = True
            except Exception:
                tries += 1
                log.exception("submit results not recorded", count=len(batch), tries=tries)
            else:
                self._is_refused = False
                return True
            await asyncio.sleep(RETRY_S)
        return False

    async def _record(self, batch: Sequence[tuple[Claim, Outcome]]) -> None:
        decided = [verdict(claim, outcome, retries_unknown=self._retries_unknown) for claim, outcome in batch]
        endings = [one for one in decided if isinstance(one, Ending)]
        postponed = [one for one in decided if isinstance(one, Postponement)]
        refusers: Sequence[receipts.Refuser] = ()
        async with self._db.transaction() as tx:
            if endings:
                refusers = await self._end(tx, endings)
            if postponed:
                await self._postpone(tx, postponed)
        await receipts.end_consents(self._db, refusers)

    async def _end(self, tx: Tx, endings: Sequence[Ending]) -> Sequence[receipts.Refuser]:
        await billing.lock(tx, {one.claim.org_id for one in endings})
        held = await result_queries.drop_claims(tx, self._token, [one.claim.message_id for one in endings])
        mine = [one for one in endings if one.claim.message_id in held]
        taken = [one for one in mine if one.is_taken]
        if mine:
            await settle(tx, mine)
            await move(tx, [_moved(one) for one in mine])
        if taken:
            await conversations.add_sent(tx, [one.claim for one in taken])
        unnamed = [one for one in mine if one.is_unnamed]
        if unnamed:
            await settlement_queries.note_unnamed(
                tx,
                self._account,
                self._carrier,
                [one.claim.message_id for one in unnamed],
                org_ids=[one.claim.org_id for one in unnamed],
                pairs=[pair_trace(one.claim.sender, one.claim.recipient) for one in unnamed],
                submitted_at=[held[one.claim.message_id] for one in unnamed],
            )
        parts = taken_parts([one for one in endings if one.carrier_message_ids])
        if parts:
            await self._insert_parts(tx, parts)
        return await receipts.apply_early(tx, self._account, self._carrier, endings)

    async def _insert_parts(self, tx: Tx, parts: Sequence[TakenPart]) -> None:
        """A carrier that ran through its ids begins again: then the newest message is meant."""
        free = await result_queries.insert_parts(tx, self._account, self._carrier, parts)
        if len(free) < len(parts):
            known = set(free)
            repeated = [part for part in parts if part.carrier_message_id not in known]
            await result_queries.take_ids_over(tx, self._account, self._carrier, repeated)

    async def _postpone(self, tx: Tx, postponed: Sequence[Postponement]) -> None:
        now = tx.now
        pauses: dict[str, float] = {}
        for one in postponed:
            if one.is_first:
                scope = rate_limit_rules.lane_scope(one.claim.queue_id)
                pauses[scope] = max(one.delay_s, pauses.get(scope, 0.0))
        if pauses:
            until = [now + timedelta(seconds=delay_s) for delay_s in pauses.values()]
            await result_queries.pause_lanes(tx, self._account, list(pauses), until)
        await result_queries.put_back(
            tx,
            self._token,
            [one.claim.message_id for one in postponed],
            [None if one.is_first else now + timedelta(seconds=one.delay_s) for one in postponed],
        )


async def settle(tx: Tx, endings: Sequence[Ending]) -> None:
    """Charge what the carrier took, and hold nothing any more for what is decided. The wallets are locked."""
    owed = [(ending.claim.org_id, charge_of(ending.claim)) for ending in endings if ending.is_taken]
    if owed:
        await billing.charge_each(tx, owed)
    decided: dict[UUID, int] = defaultdict(int)
    for ending in endings:
        decided[ending.claim.org_id] += ending.claim.price_microcents
    await result_queries.settle(tx, list(decided), list(decided.values()))


def _moved(ending: Ending) -> Move:
    return Move(
        message_id=ending.claim.message_id,
        org_id=ending.claim.org_id,
        status=ending.status.value,
        cause=ending.cause.value,
        error=ending.error,
        code=ending.code,
        text=ending.text,
        carrier_message_id=next((name for name in ending.carrier_message_ids if name), None),
        is_charged=ending.is_taken,
    )
