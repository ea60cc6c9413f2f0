"""Applies receipts: many in one transaction, whatever their order, however often they are told.

A receipt that names no part we know is kept: its text may be on its way into the books. `apply_early` looks for such
when a text is recorded, `match_early` once a second, since each of two transactions may be blind to the other.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from agentmessage import conversations
from agentmessage.billing import operations as billing
from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.consent import operations as consent
from agentmessage.consent.model import Source, Suppression
from agentmessage.delivery.model import Claim, Ending, charge_of, nameless
from agentmessage.delivery.receipts import queries, settlement_queries
from agentmessage.delivery.receipts.queries import Part
from agentmessage.delivery.receipts.rules import is_of_another, may_end, next_status, outcome_of
from agentmessage.delivery.receipts.settlement_rules import Kept, Settlement, Unnamed, settlements
from agentmessage.delivery.status_queries import Move, move
from agentmessage.kernel.db import CellDb, Executor, Tx
from agentmessage.kernel.ids import new_id
from agentmessage.messages.model import Cause, Status
from agentmessage.sms.traces import pair_trace

T = TypeVar("T")

MOST_EARLY = 500
RECORDED = timedelta(seconds=2)
"""A receipt that is younger may be about a message whose answer is just being recorded."""

NO_WALLETS: frozenset[UUID] = frozenset()


class _WalletsFirst(Exception):
    """Texts of these organizations are to be charged, whose wallets must be locked before any text is."""

    def __init__(self, org_ids: frozenset[UUID]) -> None:
        super().__init__(f"{len(org_ids)} organizations")
        self.org_ids = org_ids


class Refuser(Struct, frozen=True):
    """A recipient of whom the carrier says that they want no texts from a number."""

    org_id: UUID
    phone_number_id: UUID
    recipient: str
    carrier_message_id: str


class Applied(Struct, frozen=True):
    """What came of receipts: those whose part is not here, and whose consent ends by them."""

    unmatched: Sequence[ReceiptHeard]
    refusers: Sequence[Refuser]


async def apply(db: CellDb, account: str, heard: Sequence[ReceiptHeard]) -> Sequence[ReceiptHeard]:
    """Apply receipts to the texts of one cell; answers those whose parts are not in it."""
    unmatched: list[ReceiptHeard] = []
    for carrier in sorted({one.carrier for one in heard}):
        told = [one for one in heard if one.carrier == carrier]
        applied = await _with_wallets_first(db, partial(_apply, account=account, carrier=carrier, heard=told))
        unmatched += applied.unmatched
        await end_consents(db, applied.refusers)
    return unmatched


async def end_consents(db: CellDb, refusers: Sequence[Refuser]) -> None:
    """Believe the carrier that these recipients want no more; each for itself, since the law is locked first."""
    for refuser in refusers:
        async with db.transaction() as tx:
            await consent.opt_out(
                tx,
                refuser.org_id,
                refuser.phone_number_id,
                refuser.recipient,
                by=Suppression.CARRIER,
                source=Source.CARRIER,
                raw_event_id=f"receipt:{refuser.carrier_message_id}",
            )


async def keep(
    db: Executor, account: str, unmatched: Sequence[ReceiptHeard], ids: Sequence[UUID] | None = None
) -> None:
    """Keep receipts that no cell has a part for; a few minutes later they are matched, or nobody's.

    `ids` are what they are called in every cell.
    """
    if unmatched:
        await queries.keep_early(db, account, unmatched, ids or [new_id() for _ in unmatched])


async def apply_early(tx: Tx, account: str, carrier: str, endings: Sequence[Ending]) -> Sequence[Refuser]:
    """Apply what was told of texts before they were recorded, in the transaction that records them.

    It has locked the wallets of their organizations. Answers whose consent ends by it: that is for `end_consents`,
    after the commit.
    """
    carrier_ids = [carrier_id for ending in endings for carrier_id in ending.carrier_message_ids]
    unknown = [ending.claim.message_id for ending in endings if ending.error == TextError.UNKNOWN]
    if not carrier_ids and not unknown:
        return ()
    early = await queries.take_early(tx, account, carrier, carrier_ids, unknown)
    if not early:
        return ()
    wallets = {ending.claim.org_id for ending in endings}
    applied = await _apply(tx, wallets, account=account, carrier=carrier, heard=early)
    await keep(tx, account, applied.unmatched)
    return applied.refusers


async def match_early(db: CellDb, account: str) -> int:
    """Apply receipts that were kept and whose parts are known by now; answers how many."""
    refusers, count = await _with_wallets_first(db, partial(_apply_matched, account=account))
    await end_consents(db, refusers)
    return count


async def settle_unnamed(db: CellDb, account: str) -> int:
    """Apply kept receipts to messages without an id that they fit, and that nothing else fits; returns how many."""
    by_pair: dict[str, list[tuple[Kept, Unnamed]]] = defaultdict(list)
    pairs = await settlement_queries.list_pairs(db, account, kept_before=db.now - RECORDED, limit=MOST_EARLY)
    for pair, kept, message in pairs:
        by_pair[f"{kept.receipt.carrier} {pair}"].append((kept, message))
    found = [one for same in by_pair.values() for one in settlements(same)]
    for settlement in found:
        await end_consents(db, await _with_wallets_first(db, partial(_settle, account=account, settlement=settlement)))
    return len(found)


async def _settle(tx: Tx, wallets: Collection[UUID], *, account: str, settlement: Settlement) -> Sequence[Refuser]:
    kept, message = settlement.kept[0], settlement.message
    carrier, name = kept.receipt.carrier, kept.receipt.carrier_message_id
    unnamed = [nameless(message.message_id, part) for part in range(1, settlement.parts + 1)]
    if not await settlement_queries.take_kept(tx, [one.id for one in settlement.kept]):
        return ()
    name = name or unnamed[settlement.part - 1]
    await settlement_queries.name_part(tx, account, carrier, message, unnamed=unnamed, part=settlement.part, name=name)
    heard = [one.receipt.under(name) for one in settlement.kept]
    applied = await _apply(tx, wallets, account=account, carrier=carrier, heard=heard)
    if settlement.parts == 1 or applied.unmatched:
        await settlement_queries.delete_unnamed(tx, message.message_id)
    await keep(tx, account, applied.unmatched)  # its parts have had other ids all along
    return applied.refusers


async def _with_wallets_first(db: CellDb, work: "Callable[[Tx, Collection[UUID]], Awaitable[T]]") -> T:
    """Do the work in a transaction; again where it would lock wallets after texts, with those wallets locked first."""
    wallets = NO_WALLETS
    while True:
        try:
            async with db.transaction() as tx:
                if wallets:
                    await billing.lock(tx, wallets)
                return await work(tx, wallets)
        except _WalletsFirst as wanted:
            wallets |= wanted.org_ids


async def _apply_matched(tx: Tx, wallets: Collection[UUID], *, account: str) -> tuple[Sequence[Refuser], int]:
    refusers: list[Refuser] = []
    early = await queries.take_matched(tx, account, limit=MOST_EARLY)
    for carrier in sorted({one.carrier for one in early}):
        mine = [one for one in early if one.carrier == carrier]
        refusers += (await _apply(tx, wallets, account=account, carrier=carrier, heard=mine)).refusers
    return refusers, len(early)


async def _apply(
    tx: Tx, wallets: Collection[UUID], *, account: str, carrier: str, heard: Sequence[ReceiptHeard]
) -> Applied:
    """Apply receipts of one carrier. Raises _WalletsFirst unless all wallets are locked that are charged by it."""
    heard = [_named(one) for one in heard]
    carrier_ids = sorted({one.carrier_message_id for one in heard})
    parts = await queries.lock_parts(tx, account, carrier, carrier_ids)
    known = {part.carrier_message_id: part for part in parts}
    strays = [one for one in heard if one.carrier_message_id not in known and one.message_id is not None]
    if strays and await queries.link(tx, account, carrier, strays):
        linked = sorted({one.carrier_message_id for one in strays})
        known |= {part.carrier_message_id: part for part in await queries.lock_parts(tx, account, carrier, linked)}
    ends: dict[str, ReceiptHeard] = {}
    matched: list[ReceiptHeard] = []
    unmatched: list[ReceiptHeard] = []
    for one in heard:
        part = known.get(one.carrier_message_id)
        if part is None:
            unmatched.append(one)
        elif may_end(part.outcome, part.error, one, ends.get(one.carrier_message_id)):
            ends[one.carrier_message_id] = one
            matched.append(one)
        elif part.outcome is not None and is_of_another(pair_trace(part.sender, part.recipient), one):
            unmatched.append(one)
        else:
            matched.append(one)
    if ends:
        by_state: dict[ReceiptState, list[str]] = defaultdict(list)
        for carrier_id, one in ends.items():
            by_state[one.state].append(carrier_id)
        for state, ended in by_state.items():
            await queries.set_outcome(tx, account, carrier, ended, state.value)
        await _move(tx, wallets, known, ends)
    return Applied(unmatched, _refusers(matched, known))


def _named(receipt: ReceiptHeard) -> ReceiptHeard:
    """A receipt without the carrier's id that names our own message is about its part without a name."""
    if receipt.carrier_message_id or receipt.message_id is None:
        return receipt
    return replace(receipt, carrier_message_id=nameless(receipt.message_id))


async def _move(tx: Tx, wallets: Collection[UUID], known: Mapping[str, Part], ends: Mapping[str, ReceiptHeard]) -> None:
    """Move the texts whose parts have all been heard of, or one of which has failed."""
    texts = {known[carrier_id].message_id: known[carrier_id] for carrier_id in ends}
    told: dict[UUID, list[str | None]] = {}
    words: dict[UUID, ReceiptHeard] = {}
    for carrier_id, one in ends.items():
        part = known[carrier_id]
        if part.parts == 1:
            told[part.message_id] = [one.state.value]
        if part.message_id not in words or one.error is not None:
            words[part.message_id] = one
    long = [message_id for message_id in texts if message_id not in told]
    for message_id, outcome in await queries.list_outcomes(tx, long) if long else ():
        told.setdefault(message_id, []).append(outcome)
    moves: list[Move] = []
    late: list[UUID] = []
    for message_id, text in texts.items():
        status = next_status(text.status, text.error, outcome_of(told[message_id]))
        if status is None:
            continue
        is_late = status is Status.DELIVERED and not text.is_charged
        late += [message_id] if is_late else []
        moves.append(_moved(text, status, words[message_id], is_late=is_late))
    if late:
        owing = frozenset(texts[message_id].org_id for message_id in late)
        if not owing.issubset(wallets):
            raise _WalletsFirst(owing)
        await _take_late(tx, await queries.list_claims(tx, late))
    if moves:
        await move(tx, moves)


async def _take_late(tx: Tx, claims: Sequence[Claim]) -> None:
    """Texts of unknown outcome that the carrier had taken after all: they are charged and shown like any other."""
    await billing.charge_each(tx, [(claim.org_id, charge_of(claim)) for claim in claims])
    await conversations.add_sent(tx, claims)


def _moved(text: Part, status: Status, word: ReceiptHeard, *, is_late: bool) -> Move:
    is_delivered = status is Status.DELIVERED
    return Move(
        message_id=text.message_id,
        org_id=text.org_id,
        status=status.value,
        cause=Cause.RECEIPT.value,
        error=None if is_delivered else (word.error or TextError.UNKNOWN).value,
        code=word.code,
        text=None if is_delivered else word.raw[:500],
        is_charged=is_late,
    )


def _refusers(heard: Sequence[ReceiptHeard], known: Mapping[str, Part]) -> Sequence[Refuser]:
    found: dict[str, Refuser] = {}
    for one in heard:
        part = known.get(one.carrier_message_id)
        if part is not None and one.error is TextError.RECIPIENT_OPTED_OUT:
            found[one.carrier_message_id] = Refuser(
                part.org_id, part.phone_number_id, part.recipient, one.carrier_message_id
            )
    return list(found.values())
