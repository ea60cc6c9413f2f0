"""Fault injection, changeable while a world runs: by probability, by count, or as an outage."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agentmessage.simulator.core.random import SeededRandom

CATALOG: Mapping[str, str] = {
    # the connection, before and after the request was handled
    "timeout_before": "nothing is done, and there is no response",
    "error_before": "503, nothing was done",
    "rate_limited": "429 with Retry-After, nothing was done",
    "timeout_after": "the request is handled, and there is no response",
    "error_after": "the request is handled, the response is 500",
    "reset_after": "the request is handled, the connection breaks in the middle of the response",
    "garbled": "the request is handled, the response is 200 with a body that cannot be parsed",
    "slow": "the response is `seconds` late",
    # orders
    "order_failed": "the order ends FAILED; every member is rejected with `code` and `text`",
    "order_partial": "the order ends PARTIAL; `share` of the members are rejected with `code` and `text`",
    "order_warned": "the order ends COMPLETE with a warning on every member, and takes effect",
    "order_noop": "the order ends COMPLETE with a warning on every member, and has no effect",
    "order_stuck": "the order stays PROCESSING until the faults are reset",
    "order_slow": "the order takes `seconds` more",
    "order_late_success": "the order ends FAILED, and takes effect `seconds` later",
    "member_rejected": "one member of an order is rejected with `code` and `text`",
    "number_busy": "one member of an order is rejected as busy in another order",
    "operator_rejects": "the order is COMPLETE, but one mobile operator never follows",
    "operator_slow": "the order is COMPLETE, but one mobile operator follows `seconds` later",
    # what can be read
    "stale_read": "a listing shows the state of `seconds` ago",
    "filter_ignored": "a listing ignores its filter and shows everything",
    "page_drift": "a page of a listing leaves out its first record",
    "order_hidden": "an order that exists is not found",
    # the registry
    "brand_unverified": "the identity of the brand cannot be verified",
    "campaign_declined": "the carrier declines the campaign",
    "campaign_rejected": "one mobile operator rejects the campaign",
    # messages; the faults of the connection apply to them too (operation `smpp.submit`, `messages.send`)
    "queue_full": "the SMSC rejects the message because its queue is full",
    "message_failed": "the message is accepted and fails with `code` (Bandwidth's) and `text`",
    "receipt_early": "the receipt is sent before the response to the message",
    "receipt_lost": "the receipt is never sent",
    "receipt_duplicated": "the receipt is sent three times",
    "receipt_late": "the receipt is `seconds` late",
    "receipt_reordered": "an older receipt is sent after the final one",
    # callbacks
    "callback_lost": "the callback is never sent",
    "callback_duplicated": "the callback is sent three times",
    "callback_late": "the callback is sent `seconds` late",
    "callback_reordered": "the callback is delayed by a second, so that the next one overtakes it",
    "callback_forged": "a callback with wrong credentials or a wrong signature precedes the real one",
    "callback_garbled": "the body of the callback cannot be parsed",
}

DEFAULT_SECONDS: Mapping[str, float] = {
    "rate_limited": 1.0,
    "slow": 2.0,
    "order_slow": 10.0,
    "order_late_success": 5.0,
    "operator_slow": 10.0,
    "stale_read": 30.0,
    "receipt_late": 5.0,
    "callback_late": 10.0,
}

DEFAULT_ERRORS: Mapping[str, tuple[str, str]] = {"message_failed": ("4750", "destination-rejected-message")}
"""Default code and text of a fault; ORDER_ERROR for the others."""

ORDER_ERROR = ("5148", "Wait for NNID update has timed out.")

_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class FaultProbability(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a fault happens, and in which operations: those that begin with `operation`."""

    probability: _Share
    operation: str = ""
    account: str = ""
    seconds: float | None = None
    code: str | None = None
    text: str | None = None
    share: _Share = 0.5


class CountedFault(Struct, forbid_unknown_fields=True):
    """A fault that happens the next `count` times that it applies; `number` limits it to one member."""

    fault: str
    count: Annotated[int, Meta(ge=1)] = 1
    operation: str = ""
    account: str = ""
    number: str = ""
    seconds: float | None = None
    code: str | None = None
    text: str | None = None
    share: _Share = 0.5


class Outage(Struct, frozen=True, forbid_unknown_fields=True):
    """A window, `start_s` from now and `length_s` long, in which every request fails: `hang` or `error` (503)."""

    length_s: Annotated[float, Meta(gt=0)]
    start_s: Annotated[float, Meta(ge=0)] = 0.0
    how: str = "error"
    operation: str = ""


class FaultRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /_control/faults`; a probability replaces that of the same fault, zero removes it."""

    probabilities: dict[str, _Share | FaultProbability] = {}
    once: list[CountedFault] = []
    outage: Outage | None = None


class FaultHit(Struct, frozen=True):
    """A fault that happens now, with its defaults filled in."""

    fault: str
    seconds: float
    code: str
    text: str
    share: float


class UnknownFault(Exception):
    """Names that are not in the catalog; `names` lists them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"unknown: {', '.join(names)}")
        self.names = names


class FaultInjector:
    """The faults that are on."""

    def __init__(self, random: SeededRandom) -> None:
        self._random = random
        self._draws = 0
        self.probabilities: dict[str, FaultProbability] = {}
        self.once: list[CountedFault] = []
        self.outage: tuple[float, float, Outage] | None = None

    def configure(self, request: FaultRequest, *, at: float) -> None:
        """Switch faults on or off. Raises UnknownFault, and then nothing was changed."""
        names = [*request.probabilities, *(counted.fault for counted in request.once)]
        unknown = sorted({name for name in names if name not in CATALOG})
        if request.outage is not None and request.outage.how not in ("hang", "error"):
            unknown.append(f"outage.how={request.outage.how}")
        if unknown:
            raise UnknownFault(unknown)
        for name, value in request.probabilities.items():
            probability = value if isinstance(value, FaultProbability) else FaultProbability(value)
            if probability.probability > 0:
                self.probabilities[name] = probability
            else:
                self.probabilities.pop(name, None)
        self.once.extend(msgspec.structs.replace(counted) for counted in request.once)
        if request.outage is not None:
            start = at + request.outage.start_s
            self.outage = (start, start + request.outage.length_s, request.outage)

    def clear(self) -> None:
        """Switch everything off."""
        self.probabilities.clear()
        self.once.clear()
        self.outage = None

    @property
    def is_quiet(self) -> bool:
        """No fault is on; an outage that is over still counts as one."""
        return not self.probabilities and not self.once and self.outage is None

    def outage_at(self, at: float, operation: str) -> str | None:
        """`hang` or `error` while an outage lasts."""
        if self.outage is None:
            return None
        start, end, outage = self.outage
        return outage.how if start <= at < end and operation.startswith(outage.operation) else None

    def hit(self, fault: str, *, operation: str = "", account: str = "", number: str = "") -> FaultHit | None:
        """The fault, if it happens here; uses up one of a counted fault."""
        if self.once:
            counted = self._counted(fault, operation, account, number)
            if counted is not None:
                return _hit(fault, counted)
        probability = self.probabilities.get(fault)
        if probability is None or not _applies(probability.operation, probability.account, operation, account):
            return None
        self._draws += 1
        if self._random.fraction("fault", fault, self._draws) >= probability.probability:
            return None
        return _hit(fault, probability)

    def may_hit(self, fault: str) -> bool:
        """Whether a fault is on at all: cheap, for inner loops."""
        return fault in self.probabilities or any(counted.fault == fault for counted in self.once)

    def _counted(self, fault: str, operation: str, account: str, number: str) -> CountedFault | None:
        for index, counted in enumerate(self.once):
            if counted.fault != fault or not _applies(counted.operation, counted.account, operation, account):
                continue
            if counted.number and counted.number != number:
                continue
            counted.count -= 1
            if counted.count == 0:
                del self.once[index]
            return counted
        return None


def _applies(only_operation: str, only_account: str, operation: str, account: str) -> bool:
    return operation.startswith(only_operation) and only_account in ("", account)


def _hit(fault: str, source: CountedFault | FaultProbability) -> FaultHit:
    seconds = source.seconds if source.seconds is not None else DEFAULT_SECONDS.get(fault, 0.0)
    code, text = DEFAULT_ERRORS.get(fault, ORDER_ERROR)
    code, text = code if source.code is None else source.code, text if source.text is None else source.text
    return FaultHit(fault, seconds, code, text, source.share)
