"""The faults that can be switched on while a world runs: by probability, by count, or as an outage."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agentmessage.simulator.core.random import Dice

CATALOG: Mapping[str, str] = {
    # the line, before and after the work
    "timeout_before": "the request is swallowed: nothing is done, nothing is answered",
    "error_before": "503, nothing was done",
    "rate_limited": "429 with Retry-After, nothing was done",
    "timeout_after": "the work is done, nothing is answered",
    "error_after": "the work is done, the answer is 500",
    "reset_after": "the work is done, the answer is cut off in the middle",
    "garbled": "the work is done, the answer is 200 with a body that makes no sense",
    "slow": "the answer comes `seconds` late",
    # orders
    "order_failed": "the order ends FAILED; every member is refused with `code` and `text`",
    "order_partial": "the order ends PARTIAL; `share` of the members are refused with `code` and `text`",
    "order_warned": "the order ends COMPLETE with a warning on every member, and is done",
    "order_noop": "the order ends COMPLETE with a warning on every member, and nothing was done",
    "order_stuck": "the order stays PROCESSING until the faults are reset",
    "order_slow": "the order takes `seconds` more",
    "order_late_success": "the order ends FAILED, and its members are done `seconds` later all the same",
    "member_refused": "one member of an order is refused with `code` and `text`",
    "number_busy": "one member of an order is refused as busy in another order",
    "operator_refuses": "the order is COMPLETE, but one mobile operator never follows",
    "operator_slow": "the order is COMPLETE, but one mobile operator follows `seconds` later",
    # what can be read
    "stale_read": "a listing shows the world as it was `seconds` ago",
    "filter_ignored": "a listing ignores its filter and shows everything",
    "page_drift": "a page of a listing leaves out its first record",
    "order_hidden": "an order that exists is not found",
    # the registry
    "brand_unverified": "the identity of the brand cannot be verified",
    "campaign_declined": "the carrier declines the campaign",
    "campaign_rejected": "one mobile operator rejects the campaign",
    # texts, beside those of the line, which strike them too (operation `smpp.submit`, `messages.send`)
    "queue_full": "the SMSC refuses the text because its queue is full",
    "text_failed": "the text is taken and fails with `code` (Bandwidth's) and `text`",
    "receipt_early": "the receipt comes before the answer to the text",
    "receipt_lost": "the receipt is never sent",
    "receipt_duplicated": "the receipt is sent three times",
    "receipt_late": "the receipt comes `seconds` late",
    "receipt_reordered": "after the receipt comes an older one",
    # callbacks
    "callback_lost": "the callback is never sent",
    "callback_duplicated": "the callback is sent three times",
    "callback_late": "the callback is sent `seconds` late",
    "callback_reordered": "the callback is held back for a second, so that the next one overtakes it",
    "callback_forged": "before the real callback comes one with wrong credentials or a wrong signature",
    "callback_garbled": "the callback's body makes no sense",
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

DEFAULT_WORDS: Mapping[str, tuple[str, str]] = {"text_failed": ("4750", "destination-rejected-message")}
"""Code and text of a fault that is given none; of those that are not here, those of ORDER_WORDS."""

ORDER_WORDS = ("5148", "Wait for NNID update has timed out.")

_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Chance(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a fault strikes, and optionally only in operations that begin with `operation`."""

    probability: _Share
    operation: str = ""
    account: str = ""
    seconds: float | None = None
    code: str | None = None
    text: str | None = None
    share: _Share = 0.5


class OneShot(Struct, forbid_unknown_fields=True):
    """A fault that strikes the next `count` times that it applies; `number` limits it to one member."""

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
    """A window, `start_s` from now and `length_s` long, in which nothing works: `hang` or `error` (503)."""

    length_s: Annotated[float, Meta(gt=0)]
    start_s: Annotated[float, Meta(ge=0)] = 0.0
    how: str = "error"
    operation: str = ""


class FaultOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /_control/faults`; probabilities replace what was set for the same fault, zero removes it."""

    probabilities: dict[str, _Share | Chance] = {}
    once: list[OneShot] = []
    outage: Outage | None = None


class Strike(Struct, frozen=True):
    """A fault that strikes now, with its details filled in."""

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


class FaultBook:
    """What may go wrong in a world at this moment."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._rolls = 0
        self.chances: dict[str, Chance] = {}
        self.once: list[OneShot] = []
        self.outage: tuple[float, float, Outage] | None = None

    def switch(self, order: FaultOrder, *, at: float) -> None:
        """Switch faults on or off. Raises UnknownFault, and then nothing was changed."""
        names = [*order.probabilities, *(shot.fault for shot in order.once)]
        unknown = sorted({name for name in names if name not in CATALOG})
        if order.outage is not None and order.outage.how not in ("hang", "error"):
            unknown.append(f"outage.how={order.outage.how}")
        if unknown:
            raise UnknownFault(unknown)
        for name, value in order.probabilities.items():
            chance = value if isinstance(value, Chance) else Chance(value)
            if chance.probability > 0:
                self.chances[name] = chance
            else:
                self.chances.pop(name, None)
        self.once.extend(msgspec.structs.replace(shot) for shot in order.once)
        if order.outage is not None:
            start = at + order.outage.start_s
            self.outage = (start, start + order.outage.length_s, order.outage)

    def clear(self) -> None:
        """Switch everything off."""
        self.chances.clear()
        self.once.clear()
        self.outage = None

    @property
    def is_quiet(self) -> bool:
        """Nothing is switched on; an outage that is over still counts as something."""
        return not self.chances and not self.once and self.outage is None

    def outage_at(self, at: float, operation: str) -> str | None:
        """`hang` or `error` while an outage lasts."""
        if self.outage is None:
            return None
        start, end, outage = self.outage
        return outage.how if start <= at < end and operation.startswith(outage.operation) else None

    def strikes(self, fault: str, *, operation: str = "", account: str = "", number: str = "") -> Strike | None:
        """Whether a fault strikes here; a counted one is used up by it."""
        if self.once:
            shot = self._shot(fault, operation, account, number)
            if shot is not None:
                return _strike(fault, shot)
        chance = self.chances.get(fault)
        if chance is None or not _applies(chance.operation, chance.account, operation, account):
            return None
        self._rolls += 1
        if self._dice.fraction("fault", fault, self._rolls) >= chance.probability:
            return None
        return _strike(fault, chance)

    def may_strike(self, fault: str) -> bool:
        """Cheap answer for the inner loops: False when a fault is surely off."""
        return fault in self.chances or any(shot.fault == fault for shot in self.once)

    def _shot(self, fault: str, operation: str, account: str, number: str) -> OneShot | None:
        for index, shot in enumerate(self.once):
            if shot.fault != fault or not _applies(shot.operation, shot.account, operation, account):
                continue
            if shot.number and shot.number != number:
                continue
            shot.count -= 1
            if shot.count == 0:
                del self.once[index]
            return shot
        return None


def _applies(wanted_operation: str, wanted_account: str, operation: str, account: str) -> bool:
    return operation.startswith(wanted_operation) and wanted_account in ("", account)


def _strike(fault: str, source: OneShot | Chance) -> Strike:
    seconds = source.seconds if source.seconds is not None else DEFAULT_SECONDS.get(fault, 0.0)
    code, text = DEFAULT_WORDS.get(fault, ORDER_WORDS)
    code, text = code if source.code is None else source.code, text if source.text is None else source.text
    return Strike(fault, seconds, code, text, source.share)
