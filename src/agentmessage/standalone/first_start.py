"""The first start of `agentmessage up`: two organizations with money, and the keys to try them with.

Which organizations they are is remembered in the database, their plaintext keys only by the caller (`keys.json`). A key
that the caller still has is kept; one that is lost or revoked is replaced, so that a lost file heals.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from agentmessage.admin.create_organization import found
from agentmessage.app import sandbox as sandbox_start
from agentmessage.billing import operations as billing
from agentmessage.kernel.db import DEFAULT_CELL, Cells, Tx
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.keys import operations as keys
from agentmessage.organizations import operations as organizations
from agentmessage.settings import Settings
from agentmessage.web.scopes import CUSTOMER_SCOPES, PLATFORM_SCOPES

FACT = "first_organizations"
NAMES = ("First organization", "Second organization")
DEMO_CREDIT_CENTS = 100_000
"""A thousand dollars for each: enough to order and register without thinking of money."""


class Bootstrap(Struct, frozen=True):
    """Ids and plaintext keys of the first organizations; what the ready file shows."""

    org_id: str
    api_key: str
    platform_api_key: str
    sandbox_api_key: str
    second_org_id: str
    second_org_api_key: str


async def bootstrap(dsn: str, settings: Settings, known_keys: Mapping[str, str] | None = None) -> Bootstrap:
    """Make what is missing of the first organizations and their keys; answers all of it. The database is migrated.

    Idempotent: with the keys of an earlier answer (by the names of Bootstrap's fields) the answer is the same. Two at
    once take turns.
    """
    cells = Cells(dsn, pool_size=2)
    try:
        db = await cells.cell(DEFAULT_CELL)
        async with db.transaction() as tx:
            first, second = await _first_organizations(tx, settings)
            sandbox = await organizations.twin_in(tx, first.org_id)
            known = known_keys or {}
            return Bootstrap(
                org_id=str(first.org_id),
                api_key=await _key(tx, first, "api_key", CUSTOMER_SCOPES, known),
                platform_api_key=await _key(tx, first, "platform_api_key", (*CUSTOMER_SCOPES, *PLATFORM_SCOPES), known),
                sandbox_api_key=await _key(tx, sandbox, "sandbox_api_key", CUSTOMER_SCOPES, known),
                second_org_id=str(second.org_id),
                second_org_api_key=await _key(tx, second, "second_org_api_key", CUSTOMER_SCOPES, known),
            )
    finally:
        await cells.close()


async def _first_organizations(tx: Tx, settings: Settings) -> Sequence[Tenant]:
    ids = [new_id() for _ in NAMES]
    remembered = await organizations.remember(tx, FACT, [str(org_id) for org_id in ids])
    if remembered != [str(org_id) for org_id in ids]:
        return [await organizations.tenant_in(tx, UUID(org_id)) for org_id in remembered]
    tenants: list[Tenant] = []
    for org_id, name in zip(ids, NAMES, strict=True):
        live, sandbox = await found(
            tx, cell=DEFAULT_CELL, name=name, signup_credit_cents=settings.signup_credit_cents, org_id=org_id
        )
        await billing.credit(
            tx, live, amount_microcents=microcents(DEMO_CREDIT_CENTS), source="operator", source_ref="first start"
        )
        await sandbox_start.schedule(tx, sandbox)
        tenants.append(live)
    return tenants


async def _key(tx: Tx, tenant: Tenant, name: str, scopes: Sequence[str], known: Mapping[str, str]) -> str:
    """The key of this name that the caller has, while it is alive; else a new one in place of those that were lost."""
    if name in known and await keys.owner_of(tx, known[name]) == tenant.org_id:
        return known[name]
    label = f"first start: {name}"
    for key in await keys.list_all(tx, tenant):
        if key.label == label and key.revoked_at is None:
            await keys.revoke(tx, tenant, key.id, keeps_children=True)
    _, plaintext = await keys.issue(tx, tenant, label=label, scopes=scopes)
    return plaintext
