"""Decisions about a registration; pure."""

from datetime import datetime

from agentmessage.carriers.protocols import Refused, Trouble
from agentmessage.registration.model import FilingStep, Record

MISSES_TO_FILE_AGAIN = 2
MIN_POLL_S, MAX_POLL_S = 0.25, 900.0

PLATFORM_TROUBLES = frozenset({Trouble.MONEY, Trouble.TRANSIENT, Trouble.LOCKED})
PLATFORM_CODES = frozenset({"401", "403", "405", "415"})


def filing_step(record: Record) -> FilingStep:
    """File a record that is surely not registered; look up one that may be, because an answer was lost."""
    if record.tcr_id is not None or not record.may_be_filed:
        return FilingStep.NOTHING
    if record.filed_at is None or record.filing_misses >= MISSES_TO_FILE_AGAIN:
        return FilingStep.FILE
    return FilingStep.LOOK_UP


def is_platform_problem(refused: Refused) -> bool:
    """Whether the registry refused the platform (credentials, bill, its own health) and not the customer's data."""
    return refused.trouble in PLATFORM_TROUBLES or refused.code in PLATFORM_CODES


def customer_text(refused: Refused) -> str:
    """The reason of a refusal as the customer reads it."""
    return refused.text or f"refused with code {refused.code}"


def poll_delay_s(waiting_since: datetime, now: datetime, *, max_s: float = MAX_POLL_S) -> float:
    """Seconds until the next read: a quarter of the time waited so far, within limits."""
    return min(max_s, max(MIN_POLL_S, (now - waiting_since).total_seconds() / 4))
