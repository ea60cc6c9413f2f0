"""Bearer keys: a look-up by hash, remembered for less than the second within which a revoked key must be dead.

Only SHA-256 hashes are kept, here as in the database; the hash is the look-up key, so no comparison leaks time.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.batcher import Batcher
from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import Unauthorized, Unavailable
from agentmessage.web import queries
from agentmessage.web.key_watch import KeyWatch

CACHE_S = 0.8
REVOKED_S = 10.0
MAX_CACHED = 20_000
TOUCH_EVERY_S = 60.0
MAX_SHARED_BATCH = 500
SHARED_BATCH_EVERY_S = 0.02
"""Keys behind an address that is over its limit are looked up so many at once, and so often: a flood costs no more."""


class Principal(Struct, frozen=True):
    """Who a key belongs to. `mode` is the organization's: live or sandbox."""

    key_id: UUID
    org_id: UUID
    cell: str
    mode: str
    label: str
    scopes: list[str]


class AuthenticatedKey(Struct, frozen=True):
    """What a request needs of a principal, made once per look-up."""

    principal: Principal
    scopes: frozenset[str]
    actor_kind: str
    actor_label: str
    cached_until: float


class Authenticator:
    """Knows who is behind a key. One per process."""

    def __init__(self, cells: Cells, monotonic: Callable[[], float]) -> None:
        self._cells = cells
        self._monotonic = monotonic
        self._cache: OrderedDict[bytes, AuthenticatedKey] = OrderedDict()
        self._lookups: dict[bytes, asyncio.Task[AuthenticatedKey | None]] = {}
        self._revoked_until: dict[UUID, float] = {}
        self._recorded_at: dict[UUID, float] = {}
        self._last_used: dict[UUID, tuple[str, UUID, datetime]] = {}
        self._shared_batch = Batcher[bytes, Principal | None](
            self._find_many, max_batch=MAX_SHARED_BATCH, max_waiting=2 * MAX_SHARED_BATCH
        )
        self._next_shared_batch_at = 0.0
        self.watch = KeyWatch(cells)

    def get_cached(self, header: bytes | None) -> AuthenticatedKey | None:
        """The principal of an Authorization header if it is fresh in memory; else None: ask `look_up`."""
        if header is None:
            return None
        known = self._cache.get(header)
        if known is None or known.cached_until < self._monotonic():
            return None
        return known

    def has_seen(self, header: bytes | None) -> bool:
        """Whether the key was good when it was last looked up: what strangers do does not hold it up."""
        return header in self._cache

    async def authenticate(self, header: str | None, *, now: datetime) -> AuthenticatedKey:
        """The principal of an Authorization header. Raises Unauthorized, always with the same words."""
        token = _token(header)
        remembered = (header or "").encode()
        asking = self._lookups.get(remembered)
        if asking is None:
            asking = asyncio.create_task(self._find(remembered, token))
            self._lookups[remembered] = asking
            asking.add_done_callback(lambda _: self._lookups.pop(remembered, None))
        known = await asyncio.shield(asking)
        if known is None:
            raise Unauthorized
        self._record_use(known.principal, now)
        return known

    async def authenticate_in_shared_batch(self, header: str | None, *, now: datetime) -> AuthenticatedKey | None:
        """As `look_up`, together with the others of an address that is over its limit; None for a key that is not good.

        A good key that this process has not seen yet pays a few milliseconds for what strangers do beside it.
        """
        try:
            token = _token(header)
            principal = await self._shared_batch.submit(hashlib.sha256(token.encode()).digest())
        except (Unauthorized, Unavailable):
            return None
        return None if principal is None else await self.authenticate(header, now=now)

    def revoke(self, key_id: UUID) -> None:
        """A key is being revoked in this process: dead here with the commit, not a second later.

        A look-up that began before the commit, or a commit that is still to come, must not bring it back into memory:
        for a while it is looked up at every request.
        """
        if len(self._revoked_until) > MAX_CACHED:
            self._revoked_until.clear()
        self._revoked_until[key_id] = self._monotonic() + REVOKED_S
        self._lookups.clear()
        self.watch.invalidate(key_id)
        for header in [h for h, known in self._cache.items() if known.principal.key_id == key_id]:
            del self._cache[header]

    def drain_last_used(self) -> dict[str, list[tuple[UUID, UUID, datetime]]]:
        """Keys used since the last call, by cell, at most once a minute each; for the process to write lazily."""
        by_cell: dict[str, list[tuple[UUID, UUID, datetime]]] = {}
        for key_id, (cell, org_id, at) in self._last_used.items():
            by_cell.setdefault(cell, []).append((key_id, org_id, at))
        self._last_used.clear()
        return by_cell

    async def _find_many(self, hashes: Sequence[bytes]) -> Sequence[Principal | None]:
        await asyncio.sleep(max(0.0, self._next_shared_batch_at - self._monotonic()))
        self._next_shared_batch_at = self._monotonic() + SHARED_BATCH_EVERY_S
        found = dict(await queries.list_principals(await self._cells.directory(), Principal, list(set(hashes))))
        return [found.get(one) for one in hashes]

    async def _find(self, remembered: bytes, token: str) -> AuthenticatedKey | None:
        began = self._monotonic()
        directory = await self._cells.directory()
        principal = await queries.find_principal(directory, Principal, hashlib.sha256(token.encode()).digest())
        if principal is None:
            self._cache.pop(remembered, None)
            return None
        kind, label = _actor(principal)
        known = AuthenticatedKey(principal, frozenset(principal.scopes), kind, label, began + CACHE_S)
        if self._revoked_until.get(principal.key_id, began) > began:
            return known
        self._cache[remembered] = known
        self._cache.move_to_end(remembered)
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return known

    def _record_use(self, principal: Principal, now: datetime) -> None:
        moment = self._monotonic()
        if moment - self._recorded_at.get(principal.key_id, -TOUCH_EVERY_S) >= TOUCH_EVERY_S:
            if len(self._recorded_at) > MAX_CACHED:
                self._recorded_at.clear()
            self._recorded_at[principal.key_id] = moment
            self._last_used[principal.key_id] = (principal.cell, principal.org_id, now)


def _actor(principal: Principal) -> tuple[str, str]:
    """Whom the audit log names: the holder of a platform key is the operator."""
    if any(scope.startswith("platform:") for scope in principal.scopes):
        return "platform", "platform"
    return "customer", f"api_key:{principal.key_id} ({principal.label})"


def _token(header: str | None) -> str:
    if header is None:
        raise Unauthorized
    scheme, _, token = header.replace("\t", " ").strip(" ").partition(" ")
    token = token.lstrip(" ")  # any number of spaces is one (RFC 9110, 11.6.2)
    if scheme.lower() != "bearer" or not token.startswith(("am_live_", "am_test_")) or len(token) > 128:  # noqa: PLR2004 - three times a key's length
        raise Unauthorized
    return token
