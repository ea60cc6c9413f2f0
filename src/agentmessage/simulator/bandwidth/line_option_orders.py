"""The life of a TN option order: received, processing, final; then the operators follow one by one."""

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.bandwidth.errors import Refusal
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.callbacks import notify_order
from agentmessage.simulator.core.entities import FINAL, NEVER, Campaign, Group, Line, LineOrder, OrderState, Plan
from agentmessage.simulator.core.inventory import is_toll_free
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import Realm

_WHOLE_ORDER_FAULTS = (
    "order_failed",
    "order_partial",
    "order_warned",
    "order_noop",
    "order_stuck",
    "order_slow",
    "order_late_success",
)
_OPERATION = "lines.submit"


class _Round:
    """One pass over the members of an order: when, how long each operator takes, and what came up on the way."""

    def __init__(self, at: float, delays: tuple[float, ...]) -> None:
        self.at = at
        self.delays = delays
        self.is_immediate = not any(delays)
        self.position = 0
        self.latest = at
        self.asleep: dict[str, Campaign] = {}


class LineOrders:
    """Puts numbers on campaigns and takes them off."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def submit(self, account: Account, *, key: str, groups: list[Group], at: float) -> LineOrder:
        """Take an order in; whatever is wrong with single members is told when it is final."""
        realm = self._realm
        number = account.count("line_order")
        order = LineOrder(realm.dice.uuid("line_order", account.id, number), key, at, at, groups)
        order.plan = self._plan(account)
        order.history.append((at, order.state.value))
        self._lock_members(account, order, at)
        account.keep_order(order)
        profile = realm.profile
        slow_s = order.plan.seconds if order.plan.outcome == "order_slow" else 0.0
        processing_at = at + realm.dice.within(profile.order_received, "received", account.id, number)
        final_at = processing_at + slow_s + realm.dice.within(profile.order_processing, "final", account.id, number)
        realm.plan(account, order, processing_at, "processing")
        if order.plan.outcome != "order_stuck":
            realm.plan(account, order, final_at, "final")
        notify_order(realm, account, order, at=at)
        return order

    def step(self, account: Account, order: LineOrder, step: str, at: float) -> None:
        """Let a planned step happen."""
        match step:
            case "processing":
                self._move(account, order, OrderState.PROCESSING, at)
            case "final":
                self._finish(account, order, at)
            case "settle":
                self._settle(account, order, at)
            case "late":
                self._succeed_late(account, order, at)
            case _:
                raise ValueError(step)

    def release_stuck(self, at: float) -> None:
        """Let orders that a fault had stopped go on."""
        for account in self._realm.accounts.values():
            for order in account.line_orders.values():
                if order.plan.outcome == "order_stuck" and order.state not in FINAL:
                    order.plan = Plan()
                    self._realm.plan(account, order, at, "final")

    # ── on arrival ──────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, account: Account) -> Plan:
        faults = self._realm.faults
        for name in _WHOLE_ORDER_FAULTS:
            if strike := faults.strikes(name, operation=_OPERATION, account=account.id):
                return Plan(name, strike.code, strike.text, strike.share, strike.seconds)
        return Plan()

    def _lock_members(self, account: Account, order: LineOrder, at: float) -> None:
        faults = self._realm.faults
        has_member_faults = faults.may_strike("member_refused") or faults.may_strike("number_busy")
        for number in order.numbers():
            line = account.lines.get(number)
            refusal = _lock(line, order.id, at)
            if has_member_faults and refusal is None:
                refusal = self._member_fault(account, number)
                if refusal is not None and line is not None:
                    line.order_id = None
            if refusal is not None:
                order.errors[number] = refusal

    def _member_fault(self, account: Account, number: str) -> Refusal | None:
        faults = self._realm.faults
        if faults.strikes("number_busy", operation=_OPERATION, account=account.id, number=number):
            return errors.BUSY
        strike = faults.strikes("member_refused", operation=_OPERATION, account=account.id, number=number)
        return (strike.code, strike.text) if strike else None

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────────

    def _finish(self, account: Account, order: LineOrder, at: float) -> None:
        plan = order.plan
        settled_at = at
        if plan.outcome in ("order_failed", "order_late_success"):
            for number in order.numbers():
                order.errors.setdefault(number, (plan.code, plan.text))
        else:
            if plan.outcome == "order_partial":
                self._refuse_share(order)
            settled_at = self._apply_all(account, order, at)
        members = order.numbers()
        for number in members:
            line = account.lines.get(number)
            if line is not None and line.order_id == order.id:
                line.order_id = None
        if plan.outcome == "order_late_success":
            self._realm.plan(account, order, at + plan.seconds, "late")
        if settled_at > at:
            self._realm.plan(account, order, settled_at, "settle")
        refused = len(order.errors)
        state = OrderState.COMPLETE if not refused else OrderState.PARTIAL
        self._move(account, order, OrderState.FAILED if refused >= len(members) else state, at)

    def _refuse_share(self, order: LineOrder) -> None:
        dice = self._realm.dice
        for number in order.numbers():
            if number not in order.errors and dice.fraction("partial", order.id, number) < order.plan.share:
                order.errors[number] = (order.plan.code, order.plan.text)

    def _apply_all(self, account: Account, order: LineOrder, at: float) -> float:
        """Do what every member that was not refused asks for; answers when the last operator has followed."""
        round_ = _Round(at, self._operator_delays(account, order))
        for group in order.groups:
            for number in group.numbers:
                if number not in order.errors:
                    self._apply_one(account, order, group, number, round_)
        for campaign in round_.asleep.values():
            campaign.is_asleep = False
            self._realm.touch(account, campaign)
        return round_.latest

    def _apply_one(self, account: Account, order: LineOrder, group: Group, number: str, round_: "_Round") -> None:
        if order.plan.outcome in ("order_warned", "order_noop"):
            order.warnings[number] = errors.ALREADY
        if order.plan.outcome == "order_noop":
            return
        refusal = self._apply(account, order, group, number, round_)
        if refusal is not None:
            order.errors[number] = refusal

    def _apply(self, account: Account, order: LineOrder, group: Group, number: str, round_: "_Round") -> Refusal | None:
        line, at = account.lines.get(number), round_.at
        if line is None:
            return errors.NOT_OURS
        present = line.campaign(at)
        goal = group.campaign if group.action == "asSpecified" else None
        if group.action == "unchanged":
            return None
        if present == goal and not line.has_failed(at):
            line.returns_to = None if goal is None else line.returns_to
            order.warnings[number] = errors.NOTHING_TO_DELETE if goal is None else errors.ALREADY
            return None
        if goal is not None:
            is_refused = is_toll_free(number)
            refusal = errors.NOT_FOR_TOLL_FREE if is_refused else _refuse_bind(account, line, goal, round_)
            if refusal is not None:
                return refusal
        line.returns_to = None
        account.change(line, goal=goal, at=at, due=self._due(round_))
        round_.latest = max(round_.latest, line.settled_at)
        self._realm.touch(account, line)
        return None

    def _due(self, round_: "_Round") -> tuple[float, ...]:
        if round_.is_immediate:
            return ()
        queue, position = self._realm.profile.propagation_queue_s, round_.position
        round_.position += 1
        return tuple(
            NEVER if delay == NEVER else round_.at + delay + queue.get(operator, 0.0) * position
            for operator, delay in zip(OPERATORS, round_.delays, strict=True)
        )

    def _operator_delays(self, account: Account, order: LineOrder) -> tuple[float, ...]:
        realm = self._realm
        delays = [
            realm.dice.within(realm.profile.propagation_of(operator), "propagate", order.id, operator)
            for operator in OPERATORS
        ]
        chosen = int(realm.dice.fraction("operator", order.id) * len(OPERATORS))
        if realm.faults.strikes("operator_refuses", operation=_OPERATION, account=account.id):
            delays[chosen] = NEVER
        elif strike := realm.faults.strikes("operator_slow", operation=_OPERATION, account=account.id):
            delays[chosen] += strike.seconds
        return tuple(delays)

    # ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, account: Account, order: LineOrder, at: float) -> None:
        for number in order.numbers():
            line = account.lines.get(number)
            if line is not None and line.changed_at <= at:
                account.recount(line, at=at)

    def _succeed_late(self, account: Account, order: LineOrder, at: float) -> None:
        round_ = _Round(at, (0.0,) * len(OPERATORS))
        failed = (order.plan.code, order.plan.text)
        for group in order.groups:
            for number in group.numbers:
                if order.errors.get(number) == failed:
                    self._apply(account, order, group, number, round_)
        order.warnings.clear()
        self._realm.touch(account, order)

    def _move(self, account: Account, order: LineOrder, state: OrderState, at: float) -> None:
        order.state = state
        order.modified_at = at
        order.history.append((at, state.value))
        self._realm.touch(account, order)
        notify_order(self._realm, account, order, at=at)


def _lock(line: Line | None, order_id: str, at: float) -> Refusal | None:
    if line is None:
        return errors.NOT_OURS
    if line.order_id is not None:
        return errors.BUSY
    if not line.is_settled(at):
        return errors.processing(line.number[2:])
    line.order_id = order_id
    return None


def _refuse_bind(account: Account, line: Line, goal: str, round_: _Round) -> Refusal | None:
    campaign = account.campaigns.get(goal)
    if campaign is None or not (campaign.is_imported or campaign.sharing == "PENDING"):
        return errors.campaign_unknown(goal)
    if (refusal := _refuse_by_status(campaign)) is not None:
        return refusal
    present = line.campaign(round_.at)
    if present not in (None, goal):
        return errors.on_another_campaign(present)
    if campaign.is_asleep:
        round_.asleep[goal] = campaign
        return errors.campaign_asleep(goal)
    if present is None and account.room_on(campaign) <= 0:
        return errors.campaign_full(goal, account.cap_of(campaign))
    return None


def _refuse_by_status(campaign: Campaign) -> Refusal | None:
    if campaign.status != "ACTIVE":
        return errors.campaign_expired(campaign.id)
    if campaign.is_suspended:
        return errors.campaign_suspended(campaign.id)
    if campaign.sharing == "DECLINED" or "REJECTED" in campaign.operations.values():
        return errors.campaign_rejected(campaign.id)
    if campaign.sharing != "ACCEPTED":
        return errors.campaign_pending(campaign.id)
    return None
