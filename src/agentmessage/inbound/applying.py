"""One text from the raw form to its consequences, in the transaction that the caller opened."""

from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.carriers.text_port import InboundHeard
from agentmessage.consent import operations as consent
from agentmessage.inbound import assembling, conversation_queries, obeying, queries, rules
from agentmessage.inbound.model import Channel, Line, PartsKey, Problem, RawText, Whole
from agentmessage.inbound.schemas import InboundOut
from agentmessage.kernel.db import Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages.operations import BELL as TEXTS_BELL
from agentmessage.outbox import facts
from agentmessage.outbox.catalogue import EventType
from agentmessage.sms.keywords import classify

NOTHING: frozenset[str] = frozenset()
"""No bell is to be rung: nothing changed."""

EVENTS_BELL = "events"
KINDS = {Channel.SMS: "inbound_sms", Channel.MMS: "inbound_mms"}


def number_bell(number: str) -> str:
    """Rung when a text has come to one of our numbers."""
    return f"inbound:{number}"


def organization_bell(org_id: UUID) -> str:
    """Rung when a text has come to any number of an organization."""
    return f"inbound:{org_id}"


async def apply(tx: Tx, tenant: Tenant, heard: InboundHeard, *, strict: bool) -> frozenset[str]:
    """Keep one text and do all that follows; answers the bells to ring after the commit, none when it came before.

    `strict`: answers go out only from numbers whose campaign has propagated.
    """
    line = await queries.find_line(tx, tenant.org_id, tenant.account, heard.recipient)
    raw = RawText.of(tenant.account, heard)
    if line is None:
        await queries.insert_raw(tx, raw, org_id=None, problem=Problem.NOT_OURS)
        return NOTHING
    if await queries.insert_raw(tx, raw, org_id=tenant.org_id) is None:
        return NOTHING
    whole = await assembling.assemble(tx, tenant.account, heard)
    return NOTHING if whole is None else await take(tx, tenant, line, whole, strict=strict)


async def apply_parts(tx: Tx, tenant: Tenant, key: PartsKey, *, strict: bool) -> frozenset[str]:
    """Show a long text with the parts that came: the others have been due for too long. Bells as `apply`."""
    whole = await assembling.give_up_waiting(tx, key)
    line = await queries.find_line(tx, tenant.org_id, key.account, key.recipient)
    return NOTHING if whole is None or line is None else await take(tx, tenant, line, whole, strict=strict)


async def take(tx: Tx, tenant: Tenant, line: Line, whole: Whole, *, strict: bool) -> frozenset[str]:
    """Store a text that is complete, charge it, tell of it, and obey the keyword in it. Bells as `apply`.

    Locks in the house's order: the law if there is a keyword, the wallet, then the conversation.
    """
    if await queries.is_stored(tx, tenant.org_id, tenant.account, whole):
        return NOTHING
    keyword = classify(whole.text, own=rules.own_words(line))
    if keyword is not None:
        await consent.lock_law(tx, tenant.org_id)
    inbound_id = new_id()
    await _charge(tx, tenant, whole, inbound_id)
    spot = await conversation_queries.add_inbound(
        tx,
        tenant.org_id,
        phone_number_id=line.phone_number_id,
        contact_number=whole.sender,
        phone_number=line.number,
        message_id=inbound_id,
        preview=rules.preview(whole.text),
    )
    inbound = rules.stored(
        whole, line, org_id=tenant.org_id, inbound_id=inbound_id, keyword=keyword, received_at=spot.at
    )
    await queries.insert(tx, tenant.account, inbound)
    await facts.emit(tx, tenant.org_id, EventType.INBOUND_MESSAGE_RECEIVED, inbound_id, InboundOut.of(inbound))
    bells = frozenset({EVENTS_BELL, number_bell(line.number), organization_bell(tenant.org_id)})
    if keyword is None:
        return bells
    due = await obeying.obey(tx, tenant, inbound, keyword)
    if due is None or not rules.may_reply(line, inbound.sender, replies_this_hour=spot.auto_replies):
        return bells
    if await obeying.answer(tx, tenant, line, inbound, due, strict=strict):
        return bells | {TEXTS_BELL}
    return bells


async def _charge(tx: Tx, tenant: Tenant, whole: Whole, inbound_id: UUID) -> None:
    kind = KINDS[rules.channel(whole)]
    await billing.charge(
        tx,
        tenant,
        kind=kind,
        quantity=rules.segment_count(whole),
        unit_cost_microcents=billing.price(kind, None, tx.now),
        source="inbound",
        source_ref=str(inbound_id),
        ref_kind="inbound_message",
        ref_id=inbound_id,
        may_overdraw=True,  # it has come already, and a STOP must not wait for money
    )
