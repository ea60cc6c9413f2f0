"""Reads `codes.toml`: what a command_status or a receipt means to us. What no table knows is `unknown`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from agentmessage.carriers.messaging import THROTTLED, ReceiptState, TextError, TextRefused
from agentmessage.carriers.protocols import Deferred
from agentmessage.smpp.pdu import Status
from agentmessage.smpp.receipts import State


class RetryOnce(Struct, frozen=True):
    """Submit once more immediately; `refusal` is the result if the status is the same."""

    refusal: TextRefused


class _Tables(Struct, frozen=True, forbid_unknown_fields=True):
    refused: Mapping[str, TextError]
    once_more: Mapping[str, TextError]
    later: Mapping[str, float]
    throttled: Mapping[str, float]
    states: Mapping[str, Sequence[str]]
    errors: Mapping[TextError, Sequence[int]]


_TABLES = msgspec.toml.decode(Path(__file__).with_name("codes.toml").read_bytes(), type=_Tables)
_STATES = {
    State[name]: (ReceiptState(words[0]), TextError(words[1]) if len(words) > 1 else None)
    for name, words in _TABLES.states.items()
}
_NAMES = {int(status): status.name.lower() for status in Status}
_ERRORS = {str(code): error for error, codes in _TABLES.errors.items() for code in codes}


def status_meaning(status: int) -> TextRefused | Deferred | RetryOnce:
    """What another command_status than 0 says about the text that was submitted."""
    key = f"0x{status:02X}"
    if key in _TABLES.throttled:
        return Deferred(THROTTLED, _TABLES.throttled[key])
    if key in _TABLES.later:
        return Deferred(f"status {key}", _TABLES.later[key])
    refusal = TextRefused(_TABLES.refused.get(key) or _TABLES.once_more.get(key, TextError.UNKNOWN), key, _name(status))
    return RetryOnce(refusal) if key in _TABLES.once_more else refusal


def receipt_meaning(state: State, error: str) -> tuple[ReceiptState, TextError | None]:
    """Our state and error for a receipt; a code that is known says more than the state."""
    meaning, usual = _STATES[state]
    if usual is None:
        return meaning, None
    return meaning, _ERRORS.get(error.lstrip("0"), usual)


def _name(status: int) -> str:
    return _NAMES.get(status, "")
