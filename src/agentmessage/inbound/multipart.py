"""Long texts: their parts come one by one, in any order, and are shown as one text."""

from agentmessage.carriers.messaging import InboundHeard
from agentmessage.inbound import queries, rules
from agentmessage.inbound.model import Part, PartsKey, Whole
from agentmessage.kernel.db import Tx


async def assemble(tx: Tx, account: str, heard: InboundHeard) -> Whole | None:
    """The text, if this was all of it or its last part; None while others are still to come."""
    if heard.parts == 1:
        return rules.whole(heard)
    key = PartsKey(account, heard.carrier, heard.sender, heard.recipient, heard.reference, heard.parts)
    await queries.lock_parts(tx, key)
    part = Part(heard.part, heard.text[: rules.MOST_CHARS], heard.carrier_message_id, heard.received_at)
    await queries.insert_part(tx, key, part)
    parts = await queries.list_parts(tx, key)
    if len(parts) < key.parts:
        return None
    await queries.delete_parts(tx, key)
    return rules.joined(key, parts)


async def give_up_waiting(tx: Tx, key: PartsKey) -> Whole | None:
    """The text with the parts that came; None when somebody was faster."""
    await queries.lock_parts(tx, key)
    parts = await queries.list_parts(tx, key)
    if not parts:
        return None
    await queries.delete_parts(tx, key)
    return rules.joined(key, parts)
