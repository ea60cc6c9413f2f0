"""Judges texts again at the moment of hand-over; pure, but for what the law knows.

What was lawful when it was admitted may not be any more: a STOP, a campaign that was suspended, a number given back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from agentmessage.carriers.messaging import TextError
from agentmessage.delivery.model import Over
from agentmessage.kernel.errors import ApiError
from agentmessage.messages.model import Cause, Status

ENDINGS: Mapping[str, tuple[Status, Cause, str]] = {
    "RECIPIENT_OPTED_OUT": (Status.CANCELED, Cause.OPTED_OUT, TextError.RECIPIENT_OPTED_OUT.value),
    "CONSENT_REQUIRED": (Status.CANCELED, Cause.NO_LONGER_LAWFUL, "consent_required"),
    "CONSENT_STALE": (Status.CANCELED, Cause.NO_LONGER_LAWFUL, "consent_stale"),
    "LINE_TYPE_BLOCKED": (Status.FAILED, Cause.NO_LONGER_LAWFUL, TextError.LANDLINE_OR_UNSUPPORTED.value),
    "SENDER_NOT_REGISTERED": (Status.FAILED, Cause.NO_LONGER_LAWFUL, TextError.SENDER_UNREGISTERED.value),
    "VALIDATION_FAILED": (Status.FAILED, Cause.NO_LONGER_LAWFUL, TextError.SENDER_INVALID.value),
}
"""What becomes of a text that the law would not admit any more, by the refusal's code."""

EXPIRED = Over(Status.FAILED, Cause.EXPIRED, TextError.EXPIRED.value, "its validity ended before the carrier took it")
ERASED = Over(Status.CANCELED, Cause.ERASED, TextError.CONTENT_INVALID.value, "its text was erased")


def over(text: str | None, media: Sequence[str], *, expires_at: datetime, now: datetime) -> Over | None:
    """Why a text must not be handed over whatever the law says, if it must not."""
    if expires_at <= now:
        return EXPIRED
    if text is None and not media:
        return ERASED
    return None


def unlawful(refusal: ApiError) -> Over:
    """What becomes of a text that the law refuses by now."""
    status, cause, error = ENDINGS.get(refusal.code, (Status.FAILED, Cause.NO_LONGER_LAWFUL, refusal.code.lower()))
    details = refusal.details or {}
    return Over(status, cause, error, "; ".join(details.values()) or refusal.message)
