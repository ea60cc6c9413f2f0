"""Reads `message_codes.toml`: what a refusal or a failure of Bandwidth's messaging means to us."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from agentmessage.carriers.http import HttpAnswer
from agentmessage.carriers.http_request import Misunderstood, decode_json
from agentmessage.carriers.messaging import ReceiptState, TextError, TextRefused

MOST_WORDS = 500


class _Undelivered(Struct, frozen=True, forbid_unknown_fields=True):
    errors: frozenset[TextError]


class _Tables(Struct, frozen=True, forbid_unknown_fields=True):
    errors: Mapping[TextError, Sequence[int]]
    ranges: Mapping[TextError, Sequence[tuple[int, int]]]
    fields: Mapping[str, TextError]
    statuses: Mapping[str, TextError]
    undelivered: _Undelivered


class _FieldError(Struct, rename="camel"):
    field_name: str = ""
    description: str = ""


class _Refusal(Struct, rename="camel"):
    type: str = ""
    description: str = ""
    field_errors: list[_FieldError] = []


_TABLES = msgspec.toml.decode(Path(__file__).with_name("message_codes.toml").read_bytes(), type=_Tables)
_ERRORS = {code: error for error, codes in _TABLES.errors.items() for code in codes}


def error_of(code: int) -> TextError:
    """What an errorCode means."""
    if (error := _ERRORS.get(code)) is not None:
        return error
    for error, ranges in _TABLES.ranges.items():
        if any(first <= code <= last for first, last in ranges):
            return error
    return TextError.UNKNOWN


def failure_of(code: int) -> tuple[ReceiptState, TextError]:
    """What a message-failed with an errorCode says."""
    error = error_of(code)
    is_out = error in _TABLES.undelivered.errors
    return (ReceiptState.UNDELIVERED if is_out else ReceiptState.FAILED), error


def refusal_of(answer: HttpAnswer) -> TextRefused:
    """What a 4xx says of the text; an unreadable body leaves the status alone."""
    try:
        said = decode_json(answer.body, _Refusal)
    except Misunderstood:
        said = _Refusal()
    error = _TABLES.statuses.get(str(answer.status), TextError.UNKNOWN)
    named = next((fault for fault in said.field_errors if fault.field_name in _TABLES.fields), None)
    if named is not None:
        error = _TABLES.fields[named.field_name]
    words = [said.description, *(f"{fault.field_name} {fault.description}" for fault in said.field_errors)]
    code = said.type or str(answer.status)
    return TextRefused(error, _clean(code, 40), _clean("; ".join(filter(None, words)), MOST_WORDS))


def _clean(text: str, most: int) -> str:
    return text.replace("\x00", "\ufffd")[:most]
