"""What a receipt may do to a text; pure.

Status moves forward only: a duplicate, an older word, or a second end changes nothing. One end can be taken back: a
wait that we gave up ourselves, because no receipt came or the outcome was unknown, turns into delivered when it was.
"""

from collections.abc import Sequence

from agentmessage.carriers.messaging import ReceiptHeard, ReceiptState, TextError
from agentmessage.messages.model import Status

GIVEN_UP = frozenset({TextError.RECEIPT_TIMEOUT.value, TextError.UNKNOWN.value})
"""Errors of our own making: the carrier has not said that the text did not arrive."""

FINAL_STATES = frozenset({ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.FAILED})


def may_end(outcome: str | None, error: str | None, receipt: ReceiptHeard, other: ReceiptHeard | None) -> bool:
    """Whether a receipt is the end of a part that has this outcome, whose message has this error.

    The first end holds, also against `other` of the same batch; but a carrier that did not know what became of the part
    (`stat:UNKNOWN`) may learn that it was delivered.
    """
    if receipt.state not in FINAL_STATES:
        return False
    if outcome is None and other is None:
        return True
    is_doubtful = _is_doubtful(other) if other is not None else outcome == Status.UNDELIVERED and error in GIVEN_UP
    return is_doubtful and not _is_doubtful(receipt) and (other is not None or receipt.state is ReceiptState.DELIVERED)


def is_of_another(pair: str, receipt: ReceiptHeard) -> bool:
    """Whether a receipt with the id of a part that has ended repeats the numbers of another message.

    A carrier that began its ids again may tell what became of a message before it answers it.
    """
    return receipt.state in FINAL_STATES and bool(receipt.pair) and receipt.pair != pair


def _is_doubtful(receipt: ReceiptHeard) -> bool:
    return receipt.state is ReceiptState.UNDELIVERED and receipt.error is TextError.UNKNOWN


def outcome_of(parts: Sequence[str | None]) -> Status | None:
    """What the parts of a text say together: one that failed is enough, but all must be delivered. None: wait."""
    for worst in (Status.FAILED, Status.UNDELIVERED):
        if worst.value in parts:
            return worst
    return Status.DELIVERED if all(part == Status.DELIVERED for part in parts) else None


def next_status(status: str, error: str | None, outcome: Status | None) -> Status | None:
    """Where a text goes from `status` and `error` when its parts say `outcome`; None: it stays."""
    if outcome is None:
        return None
    if status == Status.SENT:
        return outcome
    is_given_up = status == Status.UNDELIVERED and error in GIVEN_UP
    return Status.DELIVERED if is_given_up and outcome is Status.DELIVERED else None
