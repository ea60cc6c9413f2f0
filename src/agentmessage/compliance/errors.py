"""Errors of compliance checks, in the order of the checks."""

from datetime import datetime

from agentmessage.kernel.errors import ApiError


class SenderNotRegistered(ApiError):
    """The sender has no working campaign; operators reject or fine its messages. `details.from` names the reason."""

    code = "SENDER_NOT_REGISTERED"
    status = 422
    fix = "Attach an ACTIVE campaign to the sender and wait until carrier_line_option_status is propagated."
    message = "the sender is not registered for messaging"


class RecipientOptedOut(ApiError):
    """The recipient sent STOP, or the consent was revoked; operators fine a sender who continues.

    `details` has the time, the number that received it (`opted_out_number`) and the scope of the opt-out.
    """

    code = "RECIPIENT_OPTED_OUT"
    status = 453
    fix = "Do not retry. The recipient must text START first, to this number or to details.opted_out_number."
    message = "the recipient has opted out"


class ConsentRequired(ApiError):
    """No consent of this recipient is recorded for this number."""

    code = "CONSENT_REQUIRED"
    status = 453
    fix = "Record the recipient's consent for this number (POST /v1/consent), or ask by double opt-in or a hosted form."
    message = "no consent on record for this sender and recipient"


class ConsentStale(ApiError):
    """The consent is older than the guardrail allows."""

    code = "CONSENT_STALE"
    status = 453
    fix = "Have the recipient renew it: by a fresh hosted form link, or by texting START to this number."
    message = "the recipient's consent is too old"


class LineTypeBlocked(ApiError):
    """A lookup not older than 90 days says that the recipient is a fixed line."""

    code = "LINE_TYPE_BLOCKED"
    status = 422
    fix = "Do not text this number; look it up again if it was ported to a mobile operator."
    message = "the recipient is on a fixed line"


class QuietHours(ApiError):
    """The recipient is in quiet hours; `details.opens_at` is their end."""

    code = "QUIET_HOURS"
    status = 422
    fix = "Schedule the message at details.opens_at, or set the guardrail's quiet_hours_mode to defer."
    message = "the recipient is in quiet hours"


class FrequencyCapExceeded(ApiError):
    """The recipient has received the maximum for this window; `details.resets_at` is when the next message fits."""

    code = "FREQUENCY_CAP_EXCEEDED"
    status = 422
    fix = "Wait until details.resets_at, or raise the guardrail's frequency cap."
    message = "the recipient was texted often enough in this window"


def instant(moment: datetime) -> str:
    """An instant as `details` prints it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
