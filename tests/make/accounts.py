"""Organizations with money and keys, made as the operator makes them."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct, structs

from agentmessage.admin.create_organization import found
from agentmessage.billing import operations as billing
from agentmessage.kernel.db import Cells
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.keys import operations as keys
from agentmessage.web.scopes import CUSTOMER_SCOPES


class Account(Struct, frozen=True):
    """A live organization and its sandbox twin as tests use them; `key` is the plaintext of a live key."""

    tenant: Tenant
    sandbox: Tenant
    key: str
    key_id: UUID

    @property
    def org_id(self) -> UUID:
        return self.tenant.org_id


async def open_account(
    cells: Cells,
    *,
    name: str = "Acme",
    cell: str = "cell_00",
    cents: int = 100_000,
    scopes: Sequence[str] = CUSTOMER_SCOPES,
    is_commercial: bool = True,
) -> Account:
    """An organization with `cents` in its wallet and a key that carries `scopes`; its tenant carries them too."""
    db = await cells.cell(cell)
    async with db.transaction() as tx:
        live, sandbox = await found(tx, cell=cell, name=name, signup_credit_cents=0, is_commercial=is_commercial)
        if cents:
            await billing.credit(tx, live, amount_microcents=microcents(cents), source="operator", source_ref="test")
        key, plaintext = await keys.issue(tx, live, label="test", scopes=scopes)
    return Account(structs.replace(live, scopes=frozenset(scopes)), sandbox, plaintext, key.id)


async def key_with(cells: Cells, tenant: Tenant, scopes: Sequence[str], *, label: str = "test") -> str:
    """The plaintext of one more key of an organization."""
    db = await cells.cell(tenant.cell)
    async with db.transaction() as tx:
        _, plaintext = await keys.issue(tx, tenant, label=label, scopes=scopes)
    return plaintext
