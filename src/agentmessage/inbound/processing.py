"""Texts from their raw form to their consequences, in the transaction that the caller opened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
import structlog

from agentmessage import conversations
from agentmessage.billing import operations as billing
from agentmessage.billing.model import Charge
from agentmessage.carriers.messaging import InboundHeard
from agentmessage.consent import operations as consent
from agentmessage.conversations.model import Channel, Spot
from agentmessage.inbound import keyword_actions, multipart, queries, rules
from agentmessage.inbound.model import Arrival, Inbound, Line, PartsKey, Problem, RawText, Whole
from agentmessage.inbound.schemas import InboundOut
from agentmessage.kernel.db import Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages.operations import TOPIC as MESSAGES_TOPIC
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.sms.keywords import Kind, classify

NOTHING: frozenset[str] = frozenset()
"""No bell is to be rung: nothing changed."""

FLOOR_CENTS = -1000
"""Below zero at most, where nobody says else: ten dollars."""

log = structlog.get_logger("agentmessage.inbound")

EVENTS_TOPIC = "events"
KINDS = {Channel.SMS: "inbound_sms", Channel.MMS: "inbound_mms"}


def number_bell(number: str) -> str:
    """Rung when a text has come to one of our numbers."""
    return f"inbound:{number}"


def organization_bell(org_id: UUID) -> str:
    """Rung when a text has come to any number of an organization."""
    return f"inbound:{org_id}"


async def apply(
    tx: Tx, tenant: Tenant, heard: Sequence[InboundHeard], *, strict: bool, floor_cents: int = FLOOR_CENTS
) -> frozenset[str]:
    """Keep texts of one organization and do all that follows; answers the bells to ring after the commit.

    Texts that came before change nothing. `strict`: answers go out only from numbers whose campaign has propagated.
    What would take the wallet below `floor_cents` is not charged.
    """
    lines = await _lines(tx, tenant, [one.recipient for one in heard])
    raws = [RawText.of(new_id(), tenant.account, one) for one in heard]
    ours = [raw for raw in raws if raw.recipient in lines]
    strays = [raw for raw in raws if raw.recipient not in lines]
    strange = await queries.insert_raw(tx, strays, org_id=None, problem=Problem.NOT_OURS)
    await _stop_for_released(tx, tenant, [one for raw, one in zip(raws, heard, strict=True) if raw.id in strange])
    fresh = await queries.insert_raw(tx, ours, org_id=tenant.org_id)
    wholes: list[Whole] = []
    for raw, one in zip(raws, heard, strict=True):
        whole = await multipart.assemble(tx, tenant.account, one) if raw.id in fresh else None
        if whole is not None:
            wholes.append(whole)
    return await _take(tx, tenant, lines, wholes, strict=strict, floor_cents=floor_cents)


async def _stop_for_released(tx: Tx, tenant: Tenant, heard: Sequence[InboundHeard]) -> None:
    """Obey a STOP to a number that the organization has just released: the contact means the caller, not the number.

    Nothing else of such a text is anybody's: it is not shown, charged, delivered or answered.
    """
    if not heard:
        return
    numbers = sorted({one.recipient for one in heard})
    released = {
        line.number: line
        for line in await queries.list_lines(tx, tenant.org_id, tenant.account, numbers, state="quarantined")
    }
    arrivals = [
        Arrival(new_id(), released[one.recipient], whole, classify(whole.text))
        for one in heard
        if one.recipient in released
        for whole in (rules.whole(one),)
    ]
    stops = [(one, one.keyword) for one in arrivals if one.keyword is not None and one.keyword.kind is Kind.STOP]
    if stops:
        await consent.lock_law(tx, tenant.org_id)
    for arrival, keyword in stops:
        await keyword_actions.obey(tx, tenant, rules.stored(arrival, org_id=tenant.org_id, received_at=tx.now), keyword)


async def apply_parts(
    tx: Tx, tenant: Tenant, key: PartsKey, *, strict: bool, floor_cents: int = FLOOR_CENTS
) -> frozenset[str]:
    """Show a long text with the parts that came: the others have been due for too long. Bells as `apply`."""
    whole = await multipart.give_up_waiting(tx, key)
    lines = await _lines(tx, tenant, [key.recipient])
    wholes = [] if whole is None or key.recipient not in lines else [whole]
    return await _take(tx, tenant, lines, wholes, strict=strict, floor_cents=floor_cents)


async def _lines(tx: Tx, tenant: Tenant, numbers: Sequence[str]) -> Mapping[str, Line]:
    """The organization's numbers among these, by number."""
    found = await queries.list_lines(tx, tenant.org_id, tenant.account, sorted(set(numbers)))
    return {line.number: line for line in found}


async def _take(
    tx: Tx, tenant: Tenant, lines: Mapping[str, Line], wholes: Sequence[Whole], *, strict: bool, floor_cents: int
) -> frozenset[str]:
    """Store complete texts, charge them, tell of them, and obey the keywords in them.

    Locks in the house's order: the law if there is a keyword, the wallet, then the conversations.
    """
    arrivals = await _arrivals(tx, tenant, lines, wholes)
    if not arrivals:
        return NOTHING
    if any(arrival.keyword for arrival in arrivals):
        await consent.lock_law(tx, tenant.org_id)
    await _charge(tx, tenant, arrivals, floor_cents=floor_cents)
    spots = [await _converse(tx, tenant, arrival) for arrival in arrivals]
    inbounds = [
        rules.stored(arrival, org_id=tenant.org_id, received_at=spot.at)
        for arrival, spot in zip(arrivals, spots, strict=True)
    ]
    await queries.insert(tx, tenant.org_id, tenant.account, inbounds)
    news = [(inbound.id, InboundOut.of(inbound)) for inbound in inbounds]
    await outbox_events.emit_many(tx, tenant.org_id, EventType.INBOUND_MESSAGE_RECEIVED, news)
    bells = {EVENTS_TOPIC, organization_bell(tenant.org_id), *(number_bell(whole.recipient) for whole in wholes)}
    replies: Counter[tuple[UUID, str]] = Counter()
    for arrival, inbound, spot in zip(arrivals, inbounds, spots, strict=True):
        pair = (inbound.phone_number_id, inbound.sender)
        if await _obey(tx, tenant, arrival, inbound, replies=spot.auto_replies + replies[pair], strict=strict):
            replies[pair] += 1
            bells.add(MESSAGES_TOPIC)
    return frozenset(bells)


async def _arrivals(tx: Tx, tenant: Tenant, lines: Mapping[str, Line], wholes: Sequence[Whole]) -> list[Arrival]:
    """What is new, with what it asks for. YES is a keyword only to a question; else it is an answer as any other."""
    known = await queries.list_stored(tx, tenant.org_id, tenant.account, wholes)
    arrivals = [
        Arrival(new_id(), line, whole, classify(whole.text, own=rules.own_words(line)))
        for whole in wholes
        for line in (lines[whole.recipient],)
        if whole.key not in known
    ]
    answers = [one for one in arrivals if one.keyword is not None and one.keyword.kind is Kind.CONFIRM]
    if not answers:
        return arrivals
    asked = await queries.list_asked(tx, tenant.org_id, [one.place for one in answers])
    idle = {one.id for one in answers if one.place not in asked}
    return [msgspec.structs.replace(one, keyword=None) if one.id in idle else one for one in arrivals]


async def _converse(tx: Tx, tenant: Tenant, arrival: Arrival) -> Spot:
    return await conversations.add_inbound(
        tx,
        tenant.org_id,
        phone_number_id=arrival.line.phone_number_id,
        contact_number=arrival.whole.sender,
        phone_number=arrival.line.number,
        message_id=arrival.id,
        preview=rules.preview(arrival.whole.text),
    )


async def _obey(tx: Tx, tenant: Tenant, arrival: Arrival, inbound: Inbound, *, replies: int, strict: bool) -> bool:
    """Do what the text asks for; True: an answer is queued. `replies` went to the contact within the hour."""
    if arrival.keyword is None:
        return False
    due = await keyword_actions.obey(tx, tenant, inbound, arrival.keyword)
    if due is None or not rules.may_reply(arrival.line, inbound.sender, replies_this_hour=replies):
        return False
    return await keyword_actions.answer(tx, tenant, arrival.line, inbound, due, strict=strict)


async def _charge(tx: Tx, tenant: Tenant, arrivals: Sequence[Arrival], *, floor_cents: int) -> None:
    """Charge what came down to the floor; what would go below it is free: a STOP must not wait for money.

    Anybody can text a number, so whoever did so long enough would owe the customer any sum.
    """
    charges = [
        Charge(
            kind=KINDS[channel],
            quantity=rules.segment_count(arrival.whole),
            unit_cost_microcents=billing.price(KINDS[channel], None, tx.now),
            source="inbound",
            source_ref=str(arrival.id),
            ref_kind="inbound_message",
            ref_id=arrival.id,
        )
        for arrival in arrivals
        for channel in (rules.channel(arrival.whole),)
    ]
    await billing.lock(tx, [tenant.org_id])
    wallet = await billing.wallet(tx, tenant)
    due = rules.above_floor(charges, wallet.balance_microcents, microcents(floor_cents))
    if len(due) < len(charges):
        log.warning(
            "inbound messages not charged",
            reason="wallet floor",
            org_id=str(tenant.org_id),
            count=len(charges) - len(due),
        )
    if due:
        await billing.charge_many(tx, tenant, due, may_overdraw=True)
