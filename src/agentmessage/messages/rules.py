"""What a text must be beyond its shape, and what the handset shows of it; pure."""

from datetime import datetime

from agentmessage.law import operations as law
from agentmessage.messages.schemas import MessageCreate


def faults(body: MessageCreate, now: datetime) -> dict[str, str]:
    """What is wrong with a text beyond its shape, by field."""
    found = law.faults(body.from_, body.to, body.text, body.scheduled_at, now)
    if body.text is None and not body.media:
        found["text"] = "must be 1..1600 chars, or there must be media"
    return found


def carrier_text(text: str | None, stamp: str | None) -> str:
    """What the handset shows."""
    return (text or "") + (stamp or "")
