"""What the person who hosts the platform can do, over all cells: the acts behind `agentmessage admin`.

Each act that changes an organization is in its audit log, with `actor_kind` platform; what concerns no organization is
in that of the installation (`organizations.INSTALLATION`).
"""

import asyncio
import csv
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from agentmessage.admin import queries
from agentmessage.admin.create_organization import found
from agentmessage.admin.queries import InventoryRow, RungLine
from agentmessage.app import sandbox as sandbox_start
from agentmessage.app.monitoring import number_queries
from agentmessage.app.monitoring.number_queries import BreakerRow, DriftRow, OrderCount, PhaseCount, SweepRow
from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.money import balance_cents
from agentmessage.kernel.tenant import Tenant
from agentmessage.keys import operations as keys
from agentmessage.keys.model import ApiKey
from agentmessage.numbers.orders import inventory
from agentmessage.organizations import operations as organizations
from agentmessage.organizations.model import Plan
from agentmessage.outbox import queries as outbox
from agentmessage.settings import Settings
from agentmessage.sms.numbers import is_toll_free
from agentmessage.web.scopes import CUSTOMER_SCOPES

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
NUMBER_TYPES = ("local", "toll_free", "short_code")
IMPORT_BATCH = 10_000
NUMBERS_BELL = "numbers"


class Impossible(Exception):
    """The operator asked for what cannot be; the message is one sentence."""


class OrganizationLine(Struct, frozen=True, kw_only=True):
    """An organization in the operator's list."""

    id: UUID
    name: str
    mode: str
    cell: str
    twin_id: UUID | None
    balance_cents: int
    created_at: datetime


class NewOrganization(Struct, frozen=True, kw_only=True):
    """What was just made, with the plaintext keys that nobody can show again."""

    org_id: UUID
    sandbox_org_id: UUID
    api_key: str
    sandbox_api_key: str


class KeyLine(Struct, frozen=True, kw_only=True):
    """A key in the operator's list; `key` is the plaintext, present only when it was made just now."""

    id: UUID
    org_id: UUID
    label: str
    prefix: str
    scopes: Sequence[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    key: str | None = None


class PlanLine(Struct, frozen=True, kw_only=True):
    """The plan of an organization."""

    org_id: UUID
    plan: str


class KindLine(Struct, frozen=True, kw_only=True):
    """What an organization is: `commercial` or `personal`."""

    org_id: UUID
    kind: str


class ImportResult(Struct, frozen=True, kw_only=True):
    """How many numbers a file named, and how many of them are new in the pool."""

    account: str
    read: int
    imported: int


class ReconcileReport(Struct, frozen=True, kw_only=True):
    """Where all numbers stand with their carriers."""

    phases: Sequence[PhaseCount]
    orders: Sequence[OrderCount]
    sweeps: Sequence[SweepRow]
    breakers: Sequence[BreakerRow]


async def list_organizations(cells: Cells) -> list[OrganizationLine]:
    """Every organization of every cell."""
    return [
        OrganizationLine(
            id=one.id,
            name=one.name,
            mode=one.mode,
            cell=one.cell,
            twin_id=one.twin_id,
            balance_cents=balance_cents(one.balance_microcents),
            created_at=one.created_at,
        )
        for one in await organizations.list_all(cells)
    ]


async def create_organization(cells: Cells, settings: Settings, *, name: str, cell: str) -> NewOrganization:
    """A live organization and its sandbox twin, with wallets and a key each. Raises Impossible."""
    if cell not in await cells.names():
        raise Impossible(f"There is no cell {cell}; `agentmessage migrate --cell {cell}` makes it")
    place = await cells.cell(cell)
    async with place.transaction() as tx:
        live, sandbox = await found(tx, cell=cell, name=name, signup_credit_cents=settings.signup_credit_cents)
        await sandbox_start.schedule(tx, sandbox)
        _, live_key = await keys.issue(tx, live, label="operator", scopes=CUSTOMER_SCOPES)
        _, sandbox_key = await keys.issue(tx, sandbox, label="operator", scopes=CUSTOMER_SCOPES)
    return NewOrganization(
        org_id=live.org_id, sandbox_org_id=sandbox.org_id, api_key=live_key, sandbox_api_key=sandbox_key
    )


async def set_plan(cells: Cells, org_id: UUID, *, plan: str) -> PlanLine:
    """Put an organization on a plan. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.set_plan(tx, tenant, Plan(plan))
    return PlanLine(org_id=org_id, plan=plan)


async def set_kind(cells: Cells, org_id: UUID, *, kind: str) -> KindLine:
    """Mark an organization as commercial or personal. Raises Impossible, audited."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        await organizations.set_kind(tx, tenant, is_commercial=kind == "commercial")
    return KindLine(org_id=org_id, kind=kind)


async def create_key(cells: Cells, org_id: UUID, *, label: str, scopes: Sequence[str]) -> KeyLine:
    """A new key; no scopes means every customer scope. Raises Impossible, InvalidScopes."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    async with cell.transaction() as tx:
        key, plaintext = await keys.issue(tx, tenant, label=label, scopes=scopes or CUSTOMER_SCOPES)
    return _line(key, plaintext=plaintext)


async def list_keys(cells: Cells, org_id: UUID) -> list[KeyLine]:
    """An organization's keys, newest first. Raises Impossible."""
    tenant = await tenant_of(cells, org_id)
    return [_line(key) for key in await keys.list_all(await cells.cell(tenant.cell), tenant)]


async def revoke_key(cells: Cells, org_id: UUID, key_id: UUID) -> KeyLine:
    """End a key; every API process refuses it within a second. Raises Impossible."""
    tenant = await tenant_of(cells, org_id)
    cell = await cells.cell(tenant.cell)
    try:
        async with cell.transaction() as tx:
            await keys.revoke(tx, tenant, key_id)
    except NotFound as error:
        raise Impossible(f"Organization {org_id} has no key {key_id}") from error
    return next(line for line in await list_keys(cells, org_id) if line.id == key_id)


async def import_inventory(cells: Cells, file: Path, *, account: str) -> ImportResult:
    """Put the numbers of a file into the pool, all or none. Raises Impossible, naming the first bad line; audited.

    One number a line in E.164, optionally a comma and its type; empty lines and lines that begin with # are skipped.
    """
    try:
        rows = list(_numbers_in((await asyncio.to_thread(file.read_text, encoding="utf-8")).splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise Impossible(f"Cannot read {file}: {error}") from error
    imported = 0
    directory = await cells.directory()
    async with directory.transaction() as tx:
        for start in range(0, len(rows), IMPORT_BATCH):
            batch = rows[start : start + IMPORT_BATCH]
            imported += await inventory.import_numbers(tx, account, batch)
        await organizations.record_for_installation(
            tx,
            action="inventory.import",
            resource_type="inventory",
            resource_id=account,
            payload={"file": file.name, "read": len(rows), "imported": imported},
        )
    return ImportResult(account=account, read=len(rows), imported=imported)


async def list_inventory(
    cells: Cells, *, account: str | None, state: str | None, after: str, limit: int
) -> list[InventoryRow]:
    """Numbers that the installation knows of, in order, from the one after `after`."""
    directory = await cells.directory()
    return await queries.list_inventory(directory, account=account, state=state, after=after, limit=limit)


async def reconcile_report(cells: Cells) -> ReconcileReport:
    """Where all numbers of all cells stand with their carriers."""
    phases: list[PhaseCount] = []
    orders: list[OrderCount] = []
    for name in await cells.names():
        cell = await cells.cell(name)
        phases += await number_queries.count_phases(cell)
        orders += await number_queries.count_orders(cell)
    directory = await cells.directory()
    sweeps, breakers = await number_queries.list_sweeps(directory), await number_queries.list_breakers(directory)
    return ReconcileReport(phases=phases, orders=orders, sweeps=sweeps, breakers=breakers)


async def list_drift(cells: Cells, *, is_open: bool, limit: int) -> list[DriftRow]:
    """What carriers had otherwise than we believed, newest first, over all cells."""
    drift: list[DriftRow] = []
    for name in await cells.names():
        drift += await number_queries.list_drift(await cells.cell(name), is_open=is_open, limit=limit)
    return sorted(drift, key=lambda row: row.found_at, reverse=True)[:limit]


async def retry_number(cells: Cells, number: str) -> list[RungLine]:
    """Have a number looked at by the reconciler now, whatever it waits for. Raises Impossible, audited."""
    rung: list[RungLine] = []
    for name in await cells.names():
        cell = await cells.cell(name)
        async with cell.transaction() as tx:
            lines = await queries.ring_number(tx, number)
            for line in lines:
                tenant = await organizations.tenant_of(cells, line.org_id)
                await organizations.record(
                    tx, tenant, action="phone_number.reconcile", resource_type="phone_number", resource_id=number
                )
        if lines:
            await outbox.ring(await cells.directory(), f"{name}/{NUMBERS_BELL}")
        rung += lines
    if not rung:
        raise Impossible(f"No organization holds {number}")
    return rung


async def tenant_of(cells: Cells, org_id: UUID) -> Tenant:
    """The operator acting on an organization. Raises Impossible."""
    try:
        return await organizations.tenant_of(cells, org_id)
    except NotFound as error:
        raise Impossible(f"There is no organization {org_id}") from error


def _numbers_in(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for place, row in enumerate(csv.reader(lines), start=1):
        words = [word.strip() for word in row]
        if not words or not words[0] or words[0].startswith("#"):
            continue
        number = words[0]
        if not E164.fullmatch(number):
            raise Impossible(f"Line {place}: {number!r} is not a number in E.164, such as +14155550123")
        number_type = words[1] if len(words) > 1 and words[1] else _type_of(number)
        if number_type not in NUMBER_TYPES:
            raise Impossible(f"Line {place}: {number_type!r} is not one of {', '.join(NUMBER_TYPES)}")
        yield number, number_type


def _type_of(number: str) -> str:
    return "toll_free" if is_toll_free(number) else "local"


def _line(key: ApiKey, *, plaintext: str | None = None) -> KeyLine:
    return KeyLine(
        id=key.id,
        org_id=key.org_id,
        label=key.label,
        prefix=key.prefix,
        scopes=key.scopes,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        key=plaintext,
    )
