"""May this message be sent? Pure: an evaluation in, the first error or none out.

Each check returns an error or None. Sending stops at the first; preflight runs them all; the recheck runs those that
can change while a message is queued. The order is that of the API.
"""

import math
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.compliance.errors import (
    ConsentRequired,
    ConsentStale,
    FrequencyCapExceeded,
    LineTypeBlocked,
    QuietHours,
    RecipientOptedOut,
    SenderNotRegistered,
    instant,
)
from agentmessage.compliance.model import NEVER, RATE_LIMITED_KINDS, UNDISCLOSED_KINDS, Cost, Evaluation, SendAllowance
from agentmessage.compliance.schemas import MessageBody
from agentmessage.guardrails.model import AutostampCadence, FrequencyCap, QuietHoursMode
from agentmessage.kernel.errors import ApiError, RateLimited, ValidationFailed
from agentmessage.sms.numbers import is_toll_free
from agentmessage.sms.segments import measure
from agentmessage.sms.visible import is_blank

DAY_MS = 86_400_000
MIN_KEPT, MIN_KEPT_MS = 100, 86_400_000
MIN_SCHEDULE_AHEAD = timedelta(minutes=1)
MAX_SCHEDULE_AHEAD = timedelta(days=30)
FIXED_LINES = frozenset({"FIXED", "LANDLINE", "FIXED_LINE"})


Check = Callable[[Evaluation], ApiError | None]


def faults(body: MessageBody, now: datetime) -> dict[str, str]:
    """What is wrong with a message beyond the shape of its fields, by field."""
    found: dict[str, str] = {}
    text = body.text
    if text is not None and not _is_encodable(text):
        found["text"] = "must be whole characters: it holds half a surrogate pair"
    elif text is not None and not body.media and is_blank(text):
        found["text"] = "must be 1..1600 chars, not all blank, or there must be media"
    if body.scheduled_at is not None and not now + MIN_SCHEDULE_AHEAD <= body.scheduled_at <= now + MAX_SCHEDULE_AHEAD:
        found["scheduled_at"] = "must be 1 minute to 30 days ahead"
    if body.tag is not None and is_blank(body.tag):
        found["tag"] = "must be 1..64 printable characters"
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


def sender_is_assigned(evaluation: Evaluation) -> ApiError | None:
    """The sender is one of the organization's assigned numbers."""
    if evaluation.facts.phone_number_id is None:
        return ValidationFailed({"from": "must be one of your assigned numbers"})
    return None


def sender_is_registered(evaluation: Evaluation) -> ApiError | None:
    """The sender has an active campaign, and its carrier has confirmed it."""
    facts = evaluation.facts
    if facts.campaign_id is None and is_toll_free(evaluation.request.sender):
        return SenderNotRegistered(details={"from": "is toll-free and takes no campaign: send from a local number"})
    if facts.campaign_id is None:
        return SenderNotRegistered(details={"from": "has no campaign attached"})
    if facts.campaign_status != "ACTIVE":
        return SenderNotRegistered(details={"from": f"its campaign is {facts.campaign_status}, not ACTIVE"})
    if facts.campaign_is_suspended:
        return SenderNotRegistered(details={"from": "its campaign is suspended by the registry"})
    if evaluation.requires_propagation and facts.line_option_status != "propagated":
        return SenderNotRegistered(
            details={"from": f"the carrier has not confirmed its campaign yet ({facts.line_option_status or 'unread'})"}
        )
    return None


def recipient_has_not_opted_out(evaluation: Evaluation) -> ApiError | None:
    """The recipient has not opted out."""
    facts = evaluation.facts
    if facts.suppressed_by is None and facts.out_number is None:
        return None
    moment = facts.out_at or facts.opted_out_at
    details = {
        "opted_out_at": instant(moment) if moment else None,
        "opted_out_number": facts.out_number,
        "opt_out_scope": facts.out_scope,
    }
    return RecipientOptedOut(details={name: value for name, value in details.items() if value is not None} or None)


def consent_is_on_record(evaluation: Evaluation) -> ApiError | None:
    """The recipient's consent for this sender is recorded."""
    return None if evaluation.facts.opted_in else ConsentRequired()


def consent_is_fresh(evaluation: Evaluation) -> ApiError | None:
    """The consent is not older than the guardrail allows."""
    days, since = evaluation.resolved.consent_max_age_days, evaluation.facts.opted_in_at
    if days is None or since is None or evaluation.request.due_at - since <= timedelta(days=days):
        return None
    return ConsentStale(details={"to": f"consent is from {since:%Y-%m-%d}, and may be {days} days old at most"})


def line_type_can_receive(evaluation: Evaluation) -> ApiError | None:
    """No recent lookup says that the recipient is a fixed line."""
    return LineTypeBlocked() if evaluation.facts.line_type in FIXED_LINES else None


def outside_quiet_hours(evaluation: Evaluation) -> ApiError | None:
    """The recipient is outside quiet hours, or the message may wait for their end."""
    if evaluation.opens_at is None or (
        evaluation.resolved.quiet_mode is QuietHoursMode.DEFER and evaluation.opens_at < NEVER
    ):
        return None
    return QuietHours(details={"opens_at": instant(evaluation.opens_at)})


def within_frequency_cap(evaluation: Evaluation) -> ApiError | None:
    """No window of the cap's length holds too many messages with this one, scheduled ones included."""
    cap = evaluation.resolved.cap
    if cap is None:
        return None
    sent_at, window_ms = send_times(evaluation), cap.window_minutes * 60_000
    due_ms = to_epoch_ms(send_time(evaluation))
    if _fits(sent_at, due_ms, cap.max_in_window, window_ms):
        return None
    later = (moment + window_ms for moment in sent_at if moment + window_ms > due_ms)
    resets_ms = next(moment for moment in later if _fits(sent_at, moment, cap.max_in_window, window_ms))
    resets_at = datetime.fromtimestamp(math.ceil(resets_ms / 1000), UTC)
    return FrequencyCapExceeded(details={"resets_at": instant(resets_at)})


def _fits(sent_at: Sequence[int], due_ms: int, max_in_window: int, window_ms: int) -> bool:
    """Whether no window would contain more than `max_in_window` messages with one more at `due_ms`."""
    if len(sent_at) < max_in_window:
        return True
    position = bisect_right(sent_at, due_ms)
    neighbors = [
        *sent_at[max(0, position - max_in_window) : position],
        due_ms,
        *sent_at[position : position + max_in_window],
    ]
    return all(late - early >= window_ms for early, late in zip(neighbors, neighbors[max_in_window:], strict=False))


REGISTRATION: Sequence[Check] = (sender_is_assigned, sender_is_registered)
CONSENT: Sequence[Check] = (recipient_has_not_opted_out, consent_is_on_record, consent_is_fresh, line_type_can_receive)
GUARDRAILS: Sequence[Check] = (outside_quiet_hours, within_frequency_cap)

SENDING: dict[str, Sequence[Check]] = {
    "customer": (*REGISTRATION, *CONSENT, *GUARDRAILS),
    # A double opt-in question asks for the consent, so it cannot require it.
    "confirmation": (*REGISTRATION, recipient_has_not_opted_out, line_type_can_receive, *GUARDRAILS),
    # Confirmations of STOP and replies to HELP are exempt from everything but the operators' own rules.
    "auto_reply": REGISTRATION,
}
"""The checks of each kind of message."""

RECHECK: dict[str, Sequence[Check]] = {
    kind: [check for check in checks if check not in (outside_quiet_hours, within_frequency_cap)]
    for kind, checks in SENDING.items()
}
"""Checks whose result can change while a message is queued. Quiet hours and the cap defer it; see `capped_until`."""


def first_error(evaluation: Evaluation, checks: Iterable[Check]) -> ApiError | None:
    """The first error of these checks, or None."""
    for check in checks:
        error = check(evaluation)
        if error is not None:
            return error
    return None


def send_times(evaluation: Evaluation) -> Sequence[int]:
    """When messages to the recipient were or will be sent in the cap's scope; in order, ms since 1970."""
    cap = evaluation.resolved.cap
    return () if cap is None else evaluation.history.sent.get(history_key(cap.scope_id), ())


@lru_cache(maxsize=65536)  # three times a message it took a tenth of the evaluation
def history_key(id_: UUID) -> str:
    """The id of a scope or a number as a key of `ContactHistory`."""
    return str(id_)


def counted_sends(evaluation: Evaluation, now: datetime) -> Sequence[int]:
    """The same including this message, without those that no window reaches any more."""
    cap = evaluation.resolved.cap
    since = 0 if cap is None else to_epoch_ms(now) - cap.window_minutes * 60_000
    kept = [moment for moment in send_times(evaluation) if moment > since]
    insort(kept, to_epoch_ms(send_time(evaluation)))
    return kept


def send_time(evaluation: Evaluation) -> datetime:
    """When the message would be sent: at the end of quiet hours, if it is deferred to it."""
    if (
        evaluation.opens_at is None
        or evaluation.opens_at >= NEVER
        or evaluation.resolved.quiet_mode is not QuietHoursMode.DEFER
    ):
        return evaluation.request.due_at
    return evaluation.opens_at


def capped_until(cap: FrequencyCap, submissions: Sequence[int], now_ms: int) -> int | None:
    """When one more message may be submitted to the contact after those, in order; ms since 1970, None: now.

    Admission counted the message at its planned time. A worker outage, a deferral by the carrier or a newer cap may
    have moved it since, next to others.
    """
    if len(submissions) < cap.max_in_window:
        return None
    free_ms = submissions[-cap.max_in_window] + cap.window_minutes * 60_000
    return None if free_ms <= now_ms else free_ms


def relevant_submissions(cap: FrequencyCap, submissions: Mapping[str, int], now_ms: int) -> Mapping[str, int]:
    """The submissions that a counter keeps: those in its cap's window, and some more in case the cap is widened."""
    since = now_ms - max(cap.window_minutes * 60_000, MIN_KEPT_MS)
    newest = sorted(submissions.items(), key=lambda submission: submission[1])[-max(cap.max_in_window, MIN_KEPT) :]
    return {message_id: moment for message_id, moment in newest if moment > since}


def to_epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def allowance_errors(evaluation: Evaluation, allowance: SendAllowance, cost: Cost) -> Iterator[ApiError]:
    """Why the organization may not admit the message now: credit, then rate limit."""
    if not allowance.covers(cost.price_microcents):
        yield InsufficientCredit()
    if evaluation.request.kind in RATE_LIMITED_KINDS and (wait_s := allowance.wait_s()):
        yield RateLimited(retry_after_s=wait_s)


def cost_of(
    evaluation: Evaluation, text: str | None, now: datetime, *, has_media: bool, unit_price_microcents: int
) -> Cost:
    """What a message costs with the text that is appended to it. An MMS is one segment."""
    appended_text = _appended_text(evaluation, now)
    counted = measure(
        (text or "") + (appended_text or ""),
        reference_bits=evaluation.layout.reference_bits,
        alphabet=evaluation.layout.alphabet,
    )
    segments = 1 if has_media else counted.segments
    return Cost(appended_text, counted.encoding, segments, segments * unit_price_microcents)


def _appended_text(evaluation: Evaluation, now: datetime) -> str | None:
    """The disclosure that the guardrail appends, separator included."""
    wanted, number_id = evaluation.resolved.autostamp, evaluation.facts.phone_number_id
    if wanted is None or number_id is None or evaluation.request.kind in UNDISCLOSED_KINDS:
        return None
    last = evaluation.history.disclosed.get(history_key(number_id))
    match wanted.cadence:
        case AutostampCadence.EVERY:
            is_due = True
        case AutostampCadence.FIRST:
            is_due = last is None
        case AutostampCadence.DAILY:
            is_due = last is None or to_epoch_ms(now) - last >= DAY_MS
    return f"\n{wanted.text}" if is_due else None
