"""The audit log as the operator sees it: what was done, and whether it is all there."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import msgspec

from agentmessage.admin.organizations import Impossible, tenant_of
from agentmessage.audit import verification
from agentmessage.audit.chain import chain_keys
from agentmessage.audit.verification import Proof
from agentmessage.kernel.db import DEFAULT_CELL, Cells
from agentmessage.organizations import operations as organizations
from agentmessage.organizations.model import AuditRow
from agentmessage.settings import Settings


async def verify(cells: Cells, settings: Settings, *, org_id: UUID | None, heads: Path | None) -> list[Proof]:
    """Every chain of every cell, or one organization's; with `heads` also whether each goes through an earlier head.

    Raises Impossible.
    """
    keys = chain_keys(settings.encryption_key)
    kept = None if heads is None else await _kept(heads)
    names = await cells.names() if org_id is None else [await _cell_of(cells, org_id)]
    proofs: list[Proof] = []
    for name in names:
        proofs += await verification.prove(await cells.cell(name), keys, org_id=org_id, kept=kept)
    return proofs


async def list_acts(cells: Cells, org_id: UUID | None, *, limit: int) -> list[AuditRow]:
    """The newest acts on an organization; without one, on the installation itself. Raises Impossible."""
    wanted = org_id or organizations.INSTALLATION
    cell = await cells.cell(await _cell_of(cells, wanted))
    return await organizations.list_acts(cell, wanted, limit=limit)


async def _cell_of(cells: Cells, org_id: UUID) -> str:
    return DEFAULT_CELL if org_id == organizations.INSTALLATION else (await tenant_of(cells, org_id)).cell


async def _kept(heads: Path) -> Mapping[UUID, Proof]:
    try:
        proofs = msgspec.json.decode(await asyncio.to_thread(heads.read_bytes), type=list[Proof])
    except (OSError, msgspec.DecodeError) as error:
        raise Impossible(f"Cannot read {heads}: it must be what `audit verify --json` printed ({error})") from error
    return {proof.org_id: proof for proof in proofs}
