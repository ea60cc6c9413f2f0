"""Reads the carrier for numbers whose orders it accepted: accepted is not propagated.

One read of a campaign answers for all its numbers that wait; when many campaigns wait, reading the account as a whole
takes fewer calls.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from agentmessage.carriers.protocols import Accepted, LineReading
from agentmessage.kernel.db import Tx
from agentmessage.numbers.binding import queries, rules
from agentmessage.numbers.binding.model import Line, Settle
from agentmessage.numbers.binding.reconciler import Changed, Reconciling, RefreshRequest, record

log = structlog.get_logger("agentmessage.numbers")

PAGE_SIZE = 250
"""Records of one page at the carrier, to decide which way of reading costs fewer calls."""

LINES_AT_ONCE = 500


class Interrupted(Exception):
    """A page could not be had: nothing is concluded from the pages before it."""


async def refresh(reconciling: Reconciling, refreshes: Iterable[RefreshRequest]) -> int:
    """Read what the requests ask for; returns how many lines were refreshed."""
    by_account: dict[str, list[str]] = {}
    for request in refreshes:
        by_account.setdefault(request.account, []).append(request.campaign)
    refreshed = 0
    for account, campaigns in by_account.items():
        refreshed += await _refresh_account(reconciling, account, sorted(set(campaigns)))
    return refreshed


async def _refresh_account(reconciling: Reconciling, account: str, campaigns: Sequence[str]) -> int:
    in_service = await queries.count_lines(reconciling.db, account)
    if len(campaigns) > 1 + in_service // PAGE_SIZE:
        return await _refresh_all(reconciling, account, frozenset(campaigns))
    refreshed = 0
    for campaign in campaigns:
        refreshed += await _refresh_campaign(reconciling, account, campaign)
    return refreshed


class Observation(Struct, frozen=True):
    """What a whole read showed, and when it began. `is_whole`: it came in one page."""

    began_at: datetime
    readings: dict[str, LineReading]
    is_whole: bool


async def _refresh_campaign(reconciling: Reconciling, account: str, campaign: str) -> int:
    began_at = reconciling.db.now
    readings: dict[str, LineReading] = {}
    pages = 0
    try:
        async for page in pages_of(reconciling, account, campaign):
            pages += 1
            readings.update((reading.number, reading) for reading in page)
    except Interrupted:
        return 0
    observation = Observation(began_at, readings, pages <= 1)
    return await _conclude(reconciling, account, frozenset({campaign}), observation)


async def _refresh_all(reconciling: Reconciling, account: str, campaigns: frozenset[str]) -> int:
    began_at = reconciling.db.now
    readings: dict[str, LineReading] = {}
    pages = 0
    try:
        async for page in pages_of(reconciling, account, None):
            pages += 1
            readings.update((reading.number, reading) for reading in page if reading.campaign in campaigns)
    except Interrupted:
        return 0
    return await _conclude(reconciling, account, campaigns, Observation(began_at, readings, pages <= 1))


async def pages_of(
    reconciling: Reconciling, account: str, campaign: str | None
) -> AsyncGenerator[Sequence[LineReading]]:
    """The pages of a campaign, or of the whole account. Raises Interrupted when one cannot be had.

    Waits for the account's budget, page by page: a long list takes more calls than the budget allows at once.
    """
    carrier = reconciling.carriers[account]
    if account not in await reconciling.budget.open_accounts():
        raise Interrupted
    page: str | None = None
    while True:
        await _wait_for_budget(reconciling, account)
        if campaign is None:
            answer = await carrier.lines.read_all(page)
        else:
            answer = await carrier.lines.read_campaign(campaign, page)
        await reconciling.budget.record_answer(account, answer, operation="lines.read")
        if not isinstance(answer, Accepted):
            log.warning("binding read interrupted", account=account, campaign=campaign, response=str(answer)[:300])
            raise Interrupted
        yield answer.value.readings
        page = answer.value.next_page
        if page is None:
            return


async def _wait_for_budget(reconciling: Reconciling, account: str) -> None:
    """Take one read's worth. Raises Interrupted when other workers take the whole budget for as long as a lease."""
    patience_s = reconciling.carriers[account].pace.lease_s
    while (wait_s := await reconciling.budget.take(account, "read")) > 0:
        if wait_s > patience_s:
            raise Interrupted
        patience_s -= wait_s
        await asyncio.sleep(wait_s)


async def _conclude(reconciling: Reconciling, account: str, campaigns: frozenset[str], observation: Observation) -> int:
    """Apply an observation to the lines that waited for these campaigns, in bounded transactions."""
    waiting = await queries.list_waiting(reconciling.db, account, sorted(campaigns))
    for start in range(0, len(waiting), LINES_AT_ONCE):
        async with reconciling.db.transaction() as tx:
            await _apply(reconciling, tx, account, waiting[start : start + LINES_AT_ONCE], observation)
    return len(waiting)


async def _apply(
    reconciling: Reconciling, tx: Tx, account: str, numbers: Sequence[str], observation: Observation
) -> None:
    changed: list[Changed] = []
    pace = reconciling.carriers[account].pace
    for line in await queries.lock_by_number(tx, account, numbers):
        reading = observation.readings.get(line.number)
        after = rules.seen(
            line, reading, began_at=observation.began_at, now=tx.now, pace=pace, is_whole=observation.is_whole
        )
        changed.append(_settle_at_once(line, after, tx.now))
    await record(tx, changed)


def _settle_at_once(before: Line, after: Line, now: datetime) -> Changed:
    """When the observation confirms the desired campaign, settle in the same transaction."""
    if after.op_order_id is None and before.op_order_id is not None:
        if rules.decide(after, has_slot=False, now=now) == Settle():
            return before, rules.settled(after), "the carrier has what is wanted"
        return before, after, after.error_text or f"seen on {after.observed_campaign or 'no campaign'}"
    return before, after, None
