"""What a text costs, what is appended to it, when it may be scheduled for; pure."""

from datetime import datetime, timedelta

from agentmessage.guardrails.model import AutostampCadence
from agentmessage.law.model import Case
from agentmessage.messages.schemas import MessageCreate
from agentmessage.sms.segments import Measure
from agentmessage.sms.segments import measure as measure_text

SOONEST = timedelta(minutes=1)
LATEST = timedelta(days=30)
STAMP_DAY = timedelta(days=1)


def faults(body: MessageCreate, now: datetime) -> dict[str, str]:
    """What is wrong with a text beyond its shape, by field."""
    found: dict[str, str] = {}
    if body.text is None and not body.media:
        found["text"] = "must be 1..1600 chars, or there must be media"
    elif body.text is not None and not _is_encodable(body.text):
        found["text"] = "must be whole characters: it holds half a surrogate pair"
    if body.scheduled_at is not None and not now + SOONEST <= body.scheduled_at <= now + LATEST:
        found["scheduled_at"] = "must be 1 minute to 30 days ahead"
    if body.from_ == body.to:
        found["to"] = "must not be the sender"
    return found


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-16")
    except UnicodeEncodeError:
        return False
    return True


def stamp(case: Case, now: datetime) -> str | None:
    """What the guardrail appends to the text, separator included: the disclosure of who is texting."""
    wanted, last = case.resolved.autostamp, case.facts.stamped_at
    if wanted is None or case.ask.kind == "auto_reply":
        return None
    match wanted.cadence:
        case AutostampCadence.EVERY:
            is_due = True
        case AutostampCadence.FIRST:
            is_due = last is None
        case AutostampCadence.DAILY:
            is_due = last is None or now - last >= STAMP_DAY
    return f"\n{wanted.text}" if is_due else None


def measure(text: str | None, stamp: str | None, *, has_media: bool) -> Measure:
    """What is charged: the parts of the text with its stamp; an MMS is one."""
    counted = measure_text((text or "") + (stamp or ""))
    return Measure(counted.encoding, counted.units, 1) if has_media else counted


def carrier_text(text: str | None, stamp: str | None) -> str:
    """What the handset shows."""
    return (text or "") + (stamp or "")
