"""Proving the audit log: every chain of a cell is told anew and compared with its seals."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from agentmessage.audit import seal_queries as queries
from agentmessage.audit.chain import BEGINNING, End, hash_of, is_signed
from agentmessage.kernel.db import CellDb, Executor

BATCH = 1_000
SEALED_WITHIN = timedelta(minutes=1)
"""A worker seals within about a second; what is older was forgotten, or no worker runs."""


class Harm(StrEnum):
    """What was done to a chain, or not done.

    ALTERED: a row, or its seal, is not what was sealed. REMOVED: a row or a seal is gone. INSERTED: a row stands among
    sealed ones and has no seal. CUT: the end is not what was signed. REWOUND: it does not go through a head that was
    kept elsewhere. UNSEALED: a row has waited for its seal for more than a minute. MISSING: there is no chain at all.
    """

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    CUT = "cut"
    REWOUND = "rewound"
    UNSEALED = "unsealed"
    MISSING = "missing"


class Proof(Struct, frozen=True, kw_only=True):
    """One chain as it was found. `harm` is the first thing that is wrong, at `position` and `row_id` where it has them.

    `head` in hexadecimal, to be kept elsewhere: a later proof says whether the chain still goes through it.
    """

    cell: str
    org_id: UUID
    length: int
    head: str
    harm: Harm | None = None
    position: int | None = None
    row_id: str | None = None


class _Found(Struct, frozen=True):
    harm: Harm
    position: int | None
    row_id: str | None


async def prove(
    db: CellDb, keys: Sequence[bytes], *, org_id: UUID | None = None, kept: Mapping[UUID, Proof] | None = None
) -> list[Proof]:
    """Every chain of a cell, or an organization's alone; `kept` are earlier proofs that the chains must go through."""
    kept = {one: proof for one, proof in (kept or {}).items() if proof.cell == db.name}
    ends = {end.org_id: end for end in await _ends(db, org_id)}
    before = db.now - SEALED_WITHIN
    strays = {stray.org_id: stray for stray in await queries.list_strays(db, org_id, before=before)}
    missing = await queries.list_unchained(db, org_id, before=before)
    wanted = {*ends, *strays, *missing, *(one for one in kept if org_id in (None, one))}
    proofs: list[Proof] = []
    for one in sorted(wanted):
        end = ends.get(one)
        found = await _walk(db, keys, end, kept.get(one)) if end else None
        stray = strays.get(one)
        if found is None and stray is not None:
            found = _Found(Harm.INSERTED if stray.is_passed else Harm.UNSEALED, None, stray.id)
        elif found is None and end is None:
            found = _Found(Harm.MISSING, None, None)
        proofs.append(_proof(db.name, one, end, found))
    return proofs


async def _ends(db: Executor, org_id: UUID | None) -> list[End]:
    return await queries.list_all_ends(db) if org_id is None else await queries.list_ends(db, [org_id])


class _Walk:
    """A chain told anew, seal by seal."""

    def __init__(self, keys: Sequence[bytes], end: End, kept: Proof | None) -> None:
        self._keys = list(keys)
        self._end = end
        self._kept = kept
        self._head = BEGINNING
        self._position = 0

    def step(self, link: queries.Link) -> _Found | None:
        """What is wrong with the next seal."""
        self._position += 1
        seal, row = link.seal, link.row
        if seal.position != self._position or row is None:
            return _Found(Harm.REMOVED, self._position, seal.row_id if row is None else None)
        key = next((k for k in self._keys if hash_of(k, self._head, self._position, row) == seal.hash), None)
        if key is None:
            return _Found(Harm.ALTERED, self._position, row.id)
        if key != self._keys[0]:  # the next row was nearly always sealed with the same one
            self._keys.sort(key=lambda other: other != key)
        self._head = seal.hash
        if self._kept is not None and self._kept.length == self._position and self._kept.head != self._head.hex():
            return _Found(Harm.REWOUND, self._position, row.id)
        return None

    def finish(self) -> _Found | None:
        """What is wrong with the end."""
        if self._position < self._end.length:
            return _Found(Harm.CUT, self._position + 1, None)
        if self._head != self._end.head or not is_signed(self._keys, self._end):
            return _Found(Harm.CUT, self._position, None)
        if self._kept is not None and self._kept.length > self._end.length:
            return _Found(Harm.REWOUND, self._end.length + 1, None)
        return None


async def _walk(db: CellDb, keys: Sequence[bytes], end: End, kept: Proof | None) -> _Found | None:
    """The first thing that is wrong with a chain; seals that are added meanwhile are not looked at."""
    walk = _Walk(keys, end, kept)
    async for link in _links(db, end):
        found = walk.step(link)
        if found is not None:
            return found
    return walk.finish()


async def _links(db: CellDb, end: End) -> AsyncIterator[queries.Link]:
    after = 0
    while after < end.length:
        links = await queries.list_links(db, end.org_id, after=after, limit=BATCH)
        if not links:
            return
        for link in links:
            if link.seal.position > end.length:
                return
            yield link
        after = links[-1].seal.position


def _proof(cell: str, org_id: UUID, end: End | None, found: _Found | None) -> Proof:
    return Proof(
        cell=cell,
        org_id=org_id,
        length=end.length if end else 0,
        head=end.head.hex() if end else "",
        harm=found and found.harm,
        position=found and found.position,
        row_id=found and found.row_id,
    )
