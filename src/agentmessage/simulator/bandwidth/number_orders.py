"""The life of a purchase and of a disconnection."""

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.callbacks import notify_order
from agentmessage.simulator.core.entities import FINAL, NumberOrder, OrderState, Plan
from agentmessage.simulator.core.inventory import is_available
from agentmessage.simulator.core.shared_state import Realm

_FAULTS = ("order_failed", "order_partial", "order_stuck", "order_slow", "order_late_success")


class NumberOrders:
    """Sells numbers and takes them back."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def submit(self, account: Account, order: NumberOrder, *, at: float) -> None:
        """Take an order in; a number that is for sale is set aside for it at once."""
        realm, profile = self._realm, self._realm.profile
        operation = "numbers.buy" if order.kind == "orders" else "numbers.disconnect"
        for name in _FAULTS:
            if strike := realm.faults.strikes(name, operation=operation, account=account.id):
                order.plan = Plan(name, strike.code, strike.text, strike.share, strike.seconds)
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
        account.keep_order(order)
        span = profile.purchase if order.kind == "orders" else profile.disconnect
        slow_s = order.plan.seconds if order.plan.outcome == "order_slow" else 0.0
        final_at = at + slow_s + realm.dice.within(span, "number_order", order.id)
        realm.touch(account, order)
        if order.plan.outcome != "order_stuck":
            realm.plan(account, order, final_at, "final")

    def step(self, account: Account, order: NumberOrder, step: str, at: float) -> None:
        """Let a planned step happen."""
        if step == "late":
            self._do(account, order, order.numbers, at)
            self._realm.touch(account, order)
            return
        plan = order.plan
        refused = dict.fromkeys(order.numbers, (plan.code, plan.text))
        if plan.outcome == "order_partial":
            dice = self._realm.dice
            refused = {n: why for n, why in refused.items() if dice.fraction("partial", order.id, n) < plan.share}
        elif plan.outcome not in ("order_failed", "order_late_success"):
            refused = {}
        order.errors = {**refused, **order.errors}
        if order.errors and not order.may_be_partial:
            order.errors = {number: order.errors.get(number, errors.NOT_PARTIAL) for number in order.numbers}
        self._do(account, order, [number for number in order.numbers if number not in order.errors], at)
        if plan.outcome == "order_late_success":
            self._realm.plan(account, order, at + plan.seconds, "late")
        for number in order.numbers:
            if account.reserved.get(number) == order.id:
                del account.reserved[number]
        done, members = len(order.done), len(order.numbers)
        order.state = OrderState.COMPLETE if done == members else OrderState.PARTIAL if done else OrderState.FAILED
        order.modified_at = at
        self._realm.touch(account, order)
        notify_order(self._realm, account, order, at=at)

    def release_stuck(self, at: float) -> None:
        """Let orders that a fault had stopped go on."""
        for account in self._realm.accounts.values():
            for order in account.number_orders.values():
                if order.plan.outcome == "order_stuck" and order.state not in FINAL:
                    order.plan = Plan()
                    self._realm.plan(account, order, at, "final")

    def _do(self, account: Account, order: NumberOrder, numbers: list[str], at: float) -> None:
        for number in numbers:
            if order.kind == "orders":
                if number not in account.lines:
                    self.put_in_service(account, number, at=at)
            elif (line := account.lines.get(number)) is not None:
                until = at + self._realm.dice.within(self._realm.profile.aging, "aging", order.id, number)
                self._realm.forget(account, "line", number)
                self._realm.touch(account, account.take_out_of_service(line, until=until, at=at))
            else:
                continue
            order.done.append(number)

    def put_in_service(self, account: Account, number: str, *, at: float) -> None:
        """Begin a line."""
        if number in account.shelf:
            self._realm.forget(account, "shelf", number)
        self._realm.touch(account, account.put_in_service(number, at=at))
