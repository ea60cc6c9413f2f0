"""The inventory: what is in the pool, what can be had besides, and who may take it.

available (pool) ─▶ ordering ─▶ assigned ─▶ quarantined ─▶ available; retired (the carrier's again). A number that the
carrier sells and that is not recorded here has no row.
"""

from collections.abc import Sequence

from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.tenant import Tenant
from agentmessage.numbers.orders import inventory_queries as queries
from agentmessage.numbers.orders import rules
from agentmessage.numbers.orders.inventory_queries import Stock
from agentmessage.numbers.orders.model import Claimed, Criteria

__all__ = ["Stock", "claim", "claim_matching", "import_numbers", "list_inventory", "list_unknown", "search_pool"]


async def search_pool(db: Executor, account: str, criteria: Criteria, *, quantity: int) -> list[tuple[str, str]]:
    """Numbers of the pool that fit, with their type; nothing is reserved."""
    return await queries.search(
        db,
        account,
        number_type=criteria.number_type,
        prefix=_prefix(criteria),
        pattern=criteria.pattern or "",
        limit=quantity,
    )


async def list_unknown(db: Executor, account: str, numbers: Sequence[str]) -> list[str]:
    """Those of the carrier's numbers that no organization holds here, in their order, each once."""
    known = set(await queries.list_known(db, account, numbers))
    return [number for number in dict.fromkeys(numbers) if number not in known]


async def claim(tx: Tx, tenant: Tenant, numbers: Sequence[str]) -> list[Claimed]:
    """Take exactly these numbers, as far as they can be had; what is missing is another organization's or not for sale.

    Two organizations at once: exactly one gets a number, by the lock of its row or by the primary key.
    """
    claimed = await queries.claim_named(tx, tenant, numbers)
    taken = {claim.number for claim in claimed}
    rest = sorted(number for number in numbers if number not in taken and rules.may_be_bought(number))
    if rest:
        claimed += await queries.claim_unknown(tx, tenant, rest, [rules.type_of(number) for number in rest])
    return claimed


async def claim_matching(tx: Tx, tenant: Tenant, criteria: Criteria, *, quantity: int) -> list[Claimed]:
    """Take at most so many fitting numbers from the pool."""
    return await queries.claim_matching(
        tx,
        tenant,
        number_type=criteria.number_type,
        prefix=_prefix(criteria),
        pattern=criteria.pattern or "",
        limit=quantity,
    )


async def import_numbers(tx: Tx, account: str, rows: Sequence[tuple[str, str]]) -> int:
    """Put numbers into the pool that the carrier account holds; `rows` have number and type. Returns how many are new.

    What the carrier has on them is not known yet, so a number is read after it is ordered, before anything is bound.
    """
    return await queries.import_numbers(tx, account, [number for number, _ in rows], [kind for _, kind in rows])


async def list_inventory(
    db: Executor, *, account: str | None = None, state: str | None = None, after: str = "", limit: int = 100
) -> list[Stock]:
    """The inventory for the operator, in the order of its numbers, from the one after `after`."""
    return await queries.list_stock(db, account=account, state=state, after=after, limit=limit)


def _prefix(criteria: Criteria) -> str:
    return "+1" + criteria.area_code if criteria.area_code else "+"
