"""Whose numbers can be asked about, and what a supplier's answer makes of a lookup; pure."""

from typing import assert_never

import msgspec

from agentmessage.carriers.lookups import LineFacts, Unlisted
from agentmessage.carriers.protocols import Accepted, Answer, Deferred, Refused, Unknown
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.lookups.model import LOOKUP_FAILED, LookupStatus, Outcome
from agentmessage.lookups.schemas import LookupResult
from agentmessage.sms import numbers

NOT_LISTED = "NO-MATCH"
"""`error_code` where the supplier gives none with its no."""


def require_answerable(number: str) -> None:
    """Refuse a number that no supplier of ours lists: it is not of the US, a US territory or Canada."""
    if numbers.country(number) not in ("US", "CA") and numbers.state(number) is None:
        raise ValidationFailed({"phone_number": "must be a US or Canadian number, E.164"})


def outcome(answer: Answer[LineFacts | Unlisted]) -> Outcome:
    """What the supplier's answer means; its own troubles are never told to the customer in its words."""
    match answer:
        case Accepted(value):
            return _answered(value)
        case Refused() | Deferred() | Unknown():
            return Outcome(
                status=LookupStatus.FAILED,
                error_code=LOOKUP_FAILED,
                error_message="the lookup supplier could not be asked",
                is_ours=True,
            )
        case _:
            assert_never(answer)


def _answered(said: LineFacts | Unlisted) -> Outcome:
    if isinstance(said, Unlisted):
        return Outcome(
            status=LookupStatus.FAILED, error_code=said.code or NOT_LISTED, error_message=said.text or "not listed"
        )
    shown = LookupResult(said.line_type, said.messaging_provider, said.voice_provider, said.country_code)
    return Outcome(status=LookupStatus.COMPLETE, line_type=said.line_type.value, result=msgspec.to_builtins(shown))
