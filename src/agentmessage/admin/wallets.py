"""Money as the operator sees it: adding some, what a wallet holds, what moved it, and whether the books agree."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.admin import wallet_queries as own
from agentmessage.admin.organizations import Impossible, tenant_of
from agentmessage.billing import operations as billing
from agentmessage.billing import queries, report_queries
from agentmessage.kernel.db import Cells
from agentmessage.kernel.ids import new_ulid
from agentmessage.kernel.money import balance_cents, microcents, price_cents


class Credited(Struct, frozen=True, kw_only=True):
    """A wallet after a credit."""

    org_id: UUID
    credited_cents: int
    balance_cents: int


class WalletLine(Struct, frozen=True, kw_only=True):
    """A wallet as it stands; `held_cents` is the part that texts in the queue will cost."""

    org_id: UUID
    balance_cents: int
    held_cents: int
    lifetime_spend_cents: int
    mtd_spend_cents: int
    throughput_tier: int
    auto_topup_enabled: bool


class StatementLine(Struct, frozen=True, kw_only=True):
    """What one cause came to on one day (UTC), and the balance with it; what is no debit has a line of its own."""

    day: datetime
    what: str
    source: str
    reference: str | None
    number: int
    amount_cents: int
    balance_cents: int


class Statement(Struct, frozen=True, kw_only=True):
    """What moved a wallet within a range. `agrees`: the balance before and the movements come to the balance after."""

    org_id: UUID
    begins_at: datetime
    ends_at: datetime
    opening_cents: int
    closing_cents: int
    agrees: bool
    lines: Sequence[StatementLine]


class Fault(Struct, frozen=True, kw_only=True):
    """An organization whose books do not agree."""

    org_id: UUID
    cell: str
    fault: str


async def credit(cells: Cells, org_id: UUID, *, cents: int, reference: str) -> Credited:
    """Add money; the same reference again adds nothing. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await billing.credit(
            tx, tenant, amount_microcents=microcents(cents), source="operator", source_ref=reference or new_ulid()
        )
    wallet = await billing.wallet(cell, tenant)
    return Credited(org_id=org_id, credited_cents=cents, balance_cents=balance_cents(wallet.balance_microcents))


async def show(cells: Cells, org_id: UUID) -> WalletLine:
    """A wallet as it stands. Raises Impossible."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    wallet = await billing.wallet(cell, tenant)
    overview = await report_queries.find_overview(cell, org_id)
    month = cell.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    spent = await report_queries.spent_since(cell, org_id, span="day", since=month)
    return WalletLine(
        org_id=org_id,
        balance_cents=balance_cents(wallet.balance_microcents),
        held_cents=price_cents(await own.find_held(cell, org_id)),
        lifetime_spend_cents=price_cents(wallet.lifetime_spend_microcents),
        mtd_spend_cents=max(0, price_cents(spent)),
        throughput_tier=overview.throughput_tier if overview else 1,
        auto_topup_enabled=bool(overview and overview.auto_topup_enabled),
    )


async def statement(cells: Cells, org_id: UUID, *, begins_at: datetime | None, ends_at: datetime | None) -> Statement:
    """What moved a wallet, from the month's beginning (UTC) until now unless said otherwise. Raises Impossible."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    end = ends_at or cell.now
    begin = begins_at or end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if begin > end:
        raise Impossible("A statement must begin before it ends")
    opening = balance = await own.balance_before(cell, org_id, begin)
    lines: list[StatementLine] = []
    for one in await own.sum_by_day(cell, org_id, begin, end):
        balance += one.amount_microcents
        lines.append(
            StatementLine(
                day=one.day,
                what=one.what,
                source=one.source,
                reference=one.reference,
                number=one.number,
                amount_cents=balance_cents(one.amount_microcents),
                balance_cents=balance_cents(balance),
            )
        )
    closing = await own.balance_before(cell, org_id, end)
    return Statement(
        org_id=org_id,
        begins_at=begin,
        ends_at=end,
        opening_cents=balance_cents(opening),
        closing_cents=balance_cents(closing),
        agrees=balance == closing,
        lines=lines,
    )


async def check(cells: Cells) -> list[Fault]:
    """Every organization whose ledger, usage and balance, or whose sums, do not agree. Reads all of every ledger."""
    faults: list[Fault] = []
    for name in await cells.names():
        cell = await cells.cell(name)
        unbalanced = await queries.list_unbalanced(cell)
        faults += [Fault(org_id=one, cell=name, fault="the books do not balance") for one in unbalanced]
        miscounted = await queries.list_miscounted(cell)
        faults += [Fault(org_id=one, cell=name, fault="the sums are not what was booked") for one in miscounted]
    return faults
