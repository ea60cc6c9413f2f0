"""The carrier side of one number for people: desired and observed campaign, the phase and its reason."""

from uuid import UUID

from agentmessage.carriers.protocols import Trouble
from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import NotFound
from agentmessage.numbers.binding import queries, rules
from agentmessage.numbers.binding.model import Line, Observed
from agentmessage.numbers.binding.queries import StoredLine
from agentmessage.numbers.binding.schemas import LineError, LineOptionOut, LineTransition
from agentmessage.numbers.model import LineOptionStatus
from agentmessage.sms.numbers import is_toll_free

TRANSITIONS_SHOWN = 50

FIXES = {
    Trouble.LOCKED: "Nothing: the carrier is busy with this number; it is tried again by itself.",
    Trouble.TRANSIENT: "Nothing: the carrier is having trouble; it is tried again by itself.",
    Trouble.CAMPAIGN_NOT_READY: "Wait: the campaign has not reached the carrier yet; it is tried again by itself.",
    Trouble.CAMPAIGN_ASLEEP: "Nothing: the campaign had no numbers for long and is being woken.",
    Trouble.CAMPAIGN_DEAD: "Attach another campaign, or wait until a suspension ends.",
    Trouble.CAPACITY: "Detach another number from the campaign, or ask for a number pool.",
    Trouble.OWNERSHIP: "Ask the operator: the carrier says that the number is not ours or is routed elsewhere.",
    Trouble.CONFIGURATION: "Ask the operator: the carrier account is not set up for this.",
    Trouble.MONEY: "Ask the operator: the carrier account has no funds.",
    Trouble.UNCLASSIFIED: "Nothing yet: it is tried again; the operator sees the carrier's words.",
}
"""What the customer can do about each trouble."""

DETACH = "Detach the campaign and attach it to a local number: a toll-free number takes no 10DLC campaign."


async def line_option(db: Executor, org_id: UUID, number_id: UUID) -> LineOptionOut:
    """The carrier side of an assigned number. Raises NotFound."""
    stored = await queries.find_line(db, org_id, number_id)
    if stored is None:
        raise NotFound
    steps = await queries.list_transitions(db, org_id, number_id, limit=TRANSITIONS_SHOWN)
    return _shown(stored, [LineTransition(*step) for step in steps])


def _shown(stored: StoredLine, transitions: list[LineTransition]) -> LineOptionOut:
    line = stored.line
    status = rules.public_status(line)
    can_send, reason = sendability(line)
    return LineOptionOut(
        phone_number_id=line.id,
        number=line.number,
        status=LineOptionStatus(status) if status else None,
        phase=line.phase,
        generation=line.generation,
        applied_generation=line.applied_generation,
        desired_campaign_id=line.desired_id,
        desired_tcr_campaign_id=line.desired_campaign,
        observed_state=line.observed,
        observed_tcr_campaign_id=line.observed_campaign,
        observed_at=line.observed_at,
        operators=line.operators,
        attempts=line.attempts,
        next_attempt_at=line.due_at,
        last_error=_error(line),
        carrier_order_id=stored.carrier_order_id,
        can_send=can_send,
        reason=reason,
        transitions=transitions,
    )


def _error(line: Line) -> LineError | None:
    if line.trouble is None:
        return None
    fix = DETACH if is_toll_free(line.number) else FIXES[Trouble(line.trouble)]
    return LineError(line.trouble, line.error_code, line.error_text, fix)


def sendability(line: Line) -> tuple[bool, str]:
    """Whether messages can be sent from the number as far as its binding goes, and the reason in one sentence."""
    if line.desired_id is None:
        return False, "No campaign is attached: attach an ACTIVE one."
    if line.campaign_status != "ACTIVE" or line.campaign_is_suspended:
        standing = "suspended" if line.campaign_is_suspended else line.campaign_status
        return False, f"The attached campaign is {standing}."
    if rules.public_status(line) == "propagated":
        return True, "The carrier has confirmed the campaign."
    if line.trouble is not None:
        return False, f"The carrier does not have the campaign yet: {line.error_text or line.trouble}."
    if line.observed == Observed.PRESENT and line.observed_campaign != line.desired_campaign:
        return False, "The number is leaving another campaign first."
    return False, "The carrier has not confirmed the campaign yet."
