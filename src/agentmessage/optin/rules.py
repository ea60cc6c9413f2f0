"""What a question says, how it ends, and what a link may hold."""

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from agentmessage.optin.model import Challenge, ChallengeStatus
from agentmessage.sms.visible import is_blank

ASKS = re.compile(r"\b(yes|confirm)\b", re.IGNORECASE)
HOW_TO_ANSWER = "Reply YES to confirm."

MAX_AGREEMENT_BYTES = 4096
"""Of an agreement within a link: proxies commonly take 8 KiB of a request line, and base64 adds a third."""


def question(text: str) -> str:
    """The text as it is sent: it tells the contact how to say yes."""
    return text if ASKS.search(text) else f"{text.rstrip()} {HOW_TO_ANSWER}"


def ended(challenge: Challenge, status: ChallengeStatus, now: datetime) -> Challenge:
    """A pending question's end."""
    return msgspec.structs.replace(challenge, status=status.value, ended_at=now)


def faults(agreement_text: str, *, is_in_link: bool) -> Mapping[str, str]:
    """What is wrong with an agreement, by field; within a link it has to fit."""
    if is_blank(agreement_text):
        return {"agreement_text": "must not be blank: it is what the contact agrees to"}
    if is_in_link and len(agreement_text.encode()) > MAX_AGREEMENT_BYTES:
        return {"agreement_text": f"must be at most {MAX_AGREEMENT_BYTES} bytes of UTF-8 in a link"}
    return {}
