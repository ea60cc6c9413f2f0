"""Draws on the buckets of lanes within the transaction that claims: what is not granted stays in the queue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from agentmessage.delivery.model import Claim
from agentmessage.delivery.rate_limits import queries, rules
from agentmessage.delivery.rate_limits.rules import Bucket, Lane, LaneFacts, Pace
from agentmessage.kernel.db import Tx
from agentmessage.kernel.token_bucket import wait_s

T_MOBILE_NAME = "%t-mobile%"
LEAST_WAIT_S, LAST_WAIT_S = 0.005, 1.0
ACCOUNT = "account"


class Limits(Protocol):
    """What the operator has decided, as far as it is about pace."""

    @property
    def max_segments_per_second(self) -> int:
        """Of the whole carrier account; 0: no limit."""
        ...

    @property
    def max_segments_per_number_per_minute(self) -> int:
        """Of each number; 0: no limit but that of its class."""
        ...

    @property
    def daily_cap(self) -> str:
        """Whom T-Mobile's daily cap counts: `lookup`, `all`, `off`."""
        ...


class Drawing:
    """The buckets of one claim. `put_off` are texts whose brand has used up its day, `wait_s` the wait for a token."""

    def __init__(self, tx: Tx, account: str, limits: Limits, facts: Mapping[UUID, LaneFacts]) -> None:
        self._tx = tx
        self._account = account
        self._limits = limits
        self._facts = facts
        self._paces: dict[tuple[UUID, str], Mapping[str, Pace]] = {}
        self._tokens: dict[str, float] = {}
        self._drawn: set[str] = set()
        self.put_off: dict[UUID, datetime] = {}
        self.wait_s = LAST_WAIT_S

    async def open(self, lanes: Sequence[Lane], channels: Sequence[str]) -> list[Lane]:
        """Lock the buckets of lanes; answers the lanes that may send something now."""
        for lane in lanes:
            for channel in channels:
                self._paces[lane.id, channel] = self._scopes(lane, channel)
        wanted: dict[str, Pace] = {}
        for scopes in self._paces.values():
            wanted |= scopes
        lane_scopes = [rules.lane_scope(lane.id) for lane in lanes]
        found = {one.scope: one for one in await self._lock([*wanted, *lane_scopes])}
        missing = [scope for scope in wanted if scope not in found]
        if missing:
            full = [wanted[scope].capacity for scope in missing]
            await queries.insert_buckets(self._tx, self._account, missing, full)
            found |= {one.scope: one for one in await self._lock(missing)}
        now = self._tx.now
        self._tokens = {scope: found[scope].at(pace, now) for scope, pace in wanted.items() if scope in found}
        return [lane for lane in lanes if self._is_open(lane, channels, found.get(rules.lane_scope(lane.id)))]

    async def draw(self, claims: Sequence[Claim]) -> list[Claim]:
        """Those of the texts that the buckets grant; a lane that has met its limit is not overtaken by itself."""
        granted: list[Claim] = []
        closed: set[tuple[UUID, str]] = set()
        for claim in claims:
            key = (claim.queue_id, claim.channel)
            if key not in closed and self._take(self._paces[key], claim.segments):
                granted.append(claim)
            else:
                closed.add(key)
        full = await self._count(granted)
        return [claim for claim in granted if claim.message_id not in full]

    async def save(self) -> None:
        """Write what is left."""
        if self._drawn:
            scopes = sorted(self._drawn)
            tokens = [self._tokens[scope] for scope in scopes]
            await queries.save_buckets(self._tx, self._account, scopes, tokens)

    def _scopes(self, lane: Lane, channel: str) -> Mapping[str, Pace]:
        known = self._facts.get(lane.id)
        found = dict(rules.paces(known, channel, number_per_min=self._limits.max_segments_per_number_per_minute))
        if self._limits.max_segments_per_second:
            found[ACCOUNT] = Pace(self._limits.max_segments_per_second * 60.0)
        return found

    async def _lock(self, scopes: Sequence[str]) -> Sequence[Bucket]:
        return await queries.lock_buckets(self._tx, self._account, scopes) if scopes else ()

    def _is_open(self, lane: Lane, channels: Sequence[str], own: Bucket | None) -> bool:
        now = self._tx.now
        if own is not None and own.paused_until is not None and own.paused_until > now:
            self._wait((own.paused_until - now).total_seconds())
            return False
        return any(self._has_token(self._paces[lane.id, channel], 1) for channel in channels)

    def _has_token(self, scopes: Mapping[str, Pace], segments: int) -> bool:
        for scope, pace in scopes.items():
            tokens = self._tokens.get(scope)
            if tokens is None:  # another worker draws on it
                self._wait(LEAST_WAIT_S)
                return False
            needed = min(float(segments), pace.capacity)
            if tokens < needed:
                self._wait(wait_s(tokens, needed, per_second=pace.per_second))
                return False
        return True

    def _take(self, scopes: Mapping[str, Pace], segments: int) -> bool:
        if not self._has_token(scopes, segments):
            return False
        for scope in scopes:
            self._tokens[scope] -= segments
            self._drawn.add(scope)
        return True

    def _wait(self, seconds: float) -> None:
        self.wait_s = max(LEAST_WAIT_S, min(self.wait_s, seconds))

    async def _count(self, claims: Sequence[Claim]) -> set[UUID]:
        """Count what goes to T-Mobile against the brands' day; answers the texts for which there is no room today."""
        counted = await self._counted(claims)
        if not counted:
            return set()
        day = rules.operators_day(self._tx.now)
        brands = sorted({claim.brand_id for claim in counted if claim.brand_id is not None})
        used = dict(await queries.lock_volumes(self._tx, brands, rules.T_MOBILE, day))
        added: dict[UUID, int] = defaultdict(int)
        for claim in counted:
            cap, brand_id = rules.daily_cap(self._facts.get(claim.queue_id)), claim.brand_id
            if cap is None or brand_id is None:
                continue
            if used[brand_id] + added[brand_id] + claim.segments > cap:
                self.put_off[claim.message_id] = rules.day_ends_at(self._tx.now)
            else:
                added[brand_id] += claim.segments
        if added:
            await queries.add_volumes(self._tx, list(added), list(added.values()), rules.T_MOBILE, day)
        return set(self.put_off)

    async def _counted(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        capped = [
            claim
            for claim in claims
            if claim.brand_id is not None and rules.daily_cap(self._facts.get(claim.queue_id)) is not None
        ]
        if not capped or self._limits.daily_cap == "off":
            return ()
        if self._limits.daily_cap == "all":
            return capped
        theirs = set(
            await queries.list_subscribers(
                self._tx,
                [claim.org_id for claim in capped],
                [claim.recipient for claim in capped],
                operator=T_MOBILE_NAME,
            )
        )
        return [claim for claim in capped if claim.recipient in theirs]
