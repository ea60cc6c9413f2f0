"""Answers from outside that nobody understood: kept raw and counted for the operator, never guessed at."""

from collections.abc import Sequence

from agentmessage.carriers.messaging import InboundHeard, ReceiptHeard
from agentmessage.carriers.protocols import Unknown
from agentmessage.kernel.db import Executor
from agentmessage.outbox import queries

MAX_CHARS = 65_536


async def keep_if_odd(db: Executor, answer: object, *, account: str, operation: str) -> bool:
    """Keep an answer that came but made no sense. A line that merely broke has nothing to keep. True: it was kept."""
    if not isinstance(answer, Unknown) or not answer.raw:
        return False
    raw = answer.raw.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:MAX_CHARS]
    await queries.insert_unparsed_response(
        db, account=account, operation=operation, reason=answer.reason[:500], raw=raw
    )
    return True


async def keep_unrecognized(db: Executor, account: str, receipts: Sequence[ReceiptHeard]) -> None:
    """Keep receipts whose state no table knows."""
    strange = [receipt for receipt in receipts if receipt.unrecognized]
    if strange:
        reasons = [f"unrecognized state {receipt.unrecognized}"[:500] for receipt in strange]
        raw = [f"{receipt.carrier} {receipt.raw}"[:MAX_CHARS] for receipt in strange]
        await queries.insert_unrecognized(db, account=account, operation="receipt", reasons=reasons, raw=raw)


async def keep_unreadable(db: Executor, account: str, messages: Sequence[InboundHeard]) -> None:
    """Note messages with octets that their coding does not have; not what they say, which may have to be erased."""
    strange = [message for message in messages if message.unrecognized]
    if strange:
        reasons = [f"unrecognized {message.unrecognized}"[:500] for message in strange]
        raw = [f"{message.carrier} {message.carrier_message_id}"[:MAX_CHARS] for message in strange]
        await queries.insert_unrecognized(db, account=account, operation="inbound_message", reasons=reasons, raw=raw)
