"""Purchases and disconnections of numbers."""

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.callbacks import notify_order
from agentmessage.simulator.core.entities import FINAL, BandwidthOrderState, CarrierNumberOrder, OrderFault
from agentmessage.simulator.core.inventory import is_available
from agentmessage.simulator.core.shared_state import SharedState

_FAULTS = ("order_failed", "order_partial", "order_stuck", "order_slow", "order_late_success")


class NumberOrders:
    """Runs purchases and disconnections."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    def submit(self, account: SimulatedAccount, order: CarrierNumberOrder, *, at: float) -> None:
        """Accept an order; numbers that are for sale are reserved for it."""
        shared, profile = self._shared, self._shared.profile
        operation = "numbers.buy" if order.kind == "orders" else "numbers.disconnect"
        for name in _FAULTS:
            if hit := shared.faults.hit(name, operation=operation, account=account.id):
                order.fault = OrderFault(name, hit.code, hit.text, hit.share, hit.seconds)
                break
        for number in order.numbers:
            if order.kind == "orders":
                if is_available(account, number, at=at):
                    account.reserved[number] = order.id
                else:
                    order.errors[number] = errors.NOT_FOR_SALE
            elif number not in account.lines:
                order.errors[number] = errors.NOT_OURS
            elif account.lines[number].order_id is not None:
                order.errors[number] = errors.BUSY
        account.add_order(order)
        span = profile.purchase if order.kind == "orders" else profile.disconnect
        slow_s = order.fault.seconds if order.fault.name == "order_slow" else 0.0
        final_at = at + slow_s + shared.random.within(span, "number_order", order.id)
        shared.mark_changed(account, order)
        if order.fault.name != "order_stuck":
            shared.schedule_step(account, order, final_at, "final")

    def step(self, account: SimulatedAccount, order: CarrierNumberOrder, step: str, at: float) -> None:
        """Run a scheduled step."""
        if step == "late":
            self._apply(account, order, order.numbers, at)
            self._shared.mark_changed(account, order)
            return
        fault = order.fault
        rejected = dict.fromkeys(order.numbers, (fault.code, fault.text))
        if fault.name == "order_partial":
            random = self._shared.random
            rejected = {
                number: error
                for number, error in rejected.items()
                if random.fraction("partial", order.id, number) < fault.share
            }
        elif fault.name not in ("order_failed", "order_late_success"):
            rejected = {}
        order.errors = {**rejected, **order.errors}
        if order.errors and not order.may_be_partial:
            order.errors = {number: order.errors.get(number, errors.NOT_PARTIAL) for number in order.numbers}
        self._apply(account, order, [number for number in order.numbers if number not in order.errors], at)
        if fault.name == "order_late_success":
            self._shared.schedule_step(account, order, at + fault.seconds, "late")
        for number in order.numbers:
            if account.reserved.get(number) == order.id:
                del account.reserved[number]
        done, members = len(order.done), len(order.numbers)
        order.state = (
            BandwidthOrderState.COMPLETE
            if done == members
            else BandwidthOrderState.PARTIAL
            if done
            else BandwidthOrderState.FAILED
        )
        order.modified_at = at
        self._shared.mark_changed(account, order)
        notify_order(self._shared, account, order, at=at)

    def release_stuck(self, at: float) -> None:
        """Continue orders that the fault `order_stuck` had stopped."""
        for account in self._shared.accounts.values():
            for order in account.number_orders.values():
                if order.fault.name == "order_stuck" and order.state not in FINAL:
                    order.fault = OrderFault()
                    self._shared.schedule_step(account, order, at, "final")

    def _apply(self, account: SimulatedAccount, order: CarrierNumberOrder, numbers: list[str], at: float) -> None:
        for number in numbers:
            if order.kind == "orders":
                if number not in account.lines:
                    self.put_in_service(account, number, at=at)
            elif (line := account.lines.get(number)) is not None:
                until = at + self._shared.random.within(self._shared.profile.aging, "aging", order.id, number)
                self._shared.mark_deleted(account, "line", number)
                self._shared.mark_changed(account, account.take_out_of_service(line, until=until, at=at))
            else:
                continue
            order.done.append(number)

    def put_in_service(self, account: SimulatedAccount, number: str, *, at: float) -> None:
        """Put a number in service."""
        if number in account.aging:
            self._shared.mark_deleted(account, "aging_number", number)
        self._shared.mark_changed(account, account.put_in_service(number, at=at))
