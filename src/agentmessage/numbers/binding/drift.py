"""The drift sweep: pages a carrier account as a whole and compares it with what we believe, both ways.

A difference is believed when a second sweep sees it again after a grace time (stale reads, shifting pages); an extra
binding sooner than a missing one. What is believed is only written as the new observation: the reconciler then heals
it as it would any other line. If more than a share of the inventory differs, the listing is suspected instead, nothing
is healed, and the operator is notified.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from agentmessage.carriers.protocols import LineReading
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import drift_queries as queries
from agentmessage.numbers.binding import queries as binding_queries
from agentmessage.numbers.binding import rules
from agentmessage.numbers.binding.drift_queries import Belief, Drift
from agentmessage.numbers.binding.model import Line, Observed, Pace, Phase
from agentmessage.numbers.binding.observations import Interrupted, pages_of
from agentmessage.numbers.binding.reconciler import Reconciling, record

log = structlog.get_logger("agentmessage.numbers")

OURS_AT_ONCE = 5000
HEALS_AT_ONCE = 500
FEWEST_HEALS = 10
"""Heals that are always allowed, however small the inventory."""

SWEEPS_THAT_CONVINCE = 2
REST_FACTOR = 10.0
"""A sweep that took long is followed by at least so many times its length of rest."""


class SweepResult(Struct, frozen=True):
    """What a sweep found: numbers seen at the carrier, differences believed and healed, numbers that are not ours."""

    seen: int
    differing: int
    healed: int
    unknown: int
    stopped: str | None
    seconds: float


class Difference(Struct, frozen=True):
    """A number whose reading is not what we believe. `reading` None: the carrier does not list it.

    `is_convincing`: believe it now. `is_drift`: it is about another campaign, not about how far the same one is.
    """

    number: str
    reading: LineReading | None
    is_convincing: bool
    is_drift: bool = False


async def sweep_due(reconciling: Reconciling, cells: Sequence[CellDb], *, heal_percent: int) -> SweepResult | None:
    """Sweep the account whose turn it is, over all cells that may hold its numbers; None: none is due."""
    directory = cells[0]
    token = new_id()
    until = directory.now + timedelta(seconds=max(_lease_s(carrier.pace) for carrier in reconciling.carriers.values()))
    accounts = list(reconciling.carriers)
    account = await queries.claim(directory, accounts, now=directory.now, until=until, lease_token=token)
    if account is None:
        return None
    result = await Sweep(reconciling, cells, account, token, heal_percent=heal_percent).run()
    pace = reconciling.carriers[account].pace
    rest_s = max(pace.sweep_s, result.seconds * REST_FACTOR)
    if result.differing > result.healed and result.stopped is None:
        rest_s = max(pace.drift_grace_s, result.seconds)
    due_at = directory.now + timedelta(seconds=rest_s)
    await queries.finish(directory, account, token, due_at=due_at, result=result)
    return result


def _lease_s(pace: Pace) -> float:
    """One call and what is done with its page; renewed with every page."""
    return 2 * pace.lease_s


class Sweep:
    """One pass over one account."""

    def __init__(
        self, reconciling: Reconciling, cells: Sequence[CellDb], account: str, token: UUID, *, heal_percent: int
    ) -> None:
        self._reconciling = reconciling
        self._cells = cells
        self._account = account
        self._token = token
        self._heal_percent = heal_percent
        self._pace: Pace = reconciling.carriers[account].pace
        self._began_at = cells[0].now
        self._seen: set[str] = set()
        self._found: dict[str, list[Difference]] = {cell.name: [] for cell in cells}
        self._strangers: list[Drift] = []
        self._ours = 0

    async def run(self) -> SweepResult:
        """Page, compare, heal."""
        began = time.monotonic()
        stopped: str | None = None
        healed = 0
        try:
            await self._page()
            await self._find_missing()
        except Interrupted:
            stopped = "the carrier's listing broke off"
        else:
            stopped = self._suspicion()
        differing = sum(len(found) for found in self._found.values())
        for cell in self._cells:
            if stopped is None:
                healed += await self._heal(cell)
            await queries.close_healed(cell, self._account)
        if stopped is None:
            strangers = [stranger.number for stranger in self._strangers]
            await queries.close_strangers(self._cells[0], self._account, strangers, before=self._began_at)
        else:
            log.warning("drift sweep stopped", account=self._account, reason=stopped, differing=differing)
        if self._strangers:
            await queries.insert_drifts(self._cells[0], self._account, self._strangers)
        return SweepResult(len(self._seen), differing, healed, len(self._strangers), stopped, time.monotonic() - began)

    async def _page(self) -> None:
        async for readings in pages_of(self._reconciling, self._account, None):
            until = self._cells[0].now + timedelta(seconds=_lease_s(self._pace))
            if not await queries.extend(self._cells[0], self._account, self._token, until):
                raise Interrupted
            await self._compare(readings)

    async def _compare(self, readings: Sequence[LineReading]) -> None:
        by_number = {reading.number: reading for reading in readings}
        self._seen.update(by_number)
        unmet = set(by_number)
        for cell in self._cells:
            for belief in await queries.beliefs(cell, self._account, list(by_number)):
                unmet.discard(belief.number)
                difference = compare(belief, by_number[belief.number], began_at=self._began_at, pace=self._pace)
                if difference is not None:
                    self._found[cell.name].append(difference)
        on_campaign = [number for number in unmet if by_number[number].campaign is not None]
        if on_campaign:
            await self._note_strangers(on_campaign, by_number)

    async def _note_strangers(self, numbers: list[str], readings: dict[str, LineReading]) -> None:
        """Numbers on a campaign that no line of ours is about: reported, never changed."""
        for number in numbers:
            self._strangers.append(Drift(number, "unknown_number", None, readings[number].campaign, None, None))

    async def _find_missing(self) -> None:
        """Our numbers that the listing did not have."""
        for cell in self._cells:
            after = ""
            while ours := await queries.beliefs_after(cell, self._account, after, limit=OURS_AT_ONCE):
                after = ours[-1].number
                self._ours += len(ours)
                for belief in ours:
                    if belief.number not in self._seen:
                        difference = compare(belief, None, began_at=self._began_at, pace=self._pace)
                        if difference is not None:
                            self._found[cell.name].append(difference)

    def _suspicion(self) -> str | None:
        """Why the listing itself should be doubted."""
        convincing = sum(1 for found in self._found.values() for x in found if x.is_convincing and x.is_drift)
        allowed = max(FEWEST_HEALS, self._ours * self._heal_percent // 100)
        if convincing > allowed:
            return f"{convincing} of {self._ours} numbers differ, more than the {allowed} that one sweep may heal"
        return None

    async def _heal(self, cell: CellDb) -> int:
        found = self._found[cell.name]
        healed = 0
        for start in range(0, len(found), HEALS_AT_ONCE):
            part = {difference.number: difference for difference in found[start : start + HEALS_AT_ONCE]}
            async with cell.transaction() as tx:
                lines = await binding_queries.lock_by_number(tx, self._account, list(part))
                believed = [self._believe(line, part[line.number], tx.now) for line in lines]
                await record(tx, [(line, after, note) for line, after, note, _ in believed])
                drifts = [drift for _, _, _, drift in believed if drift is not None]
                if drifts:
                    await queries.insert_drifts(tx, self._account, drifts)
                healed += len(drifts)
        return healed

    def _believe(
        self, line: Line, difference: Difference, now: datetime
    ) -> tuple[Line, Line, str | None, Drift | None]:
        """What a difference makes of a line, if the line is still what it was compared as."""
        is_stale = line.op_order_id is not None or (line.observed_at is not None and line.observed_at > self._began_at)
        if is_stale:
            return line, line, None, None
        reading = difference.reading
        if line.observed == Observed.UNREAD:
            after = replace(rules.sighted(line, reading, began_at=self._began_at), due_at=now)
            return line, after, f"read: on {after.observed_campaign or 'no campaign'}", None
        if not difference.is_convincing:
            since = line.differs_since or now
            return line, replace(line, differs_count=line.differs_count + 1, differs_since=since), None, None
        after = replace(rules.sighted(line, reading, began_at=self._began_at), due_at=now)
        if not difference.is_drift:
            has_moved = after.observed_status != line.observed_status
            return line, after if has_moved else replace(after, due_at=line.due_at), None, None
        after = replace(after, phase=Phase.UNKNOWN)  # whatever was shown as propagated is so no longer
        drift = Drift(
            line.number,
            drift_kind(line, after),
            line.observed_campaign,
            after.observed_campaign,
            line.id,
            line.org_id,
        )
        return line, after, f"drift: seen on {after.observed_campaign or 'no campaign'}", drift


def compare(belief: Belief, reading: LineReading | None, *, began_at: datetime, pace: Pace) -> Difference | None:
    """How a reading differs from what is believed; None: it does not, or the line is busy. Pure."""
    if not belief.is_at_rest or (belief.observed_at is not None and belief.observed_at > began_at):
        return None
    campaign = reading.campaign if reading is not None else None
    status = "settled" if reading is None or reading.is_settled else "failed" if reading.has_failed else "processing"
    if belief.observed == Observed.UNREAD:
        return Difference(belief.number, reading, is_convincing=False)
    is_same_campaign = campaign == belief.observed_campaign
    if is_same_campaign and (campaign is None or status == belief.observed_status):
        return Difference(belief.number, reading, is_convincing=True) if belief.differs_count else None
    if is_same_campaign:
        return Difference(belief.number, reading, is_convincing=True)  # the same binding has moved on
    is_extra = campaign is not None and belief.observed == Observed.ABSENT
    grace_s = 0.0 if is_extra else pace.drift_grace_s
    is_old = belief.differs_since is not None and (began_at - belief.differs_since).total_seconds() >= grace_s
    is_convincing = belief.differs_count + 1 >= SWEEPS_THAT_CONVINCE and is_old
    return Difference(belief.number, reading, is_convincing=is_convincing, is_drift=True)


def drift_kind(before: Line, after: Line) -> str:
    """missing: it was on a campaign and is on none; extra: the other way round; else wrong_campaign."""
    if after.observed_campaign is None:
        return "missing"
    return "extra" if before.observed_campaign is None else "wrong_campaign"
