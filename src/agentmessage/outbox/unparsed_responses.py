"""Responses and receipts that could not be parsed: stored raw and counted for the operator."""

from collections.abc import Sequence

from agentmessage.carriers.messaging import InboundHeard, ReceiptHeard
from agentmessage.carriers.protocols import Unknown
from agentmessage.kernel.db import Executor
from agentmessage.outbox import queries

MAX_CHARS = 65_536


async def store_if_unparsed(db: Executor, answer: object, *, account: str, operation: str) -> bool:
    """Stores a response that could not be parsed; a lost connection has none. Returns whether it was stored."""
    if not isinstance(answer, Unknown) or not answer.raw:
        return False
    raw = answer.raw.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:MAX_CHARS]
    await queries.insert_unparsed_response(
        db, account=account, operation=operation, reason=answer.reason[:500], raw=raw
    )
    return True


async def store_unrecognized(db: Executor, account: str, receipts: Sequence[ReceiptHeard]) -> None:
    """Stores receipts with an unknown state."""
    unrecognized = [receipt for receipt in receipts if receipt.unrecognized]
    if unrecognized:
        reasons = [f"unrecognized state {receipt.unrecognized}"[:500] for receipt in unrecognized]
        raw = [f"{receipt.carrier} {receipt.raw}"[:MAX_CHARS] for receipt in unrecognized]
        await queries.insert_unrecognized(db, account=account, operation="receipt", reasons=reasons, raw=raw)


async def store_unreadable(db: Executor, account: str, messages: Sequence[InboundHeard]) -> None:
    """Records messages with octets that their coding does not have, without their content, which may be erased."""
    unrecognized = [message for message in messages if message.unrecognized]
    if unrecognized:
        reasons = [f"unrecognized {message.unrecognized}"[:500] for message in unrecognized]
        raw = [f"{message.carrier} {message.carrier_message_id}"[:MAX_CHARS] for message in unrecognized]
        await queries.insert_unrecognized(db, account=account, operation="inbound_message", reasons=reasons, raw=raw)
