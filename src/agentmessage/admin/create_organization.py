"""Making an organization that can be used: its row and its twin's, both wallets, its first credit."""

from uuid import UUID

from agentmessage.billing import operations as billing
from agentmessage.billing.model import LedgerKind
from agentmessage.kernel.db import Tx
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations

PLAY_MONEY_CENTS = 100_000
"""What a sandbox begins with: a thousand dollars that nobody paid."""


async def found(
    tx: Tx,
    *,
    cell: str,
    name: str,
    signup_credit_cents: int,
    billing_email: str | None = None,
    is_commercial: bool = True,
    org_id: UUID | None = None,
) -> tuple[Tenant, Tenant]:
    """Make a live organization and its sandbox twin in the cell that `tx` is open on; answers both, live first.

    The live one gets the sign-up credit, the sandbox play money. Keys are issued by `keys.operations.issue`.
    """
    live, sandbox = await organizations.create(
        tx, cell=cell, name=name, billing_email=billing_email, is_commercial=is_commercial, org_id=org_id
    )
    for tenant, cents in ((live, signup_credit_cents), (sandbox, PLAY_MONEY_CENTS)):
        if cents:
            await billing.credit(
                tx,
                tenant,
                amount_microcents=microcents(cents),
                source="signup",
                source_ref=str(tenant.org_id),
                kind=LedgerKind.ADJUSTMENT,
            )
    return live, sandbox
