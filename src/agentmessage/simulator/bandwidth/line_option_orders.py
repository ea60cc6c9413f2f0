"""TN option orders: received, processing, final; then the operators follow one after another."""

from agentmessage.simulator.bandwidth import errors
from agentmessage.simulator.bandwidth.errors import OrderError
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.callbacks import notify_order
from agentmessage.simulator.core.entities import (
    FINAL,
    NEVER,
    BandwidthOrderState,
    LineOptionGroup,
    LineOptionOrder,
    NumberLine,
    OrderFault,
    RegistryCampaign,
)
from agentmessage.simulator.core.inventory import is_toll_free
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import SharedState

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


class _OrderPass:
    """The state of one pass over the members of an order."""

    def __init__(self, at: float, delays: tuple[float, ...]) -> None:
        self.at = at
        self.delays = delays
        self.is_immediate = not any(delays)
        self.position = 0
        self.latest = at
        self.dormant: dict[str, RegistryCampaign] = {}


class LineOptionOrders:
    """Puts numbers on campaigns and takes them off."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    def submit(
        self, account: SimulatedAccount, *, key: str, groups: list[LineOptionGroup], at: float
    ) -> LineOptionOrder:
        """Accept an order; errors of single members are reported when it is final."""
        shared = self._shared
        number = account.count("line_order")
        order = LineOptionOrder(shared.random.uuid("line_order", account.id, number), key, at, at, groups)
        order.fault = self._choose_fault(account)
        order.history.append((at, order.state.value))
        self._lock_members(account, order, at)
        account.add_order(order)
        profile = shared.profile
        slow_s = order.fault.seconds if order.fault.name == "order_slow" else 0.0
        processing_at = at + shared.random.within(profile.order_received, "received", account.id, number)
        final_at = processing_at + slow_s + shared.random.within(profile.order_processing, "final", account.id, number)
        shared.schedule_step(account, order, processing_at, "processing")
        if order.fault.name != "order_stuck":
            shared.schedule_step(account, order, final_at, "final")
        notify_order(shared, account, order, at=at)
        return order

    def step(self, account: SimulatedAccount, order: LineOptionOrder, step: str, at: float) -> None:
        """Run a scheduled step."""
        match step:
            case "processing":
                self._move(account, order, BandwidthOrderState.PROCESSING, at)
            case "final":
                self._finish(account, order, at)
            case "settle":
                self._settle(account, order, at)
            case "late":
                self._succeed_late(account, order, at)
            case _:
                raise ValueError(step)

    def release_stuck(self, at: float) -> None:
        """Continue orders that the fault `order_stuck` had stopped."""
        for account in self._shared.accounts.values():
            for order in account.line_orders.values():
                if order.fault.name == "order_stuck" and order.state not in FINAL:
                    order.fault = OrderFault()
                    self._shared.schedule_step(account, order, at, "final")

    # ── on arrival ──────────────────────────────────────────────────────────────────────────────────────────

    def _choose_fault(self, account: SimulatedAccount) -> OrderFault:
        faults = self._shared.faults
        for name in _WHOLE_ORDER_FAULTS:
            if hit := faults.hit(name, operation=_OPERATION, account=account.id):
                return OrderFault(name, hit.code, hit.text, hit.share, hit.seconds)
        return OrderFault()

    def _lock_members(self, account: SimulatedAccount, order: LineOptionOrder, at: float) -> None:
        faults = self._shared.faults
        has_member_faults = faults.may_hit("member_rejected") or faults.may_hit("number_busy")
        for number in order.numbers():
            line = account.lines.get(number)
            error = _lock(line, order.id, at)
            if has_member_faults and error is None:
                error = self._member_fault(account, number)
                if error is not None and line is not None:
                    line.order_id = None
            if error is not None:
                order.errors[number] = error

    def _member_fault(self, account: SimulatedAccount, number: str) -> OrderError | None:
        faults = self._shared.faults
        if faults.hit("number_busy", operation=_OPERATION, account=account.id, number=number):
            return errors.BUSY
        hit = faults.hit("member_rejected", operation=_OPERATION, account=account.id, number=number)
        return (hit.code, hit.text) if hit else None

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────────

    def _finish(self, account: SimulatedAccount, order: LineOptionOrder, at: float) -> None:
        fault = order.fault
        settled_at = at
        if fault.name in ("order_failed", "order_late_success"):
            for number in order.numbers():
                order.errors.setdefault(number, (fault.code, fault.text))
        else:
            if fault.name == "order_partial":
                self._reject_share(order)
            settled_at = self._apply_all(account, order, at)
        members = order.numbers()
        for number in members:
            line = account.lines.get(number)
            if line is not None and line.order_id == order.id:
                line.order_id = None
        if fault.name == "order_late_success":
            self._shared.schedule_step(account, order, at + fault.seconds, "late")
        if settled_at > at:
            self._shared.schedule_step(account, order, settled_at, "settle")
        rejected = len(order.errors)
        state = BandwidthOrderState.COMPLETE if not rejected else BandwidthOrderState.PARTIAL
        self._move(account, order, BandwidthOrderState.FAILED if rejected >= len(members) else state, at)

    def _reject_share(self, order: LineOptionOrder) -> None:
        random = self._shared.random
        for number in order.numbers():
            if number not in order.errors and random.fraction("partial", order.id, number) < order.fault.share:
                order.errors[number] = (order.fault.code, order.fault.text)

    def _apply_all(self, account: SimulatedAccount, order: LineOptionOrder, at: float) -> float:
        """Apply every member that was not rejected; returns the time when the last operator has followed."""
        order_pass = _OrderPass(at, self._operator_delays(account, order))
        for group in order.groups:
            for number in group.numbers:
                if number not in order.errors:
                    self._apply_to_member(account, order, group, number, order_pass)
        for campaign in order_pass.dormant.values():
            campaign.is_dormant = False
            self._shared.mark_changed(account, campaign)
        return order_pass.latest

    def _apply_to_member(
        self,
        account: SimulatedAccount,
        order: LineOptionOrder,
        group: LineOptionGroup,
        number: str,
        order_pass: "_OrderPass",
    ) -> None:
        if order.fault.name in ("order_warned", "order_noop"):
            order.warnings[number] = errors.ALREADY
        if order.fault.name == "order_noop":
            return
        error = self._apply(account, order, group, number, order_pass)
        if error is not None:
            order.errors[number] = error

    def _apply(
        self,
        account: SimulatedAccount,
        order: LineOptionOrder,
        group: LineOptionGroup,
        number: str,
        order_pass: "_OrderPass",
    ) -> OrderError | None:
        line, at = account.lines.get(number), order_pass.at
        if line is None:
            return errors.NOT_OURS
        current = line.campaign(at)
        goal = group.campaign if group.action == "asSpecified" else None
        if group.action == "unchanged":
            return None
        if current == goal and not line.has_failed(at):
            line.returns_to = None if goal is None else line.returns_to
            order.warnings[number] = errors.NOTHING_TO_DELETE if goal is None else errors.ALREADY
            return None
        if goal is not None:
            error = errors.NOT_FOR_TOLL_FREE if is_toll_free(number) else _bind_error(account, line, goal, order_pass)
            if error is not None:
                return error
        line.returns_to = None
        account.change(line, goal=goal, at=at, due=self._due(order_pass))
        order_pass.latest = max(order_pass.latest, line.settled_at)
        self._shared.mark_changed(account, line)
        return None

    def _due(self, order_pass: "_OrderPass") -> tuple[float, ...]:
        if order_pass.is_immediate:
            return ()
        queue, position = self._shared.profile.propagation_queue_s, order_pass.position
        order_pass.position += 1
        return tuple(
            NEVER if delay == NEVER else order_pass.at + delay + queue.get(operator, 0.0) * position
            for operator, delay in zip(OPERATORS, order_pass.delays, strict=True)
        )

    def _operator_delays(self, account: SimulatedAccount, order: LineOptionOrder) -> tuple[float, ...]:
        shared = self._shared
        delays = [
            shared.random.within(shared.profile.propagation_of(operator), "propagate", order.id, operator)
            for operator in OPERATORS
        ]
        chosen = int(shared.random.fraction("operator", order.id) * len(OPERATORS))
        if shared.faults.hit("operator_rejects", operation=_OPERATION, account=account.id):
            delays[chosen] = NEVER
        elif hit := shared.faults.hit("operator_slow", operation=_OPERATION, account=account.id):
            delays[chosen] += hit.seconds
        return tuple(delays)

    # ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, account: SimulatedAccount, order: LineOptionOrder, at: float) -> None:
        for number in order.numbers():
            line = account.lines.get(number)
            if line is not None and line.changed_at <= at:
                account.recount(line, at=at)

    def _succeed_late(self, account: SimulatedAccount, order: LineOptionOrder, at: float) -> None:
        order_pass = _OrderPass(at, (0.0,) * len(OPERATORS))
        failed = (order.fault.code, order.fault.text)
        for group in order.groups:
            for number in group.numbers:
                if order.errors.get(number) == failed:
                    self._apply(account, order, group, number, order_pass)
        order.warnings.clear()
        self._shared.mark_changed(account, order)

    def _move(self, account: SimulatedAccount, order: LineOptionOrder, state: BandwidthOrderState, at: float) -> None:
        order.state = state
        order.modified_at = at
        order.history.append((at, state.value))
        self._shared.mark_changed(account, order)
        notify_order(self._shared, account, order, at=at)


def _lock(line: NumberLine | None, order_id: str, at: float) -> OrderError | None:
    if line is None:
        return errors.NOT_OURS
    if line.order_id is not None:
        return errors.BUSY
    if not line.is_settled(at):
        return errors.processing(line.number[2:])
    line.order_id = order_id
    return None


def _bind_error(account: SimulatedAccount, line: NumberLine, goal: str, order_pass: _OrderPass) -> OrderError | None:
    campaign = account.campaigns.get(goal)
    if campaign is None or not (campaign.is_imported or campaign.sharing == "PENDING"):
        return errors.campaign_unknown(goal)
    if (error := _status_error(campaign)) is not None:
        return error
    current = line.campaign(order_pass.at)
    if current not in (None, goal):
        return errors.on_another_campaign(current)
    if campaign.is_dormant:
        order_pass.dormant[goal] = campaign
        return errors.campaign_dormant(goal)
    if current is None and account.free_slots(campaign) <= 0:
        return errors.campaign_full(goal, account.cap_of(campaign))
    return None


def _status_error(campaign: RegistryCampaign) -> OrderError | None:
    if campaign.status != "ACTIVE":
        return errors.campaign_expired(campaign.id)
    if campaign.is_suspended:
        return errors.campaign_suspended(campaign.id)
    if campaign.sharing == "DECLINED" or "REJECTED" in campaign.operations.values():
        return errors.campaign_rejected(campaign.id)
    if campaign.sharing != "ACCEPTED":
        return errors.campaign_pending(campaign.id)
    return None
