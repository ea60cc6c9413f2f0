"""What a contact asks for by keyword is done at once, in the transaction that stores the text.

The caller has locked the law before any other lock, so that no text is admitted beside a STOP.
"""

import structlog

from agentmessage import conversations
from agentmessage.consent import operations as consent
from agentmessage.consent.model import ConsentMethod, Outcome, Source, Suppression
from agentmessage.inbound import rules
from agentmessage.inbound.model import Inbound, Line
from agentmessage.kernel.db import Tx
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.messages import operations as messages
from agentmessage.messages.model import Cause
from agentmessage.messages.model import Kind as TextKind
from agentmessage.optin import operations as optin
from agentmessage.sms.keywords import Keyword, Kind, Method

log = structlog.get_logger("agentmessage.inbound")

SUPPRESSIONS = {Method.KEYWORD: Suppression.KEYWORD, Method.NATURAL_LANGUAGE: Suppression.NATURAL_LANGUAGE}


async def obey(tx: Tx, tenant: Tenant, inbound: Inbound, keyword: Keyword) -> Kind | None:
    """Do what the contact asks for; answers which confirmation is due, None when none is.

    A repeated STOP or START changes nothing and is not confirmed again. YES means something only to a question.
    """
    match keyword.kind:
        case Kind.STOP:
            return Kind.STOP if await _stop(tx, tenant, inbound, keyword) else None
        case Kind.START:
            return Kind.START if await _start(tx, tenant, inbound, keyword) else None
        case Kind.CONFIRM:
            return Kind.START if await _confirm(tx, tenant, inbound, keyword) else None
        case Kind.HELP:
            return Kind.HELP


async def answer(tx: Tx, tenant: Tenant, line: Line, inbound: Inbound, kind: Kind, *, strict: bool) -> bool:
    """Queue one automatic answer; False when the sender may not send. What the contact asked for holds either way.

    `strict`: the sender's campaign must have propagated.
    """
    try:
        await messages.send_own(
            tx,
            tenant,
            sender=line.number,
            recipient=inbound.sender,
            text=rules.reply(line, kind),
            kind=TextKind.AUTO_REPLY,
            message_id=new_id(),
            requires_propagation=strict,
            is_owed=kind is Kind.STOP,  # the law asks for this one answer, and not for a full wallet
        )
    except ApiError as refusal:
        log.info("keyword reply not sent", inbound_id=str(inbound.id), keyword=kind.value, code=refusal.code)
        return False
    await conversations.count_auto_reply(
        tx, tenant.org_id, phone_number_id=line.phone_number_id, contact_number=inbound.sender
    )
    return True


async def _stop(tx: Tx, tenant: Tenant, inbound: Inbound, keyword: Keyword) -> bool:
    """Suppress the contact within the organization's scope and take back what is queued there; True when it is new."""
    is_new = await consent.opt_out(
        tx,
        tenant.org_id,
        inbound.phone_number_id,
        inbound.sender,
        by=SUPPRESSIONS[keyword.method],
        source=Source.INBOUND_REPLY,
        keyword=keyword.keyword,
        raw_event_id=str(inbound.id),
    )
    numbers = {inbound.phone_number_id, *await consent.list_reached(tx, tenant.org_id, inbound.sender)}
    await messages.cancel_pairs(tx, tenant.org_id, sorted(numbers), inbound.sender, Cause.OPTED_OUT)
    return is_new


async def _start(tx: Tx, tenant: Tenant, inbound: Inbound, keyword: Keyword) -> bool:
    """Opt in: an explicit word of the contact's own, as the CTIA asks for. Lifts only what came from the handset."""
    outcome = await consent.opt_in(
        tx,
        tenant.org_id,
        inbound.phone_number_id,
        inbound.sender,
        method=ConsentMethod.SMS_KEYWORD,
        source=Source.INBOUND_REPLY,
        keyword=keyword.keyword,
        raw_event_id=str(inbound.id),
    )
    return outcome is Outcome.OPTED_IN


async def _confirm(tx: Tx, tenant: Tenant, inbound: Inbound, keyword: Keyword) -> bool:
    """YES to a double opt-in; True when a question was open."""
    return await optin.confirm(
        tx,
        tenant.org_id,
        inbound.phone_number_id,
        inbound.sender,
        keyword=keyword.keyword,
        raw_event_id=str(inbound.id),
    )
