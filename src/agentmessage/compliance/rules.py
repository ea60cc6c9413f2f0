"""May this text go out? Pure: facts and an instant in, the first refusal or none out.

Each check answers the refusal or None. Sending stops at the first; preflight runs them all; hand-over runs those that
can change while a text waits. The order is the contract's.
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
from agentmessage.compliance.model import NEVER, PACED, UNSTAMPED, Case, Purse, Weight
from agentmessage.compliance.schemas import MessageBody
from agentmessage.guardrails.model import AutostampCadence, FrequencyCap, QuietHoursMode
from agentmessage.kernel.errors import ApiError, RateLimited, ValidationFailed
from agentmessage.sms.numbers import is_toll_free
from agentmessage.sms.segments import measure
from agentmessage.sms.visible import is_blank

STAMP_DAY_MS = 86_400_000
TALLIED, TALLIED_MS = 100, 86_400_000
SOONEST = timedelta(minutes=1)
LATEST = timedelta(days=30)
FIXED_LINES = frozenset({"FIXED", "LANDLINE", "FIXED_LINE"})


Check = Callable[[Case], ApiError | None]


def faults(body: MessageBody, now: datetime) -> dict[str, str]:
    """What is wrong with a message beyond the shape of its fields, by field."""
    found: dict[str, str] = {}
    text = body.text
    if text is not None and not _is_encodable(text):
        found["text"] = "must be whole characters: it holds half a surrogate pair"
    elif text is not None and not body.media and is_blank(text):
        found["text"] = "must be 1..1600 chars, not all blank, or there must be media"
    if body.scheduled_at is not None and not now + SOONEST <= body.scheduled_at <= now + LATEST:
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


def sender_is_ours(case: Case) -> ApiError | None:
    """The sender is one of the organization's assigned numbers."""
    if case.facts.phone_number_id is None:
        return ValidationFailed({"from": "must be one of your assigned numbers"})
    return None


def sender_is_registered(case: Case) -> ApiError | None:
    """The sender is on a campaign that works, and its carrier has confirmed it."""
    facts = case.facts
    if facts.campaign_id is None and is_toll_free(case.ask.sender):
        return SenderNotRegistered(details={"from": "is toll-free and takes no campaign: send from a local number"})
    if facts.campaign_id is None:
        return SenderNotRegistered(details={"from": "has no campaign attached"})
    if facts.campaign_status != "ACTIVE":
        return SenderNotRegistered(details={"from": f"its campaign is {facts.campaign_status}, not ACTIVE"})
    if facts.campaign_is_suspended:
        return SenderNotRegistered(details={"from": "its campaign is suspended by the registry"})
    if case.requires_propagation and facts.line_option_status != "propagated":
        return SenderNotRegistered(
            details={"from": f"the carrier has not confirmed its campaign yet ({facts.line_option_status or 'unread'})"}
        )
    return None


def recipient_may_be_texted(case: Case) -> ApiError | None:
    """The recipient has not said no."""
    facts = case.facts
    if facts.suppressed_by is None and facts.out_number is None:
        return None
    moment = facts.out_at or facts.opted_out_at
    told = {
        "opted_out_at": instant(moment) if moment else None,
        "opted_out_number": facts.out_number,
        "opt_out_scope": facts.out_scope,
    }
    return RecipientOptedOut(details={name: value for name, value in told.items() if value is not None} or None)


def consent_is_on_record(case: Case) -> ApiError | None:
    """The recipient has said yes to this sender."""
    return None if case.facts.opted_in else ConsentRequired()


def consent_is_fresh(case: Case) -> ApiError | None:
    """The yes is not older than the guardrail allows."""
    days, since = case.resolved.consent_max_age_days, case.facts.opted_in_at
    if days is None or since is None or case.ask.due_at - since <= timedelta(days=days):
        return None
    return ConsentStale(details={"to": f"consent is from {since:%Y-%m-%d}, and may be {days} days old at most"})


def line_takes_texts(case: Case) -> ApiError | None:
    """No recent lookup says that the recipient is a fixed line."""
    return LineTypeBlocked() if case.facts.line_type in FIXED_LINES else None


def recipient_is_awake(case: Case) -> ApiError | None:
    """It is not night at the recipient's, unless the text may wait for the morning."""
    if case.opens_at is None or (case.resolved.quiet_mode is QuietHoursMode.DEFER and case.opens_at < NEVER):
        return None
    return QuietHours(details={"opens_at": instant(case.opens_at)})


def recipient_is_not_overtexted(case: Case) -> ApiError | None:
    """No window of the cap's length that the text falls into would hold more texts than allowed, scheduled ones too."""
    cap = case.resolved.cap
    if cap is None:
        return None
    texted_at, window_ms = moments(case), cap.window_minutes * 60_000
    due_ms = in_ms(goes_at(case))
    if _fits(texted_at, due_ms, cap.max_in_window, window_ms):
        return None
    later = (moment + window_ms for moment in texted_at if moment + window_ms > due_ms)
    resets_ms = next(moment for moment in later if _fits(texted_at, moment, cap.max_in_window, window_ms))
    resets_at = datetime.fromtimestamp(math.ceil(resets_ms / 1000), UTC)
    return FrequencyCapExceeded(details={"resets_at": instant(resets_at)})


def _fits(texted_at: Sequence[int], due_ms: int, most: int, window_ms: int) -> bool:
    """Whether one more text leaves at most `most` in every window; a window is shorter than `most` + 1 texts apart."""
    if len(texted_at) < most:
        return True
    place = bisect_right(texted_at, due_ms)
    beside = [*texted_at[max(0, place - most) : place], due_ms, *texted_at[place : place + most]]
    return all(late - early >= window_ms for early, late in zip(beside, beside[most:], strict=False))


REGISTRATION: Sequence[Check] = (sender_is_ours, sender_is_registered)
CONSENT: Sequence[Check] = (recipient_may_be_texted, consent_is_on_record, consent_is_fresh, line_takes_texts)
GUARDRAILS: Sequence[Check] = (recipient_is_awake, recipient_is_not_overtexted)

SENDING: dict[str, Sequence[Check]] = {
    "customer": (*REGISTRATION, *CONSENT, *GUARDRAILS),
    # The question of a double opt-in asks for the consent that it therefore cannot need.
    "confirmation": (*REGISTRATION, recipient_may_be_texted, line_takes_texts, *GUARDRAILS),
    # One confirmation of STOP and every answer to HELP pass all gates but the operators' own.
    "auto_reply": REGISTRATION,
}
"""What each kind of text is held to."""

HANDOVER: dict[str, Sequence[Check]] = {
    kind: [check for check in checks if check not in (recipient_is_awake, recipient_is_not_overtexted)]
    for kind, checks in SENDING.items()
}
"""What can have changed while a text waited. Quiet hours and the cap then put it off again; see `capped_until`."""


def first_refusal(case: Case, checks: Iterable[Check]) -> ApiError | None:
    """Why not, or None."""
    for check in checks:
        refusal = check(case)
        if refusal is not None:
            return refusal
    return None


def moments(case: Case) -> Sequence[int]:
    """When the recipient was lately texted, or is going to be, in the cap's scope; in order, ms since 1970."""
    cap = case.resolved.cap
    return () if cap is None else case.history.sent.get(name(cap.scope_id), ())


@lru_cache(maxsize=65536)  # three times a message it took a tenth of the evaluation
def name(id_: UUID) -> str:
    """A scope or a number as `ContactHistory` names it."""
    return str(id_)


def counted(case: Case, now: datetime) -> Sequence[int]:
    """The same with the text itself, without what no window reaches any more."""
    cap = case.resolved.cap
    since = 0 if cap is None else in_ms(now) - cap.window_minutes * 60_000
    kept = [moment for moment in moments(case) if moment > since]
    insort(kept, in_ms(goes_at(case)))
    return kept


def goes_at(case: Case) -> datetime:
    """When the text would go out: a text that waits for the morning is counted there."""
    if case.opens_at is None or case.opens_at >= NEVER or case.resolved.quiet_mode is not QuietHoursMode.DEFER:
        return case.ask.due_at
    return case.opens_at


def capped_until(cap: FrequencyCap, submissions: Sequence[int], now_ms: int) -> int | None:
    """When the contact may be handed one more text after those, in order; ms since 1970, None: now.

    Admission has counted the text where it was to go. Workers that were away, a carrier that asked for patience or a
    cap that came later have moved it since, maybe beside others.
    """
    if len(submissions) < cap.max_in_window:
        return None
    free_ms = submissions[-cap.max_in_window] + cap.window_minutes * 60_000
    return None if free_ms <= now_ms else free_ms


def kept(cap: FrequencyCap, submissions: Mapping[str, int], now_ms: int) -> Mapping[str, int]:
    """What a counter still needs: what its cap's window reaches, and a little more for a cap that is widened."""
    since = now_ms - max(cap.window_minutes * 60_000, TALLIED_MS)
    newest = sorted(submissions.items(), key=lambda one: one[1])[-max(cap.max_in_window, TALLIED) :]
    return {message_id: moment for message_id, moment in newest if moment > since}


def in_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def purse_refusals(case: Case, purse: Purse, weight: Weight) -> Iterator[ApiError]:
    """Why the organization may not admit a lawful text just now: credit, then pace."""
    if not purse.covers(weight.price_microcents):
        yield InsufficientCredit()
    if case.ask.kind in PACED and (wait_s := purse.wait_s()):
        yield RateLimited(retry_after_s=wait_s)


def weigh(case: Case, text: str | None, now: datetime, *, has_media: bool, unit_price_microcents: int) -> Weight:
    """What a text costs with what is appended to it: its parts; an MMS is one."""
    appended_text = _appended_text(case, now)
    counted = measure(
        (text or "") + (appended_text or ""), reference_bits=case.layout.reference_bits, alphabet=case.layout.alphabet
    )
    segments = 1 if has_media else counted.segments
    return Weight(appended_text, counted.encoding, segments, segments * unit_price_microcents)


def _appended_text(case: Case, now: datetime) -> str | None:
    """What the guardrail appends, separator included: the disclosure of who is texting."""
    wanted, number_id = case.resolved.autostamp, case.facts.phone_number_id
    if wanted is None or number_id is None or case.ask.kind in UNSTAMPED:
        return None
    last = case.history.disclosed.get(name(number_id))
    match wanted.cadence:
        case AutostampCadence.EVERY:
            is_due = True
        case AutostampCadence.FIRST:
            is_due = last is None
        case AutostampCadence.DAILY:
            is_due = last is None or in_ms(now) - last >= STAMP_DAY_MS
    return f"\n{wanted.text}" if is_due else None
