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

REMEMBER_S = 0.8
DISTRUST_S = 10.0
MAX_REMEMBERED = 20_000
TOUCH_EVERY_S = 60.0
MAX_CROWD = 500
CROWD_EVERY_S = 0.02
"""Keys behind an address that is over its limit are looked up so many at once, and so often: a flood costs no more."""


class Principal(Struct, frozen=True):
    """Who a key belongs to. `mode` is the organization's: live or sandbox."""

    key_id: UUID
    org_id: UUID
    cell: str
    mode: str
    label: str
    scopes: list[str]


class Known(Struct, frozen=True):
    """What a request needs of a principal, made once per look-up."""

    principal: Principal
    scopes: frozenset[str]
    actor_kind: str
    actor_label: str
    believed_until: float


class Authenticator:
    """Knows who is behind a key. One per process."""

    def __init__(self, cells: Cells, monotonic: Callable[[], float]) -> None:
        self._cells = cells
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Known | None]] = {}
        self._forgotten: dict[UUID, float] = {}
        self._touched: dict[UUID, float] = {}
        self._to_touch: dict[UUID, tuple[str, UUID, datetime]] = {}
        self._crowd = Batcher[bytes, Principal | None](self._ask_many, max_batch=MAX_CROWD, max_waiting=2 * MAX_CROWD)
        self._crowd_due_at = 0.0
        self.watch = KeyWatch(cells)

    def recall(self, header: bytes | None) -> Known | None:
        """The principal of an Authorization header if it is fresh in memory; else None: ask `look_up`."""
        if header is None:
            return None
        known = self._known.get(header)
        if known is None or known.believed_until < self._monotonic():
            return None
        return known

    def was_known(self, header: bytes | None) -> bool:
        """Whether the key was good when it was last looked up: what strangers do does not hold it up."""
        return header in self._known

    async def look_up(self, header: str | None, *, now: datetime) -> Known:
        """The principal of an Authorization header. Raises Unauthorized, always with the same words."""
        token = _token(header)
        remembered = (header or "").encode()
        asking = self._asking.get(remembered)
        if asking is None:
            asking = asyncio.create_task(self._ask(remembered, token))
            self._asking[remembered] = asking
            asking.add_done_callback(lambda _: self._asking.pop(remembered, None))
        known = await asyncio.shield(asking)
        if known is None:
            raise Unauthorized
        self._note_use(known.principal, now)
        return known

    async def look_up_in_crowd(self, header: str | None, *, now: datetime) -> Known | None:
        """As `look_up`, together with the others of an address that is over its limit; None for a key that is not good.

        A good key that this process has not seen yet pays a few milliseconds for what strangers do beside it.
        """
        try:
            token = _token(header)
            principal = await self._crowd.submit(hashlib.sha256(token.encode()).digest())
        except (Unauthorized, Unavailable):
            return None
        return None if principal is None else await self.look_up(header, now=now)

    def forget(self, key_id: UUID) -> None:
        """A key is being revoked in this process: dead here with the commit, not a second later.

        A look-up that began before the commit, or a commit that is still to come, must not bring it back into memory:
        for a while it is looked up at every request.
        """
        if len(self._forgotten) > MAX_REMEMBERED:
            self._forgotten.clear()
        self._forgotten[key_id] = self._monotonic() + DISTRUST_S
        self._asking.clear()
        self.watch.lose(key_id)
        for header in [h for h, known in self._known.items() if known.principal.key_id == key_id]:
            del self._known[header]

    def take_uses(self) -> dict[str, list[tuple[UUID, UUID, datetime]]]:
        """Keys used since the last call, by cell, at most once a minute each; for the process to write lazily."""
        by_cell: dict[str, list[tuple[UUID, UUID, datetime]]] = {}
        for key_id, (cell, org_id, at) in self._to_touch.items():
            by_cell.setdefault(cell, []).append((key_id, org_id, at))
        self._to_touch.clear()
        return by_cell

    async def _ask_many(self, hashes: Sequence[bytes]) -> Sequence[Principal | None]:
        await asyncio.sleep(max(0.0, self._crowd_due_at - self._monotonic()))
        self._crowd_due_at = self._monotonic() + CROWD_EVERY_S
        found = dict(await queries.list_principals(await self._cells.directory(), Principal, list(set(hashes))))
        return [found.get(one) for one in hashes]

    async def _ask(self, remembered: bytes, token: str) -> Known | None:
        began = self._monotonic()
        directory = await self._cells.directory()
        principal = await queries.find_principal(directory, Principal, hashlib.sha256(token.encode()).digest())
        if principal is None:
            self._known.pop(remembered, None)
            return None
        kind, label = _actor(principal)
        known = Known(principal, frozenset(principal.scopes), kind, label, began + REMEMBER_S)
        if self._forgotten.get(principal.key_id, began) > began:
            return known
        self._known[remembered] = known
        self._known.move_to_end(remembered)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _note_use(self, principal: Principal, now: datetime) -> None:
        moment = self._monotonic()
        if moment - self._touched.get(principal.key_id, -TOUCH_EVERY_S) >= TOUCH_EVERY_S:
            if len(self._touched) > MAX_REMEMBERED:
                self._touched.clear()
            self._touched[principal.key_id] = moment
            self._to_touch[principal.key_id] = (principal.cell, principal.org_id, now)


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
